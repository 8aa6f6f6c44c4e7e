"""Scrobbles: storing them, and what their clients told of them. Pages and APIs read them by `store.played`."""

from __future__ import annotations

import operator
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime, timedelta
from typing import NamedTuple

import asyncpg
import msgspec

from sleevenotes import errors, events, model
from sleevenotes.store import events as event_rows
from sleevenotes.store import same_plays
from sleevenotes.store.postgres import Connection

# ---------------------------------------------------------------- writing


class New(msgspec.Struct, gc=False):
    """A scrobble on its way in; `identity` is names.digest(artist, track).

    Account, instant and identity are its key: what makes it the same as another. `id` and `lookup_id` are filled in
    before it is stored. `import_id` is the import that brings it, None where none does.
    """

    account_id: int
    listened_at: datetime
    identity: bytes
    scrobble: model.Scrobble
    id: int = 0
    lookup_id: int = 0
    import_id: int | None = None
    same_as: int | None = None  # the scrobble that is shown instead of it: the same play, see store.same_plays

    @property
    def key(self) -> tuple[int, datetime, bytes]:
        """Return what is unique among scrobbles."""
        return self.account_id, self.listened_at, self.identity


class Stored(NamedTuple):
    """A scrobble that is in the database."""

    id: int
    lookup_id: int
    listened_at: datetime


class Span(NamedTuple):
    """A stretch of an account's time, both ends included."""

    account_id: int
    first: datetime
    last: datetime


async def reserve(conn: Connection, count: int, spans: Sequence[Span]) -> tuple[list[int], bool]:
    """Return that many ids for new scrobbles, and whether anything is stored within these spans."""
    ids, crowded = await conn.fetchrow(
        """
        SELECT ARRAY(SELECT nextval('scrobbles_id_seq') FROM generate_series(1, $1)),
               EXISTS (SELECT FROM unnest($2::bigint[], $3::timestamptz[], $4::timestamptz[])
                              AS span (account_id, first, last),
                       LATERAL ((SELECT FROM scrobbles s WHERE s.account_id = span.account_id
                                 AND s.listened_at BETWEEN span.first AND span.last LIMIT 1)
                                UNION ALL
                                (SELECT FROM former_plays f WHERE f.account_id = span.account_id
                                 AND f.listened_at BETWEEN span.first AND span.last LIMIT 1)) AS play)
        """,
        count,
        *map(list, zip(*spans, strict=True)),
    )
    return ids, crowded


async def existing(conn: Connection, news: Sequence[New], spread_s: float = 0) -> dict[int, list[Stored]]:
    """Find which of these are stored already: position in `news` → those within `spread_s` seconds, nearest first."""
    rows = await conn.fetch(
        """
        SELECT k.position::int, s.id, s.lookup_id, s.listened_at
        FROM unnest($1::bigint[], $2::timestamptz[], $3::bytea[])
             WITH ORDINALITY AS k (account_id, listened_at, identity, position)
        JOIN scrobbles s ON s.account_id = k.account_id AND s.identity = k.identity
             AND s.listened_at BETWEEN k.listened_at - $4::interval AND k.listened_at + $4::interval
        ORDER BY abs(extract(epoch FROM s.listened_at - k.listened_at)), s.id
        """,
        [new.account_id for new in news],
        [new.listened_at for new in news],
        [new.identity for new in news],
        timedelta(seconds=spread_s),
    )
    found: dict[int, list[Stored]] = {}
    for position, *stored in rows:
        found.setdefault(position - 1, []).append(Stored(*stored))
    return found


async def brought_again(conn: Connection, news: Sequence[New], spread_s: float = 0) -> dict[int, list[Stored]]:
    """Find which of these are stored already, as `existing` does, also where their listener has told them anew.

    Those are found under the keys that they came with, and `listened_at` is when they were played by these.
    """
    rows = await conn.fetch(
        """
        SELECT k.position::int, s.id, s.lookup_id, f.listened_at
        FROM unnest($1::bigint[], $2::timestamptz[], $3::bytea[])
             WITH ORDINALITY AS k (account_id, listened_at, identity, position)
        JOIN former_plays f ON f.account_id = k.account_id AND f.identity = k.identity
             AND f.listened_at BETWEEN k.listened_at - $4::interval AND k.listened_at + $4::interval
        JOIN scrobbles s ON s.id = f.scrobble_id AND s.account_id = f.account_id
        ORDER BY abs(extract(epoch FROM f.listened_at - k.listened_at)), s.id
        """,
        [new.account_id for new in news],
        [new.listened_at for new in news],
        [new.identity for new in news],
        timedelta(seconds=spread_s),
    )
    found = await existing(conn, news, spread_s)
    for position, *stored in rows:
        found.setdefault(position - 1, []).append(Stored(*stored))
    return {at: sorted(near, key=lambda one: abs(one.listened_at - news[at].listened_at)) for at, near in found.items()}


