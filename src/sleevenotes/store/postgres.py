"""The door to PostgreSQL: a pool, transactions, and an ear for NOTIFY.

With no `database_url`, the server is the bundled one (bundled.py), watched over while the database is open.
A server that goes away and comes back is no event for callers who are not in the middle of a transaction: whoever
asks for a connection waits for it, up to `PATIENCE` seconds.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager, suppress
from typing import TYPE_CHECKING, Any, Protocol

import asyncpg
import msgspec
import structlog

from sleevenotes import clock, errors
from sleevenotes.settings import Settings
from sleevenotes.store import migrate

if TYPE_CHECKING:
    from sleevenotes.store import bundled

PATIENCE = 20.0  # seconds to wait for a server that is away; a restart after a crash takes about one
HEARTBEAT = 30.0  # seconds between two signs of life on the listening connection

# Sent at the start of every connection. The time zone decides what a day is in SQL: the caller's, never the server's.
SESSION = {"application_name": "sleevenotes", "timezone": "UTC"}

# What the driver raises while the server is away, starting or stopping, or when it dies under a statement.
AWAY = (
    OSError,  # nobody listens, no socket; asyncio.TimeoutError is one, too
    asyncpg.CannotConnectNowError,
    asyncpg.PostgresConnectionError,
    asyncpg.AdminShutdownError,
    asyncpg.CrashShutdownError,
    asyncpg.TooManyConnectionsError,
    asyncpg.InternalClientError,  # when the connection dies between two messages of one statement
)

# What a neighbour's transaction makes ours end with.
IN_THE_WAY = (asyncpg.DeadlockDetectedError, asyncpg.SerializationError, errors.Taken)

# What it raises where waiting would not help.
REFUSED = (
    asyncpg.ClientConfigurationError,
    asyncpg.InvalidAuthorizationSpecificationError,
    asyncpg.InvalidCatalogNameError,
)

UNREADABLE = (
    "database_url cannot be read: percent-encode / ? # [ @ in the password; the port is a number up to 65535, "
    "as in postgresql://user:password@host:5432/database"
)

log = structlog.get_logger(__name__)


def is_passing(error: Exception) -> bool:
    """Tell whether trying the same again may succeed: the server was away, or a neighbour was in the way."""
    if isinstance(error, asyncpg.InterfaceError):
        return not isinstance(error, ValueError)  # a closed connection, not a bad argument
    return isinstance(error, (*AWAY, *IN_THE_WAY, errors.Unreachable))


def is_away(error: Exception) -> bool:
    """Tell whether a request that met this may be made again later: the database was away, in the way or full.

    An OSError that is not a connection's is a file's, and none of the database's affair.
    """
    if isinstance(error, OSError) and not isinstance(error, ConnectionError):
        return False
    return is_passing(error) or isinstance(error, asyncpg.DiskFullError)


class Connection(Protocol):
    """What the functions of `store` need of asyncpg's connections (pooled or not), as types.

    jsonb parameters and columns are Python values: msgspec-encodable on the way in, builtins on the way out.
    """

    async def execute(self, query: str, *args: Any) -> str: ...  # noqa: D102
    async def executemany(self, command: str, args: Iterable[Sequence[Any]]) -> None: ...  # noqa: D102
    async def fetch(self, query: str, *args: Any) -> list[Any]: ...  # noqa: D102
    async def fetchrow(self, query: str, *args: Any) -> Any: ...  # noqa: D102
    async def fetchval(self, query: str, *args: Any) -> Any: ...  # noqa: D102
    async def copy_records_to_table(  # noqa: D102
        self, table_name: str, *, records: Any, columns: Sequence[str] | None = None
    ) -> str: ...
    def transaction(self) -> AbstractAsyncContextManager[Any]: ...  # noqa: D102
    def cursor(self, query: str, *args: Any, prefetch: int | None = None) -> Any: ...  # noqa: D102


class Database:
    """A pool of connections to the one database, and the server behind it where it is ours.

    `pool` is asyncpg's; `url` is where it connects to.
    """

    def __init__(self, url: str, server: bundled.Server | None = None) -> None:
        self.url = url
        self.pool: asyncpg.Pool
        self._server = server
        self._ear = _Ear(url)
        self._tasks: list[asyncio.Task[Any]] = []

    @classmethod
    async def open(cls, settings: Settings, *, max_size: int = 10) -> Database:
        """Connect, with the bundled server started or joined where `database_url` is empty, and migrate.

        Raises errors.Unusable where the server cannot start or be reached, or the data are newer than this code.
        """
        server = None if settings.database_url else await _join(settings)
        database = cls(server.url if server else settings.database_url, server)
        try:
            await database._prepare(clock.from_text(settings.clock), max_size)
        except BaseException as error:
            await database.close()
            if isinstance(error, errors.Unreachable):
                raise errors.Unusable(f"database_url: {error}") from error
            raise
        return database

    async def _prepare(self, time: clock.Clock, max_size: int) -> None:
        if self._server:
            await _create_database(self.url)
            self._tasks.append(asyncio.create_task(self._server.watch(), name="watch PostgreSQL"))
        connection = await connect(self.url, patience=PATIENCE)
        try:
            await migrate.run(connection, time.now())
        finally:
            await connection.close()
        self.pool = await asyncpg.create_pool(
            min_size=1,
            max_size=max_size,
            connect=self._connect_patiently,
            init=_set_codecs,
            reset=_leave_as_is,
        )

    async def _connect_patiently(self, *_: Any, **options: Any) -> Any:
        return await connect(self.url, patience=PATIENCE, codecs=False, **options)

    async def close(self) -> None:
        """Close every connection, and stop the bundled server if nobody else uses it."""
        await self._ear.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        if hasattr(self, "pool"):
            await _close_pool(self.pool)
        if self._server:
            await self._server.leave()

    @asynccontextmanager
    async def connection(self) -> AsyncIterator[Connection]:
        """Lend a connection from the pool; each statement on it is its own transaction."""
        async with self.pool.acquire() as lent:
            yield lent

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[Connection]:
        """Lend a connection inside one transaction: committed at the end, rolled back on any exception."""
        async with self.pool.acquire() as lent, lent.transaction():
            yield lent

    async def listen(self, channel: str, heard: Callable[[str], None]) -> None:
        """Call `heard` with the payload of every NOTIFY on the channel, from the return of this on.

        One connection listens to all channels. When it was lost, it is made again and then `heard("")` is called:
        look, something may have been missed.
        """
        await self._ear.listen(channel, heard)


class _Ear:
    """The one connection that listens."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._hearers: dict[str, list[Callable[[str], None]]] = {}
        self._connection: Any = None
        self._lost = asyncio.Event()
        self._task: asyncio.Task[None] | None = None
        self._turn = asyncio.Lock()

    async def listen(self, channel: str, heard: Callable[[str], None]) -> None:
        async with self._turn:
            if self._task is None:
                await self._connect(patience=PATIENCE)
                self._task = asyncio.create_task(self._stay(), name="listen to PostgreSQL")
            if channel not in self._hearers:
                self._hearers[channel] = []
                # where the connection is lost just now, _stay listens to this channel, too
                with suppress(*AWAY, asyncpg.InterfaceError):
                    await self._connection.add_listener(channel, self._pass_on)
            self._hearers[channel].append(heard)

    async def close(self) -> None:
        if self._task:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
        if self._connection:
            self._connection.terminate()

    def _pass_on(self, _connection: Any, _pid: int, channel: str, payload: str) -> None:
        self._tell(channel, payload)

    def _tell(self, channel: str, payload: str) -> None:
        for heard in self._hearers[channel]:
            try:
                heard(payload)
            except Exception:  # one hearer's fault must not deafen the others
                log.exception("a hearer failed", channel=channel)

    async def _connect(self, *, patience: float) -> None:
        lost = asyncio.Event()
        connection = await connect(self._url, patience=patience, codecs=False)
        connection.add_termination_listener(lambda _: lost.set())
        for channel in self._hearers:
            await connection.add_listener(channel, self._pass_on)
        self._connection, self._lost = connection, lost

    async def _stay(self) -> None:
        while True:
            try:
                async with asyncio.timeout(HEARTBEAT):
                    await self._lost.wait()
            except TimeoutError:
                await self._check()
                continue
            log.warning("the connection that listens is lost; listening anew")
            await self._return()

    async def _check(self) -> None:
        # a network that swallowed the connection says nothing; without a question we would wait for ever
        try:
            async with asyncio.timeout(HEARTBEAT):
                await self._connection.execute("SELECT 1")
        except (*AWAY, asyncpg.InterfaceError):
            self._connection.terminate()
            self._lost.set()

    async def _return(self) -> None:
        while True:
            try:
                async with self._turn:
                    await self._connect(patience=PATIENCE)
                break
            except (*AWAY, asyncpg.PostgresError, errors.Unreachable) as error:
                log.warning("not listening yet", error=str(error))
                await clock.SystemClock().sleep(1)
        for channel in list(self._hearers):
            self._tell(channel, "")


