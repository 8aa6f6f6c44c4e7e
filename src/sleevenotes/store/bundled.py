"""The PostgreSQL we bring along, and its supervisor.

Files, all under `postgres` in the data directory (see `installed.home_in`):

    cluster/        PostgreSQL's own data directory
    run/            its socket, in a directory only its owner enters (0700); there is no TCP and no password.
                    Where the path is too long for a socket, a link to such a directory in the temporary directory
    server.log      what it says
    users.lock      locked (shared) by every process that uses the server
    running.lock    locked by the server's own processes, who inherit it: nobody holds it when none of them lives

and beside it `postgres.lock`, held while somebody starts or stops the server.

The locks are the kernel's (flock), so nothing stale can remain of a process that died, whichever way. A server
that is running is joined, whoever started it. One that died is started again by the first of its users to notice
(each looks four times a second). The last user to leave stops it; when all users were killed, it lives on and
the next one adopts it. There is no limit to the start: recovery after a crash may take long, and we wait and say so
while the server lives.
"""

from __future__ import annotations

import asyncio
import fcntl
import os
import shutil
import signal
import socket
import subprocess
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import BinaryIO, NoReturn
from urllib.parse import quote

import structlog

from sleevenotes import clock, errors
from sleevenotes.store import installed

ROLE = "sleevenotes"
DATABASE = "sleevenotes"
SOCKET = ".s.PGSQL.5432"
SOCKET_PATH_LIMIT = 100  # bytes; the kernels' own limits are 104 (macOS) and 108 (Linux)
LOG_LIMIT = 5_000_000  # bytes; a longer log is put aside at the next start
LOOK_EVERY = 0.25  # seconds between two looks at whether the server lives
SAY_EVERY = 5.0  # seconds between two words about a start that takes long
LEAVE_WITHIN = 60.0  # seconds to wait for others before we leave without stopping the server

# What a small machine wants; each is the measured compromise of docs/decisions/0001-postgresql-in-a-wheel.md.
FLAGS = {
    "listen_addresses": "",
    "unix_socket_permissions": "0700",
    "max_connections": "60",
    "shared_buffers": "48MB",
    "work_mem": "8MB",
    "maintenance_work_mem": "64MB",
    "huge_pages": "off",
    "io_method": "sync",  # saves three processes
    "jit": "off",
    "max_parallel_workers_per_gather": "0",
    "max_parallel_maintenance_workers": "0",
    "autovacuum_max_workers": "2",
    "autovacuum_worker_slots": "2",
    "wal_level": "minimal",
    "max_wal_senders": "0",
    "max_logical_replication_workers": "0",
    "max_wal_size": "512MB",
    "checkpoint_timeout": "15min",
    "random_page_cost": "1.1",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "log_checkpoints": "off",
    "log_line_prefix": "%m [%p] ",
}
# For data that nobody will miss (tests): safe from the death of processes, not from that of the machine.
FRAGILE_FLAGS = {"fsync": "off", "full_page_writes": "off"}

log = structlog.get_logger(__name__)


