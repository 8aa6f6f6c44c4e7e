"""Popular names: the most played of all accounts together, and those of a public list; what each is missing.

A row says how a name stands, never who plays it: its place among the others is all that is kept of its plays. The drip
(`pipeline.popular`) takes up a few at a time; where it stands is in the one row of `popular_drip`, which every process
locks before it takes any.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final, NamedTuple

import msgspec

from sleevenotes import model
from sleevenotes.store.postgres import Connection

KINDS: Final = ("match", "art", "genres", "dates", "portraits", "ids", "source_ids")
"""What a name may be missing; one without a match is missing that alone. `ids` are MusicBrainz'."""

LONG_OPEN: Final = timedelta(days=1)
"""What was taken up before that and is not answered counts as left where it was."""


class Drip(msgspec.Struct, frozen=True):
    """Where the drip stands; `seed` is the digest (hex) of the list that was read last, `holds` why it waits."""

    listed_at: datetime | None
    spent_to: datetime | None
    holds: str
    seed: str


async def lock_drip(conn: Connection) -> Drip:
    """Return where the drip stands, and keep other processes from it until the transaction ends."""
    row = await conn.fetchrow("SELECT listed_at, spent_to, holds, seed FROM popular_drip FOR UPDATE")
    return Drip(**row)


async def set_drip(conn: Connection, drip: Drip) -> None:
    """Write where the drip stands."""
    await conn.execute(
        "UPDATE popular_drip SET listed_at = $1, spent_to = $2, holds = $3, seed = $4",
        drip.listed_at,
        drip.spent_to,
        drip.holds,
        drip.seed,
    )


# ---------------------------------------------------------------- the list


class Asked(NamedTuple):
    """Which sources can be asked for ids of their own: of a recording, of an album, of an artist."""

    recording: tuple[str, ...] = ()
    release_group: tuple[str, ...] = ()
    artist: tuple[str, ...] = ()


NOBODY: Final = Asked()


async def list_most_played(conn: Connection, most: int, now: datetime, age: timedelta, asked: Asked = NOBODY) -> None:
    """Count anew which names are played most, and what each is missing.

    One that was complete before anybody looked counts as looked at when it was decided. Names that are no longer among
    the most played, and those of the public list, are kept for `age` after they were taken up. A name that was looked
    at before one of the sources could be asked for its ids is due to have them collected.
    """
    await conn.execute(
        """
        WITH counted AS MATERIALIZED (
            SELECT lookup_id, row_number() OVER (ORDER BY count(*) DESC, lookup_id) AS place
            FROM scrobbles WHERE same_as IS NULL GROUP BY lookup_id ORDER BY place LIMIT $1
        ), gone AS (
            UPDATE popular SET place = NULL
            WHERE place IS NOT NULL AND lookup_id NOT IN (SELECT lookup_id FROM counted)
        )
        INSERT INTO popular AS old (lookup_id, place) SELECT lookup_id, place FROM counted ORDER BY lookup_id
        ON CONFLICT (lookup_id) DO UPDATE SET place = excluded.place WHERE old.place IS DISTINCT FROM excluded.place
        """,
        most,
    )
    await conn.execute(
        "DELETE FROM popular WHERE place IS NULL AND (taken_at < $1 OR taken_at IS NULL AND NOT seeded)", now - age
    )
    await measure(conn, asked)
    await conn.execute(
        """
        UPDATE popular SET taken_at = l.decided_at, looked_at = l.decided_at FROM lookups l
        WHERE l.id = lookup_id AND taken_at IS NULL AND missing = '{}' AND l.decided_at IS NOT NULL
        """
    )
    await conn.execute(
        """
        UPDATE popular SET ids_due_at = $1 WHERE 'source_ids' = ANY(missing) AND looked_at IS NOT NULL
          AND ids_at IS NULL AND ids_due_at IS NULL AND place IS NOT NULL
        """,
        now,
    )


