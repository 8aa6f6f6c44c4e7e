"""What a listener loves and hates, by artist and track as named: it holds for every play, past and to come."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

import msgspec

from sleevenotes import events, names
from sleevenotes.store import events as event_rows
from sleevenotes.store.postgres import Connection

LOVED, HATED = 1, -1


class Feedback(msgspec.Struct, frozen=True):
    """A track and what its listener thinks of it: LOVED or HATED."""

    artist: str
    track: str
    score: int
    given_at: datetime


async def give(conn: Connection, account_id: int, artist: str, track: str, score: int, now: datetime) -> None:
    """Remember LOVED or HATED for a track; 0 forgets what was said. The latest word counts, and pages are told."""
    identity = names.digest(artist, track)
    await _write(conn, account_id, identity, artist, track, score, now)
    await event_rows.tell(conn, [account_id], events.FeedbackGiven(identity.hex(), score), now)


async def _write(
    conn: Connection, account_id: int, identity: bytes, artist: str, track: str, score: int, now: datetime
) -> None:
    if score == 0:
        await conn.execute("DELETE FROM feedback WHERE account_id = $1 AND identity = $2", account_id, identity)
        return
    await conn.execute(
        """
        INSERT INTO feedback (account_id, identity, artist, track, score, given_at) VALUES ($1, $2, $3, $4, $5, $6)
        ON CONFLICT (account_id, identity) DO UPDATE SET
            score = excluded.score, given_at = excluded.given_at, import_id = NULL
        """,
        account_id,
        identity,
        artist,
        track,
        score,
        now,
    )


async def learn(conn: Connection, account_id: int, loved: Sequence[tuple[str, str, datetime]]) -> None:
    """Remember that these (artist, track) are loved since then; what the listener said here later stands."""
    once = {names.digest(artist, track): (artist, track, at) for artist, track, at in loved}
    await conn.execute(
        """
        INSERT INTO feedback (account_id, identity, artist, track, score, given_at)
        SELECT $1, identity, artist, track, $6, given_at
        FROM unnest($2::bytea[], $3::text[], $4::text[], $5::timestamptz[]) AS new (identity, artist, track, given_at)
        ORDER BY identity
        ON CONFLICT (account_id, identity) DO UPDATE SET
            score = excluded.score, given_at = excluded.given_at, import_id = NULL
        WHERE feedback.given_at < excluded.given_at
        """,
        account_id,
        list(once),
        [artist for artist, _, _ in once.values()],
        [track for _, track, _ in once.values()],
        [at for _, _, at in once.values()],
        LOVED,
    )


class Word(msgspec.Struct, frozen=True):
    """What an export says of a track: LOVED or HATED; `given_at` is None where it does not say since when."""

    artist: str
    track: str
    score: int
    given_at: datetime | None


async def bring(conn: Connection, account_id: int, words: Sequence[Word], now: datetime, import_id: int) -> None:
    """Take over what an export says; of tracks about which something was said here, that stays."""
    if not words:
        return
    await conn.execute(
        """
        INSERT INTO feedback (account_id, import_id, identity, artist, track, score, given_at)
        SELECT $1, $7, * FROM unnest($2::bytea[], $3::text[], $4::text[], $5::smallint[], $6::timestamptz[])
        ON CONFLICT (account_id, identity) DO NOTHING
        """,
        account_id,
        [names.digest(word.artist, word.track) for word in words],
        [word.artist for word in words],
        [word.track for word in words],
        [word.score for word in words],
        [word.given_at or now for word in words],
        import_id,
    )


async def scores(conn: Connection, account_id: int, identities: Sequence[bytes]) -> dict[bytes, int]:
    """Return what the account thinks of these (names.digest of artist and track); those without a word are left out."""
    rows = await conn.fetch(
        "SELECT identity, score FROM feedback WHERE account_id = $1 AND identity = ANY($2)",
        account_id,
        list(identities),
    )
    return {row["identity"]: row["score"] for row in rows}


async def newest(conn: Connection, account_id: int, score: int, *, limit: int, offset: int = 0) -> list[Feedback]:
    """Return the tracks with this score, the latest word first."""
    return await latest(conn, account_id, [score], limit=limit, offset=offset)


async def latest(
    conn: Connection, account_id: int, wanted: Sequence[int], *, limit: int, offset: int = 0
) -> list[Feedback]:
    """Return the tracks with one of these scores, the latest word first."""
    rows = await conn.fetch(
        """
        SELECT artist, track, score, given_at FROM feedback WHERE account_id = $1 AND score = ANY($2)
        ORDER BY given_at DESC, identity LIMIT $3 OFFSET $4
        """,
        account_id,
        list(wanted),
        limit,
        offset,
    )
    return [Feedback(**row) for row in rows]


async def count(conn: Connection, account_id: int, score: int) -> int:
    """Count the tracks with this score."""
    number: int = await conn.fetchval(
        "SELECT count(*) FROM feedback WHERE account_id = $1 AND score = $2", account_id, score
    )
    return number