class Server:
    """One process's use of the bundled server of a data directory: join it, watch over it, leave it.

    Not `durable` means that a crash of the machine may destroy the data, which makes tests faster.
    """

    def __init__(self, data_path: Path, *, durable: bool = True, state_root: Path = installed.STATE_ROOT) -> None:
        self._data_path = data_path.absolute()
        self._durable = durable
        self._state_root = state_root
        self._clock = clock.SystemClock()  # processes live in the machine's time
        self._child: subprocess.Popen[bytes] | None = None
        self._joined: int | None = None  # descriptor of users.lock
        self._home = Path()
        self._run = Path()

    # ------------------------------------------------------------------ joining and leaving

    @property
    def url(self) -> str:
        """Where to connect; known once joined."""
        return f"postgresql://{ROLE}@/{DATABASE}?host={quote(str(self._run), safe='/')}"

    async def join(self) -> None:
        """Return when the server takes connections, started by us where nobody has.

        Raises errors.Unusable, with the server's own last words, where it cannot start.
        """
        self._data_path.mkdir(parents=True, exist_ok=True)
        async with self._starting():
            self._home = installed.home_in(self._data_path, state_root=self._state_root)
            self._joined = os.open(self._home / "users.lock", os.O_RDWR | os.O_CREAT, 0o600)
            fcntl.flock(self._joined, fcntl.LOCK_SH)
            try:
                await self._ensure()
            except BaseException:
                if _only_user(self._joined):
                    self._ask_to_stop()
                self._give_up_place()
                raise

    async def watch(self) -> NoReturn:
        """Start the server again whenever it dies; runs until cancelled."""
        while True:
            await self._clock.sleep(LOOK_EVERY)
            if self._child:
                self._child.poll()
            if self._lives():
                continue
            log.warning("PostgreSQL has died; starting it again")
            try:
                async with self._starting():
                    await self._ensure()
            except (errors.Unusable, OSError) as error:
                log.error("PostgreSQL does not start; trying again", error=str(error))  # noqa: TRY400
                await self._clock.sleep(SAY_EVERY)

    async def leave(self) -> None:
        """Give up our place, and stop the server if we were its last user."""
        if self._joined is None:
            return
        try:
            async with asyncio.timeout(LEAVE_WITHIN), self._starting():
                if _only_user(self._joined):
                    await self._stop()
        except TimeoutError:
            log.warning("PostgreSQL is left running: others are busy with it, or it is slow to stop")
        finally:
            self._give_up_place()

    def _give_up_place(self) -> None:
        if self._joined is not None:
            os.close(self._joined)
            self._joined = None
        if self._child and self._child.poll() is None:
            _left_running.append(self._child)
        self._child = None

    @asynccontextmanager
    async def _starting(self) -> AsyncIterator[None]:
        descriptor = os.open(self._data_path / "postgres.lock", os.O_RDWR | os.O_CREAT, 0o600)
        try:
            while not _try_lock(descriptor, fcntl.LOCK_EX):
                await self._clock.sleep(0.02)
            yield
        finally:
            os.close(descriptor)

    # ------------------------------------------------------------------ is it there?

    def _lives(self) -> bool:
        descriptor = os.open(self._home / "running.lock", os.O_RDWR | os.O_CREAT, 0o600)
        try:
            return not _try_lock(descriptor, fcntl.LOCK_SH)
        finally:
            os.close(descriptor)

    def _accepts(self) -> bool:
        return self._pid_file()[7:8] == ["ready"] and _connects(self._run / SOCKET)

    def _pid_file(self) -> list[str]:
        # its lines: pid, data directory, start, port, socket directory, address, shared memory, state
        try:
            text = (self._home / "cluster" / "postmaster.pid").read_text("utf-8")
        except FileNotFoundError:
            return []
        return [line.strip() for line in text.splitlines()]

    # ------------------------------------------------------------------ starting and stopping

    async def _ensure(self) -> None:
        """Return when the server takes connections. Call under the starting lock."""
        user = installed.user_for(self._home / "cluster")
        self._run = await asyncio.to_thread(_socket_directory, self._home, user)
        launched = False
        since = said = self._clock.now()
        while not (self._lives() and self._accepts()):
            if not self._lives():
                if launched:
                    raise errors.Unusable(f"PostgreSQL does not start: {self._last_words(8)}")
                await self._start(user)
                launched = True
            await self._clock.sleep(0.01)
            now = self._clock.now()
            if (now - said).total_seconds() > SAY_EVERY:
                said = now
                waited = round((now - since).total_seconds())
                log.info("waiting for PostgreSQL", seconds=waited, last_words=self._last_words(1))

    async def _start(self, user: installed.User) -> None:
        cluster = self._home / "cluster"
        programs = await asyncio.to_thread(installed.programs, self._home, user)
        if not cluster.exists():
            log.info("preparing the database, once", directory=str(cluster))
            await asyncio.to_thread(_initialise, programs, cluster, user, durable=self._durable)
        _check_version(cluster)
        # Nobody lives, and our lock says so better than these two files with a process number in them: it may be
        # somebody else's by now, or a dead process's that nobody has collected.
        (cluster / "postmaster.pid").unlink(missing_ok=True)
        (self._run / f"{SOCKET}.lock").unlink(missing_ok=True)
        self._child = self._launch(programs, user)

    def _launch(self, programs: Path, user: installed.User) -> subprocess.Popen[bytes]:
        flags = FLAGS if self._durable else FLAGS | FRAGILE_FLAGS
        command = [str(programs / "postgres"), "-D", str(self._home / "cluster"), "-k", str(self._run)]
        for name, value in flags.items():
            command += ["-c", f"{name}={value}"]
        lock = os.open(self._home / "running.lock", os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX)
            with _open_log(self._home / "server.log") as output:
                return subprocess.Popen(  # noqa: S603 - our own words, no shell
                    command, cwd=self._home, env=_environment(), pass_fds=[lock],
                    stdin=subprocess.DEVNULL, stdout=output, stderr=output,
                    start_new_session=True,  # an interrupt typed at the terminal is for us, not for it
                    **user.as_arguments,
                )  # fmt: skip
        finally:
            os.close(lock)

    async def _stop(self) -> None:
        self._ask_to_stop()
        while self._lives():
            await self._clock.sleep(0.01)
        if self._child:
            self._child.wait()  # it holds no lock any more: it is over

    def _ask_to_stop(self) -> None:
        # Only while it listens is the number in the file surely its own.
        if self._lives() and _connects(self._run / SOCKET) and self._pid_file():
            with suppress(ProcessLookupError):
                os.kill(int(self._pid_file()[0]), signal.SIGINT)  # "fast": disconnect everybody, write, end

    def _last_words(self, lines: int) -> str:
        path = self._home / "server.log"
        if not path.exists():
            return ""
        with path.open("rb") as file:
            file.seek(max(0, path.stat().st_size - 4000))
            return "\n".join(file.read().decode("utf-8", "replace").splitlines()[-lines:])