async def insert(conn: Connection, news: Sequence[New], now: datetime) -> None:
    """Store scrobbles.

    Raises errors.Taken, and spoils the transaction, where a key is taken. Sorted by key, so that two transactions
    storing the same plays queue up rather than deadlock.
    """
    try:
        await conn.copy_records_to_table(
            "scrobbles", records=(_record(new, now) for new in sorted(news, key=_key)), columns=_COLUMNS
        )
    except asyncpg.UniqueViolationError as error:
        raise errors.Taken("Another transaction has stored the same play.") from error


_key = operator.attrgetter("key")

# Copied, not inserted: COPY writes 1,000 plays in half the time. It decides no conflicts, hence `reserve` and `Taken`.
_COLUMNS = (
    "id",
    "account_id",
    "listened_at",
    "identity",
    "lookup_id",
    "artist",
    "track",
    "release",
    "album_artist",
    "duration_ms",
    "source_app",
    "source_device",
    "origin",
    "foreign_id",
    "artwork_uri",
    "evidence",
    "extra",
    "same_as",
    "inserted_at",
    "import_id",
)
_NO_EVIDENCE = model.Evidence()


def _record(new: New, now: datetime) -> tuple[object, ...]:
    scrobble = new.scrobble
    return (
        new.id,
        new.account_id,
        new.listened_at,
        new.identity,
        new.lookup_id,
        scrobble.artist,
        scrobble.track,
        scrobble.release,
        scrobble.album_artist,
        scrobble.duration_ms,
        scrobble.source_app,
        scrobble.source_device,
        scrobble.origin,
        scrobble.foreign_id,
        scrobble.artwork_uri,
        None if scrobble.evidence == _NO_EVIDENCE else scrobble.evidence,
        scrobble.extra or None,
        new.same_as,
        now,
        new.import_id,
    )


async def give_images(conn: Connection, account_id: int, image_ids: Mapping[int, int]) -> None:
    """Let these scrobbles of the account (id → image id) show the images that were uploaded with them."""
    await conn.execute(
        """
        UPDATE scrobbles SET image_id = new.image_id FROM unnest($2::bigint[], $3::bigint[]) AS new (id, image_id)
        WHERE scrobbles.id = new.id AND account_id = $1
        """,
        account_id,
        list(image_ids),
        list(image_ids.values()),
    )


async def delete(conn: Connection, account_id: int, ids: Sequence[int], now: datetime) -> list[int]:
    """Delete those of these scrobbles that are this account's, for good, and tell its pages; return their ids.

    What was hidden behind them, as the same play, comes forward. What a listener deletes can be undone: that is
    `store.deletions`.
    """
    async with conn.transaction():
        behind = await conn.fetch("SELECT id FROM scrobbles WHERE same_as = ANY($1::bigint[]) ORDER BY id", list(ids))
        rows = await conn.fetch(
            "DELETE FROM scrobbles WHERE account_id = $1 AND id = ANY($2) RETURNING id",
            account_id,
            list(ids),
        )
        if not rows:
            return []
        gone = sorted(row["id"] for row in rows)
        await event_rows.tell(conn, [account_id], events.ScrobblesDeleted(tuple(gone)), now)
        forward = await same_plays.shown_of(conn, [row["id"] for row in behind])
        if forward:
            await event_rows.tell(conn, [account_id], events.ScrobblesStored(tuple(forward), len(forward)), now)
    return gone


async def sent(conn: Connection, account_id: int, ids: Sequence[int]) -> dict[int, model.Scrobble]:
    """Return those of these scrobbles that are this account's, as they were sent, by id; locked until the end."""
    rows = await conn.fetch(
        """
        SELECT id, artist, track, release, listened_at, album_artist, duration_ms, source_app, source_device, origin,
               foreign_id, artwork_uri, coalesce(evidence, '{}') AS evidence, coalesce(extra, '{}') AS extra
        FROM scrobbles WHERE account_id = $1 AND id = ANY($2) ORDER BY id FOR UPDATE
        """,
        account_id,
        list(ids),
    )
    return {row["id"]: msgspec.convert({**row}, model.Scrobble) for row in rows}