async def measure(conn: Connection, asked: Asked = NOBODY, *, since: datetime | None = None) -> None:
    """Note what names are missing: all of them, or those that were taken up since.

    A source's own id is missing until it was told, or until the source has said that it has none.
    """
    await conn.execute(_MEASURE, since, *map(list, asked))


def _untold(of: str, row: str, place: int) -> str:
    """Write, in SQL, that one of the sources of the `place`-th parameter has said nothing of its ids of a row."""
    return f"""
        {row} IS NOT NULL AND EXISTS (
            SELECT FROM unnest(${place}::text[]) AS asked (source) WHERE NOT EXISTS (
                SELECT FROM source_ids i WHERE i.{of}_id = {row} AND i.source = asked.source))
    """


_MEASURE: Final = f"""
    WITH measured AS (
        SELECT p.lookup_id, CASE WHEN m.id IS NULL THEN ARRAY['match'] ELSE array_remove(ARRAY[
            CASE WHEN w.image_id IS NULL THEN 'art' END,
            CASE WHEN NOT EXISTS (SELECT FROM release_group_genres WHERE release_group_id = g.id)
                  AND NOT EXISTS (SELECT FROM artist_credit_names n JOIN artist_genres USING (artist_id)
                                  WHERE n.artist_credit_id = r.artist_credit_id) THEN 'genres' END,
            CASE WHEN coalesce(e.date, '') = '' OR coalesce(g.first_release_date, '') = '' AND r.first_release_date = ''
                 THEN 'dates' END,
            CASE WHEN EXISTS (SELECT FROM artist_credit_names n LEFT JOIN portraits o USING (artist_id)
                              WHERE n.artist_credit_id = r.artist_credit_id AND o.image_id IS NULL)
                 THEN 'portraits' END,
            CASE WHEN num_nulls(r.mbid, e.mbid, g.mbid) > 0
                   OR EXISTS (SELECT FROM artist_credit_names n JOIN artists a ON a.id = n.artist_id
                              WHERE n.artist_credit_id = r.artist_credit_id AND a.mbid IS NULL) THEN 'ids' END,
            CASE WHEN {_untold("recording", "r.id", 2)} OR {_untold("release_group", "g.id", 3)}
                   OR EXISTS (SELECT FROM artist_credit_names n WHERE n.artist_credit_id = r.artist_credit_id
                              AND {_untold("artist", "n.artist_id", 4)}) THEN 'source_ids' END
        ], NULL) END AS missing
        FROM popular p
        JOIN lookups l ON l.id = p.lookup_id
        LEFT JOIN matches m ON m.id = l.match_id
        LEFT JOIN recordings r ON r.id = m.recording_id
        LEFT JOIN releases e ON e.id = m.release_id
        LEFT JOIN release_groups g ON g.id = m.release_group_id
        LEFT JOIN artworks w ON w.release_group_id = m.release_group_id
        WHERE $1::timestamptz IS NULL OR p.taken_at >= $1
    )
    UPDATE popular SET missing = measured.missing FROM measured
    WHERE popular.lookup_id = measured.lookup_id AND popular.missing <> measured.missing
"""


# ---------------------------------------------------------------- taking up


async def in_first_pass(conn: Connection, now: datetime) -> bool:
    """Tell whether anything of an import waits for its first answer: names, or their albums' covers.

    What the drip itself had looked for does not count, nor what has waited for more than a week.
    """
    waits: bool = await conn.fetchval(
        """
        SELECT EXISTS (SELECT FROM lookups l WHERE status = 'pending' AND tries = 0 AND created_at > $1
                       AND NOT EXISTS (SELECT FROM popular p WHERE p.lookup_id = l.id AND p.seeded))
            OR EXISTS (SELECT FROM artworks w WHERE status = 'pending' AND tries = 0 AND image_id IS NULL
                       AND wanted_at > $1)
        """,
        now - timedelta(days=7),
    )
    return waits


