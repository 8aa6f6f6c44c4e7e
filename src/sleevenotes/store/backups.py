"""All rows of an installation, out and in again, table by table; the file they go to is `pipeline.backup`'s affair.

Out: every table but those of NEVER and the queue's, in one REPEATABLE READ snapshot, as COPY's text, which every
version of PostgreSQL reads alike. In: the schema is made as it was when the backup was made, by the same migrations;
constraints between tables and triggers are put aside, rows are copied, constraints are made again (which checks all
rows), and the later migrations run, on data, as they would have in place. All in the caller's one transaction.

Neither needs more than the owner of the database may, so any managed PostgreSQL serves.
"""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from datetime import datetime
from typing import Any

import msgspec

from sleevenotes import errors, model
from sleevenotes.store import jobs, migrate
from sleevenotes.store.migrate import Migration

# What holds only where and while it was written: transaction numbers, the queue's own ids, and the schema's record.
NEVER = frozenset({"schema_migrations", "events", "events_purged", "job_starts"})
QUEUE = "pgqueuer"

Raw = Any  # a connection of asyncpg itself, outside the pool: COPY wants it


class Table(msgspec.Struct, frozen=True):
    """A table of a backup; `sequences` holds where its generated numbers stand, by column."""

    name: str
    columns: tuple[str, ...]
    rows: int
    sequences: dict[str, int] = {}


class Job(msgspec.Struct, frozen=True):
    """A job that waits: which stage shall look at which subjects, how urgently."""

    stage: str
    band: int
    subjects: list[int]


# ---------------------------------------------------------------- out


@asynccontextmanager
async def snapshot(conn: Raw) -> AsyncIterator[None]:
    """See the database as it is now until the block ends, whatever others write; holds nobody up."""
    async with conn.transaction(isolation="repeatable_read", readonly=True):
        yield


async def schema(conn: Raw) -> list[str]:
    """Return the names of the migrations that made this schema, in order."""
    rows = await conn.fetch("SELECT name FROM schema_migrations WHERE number > 0 ORDER BY number")
    return [row["name"] for row in rows]


async def tables(conn: Raw) -> list[Table]:
    """Return the tables to back up, with the numbers of their rows."""
    rows = await conn.fetch(
        """
        SELECT c.relname AS name,
               array_agg(a.attname::text ORDER BY a.attnum) FILTER (WHERE a.attgenerated = '') AS columns,
               array_agg(a.attname::text) FILTER (WHERE a.attidentity <> '') AS counted
        FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
        WHERE c.relnamespace = current_schema()::regnamespace AND c.relkind IN ('r', 'p') AND NOT c.relispartition
        GROUP BY c.relname ORDER BY c.relname
        """
    )
    return [
        Table(
            name=row["name"],
            columns=tuple(row["columns"]),
            rows=await conn.fetchval(f"SELECT count(*) FROM {_quoted(row['name'])}"),
            sequences={column: await _stands_at(conn, row["name"], column) for column in row["counted"] or ()},
        )
        for row in rows
        if row["name"] not in NEVER and not row["name"].startswith(QUEUE)
    ]


async def copy_out(conn: Raw, table: Table, write: Callable[[bytes], Awaitable[None]]) -> int:
    """Hand a table's rows over as COPY's text, a piece at a time; return how many rows that were."""
    columns = ", ".join(map(_quoted, table.columns))
    done: str = await conn.copy_from_query(f"SELECT {columns} FROM {_quoted(table.name)}", output=write, format="text")
    return int(done.rpartition(" ")[2])


async def waiting_jobs(conn: Raw) -> list[Job]:
    """Return the jobs that wait or run, without the queue's own ids."""
    if not await conn.fetchval("SELECT to_regclass($1) IS NOT NULL", QUEUE):
        return []
    rows = await conn.fetch(
        f"SELECT entrypoint, priority, payload FROM {QUEUE} WHERE status IN ('queued', 'picked') ORDER BY id"
    )
    return [Job(row["entrypoint"], row["priority"], jobs.subjects(row["payload"])) for row in rows]


async def image_digests(conn: Raw) -> list[str]:
    """Return the digests (hex) of the images to back up: all but stop-gaps, which terms forbid to copy."""
    rows = await conn.fetch("SELECT digest FROM images WHERE expires_at IS NULL ORDER BY digest")
    return [row["digest"].hex() for row in rows]


# ---------------------------------------------------------------- in


