"""Imports: what was given, how far it is, what was left out and why; and undoing one."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from datetime import datetime
from typing import Any

import msgspec

from sleevenotes import errors, events
from sleevenotes.store import events as event_rows
from sleevenotes.store.postgres import Connection

PAGE = 5_000  # rows of a report read at once
OFFERED, RUNNING, DONE, FAILED, UNDOING, UNDONE = "offered", "running", "done", "failed", "undoing", "undone"


class Import(msgspec.Struct, frozen=True):
    """An import as its row has it; see the migration for what the fields mean."""

    id: int
    account_id: int
    file_name: str
    upload: str
    size: int
    format: str
    options: dict[str, Any]
    status: str
    problem: str
    position: int
    share: float
    stored: int
    duplicates: int
    feedback: int
    acts: int
    skipped: int
    removed: int
    created_at: datetime
    started_at: datetime | None
    finished_at: datetime | None

    @property
    def rows(self) -> int:
        """Return how many rows are accounted for; words of love are no rows of their own."""
        return self.stored + self.duplicates + self.skipped


class Skip(msgspec.Struct, frozen=True):
    """A row that was left out, where it stands and why; `number` is its place among all items of the upload."""

    number: int
    file: str
    unit: str
    line: int
    kind: str
    reason: str


class Step(msgspec.Struct, frozen=True):
    """What one batch adds to an import's counts; `items` is how many items of the file it dealt with."""

    items: int
    share: float
    stored: int = 0
    duplicates: int = 0
    feedback: int = 0
    acts: int = 0
    skips: Sequence[Skip] = ()


async def offer(
    conn: Connection,
    account_id: int,
    *,
    file_name: str,
    upload: str,
    size: int,
    importer: str,
    now: datetime,
) -> int:
    """Note a file that may be imported, and return the import's id."""
    number: int = await conn.fetchval(
        """
        INSERT INTO imports (account_id, file_name, upload, size, format, created_at)
        VALUES ($1, $2, $3, $4, $5, $6) RETURNING id
        """,
        account_id,
        file_name,
        upload,
        size,
        importer,
        now,
    )
    return number


async def begin(
    conn: Connection,
    account_id: int,
    import_id: int,
    options: Mapping[str, Any],
    importer: str,
    now: datetime,
) -> bool:
    """Have an offered import run, or a failed one go on; False where it is neither, or not this account's."""
    done = await conn.fetchval(
        """
        UPDATE imports SET status = 'running', problem = '', started_at = coalesce(started_at, $4),
            options = CASE status WHEN 'offered' THEN $3::jsonb ELSE options END,
            format = CASE status WHEN 'offered' THEN $5 ELSE format END
        WHERE id = $2 AND account_id = $1 AND status IN ('offered', 'failed') AND upload <> ''
        RETURNING true
        """,
        account_id,
        import_id,
        dict(options),
        now,
        importer,
    )
    return bool(done)


async def undo(conn: Connection, account_id: int, import_id: int) -> bool:
    """Have an import undone, also while it runs; False where there is nothing to undo."""
    done = await conn.fetchval(
        """
        UPDATE imports SET status = 'undoing', problem = '', finished_at = NULL
        WHERE id = $2 AND account_id = $1 AND status IN ('running', 'done', 'failed') RETURNING true
        """,
        account_id,
        import_id,
    )
    return bool(done)


async def discard(conn: Connection, account_id: int, import_id: int) -> str | None:
    """Forget an import that holds no plays (offered or undone); return its upload's name, None where it holds some."""
    upload: str | None = await conn.fetchval(
        "DELETE FROM imports WHERE id = $2 AND account_id = $1 AND status IN ('offered', 'undone') RETURNING upload",
        account_id,
        import_id,
    )
    return upload


async def by_id(conn: Connection, import_id: int) -> Import:
    """Return an import. Raises errors.Gone where there is none."""
    row = await conn.fetchrow("SELECT * FROM imports WHERE id = $1", import_id)
    if row is None:
        raise errors.Gone(f"There is no import {import_id}.")
    return Import(**row)


async def own(conn: Connection, account_id: int, import_id: int) -> Import:
    """Return an import of this account. Raises errors.Gone where it has none of this number."""
    found = await by_id(conn, import_id)
    if found.account_id != account_id:
        raise errors.Gone(f"There is no import {import_id}.")
    return found


async def newest(conn: Connection, account_id: int, limit: int = 50) -> list[Import]:
    """Return the account's imports, the newest first."""
    rows = await conn.fetch("SELECT * FROM imports WHERE account_id = $1 ORDER BY id DESC LIMIT $2", account_id, limit)
    return [Import(**row) for row in rows]


async def advance(conn: Connection, import_id: int, position: int, step: Step) -> None:
    """Note, in the transaction that stores a batch, what became of it.

    Raises errors.Gone, and nothing is stored, where the import is not at `position` or runs no more: another worker has
    it, or it is being undone.
    """
    moved = await conn.fetchval(
        """
        UPDATE imports SET position = position + $3, share = greatest(share, $4), stored = stored + $5,
            duplicates = duplicates + $6, feedback = feedback + $7, acts = acts + $8, skipped = skipped + $9
        WHERE id = $1 AND position = $2 AND status = 'running' RETURNING true
        """,
        import_id,
        position,
        step.items,
        step.share,
        step.stored,
        step.duplicates,
        step.feedback,
        step.acts,
        len(step.skips),
    )
    if not moved:
        raise errors.Gone("The import has moved on without this worker.")
    if step.skips:
        await conn.copy_records_to_table(
            "import_skips",
            records=[(import_id, *msgspec.structs.astuple(skip)) for skip in step.skips],
            columns=("import_id", "number", "file", "unit", "line", "kind", "reason"),
        )