async def rewrite(conn: Connection, news: Sequence[New]) -> None:
    """Write stored scrobbles anew: their time, names, evidence and lookup; what was matched for one alone is forgotten.

    Under which keys they were here before is remembered: what comes again by one of these is the same play.
    Raises errors.Taken, and spoils the transaction, where a key is taken.
    """
    await conn.execute(
        """
        INSERT INTO former_plays (account_id, listened_at, identity, scrobble_id)
        SELECT s.account_id, s.listened_at, s.identity, s.id
        FROM unnest($1::bigint[], $2::timestamptz[], $3::bytea[]) AS n (id, listened_at, identity)
        JOIN scrobbles s ON s.id = n.id AND (s.listened_at, s.identity) <> (n.listened_at, n.identity)
        ON CONFLICT (account_id, listened_at, identity)
        DO UPDATE SET scrobble_id = excluded.scrobble_id, import_id = NULL
        """,
        [new.id for new in news],
        [new.listened_at for new in news],
        [new.identity for new in news],
    )
    await conn.execute("DELETE FROM matches WHERE scrobble_id = ANY($1::bigint[])", [new.id for new in news])
    try:
        await conn.execute(
            """
            UPDATE scrobbles s SET
                listened_at = n.listened_at, identity = n.identity, lookup_id = n.lookup_id, artist = n.artist,
                track = n.track, release = n.release, album_artist = n.album_artist, evidence = n.evidence
            FROM unnest($1::bigint[], $2::timestamptz[], $3::bytea[], $4::bigint[], $5::text[], $6::text[], $7::text[],
                        $8::text[], $9::jsonb[])
                 AS n (id, listened_at, identity, lookup_id, artist, track, release, album_artist, evidence)
            WHERE s.id = n.id
            """,
            [new.id for new in news],
            [new.listened_at for new in news],
            [new.identity for new in news],
            [new.lookup_id for new in news],
            [new.scrobble.artist for new in news],
            [new.scrobble.track for new in news],
            [new.scrobble.release for new in news],
            [new.scrobble.album_artist for new in news],
            [None if new.scrobble.evidence == _NO_EVIDENCE else new.scrobble.evidence for new in news],
        )
    except asyncpg.UniqueViolationError as error:
        raise errors.Taken("Another transaction has stored the same play.") from error


# ---------------------------------------------------------------- one at a time

_LOCK_SPACE = 0x5C72 << 48  # keeps our advisory locks on accounts apart from others


async def lock_accounts(conn: Connection, account_ids: Collection[int]) -> None:
    """Keep others from comparing plays of these accounts by their nearness in time until the transaction ends.

    Uniqueness is the index's affair, nearness in time is nobody's: so one such transaction of an account at a time.
    """
    for account_id in sorted(account_ids):
        await conn.execute("SELECT pg_advisory_xact_lock($1)", _LOCK_SPACE + account_id)


async def lock_unheld(conn: Connection, account_ids: Collection[int]) -> None:
    """Lock accounts as `lock_accounts` does, without waiting. Raises errors.HeldUp naming those that others hold."""
    held = await conn.fetch(
        "SELECT id FROM unnest($1::bigint[]) AS id WHERE NOT pg_try_advisory_xact_lock($2 + id)",
        sorted(account_ids),
        _LOCK_SPACE,
    )
    if held:
        raise errors.HeldUp({row["id"] for row in held})


async def accounts_of(conn: Connection, ids: Sequence[int]) -> set[int]:
    """Return whose scrobbles these are."""
    rows = await conn.fetch("SELECT DISTINCT account_id FROM scrobbles WHERE id = ANY($1::bigint[])", list(ids))
    return {row["account_id"] for row in rows}


async def play_now(
    conn: Connection,
    account_id: int,
    lookup_id: int,
    scrobble: model.Scrobble,
    *,
    started_at: datetime,
    expires_at: datetime,
) -> bool:
    """Note what plays now; False, and nothing changed, where the very same still plays.

    A player that repeats itself does not make the track longer (as at ListenBrainz, upstreams §3.1).
    """
    changed = await conn.fetchval(
        """
        INSERT INTO now_playing (account_id, lookup_id, scrobble, started_at, expires_at) VALUES ($1, $2, $3, $4, $5)
        ON CONFLICT (account_id) DO UPDATE
        SET lookup_id = excluded.lookup_id, scrobble = excluded.scrobble,
            started_at = excluded.started_at, expires_at = excluded.expires_at
        WHERE now_playing.lookup_id <> excluded.lookup_id OR now_playing.expires_at <= excluded.started_at
        RETURNING true
        """,
        account_id,
        lookup_id,
        scrobble,
        started_at,
        expires_at,
    )
    return bool(changed)


async def stop_playing(conn: Connection, account_id: int, origin: str) -> bool:
    """End what plays now where it was told by this origin; tell whether anything was."""
    done: str = await conn.execute(
        "DELETE FROM now_playing WHERE account_id = $1 AND scrobble ->> 'origin' = $2", account_id, origin
    )
    return not done.endswith(" 0")


async def playing_origin(conn: Connection, account_id: int, now: datetime) -> str | None:
    """Return whence it was told what plays now; None where nothing does."""
    origin: str | None = await conn.fetchval(
        "SELECT coalesce(scrobble ->> 'origin', 'api') FROM now_playing WHERE account_id = $1 AND expires_at > $2",
        account_id,
        now,
    )
    return origin


async def of_origin(conn: Connection, account_id: int, origin: str, limit: int) -> list[int]:
    """Return the ids of some of the account's plays that were read from there; an import's are the import's own."""
    rows = await conn.fetch(
        "SELECT id FROM scrobbles WHERE account_id = $1 AND origin = $2 AND import_id IS NULL LIMIT $3",
        account_id,
        origin,
        limit,
    )
    return [row["id"] for row in rows]