async def count_open(conn: Connection, now: datetime) -> int:
    """Count the names that were taken up, or made of the public list, and are not answered."""
    number: int = await conn.fetchval(
        """
        SELECT (SELECT count(*) FROM popular WHERE taken_at > $1 AND looked_at IS NULL OR ids_at > $1)
             + (SELECT count(*) FROM popular p JOIN lookups l ON l.id = p.lookup_id
                WHERE p.seeded AND p.taken_at IS NULL AND l.status = 'pending' AND l.created_at > $1)
        """,
        now - LONG_OPEN,
    )
    return number


class Taken(msgspec.Struct, frozen=True):
    """A name that is taken up: matched to a recording of MusicBrainz with its album, matched otherwise, or not."""

    lookup_id: int
    matched: bool
    whole: bool


async def take(conn: Connection, limit: int, now: datetime, age: timedelta) -> list[Taken]:
    """Take up at most so many names: never looked at, the most played first; then matched since, or older than `age`.

    What is being looked for is left to those who do.
    """
    rows = await conn.fetch(
        f"""
        WITH due AS (
            SELECT p.lookup_id FROM popular p JOIN lookups l ON l.id = p.lookup_id
            WHERE l.status <> 'pending' AND (
                p.taken_at IS NULL
                OR p.taken_at <= $2 AND p.place IS NOT NULL
                OR l.match_id IS NOT NULL AND l.decided_at > p.taken_at AND p.missing <> '{{}}')
            ORDER BY p.taken_at NULLS FIRST, p.place NULLS LAST, p.lookup_id LIMIT $1 FOR NO KEY UPDATE OF p
        ), taken AS (
            UPDATE popular SET taken_at = $3, looked_at = NULL FROM due WHERE popular.lookup_id = due.lookup_id
            RETURNING popular.lookup_id
        )
        SELECT taken.lookup_id, m.id IS NOT NULL AS matched, {_WHOLE} AS whole
        FROM taken JOIN lookups l ON l.id = taken.lookup_id LEFT JOIN matches m ON m.id = l.match_id
        LEFT JOIN recordings r ON r.id = m.recording_id LEFT JOIN release_groups g ON g.id = m.release_group_id
        ORDER BY 1
        """,
        limit,
        now - age,
        now,
    )
    return [Taken(**row) for row in rows]


_WHOLE: Final = "r.mbid IS NOT NULL AND g.mbid IS NOT NULL"


async def reopen(conn: Connection, lookup_ids: Sequence[int]) -> list[int]:
    """Make those of these names pending that are not matched, at the lowest priority; return them."""
    rows = await conn.fetch(
        """
        UPDATE lookups SET status = 'pending', band = $2, recheck_at = NULL
        WHERE id IN (
            SELECT id FROM lookups WHERE id = ANY($1::bigint[]) AND status IN ('not_found', 'failed')
            ORDER BY identity FOR NO KEY UPDATE)
        RETURNING id
        """,
        list(lookup_ids),
        int(model.Band.LOW_PRIORITY),
    )
    return sorted(row["id"] for row in rows)


async def looked(conn: Connection, lookup_ids: Sequence[int], now: datetime) -> None:
    """Note that all has been answered that these names were taken up for."""
    await conn.execute("UPDATE popular SET looked_at = $2 WHERE lookup_id = ANY($1::bigint[])", list(lookup_ids), now)


# ---------------------------------------------------------------- sources' own ids


async def collect(conn: Connection, lookup_ids: Sequence[int], now: datetime) -> None:
    """Note that these names' ids are being collected from now on."""
    await conn.execute(
        "UPDATE popular SET ids_at = $2, ids_due_at = NULL WHERE lookup_id = ANY($1::bigint[])", list(lookup_ids), now
    )