def known(names: Sequence[str]) -> list[Migration]:
    """Return the migrations of these names, the first ones of ours.

    Raises errors.Refused where they are another version's.
    """
    ours = migrate.read()
    if [each.name for each in ours[: len(names)]] != list(names):
        raise errors.Refused(
            "The backup was made by a Sleevenotes whose database this one does not know: use that one, or a newer."
        )
    return ours[: len(names)]


async def require_empty(conn: Raw) -> None:
    """Make sure, within the transaction, that nobody loses anything and nobody else is at work.

    Raises errors.Refused where an account or a play is here, or another process is connected.
    """
    others = await conn.fetchval(
        """
        SELECT count(*) FROM pg_stat_activity
        WHERE datname = current_database() AND application_name = 'sleevenotes' AND pid <> pg_backend_pid()
        """
    )
    if others:
        raise errors.Refused("Sleevenotes is running on this database: stop it first.")
    for table in ("accounts", "scrobbles"):
        if await conn.fetchval("SELECT to_regclass($1) IS NOT NULL", table) and await conn.fetchval(
            f"SELECT EXISTS (SELECT FROM {table})"
        ):
            raise errors.Refused(
                "This installation is not empty. A backup is restored into a new one only: name another --data-dir, "
                "or another database."
            )


async def make_schema(conn: Raw, migrations: Sequence[Migration], now: datetime) -> None:
    """Make the schema that these migrations make, in place of an empty one; without constraints between tables."""
    made = "\n".join(migration.sql for migration in migrate.read())
    for kind in ("TABLE", "FUNCTION"):
        for name in re.findall(rf"^CREATE {kind} (?:IF NOT EXISTS )?(\w+)", made, re.MULTILINE):
            await conn.execute(f"DROP {kind} IF EXISTS {name} CASCADE")
    await migrate.apply(conn, migrations, now, afresh=True)


async def put_aside(conn: Raw) -> list[str]:
    """Drop the constraints between tables and switch triggers off; return the statements that undo it."""
    constraints = await conn.fetch(
        """
        SELECT conrelid::regclass::text AS "table", quote_ident(conname) AS name, pg_get_constraintdef(oid) AS says
        FROM pg_constraint WHERE contype = 'f' AND connamespace = current_schema()::regnamespace ORDER BY oid
        """
    )
    triggers = await conn.fetch(
        """
        SELECT DISTINCT tgrelid::regclass::text AS "table" FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid
        WHERE NOT t.tgisinternal AND c.relnamespace = current_schema()::regnamespace
        """
    )
    for row in constraints:
        await conn.execute(f"ALTER TABLE {row['table']} DROP CONSTRAINT {row['name']}")
    for row in triggers:
        await conn.execute(f"ALTER TABLE {row['table']} DISABLE TRIGGER USER")
    return [
        *(f"ALTER TABLE {row['table']} ADD CONSTRAINT {row['name']} {row['says']}" for row in constraints),
        *(f"ALTER TABLE {row['table']} ENABLE TRIGGER USER" for row in triggers),
    ]


async def copy_in(conn: Raw, table: Table, data: AsyncIterator[bytes]) -> None:
    """Fill a table with a backup's rows, and let its generated numbers go on where they stood.

    Raises errors.Refused where their number is not the one the backup tells.
    """
    await conn.execute(f"DELETE FROM {_quoted(table.name)}")  # what its migration put there
    done: str = await conn.copy_to_table(table.name, source=data, columns=list(table.columns), format="text")
    if int(done.rpartition(" ")[2]) != table.rows:
        raise errors.Refused(f"The backup's table {table.name} has other rows than it tells.")
    for column, at in table.sequences.items():
        if at:
            await conn.fetchval("SELECT setval(pg_get_serial_sequence($1, $2), $3)", _quoted(table.name), column, at)


async def take_up(conn: Any, waiting: Sequence[Job], now: datetime) -> None:
    """Let what waited go on, and have looked for anew what was not copied: stop-gap covers."""
    for job in waiting:
        await jobs.enqueue(conn, job.stage, job.subjects, model.Band(job.band))
    await conn.execute("UPDATE images SET expires_at = $1 WHERE expires_at IS NOT NULL", now)
    await conn.execute("ANALYZE")


async def _stands_at(conn: Raw, table: str, column: str) -> int:
    sequence = await conn.fetchval("SELECT pg_get_serial_sequence($1, $2)", _quoted(table), column)
    at: int = await conn.fetchval(f"SELECT CASE WHEN is_called THEN last_value ELSE 0 END FROM {sequence}")
    return at


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'