async def finish(conn: Connection, import_id: int, status: str, now: datetime, problem: str = "") -> None:
    """End an import: DONE or FAILED while it runs, UNDONE while it is undone."""
    await conn.execute(
        """
        UPDATE imports SET status = $2, problem = $3, finished_at = $4,
            upload = CASE $2 WHEN 'failed' THEN upload ELSE '' END,
            share = CASE $2 WHEN 'done' THEN 1 ELSE share END
        WHERE id = $1 AND status = CASE $2 WHEN 'undone' THEN 'undoing' ELSE 'running' END
        """,
        import_id,
        status,
        problem,
        now,
    )


async def tell(conn: Connection, account_id: int, import_id: int, now: datetime) -> None:
    """Tell the account's pages that an import has moved on."""
    await event_rows.tell(conn, [account_id], events.ImportChanged((import_id,)), now)


# ---------------------------------------------------------------- the report


async def kinds(conn: Connection, import_id: int) -> list[tuple[str, int]]:
    """Count what was left out by its kind, the most frequent first."""
    rows = await conn.fetch(
        """
        SELECT kind, count(*) AS number FROM import_skips WHERE import_id = $1
        GROUP BY kind ORDER BY number DESC, kind
        """,
        import_id,
    )
    return [(row["kind"], row["number"]) for row in rows]


async def skips(conn: Connection, import_id: int, *, after: int = -1, limit: int = PAGE) -> list[Skip]:
    """Return what was left out, in the order of the file, behind the item of this number."""
    rows = await conn.fetch(
        """
        SELECT number, file, unit, line, kind, reason FROM import_skips
        WHERE import_id = $1 AND number > $2 ORDER BY number LIMIT $3
        """,
        import_id,
        after,
        limit,
    )
    return [Skip(**row) for row in rows]


async def every_skip(conn: Connection, import_id: int) -> AsyncIterator[list[Skip]]:
    """Yield all that was left out, page by page."""
    after = -1
    while page := await skips(conn, import_id, after=after):
        yield page
        after = page[-1].number


# ---------------------------------------------------------------- links of our own exports


async def link_later(conn: Connection, import_id: int, links: Sequence[tuple[int, datetime, bytes]]) -> None:
    """Remember that scrobbles are hidden behind the play of this moment and identity, which may not be there yet."""
    await conn.copy_records_to_table(
        "import_links",
        records=[(import_id, *link) for link in links],
        columns=("import_id", "scrobble_id", "listened_at", "identity"),
    )


async def link(conn: Connection, account_id: int, import_id: int, now: datetime) -> None:
    """Show and hide the plays of an export of ours as they were shown and hidden where it was made.

    Only such an import brings plays of several origins, so that they may be taken for each other. Of two that the
    export showed both, though one is taken for the other here, that one was said to be a play of its own, and is again.
    Nothing was said of one that is only taken for a record which the export hid: that record is turned round.
    The caller has locked the account.

    What has just been stored is not in the statistics: for the planner an import is one play. So records are found by
    their ids (`+ 0` hides the index by import_id), where it would read all plays of the import for each of them.
    """
    await conn.execute(
        """
        WITH taken AS MATERIALIZED (
            SELECT id, same_as FROM scrobbles WHERE import_id = $2 AND account_id = $1 AND same_as IS NOT NULL
              AND NOT EXISTS (SELECT FROM import_links l WHERE l.import_id = $2 AND l.scrobble_id = scrobbles.id)
        ), shown AS (
            UPDATE scrobbles s SET same_as = NULL
            FROM taken JOIN scrobbles other ON other.id = taken.same_as AND other.import_id + 0 = $2
            WHERE s.id = taken.id
            RETURNING s.id, other.id AS behind
        )
        INSERT INTO own_plays (scrobble_id, decided_at, import_id) SELECT id, $3, $2 FROM shown
        WHERE NOT EXISTS (SELECT FROM import_links l WHERE l.import_id = $2 AND l.scrobble_id = shown.behind)
        ON CONFLICT DO NOTHING
        """,
        account_id,
        import_id,
        now,
    )
    await conn.execute(
        """
        UPDATE scrobbles s SET same_as = shown.id
        FROM import_links l JOIN scrobbles shown ON shown.account_id = $1
             AND shown.listened_at = l.listened_at AND shown.identity = l.identity
        WHERE l.import_id = $2 AND s.id = l.scrobble_id AND s.account_id = $1 AND shown.id <> s.id
        """,
        account_id,
        import_id,
    )
    await conn.execute("DELETE FROM import_links WHERE import_id = $1", import_id)


# ---------------------------------------------------------------- undoing


async def plays_of(conn: Connection, account_id: int, import_id: int, limit: int) -> list[int]:
    """Return the ids of some of the plays that an import brought and that are still there."""
    rows = await conn.fetch(
        "SELECT id FROM scrobbles WHERE import_id = $2 AND account_id = $1 LIMIT $3", account_id, import_id, limit
    )
    return [row["id"] for row in rows]


async def note_removed(conn: Connection, import_id: int, count: int) -> None:
    """Count plays that undoing has deleted."""
    await conn.execute("UPDATE imports SET removed = removed + $2 WHERE id = $1", import_id, count)


async def forgotten(conn: Connection, before: datetime) -> list[str]:
    """Drop imports that were offered before that moment and never begun; return the names of their uploads."""
    rows = await conn.fetch("DELETE FROM imports WHERE status = 'offered' AND created_at < $1 RETURNING upload", before)
    return [row["upload"] for row in rows]


async def uploads(conn: Connection) -> set[str]:
    """Return the names of all uploads that are still needed."""
    return {row["upload"] for row in await conn.fetch("SELECT upload FROM imports WHERE upload <> ''")}
