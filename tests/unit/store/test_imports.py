"""What the end of an import costs, which holds its listener's lock."""

from __future__ import annotations

from datetime import datetime

from sleevenotes.clock import HandClock
from sleevenotes.store import accounts, imports
from sleevenotes.store.postgres import Connection, Database

SIZE = 4_000  # so that the links are more than a page or two, which any plan may read whole


async def test_the_end_of_an_import_reads_its_plays_once_though_statistics_do_not_know_them(
    database: Database, clock: HandClock
) -> None:
    async with database.transaction() as conn:
        anna = (await accounts.create(conn, "anna", "a good password", is_owner=True, now=clock.now())).id
        await _bring(conn, anna, 1, 0)
        await conn.execute("ANALYZE scrobbles, import_links")
        await _bring(conn, anna, 2, SIZE * 60)
        await conn.execute(  # every other one is taken for the one before it; half of these the export hid itself
            """
            UPDATE scrobbles s SET same_as = p.id FROM scrobbles p
            WHERE s.import_id = 2 AND p.import_id = 2 AND p.id = s.id - 1 AND s.id % 2 = 0
            """
        )
        await conn.execute(
            """
            INSERT INTO import_links SELECT 2, s.id, p.listened_at, p.identity
            FROM scrobbles s JOIN scrobbles p ON p.id = s.same_as WHERE s.id % 4 = 0
            """
        )
        before = await _read(conn)
        await imports.link(conn, anna, 2, clock.now())
        assert await _read(conn) - before < 5 * SIZE
        assert await conn.fetchval("SELECT count(*) FROM scrobbles WHERE same_as IS NOT NULL") == SIZE / 4
        assert await conn.fetchval("SELECT count(*) FROM own_plays WHERE import_id = 2") == SIZE / 4


async def _bring(conn: Connection, account_id: int, import_id: int, seconds: int) -> None:
    start = datetime.fromisoformat("2026-01-01T00:00:00Z")
    await conn.execute(
        """
        INSERT INTO imports (id, account_id, file_name, size, format, status, created_at) OVERRIDING SYSTEM VALUE
        VALUES ($1, $2, 'plays.jsonl', 1, 'own', 'running', $3)
        """,
        import_id,
        account_id,
        start,
    )
    await conn.execute(
        """
        INSERT INTO scrobbles
            (account_id, listened_at, identity, lookup_id, artist, track, origin, import_id, inserted_at)
        SELECT $1, $2::timestamptz + make_interval(secs => $4 + n * 60), decode(md5(n::text), 'hex'), n, 'Nile',
               'Ruins ' || n, 'lastfm', $3, $2
        FROM generate_series(1, $5::int) AS n
        """,
        account_id,
        start,
        import_id,
        seconds,
        SIZE,
    )


async def _read(conn: Connection) -> int:
    """Return how many rows of plays, and entries of their indexes, were read in this transaction."""
    rows = await conn.fetch(
        """
        SELECT oid::regclass, pg_stat_get_xact_tuples_returned(oid) AS read FROM pg_class
        WHERE oid IN ('scrobbles'::regclass, 'import_links'::regclass) OR oid IN
            (SELECT indexrelid FROM pg_index WHERE indrelid IN ('scrobbles'::regclass, 'import_links'::regclass))
        """
    )
    return sum(row["read"] for row in rows)