async def connect(url: str, *, patience: float = 0.0, codecs: bool = True, **options: Any) -> Any:
    """Open one connection outside the pool (asyncpg's), with our codecs; waits `patience` seconds for a server away.

    Raises errors.Unreachable where the server stays away, errors.Unusable where it refuses us.
    """
    time = clock.SystemClock()
    since = time.now()
    while True:
        try:
            connection = await asyncpg.connect(url, server_settings=SESSION, **options)
            break
        except AWAY as error:
            if (time.now() - since).total_seconds() >= patience:
                raise errors.Unreachable(f"the database does not answer: {error}") from error
            await time.sleep(0.05)
        except REFUSED as error:
            raise errors.Unusable(f"database_url: {error}") from None
        except (ValueError, OverflowError):  # what it says may be a piece of the password
            raise errors.Unusable(UNREADABLE) from None
    await _require_utf8(connection)
    if codecs:
        await _set_codecs(connection)
    return connection


async def _require_utf8(connection: Any) -> None:
    encoding = getattr(connection.get_settings(), "server_encoding", "UTF8")  # the server tells it to all who connect
    if encoding != "UTF8":
        await connection.close()
        raise errors.Unusable(
            f"database_url: the database is encoded as {encoding}, which not every name can be written in: "
            "make one with ENCODING 'UTF8' TEMPLATE template0"
        )