async def collect_again(conn: Connection, limit: int, now: datetime) -> list[int]:
    """Begin with the most played names that are due to be asked for, see `collected`; return them."""
    rows = await conn.fetch(
        """
        UPDATE popular SET ids_at = $2, ids_due_at = NULL WHERE lookup_id IN (
            SELECT lookup_id FROM popular WHERE ids_due_at <= $2 AND place IS NOT NULL
            ORDER BY place LIMIT $1 FOR NO KEY UPDATE)
        RETURNING lookup_id
        """,
        limit,
        now,
    )
    return sorted(row["lookup_id"] for row in rows)


async def collected(conn: Connection, lookup_ids: Sequence[int], now: datetime, *, unreached: bool) -> None:
    """Note that all have answered who were asked for these names' ids; where some could not, they are due again.

    After 1, 2, 4 … 32 days, as what is absent.
    """
    await conn.execute(
        """
        UPDATE popular SET ids_at = NULL, ids_tries = CASE WHEN $3 THEN least(ids_tries + 1, 1000) ELSE 0 END,
            ids_due_at = CASE WHEN $3 THEN $2::timestamptz + interval '1 day' * 2 ^ least(ids_tries, 5) END
        WHERE lookup_id = ANY($1::bigint[])
        """,
        list(lookup_ids),
        now,
        unreached,
    )


# ---------------------------------------------------------------- what is taken up


class Subject(msgspec.Struct, frozen=True):
    """A matched name that is taken up, as it stands; MBIDs are "" where the source gave none."""

    lookup_id: int
    artist: str
    track: str
    release: str
    created_at: datetime
    taken_at: datetime
    match_id: int
    recording_id: int
    recording_mbid: str
    first_release_date: str
    release_id: int | None
    release_mbid: str
    release_group_id: int | None
    release_group_mbid: str
    artist_ids: tuple[int, ...]

    @property
    def is_whole(self) -> bool:
        """Tell whether MusicBrainz knows both recording and album, so that they need only be described anew."""
        return bool(self.recording_mbid and self.release_group_mbid)


async def subjects(conn: Connection, lookup_ids: Sequence[int]) -> list[Subject]:
    """Return those of these names that are taken up, matched, and not answered yet."""
    rows = await conn.fetch(
        """
        SELECT p.lookup_id, l.artist, l.track, l.release, l.created_at, p.taken_at, m.id AS match_id,
               r.id AS recording_id, coalesce(r.mbid::text, '') AS recording_mbid, r.first_release_date,
               m.release_id, coalesce(e.mbid::text, '') AS release_mbid,
               m.release_group_id, coalesce(g.mbid::text, '') AS release_group_mbid,
               ARRAY(SELECT artist_id FROM artist_credit_names n
                     WHERE n.artist_credit_id = r.artist_credit_id ORDER BY position) AS artist_ids
        FROM popular p JOIN lookups l ON l.id = p.lookup_id JOIN matches m ON m.id = l.match_id
        JOIN recordings r ON r.id = m.recording_id
        LEFT JOIN releases e ON e.id = m.release_id LEFT JOIN release_groups g ON g.id = m.release_group_id
        WHERE p.lookup_id = ANY($1::bigint[]) AND p.taken_at IS NOT NULL AND p.looked_at IS NULL ORDER BY 1
        """,
        list(lookup_ids),
    )
    return [Subject(**{**row, "artist_ids": tuple(row["artist_ids"])}) for row in rows]


async def merged(conn: Connection, recording_id: int, into_id: int) -> None:
    """Point what is matched to a recording to the one that it was merged into."""
    await conn.execute("UPDATE matches SET recording_id = $2 WHERE recording_id = $1", recording_id, into_id)


async def artists(conn: Connection, mbids: Sequence[str]) -> dict[str, int]:
    """Return the ids of these artists by MBID, of those that are known."""
    rows = await conn.fetch("SELECT mbid::text, id FROM artists WHERE mbid = ANY($1::uuid[])", list(mbids))
    return {row["mbid"]: row["id"] for row in rows}