# Servers of ours that others still use when we leave: kept, so that their objects do not complain.
_left_running: list[subprocess.Popen[bytes]] = []


def _try_lock(descriptor: int, kind: int) -> bool:
    try:
        fcntl.flock(descriptor, kind | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _only_user(descriptor: int) -> bool:
    # Turning the shared lock into an exclusive one succeeds when nobody else shares it.
    return _try_lock(descriptor, fcntl.LOCK_EX)


def _connects(path: Path) -> bool:
    # After the death of its main process, what is left of a server no longer listens.
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
        try:
            probe.connect(str(path))
        except OSError:
            return False
    return True


def _environment() -> dict[str, str]:
    # Only this: PGDATA, LANG and the like of whoever starts us must not change the server.
    return {"PATH": os.environ.get("PATH", os.defpath), "LC_ALL": "C", "TZ": "UTC"}


def _initialise(programs: Path, cluster: Path, user: installed.User, *, durable: bool) -> None:
    """Make a new cluster; it gets its name only when it is whole, so a start that was killed leaves no half one.

    Every local connection is trusted: only who may enter the socket's directory (0700) can make one. Sorting and
    case are PostgreSQL's own C.UTF-8, the same on every machine and after every system upgrade.
    """
    for old in cluster.parent.glob("cluster-draft-*"):
        shutil.rmtree(old)
    draft = Path(tempfile.mkdtemp(prefix="cluster-draft-", dir=cluster.parent))
    user.own(draft)
    command = [
        str(programs / "initdb"), "-D", str(draft), "-U", ROLE, "--auth=trust", "--encoding=UTF8",
        "--locale-provider=builtin", "--builtin-locale=C.UTF-8", "--locale=C", "--no-instructions",
    ]  # fmt: skip
    if not durable:
        command.append("--no-sync")
    done = subprocess.run(  # noqa: S603 - our own words, no shell
        command,
        cwd=cluster.parent, env=_environment(), stdin=subprocess.DEVNULL, capture_output=True,
        text=True, check=False, start_new_session=True, **user.as_arguments,
    )  # fmt: skip
    if done.returncode != 0:
        shutil.rmtree(draft)
        raise errors.Unusable(f"data_dir: the database could not be prepared: {done.stderr.strip()[-1000:]}")
    draft.rename(cluster)


def _check_version(cluster: Path) -> None:
    version = (cluster / "PG_VERSION").read_text("utf-8").strip()
    if version != installed.MAJOR:
        raise errors.Unusable(
            f"data_dir: {cluster} was made by PostgreSQL {version}, and this Sleevenotes brings "
            f"PostgreSQL {installed.MAJOR}: go back to the Sleevenotes that made it, back up, and restore here"
        )


def _socket_directory(home: Path, user: installed.User) -> Path:
    """Return the directory of the socket, made on first use and whenever it is gone or not private."""
    run = home / "run"
    if _is_private(run, user):
        return run.resolve()
    if run.is_symlink():
        run.unlink()
    if len(os.fsencode(run / SOCKET)) < SOCKET_PATH_LIMIT:
        run.mkdir(mode=0o700, exist_ok=True)
        directory = run
    else:
        directory = Path(tempfile.mkdtemp(prefix="sleevenotes-"))
        run.symlink_to(directory)
    directory.chmod(0o700)
    user.own(directory)
    return directory


def _is_private(path: Path, user: installed.User) -> bool:
    if not path.is_dir():
        return False
    status = path.stat()
    owner = os.geteuid() if user.uid is None else user.uid
    return status.st_uid == owner and status.st_mode & 0o777 == 0o700


def _open_log(path: Path) -> BinaryIO:
    if path.exists() and path.stat().st_size > LOG_LIMIT:
        path.replace(path.with_suffix(".log.1"))
    return path.open("ab")