@asynccontextmanager
async def bare(settings: Settings) -> AsyncIterator[Any]:
    """Give one connection (asyncpg's, with our codecs) to a database that is not prepared: no migration has run.

    Raises errors.Unusable where the server cannot start or be reached.
    """
    server = None if settings.database_url else await _join(settings)
    try:
        if server:
            await _create_database(server.url)
        connection = await connect(server.url if server else settings.database_url)
        try:
            yield connection
        finally:
            await connection.close()
    except errors.Unreachable as error:
        raise errors.Unusable(f"database_url: {error}") from error
    finally:
        if server:
            await server.leave()


async def _join(settings: Settings) -> bundled.Server:
    try:
        from sleevenotes.store import bundled  # noqa: PLC0415 - its means do not exist on every system
    except ImportError as error:
        raise errors.Unusable(
            f"the bundled PostgreSQL needs Linux or macOS ({error}): set DATABASE_URL to a PostgreSQL of yours"
        ) from None
    server = bundled.Server(settings.data_path)
    try:
        await server.join()
    except OSError as error:  # a directory that cannot be made or entered
        raise errors.Unusable(f"data_dir: {error}") from error
    return server


async def _create_database(url: str) -> None:
    """Make the database of a fresh bundled server."""
    try:
        await (await asyncpg.connect(url)).close()
    except asyncpg.InvalidCatalogNameError:
        base, _, query = url.partition("?")
        server, _, name = base.rpartition("/")
        connection = await connect(f"{server}/postgres?{query}")
        try:
            with suppress(asyncpg.DuplicateDatabaseError, asyncpg.UniqueViolationError):  # another was faster
                await connection.execute(f'CREATE DATABASE "{name}"')
        finally:
            await connection.close()


async def _set_codecs(connection: Any) -> None:
    # the binary form of jsonb is a version byte and the text
    await connection.set_type_codec(
        "jsonb",
        schema="pg_catalog",
        format="binary",
        encoder=lambda value: b"\x01" + msgspec.json.encode(value),
        decoder=lambda data: msgspec.json.decode(memoryview(data)[1:]),
    )


async def _leave_as_is(_: Any) -> None:
    """Spare a round trip for every loan: nobody changes a lent connection's session.

    A transaction left open is ended all the same.
    """


async def _close_pool(pool: asyncpg.Pool) -> None:
    # whoever still holds a connection gets a moment to finish
    try:
        async with asyncio.timeout(5):
            await pool.close()
    except TimeoutError:
        pool.terminate()
