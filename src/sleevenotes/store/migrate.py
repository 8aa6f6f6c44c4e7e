"""The schema: numbered SQL files, applied in order, each once and in its own transaction.

Any number of processes may start at once: one advisory lock lets them do it one after the other. PgQueuer's own
tables are installed and upgraded under the same lock, whenever its version is another than the one recorded.
"""

from __future__ import annotations

import hashlib
import importlib.metadata
import re
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Any, NamedTuple

import asyncpg
import structlog

from sleevenotes import errors

DIRECTORY = Path(__file__).parent / "migrations"
LOCK = 0x736C656576656E  # "sleeven", as a number nobody else takes

log = structlog.get_logger(__name__)


class Migration(NamedTuple):
    """One numbered file."""

    number: int
    name: str
    sql: str

    @property
    def checksum(self) -> str:
        """Return the sha256 of its text, in hex."""
        return hashlib.sha256(self.sql.encode()).hexdigest()


def read(directory: Path = DIRECTORY) -> list[Migration]:
    """Return the migrations this code brings, in order.

    Raises errors.Unusable for a file that is not named "0001_words.sql", and for a number missing or taken twice.
    """
    found = []
    for path in sorted(directory.glob("*.sql")):
        named = re.fullmatch(r"(\d{4})_(\w+)\.sql", path.name)
        if named is None:
            raise errors.Unusable(f"migrations: {path.name} is not named like 0001_words.sql")
        found.append(Migration(int(named[1]), named[2], path.read_text("utf-8")))
    numbers = [migration.number for migration in found]
    if numbers != list(range(1, len(found) + 1)):
        raise errors.Unusable(f"migrations: the numbers {numbers} do not run from 1 without a gap")
    return found


async def run(connection: Any, now: datetime, *, directory: Path = DIRECTORY) -> int:
    """Bring the schema to what this code expects; return how many migrations that took.

    Takes a connection of asyncpg outside any transaction. Raises errors.Unusable, with nothing changed, where
    the database was migrated by a newer Sleevenotes, or by another; and where our role may not make what is needed.
    """
    migrations = read(directory)
    await connection.execute("SELECT pg_advisory_lock($1)", LOCK)
    try:
        applied = await _applied(connection)
        _refuse_others(migrations, applied)
        _refuse_newer(migrations, applied)
        missing = migrations[len(applied) :]
        for migration in missing:
            await _apply(connection, migration, now)
        await _install_queue(connection, now)
    except asyncpg.InsufficientPrivilegeError as error:
        raise errors.Unusable(
            f"database_url: {error}. This role has to be allowed to make tables: as the database's owner, "
            "GRANT CREATE ON SCHEMA public TO it, or make it the owner"
        ) from error
    finally:
        if not connection.is_closed():
            await connection.execute("SELECT pg_advisory_unlock($1)", LOCK)
    return len(missing)


async def apply(connection: Any, migrations: Sequence[Migration], now: datetime, *, afresh: bool = False) -> None:
    """Apply these migrations within the caller's transaction; `afresh`: as the first, whatever is recorded."""
    await _applied(connection)  # the record's table
    if afresh:
        await connection.execute("DELETE FROM schema_migrations WHERE number > 0")
    for migration in migrations:
        await _apply(connection, migration, now)


async def _applied(connection: Any) -> dict[int, str]:
    """Return number and name of what has been applied."""
    await connection.execute(
        "CREATE TABLE IF NOT EXISTS schema_migrations ("
        "number integer PRIMARY KEY, name text NOT NULL, applied_at timestamptz NOT NULL, checksum text NOT NULL)"
    )
    rows = await connection.fetch("SELECT number, name FROM schema_migrations WHERE number > 0 ORDER BY number")
    return {row["number"]: row["name"] for row in rows}


def _refuse_others(migrations: list[Migration], applied: dict[int, str]) -> None:
    for migration in migrations:
        theirs = applied.get(migration.number, migration.name)
        if theirs != migration.name:
            raise errors.Unusable(
                f"the database was made by another Sleevenotes: its migration {migration.number} is {theirs!r}, and "
                f"here it is {migration.name!r}. Start the version that made it."
            )


def _refuse_newer(migrations: list[Migration], applied: dict[int, str]) -> None:
    if len(applied) <= len(migrations):
        return
    newest = max(applied)
    raise errors.Unusable(
        f"the database is newer than this Sleevenotes: it has migration {newest} ({applied[newest]}), this version "
        f"ends at {len(migrations)} ({migrations[-1].name}). Start the newer version, or restore a backup made before."
    )


async def _apply(connection: Any, migration: Migration, now: datetime) -> None:
    async with connection.transaction():
        await connection.execute(migration.sql)
        await connection.execute(
            "INSERT INTO schema_migrations (number, name, applied_at, checksum) VALUES ($1, $2, $3, $4)",
            migration.number, migration.name, now, migration.checksum,
        )  # fmt: skip
    log.info("migrated the database", number=migration.number, name=migration.name)


async def _install_queue(connection: Any, now: datetime) -> None:
    """Install or upgrade PgQueuer's tables; the version they are of is kept as number 0."""
    version = importlib.metadata.version("pgqueuer")
    if await connection.fetchval("SELECT checksum FROM schema_migrations WHERE number = 0") == version:
        return
    from pgqueuer.queries import Queries  # noqa: PLC0415 - slow to import, and seldom needed here

    queries = Queries.from_asyncpg_connection(connection)
    if not await queries.schema_is_installed():
        async with connection.transaction():
            await queries.install()
    await queries.upgrade()
    await connection.execute(
        "INSERT INTO schema_migrations (number, name, applied_at, checksum) VALUES (0, 'pgqueuer', $1, $2) "
        "ON CONFLICT (number) DO UPDATE SET applied_at = EXCLUDED.applied_at, checksum = EXCLUDED.checksum",
        now, version,
    )  # fmt: skip
