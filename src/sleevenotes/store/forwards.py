"""Forwards: plays on their way to a service their listener has connected; a durable queue, in the order of time."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Final, NamedTuple

import msgspec

from sleevenotes import model
from sleevenotes.store import connections
from sleevenotes.store.connections import Service
from sleevenotes.store.postgres import Connection

CAME_FROM: Final[dict[Service, tuple[str, ...]]] = {
    "lastfm": (connections.ORIGINS["lastfm"], "lastfm_minutes"),
    "listenbrainz": (connections.ORIGINS["listenbrainz"],),
}
"""Origins of plays that a service told us itself: they are never sent there. ("listenbrainz" is also what players
submit here by its protocol; what is imported from its exports has an import.)"""


class Turn(msgspec.Struct, frozen=True):
    """A listener's turn to have plays sent: where, by which secret, how many at once (None: as many as can be)."""

    account_id: int
    service: Service
    secret: str
    faults: int
    pack_limit: int | None
    playing: model.Scrobble | None

    def __repr__(self) -> str:
        """Name it without its secret."""
        return f"Turn({self.account_id}, {self.service!r})"


class Waiting(NamedTuple):
    """A play that is to be sent."""

    scrobble_id: int
    play: model.Scrobble


class Done(NamedTuple):
    """What became of a play: "sent" with the names as they were corrected there, "refused" or "waiting" with why."""

    scrobble_id: int
    status: str
    reason: str = ""
    artist: str = ""
    track: str = ""


class State(NamedTuple):
    """How the forwarding to a service stands; `stopped`: the login is not accepted, until it is connected anew."""

    since: datetime
    due_at: datetime
    note: str
    stopped: bool
    waiting: int
    sent: int
    refused: int
    last_sent: datetime | None


class Refusal(NamedTuple):
    """A play that a service refused, and why."""

    scrobble_id: int
    listened_at: datetime
    artist: str
    track: str
    reason: str


# ---------------------------------------------------------------- the switch


async def turn_on(conn: Connection, account_id: int, service: Service, now: datetime) -> bool:
    """Have plays from now on sent there; False where that cannot be, for want of a login.

    Where that is so already, it goes on from when it was so, without the gap that it may wait for.
    """
    if not await connections.set_forwards(conn, account_id, service, on=True):
        return False
    await conn.execute(
        """
        INSERT INTO forwarding (account_id, service, since, due_at) VALUES ($1, $2, $3, $3)
        ON CONFLICT (account_id, service) DO UPDATE SET note = '', faults = 0, due_at = $3
        """,
        account_id,
        service,
        now,
    )
    return True


async def turn_off(conn: Connection, account_id: int, service: Service) -> None:
    """Send nothing there any more; what waited is forgotten, what was sent is not."""
    await connections.set_forwards(conn, account_id, service, on=False)
    await conn.execute("DELETE FROM forwarding WHERE account_id = $1 AND service = $2", account_id, service)
    await conn.execute(
        "DELETE FROM forwards WHERE account_id = $1 AND service = $2 AND status = 'waiting'", account_id, service
    )


async def part(conn: Connection, account_id: int, service: Service) -> None:
    """Send nothing there any more, and forget all but what was sent: whoever is connected next did not ask for it.

    That goes for what is under way, too: its fate is noted nowhere. What was sent is known on, and is recognised when
    the same listener is connected anew and it comes back.
    """
    await turn_off(conn, account_id, service)
    await conn.execute(
        "DELETE FROM forwards WHERE account_id = $1 AND service = $2 AND status <> 'sent'", account_id, service
    )


async def go_on(conn: Connection, account_id: int, service: Service, now: datetime) -> None:
    """Try again now, as the listener asks for."""
    await conn.execute(
        """
        UPDATE forwarding SET note = '', faults = 0, due_at = $3
        WHERE account_id = $1 AND service = $2
        """,
        account_id,
        service,
        now,
    )


# ---------------------------------------------------------------- queueing


_QUEUED: Final = """
    INSERT INTO forwards (account_id, service, scrobble_id, listened_at, artist, track, queued_at)
    SELECT s.account_id, f.service, s.id, date_trunc('second', s.listened_at), s.artist, s.track, $2
    FROM {plays} s
    JOIN forwarding f ON f.account_id = s.account_id
    WHERE s.same_as IS NULL
      AND NOT s.origin = ANY (CASE f.service WHEN 'lastfm' THEN $3::text[] ELSE $4::text[] END)
      AND NOT EXISTS (
          SELECT FROM scrobbles h
          WHERE h.same_as = s.id AND (
              h.origin = ANY (CASE f.service WHEN 'lastfm' THEN $3::text[] ELSE $4::text[] END)
              OR EXISTS (SELECT FROM forwards b WHERE b.account_id = s.account_id AND b.service = f.service
                         AND b.scrobble_id = h.id)))
"""


_THESE: Final = "(SELECT * FROM scrobbles WHERE id = ANY($1::bigint[]) OFFSET 0)"  # by their ids, whoever forwards
_FRESH: Final = "s.listened_at >= f.since AND s.import_id IS NULL"


async def queue(conn: Connection, scrobble_ids: Sequence[int], now: datetime) -> None:
    """Queue these stored plays wherever their listeners want them, but where they came from, or are already.

    Only what was played since the listener wanted that.
    """
    await conn.execute(
        f"{_QUEUED.format(plays=_THESE)} AND {_FRESH} ON CONFLICT DO NOTHING",
        list(scrobble_ids),
        now,
        *map(list, (CAME_FROM["lastfm"], CAME_FROM["listenbrainz"])),
    )


async def queue_past(conn: Connection, account_id: int, service: Service, since: datetime, now: datetime) -> int:
    """Queue what was played from then on and is here already, imports included; return how many plays that is."""
    done: str = await conn.execute(
        f"{_QUEUED.format(plays='scrobbles')} AND s.account_id = $1 AND f.service = $5 AND s.listened_at >= $6"
        " ON CONFLICT DO NOTHING",
        account_id,
        now,
        *map(list, (CAME_FROM["lastfm"], CAME_FROM["listenbrainz"])),
        service,
        since,
    )
    return int(done.rsplit(maxsplit=1)[-1])


async def queue_again(conn: Connection, account_id: int, service: Service) -> int:
    """Have what was refused sent once more; return how many plays that is."""
    done: str = await conn.execute(
        """
        UPDATE forwards SET status = 'waiting', reason = ''
        WHERE account_id = $1 AND service = $2 AND status = 'refused'
        """,
        account_id,
        service,
    )
    return int(done.rsplit(maxsplit=1)[-1])


async def play_now(conn: Connection, account_id: int, playing: model.Scrobble) -> None:
    """Have what plays now told wherever the listener wants that, but where it came from."""
    services = [name for name, origins in CAME_FROM.items() if playing.origin not in origins]
    await conn.execute(
        "UPDATE forwarding SET playing = $2 WHERE account_id = $1 AND service = ANY($3::text[])",
        account_id,
        playing,
        services,
    )


# ---------------------------------------------------------------- sending


async def take_turn(conn: Connection, now: datetime, until: datetime) -> Turn | None:
    """Take the turn of a listener for whom something waits, the longest due first; None where there is nobody.

    What plays now is taken out with it: it is told once or never.
    """
    row = await conn.fetchrow(
        """
        WITH turn AS (
            SELECT f.account_id, f.service, c.secret, f.playing FROM forwarding f
            JOIN connections c USING (account_id, service)
            WHERE f.due_at <= $1 AND (f.leased_until IS NULL OR f.leased_until <= $1)
              AND c.forwards AND c.secret <> '' AND c.status = 'open' AND c.problem <> 'session'
              AND (f.playing IS NOT NULL OR EXISTS (
                  SELECT FROM forwards w WHERE w.account_id = f.account_id AND w.service = f.service
                  AND w.status IN ('waiting', 'sending')))
            ORDER BY f.due_at LIMIT 1 FOR UPDATE OF f SKIP LOCKED
        )
        UPDATE forwarding f SET leased_until = $2, playing = NULL FROM turn
        WHERE f.account_id = turn.account_id AND f.service = turn.service
        RETURNING f.account_id, f.service, turn.secret, f.faults, f.pack_limit, turn.playing
        """,
        now,
        until,
    )
    return None if row is None else msgspec.convert(dict(row), Turn)


async def load(conn: Connection, turn: Turn, limit: int, now: datetime) -> list[Waiting]:
    """Withdraw what is not to be sent any more; return the next plays, oldest first, and note that they are sent."""
    await conn.execute(_WITHDRAW, turn.account_id, turn.service, now, list(CAME_FROM[turn.service]))
    rows = await conn.fetch(
        """
        WITH next AS (
            SELECT scrobble_id, listened_at FROM forwards
            WHERE account_id = $1 AND service = $2 AND status IN ('waiting', 'sending')
            ORDER BY listened_at, scrobble_id LIMIT $3
        ), noted AS (
            UPDATE forwards f SET status = 'sending' FROM next
            WHERE f.account_id = $1 AND f.service = $2 AND f.scrobble_id = next.scrobble_id
        )
        SELECT s.id, next.listened_at, s.artist, s.track, s.release, s.album_artist, s.duration_ms, s.source_app,
               coalesce(s.evidence, '{}') AS evidence
        FROM next JOIN scrobbles s ON s.id = next.scrobble_id ORDER BY next.listened_at, s.id
        """,
        turn.account_id,
        turn.service,
        limit,
    )
    return [Waiting(row["id"], _scrobble(row)) for row in rows]


_WITHDRAW: Final = """
    UPDATE forwards w SET status = 'withdrawn', done_at = $3,
        reason = CASE WHEN s.id IS NULL THEN 'It was deleted here.' ELSE 'It is there already: the same play.' END
    FROM forwards v LEFT JOIN scrobbles s ON s.id = v.scrobble_id
    LEFT JOIN scrobbles shown ON shown.id = s.same_as
    WHERE v.account_id = $1 AND v.service = $2
      AND (v.status = 'waiting' OR v.status = 'sending' AND s.id IS NULL)
      AND w.account_id = v.account_id AND w.service = v.service AND w.scrobble_id = v.scrobble_id
      AND (s.id IS NULL OR s.same_as IS NOT NULL AND (
          shown.origin = ANY ($4::text[])
          OR EXISTS (SELECT FROM forwards o WHERE o.account_id = $1 AND o.service = $2
                     AND o.scrobble_id = s.same_as AND o.status <> 'refused')))
"""


async def note(conn: Connection, turn: Turn, done: Sequence[Done], now: datetime) -> None:
    """Note what became of plays."""
    await conn.execute(
        """
        UPDATE forwards f SET status = done.status, reason = done.reason, told_artist = done.artist,
            told_track = done.track, done_at = CASE WHEN done.status = 'waiting' THEN NULL ELSE $8::timestamptz END
        FROM unnest($3::bigint[], $4::text[], $5::text[], $6::text[], $7::text[])
             AS done (scrobble_id, status, reason, artist, track)
        WHERE f.account_id = $1 AND f.service = $2 AND f.scrobble_id = done.scrobble_id
        """,
        turn.account_id,
        turn.service,
        *map(list, zip(*done, strict=True)),
        now,
    )


async def end_turn(
    conn: Connection,
    turn: Turn,
    *,
    due: datetime,
    faults: int = 0,
    note: str = "",
    pack_limit: int | None = None,
) -> None:
    """Give the turn back, and say from when on it goes on, and what keeps it waiting."""
    await conn.execute(
        """
        UPDATE forwarding SET leased_until = NULL, due_at = $3, faults = $4, note = $5, pack_limit = $6
        WHERE account_id = $1 AND service = $2
        """,
        turn.account_id,
        turn.service,
        due,
        faults,
        note,
        pack_limit,
    )


# ---------------------------------------------------------------- telling


async def state(conn: Connection, account_id: int, service: Service) -> State | None:
    """Return how the forwarding to a service stands; None where it is off."""
    row = await conn.fetchrow(
        """
        SELECT since, due_at, f.note, c.problem = 'session', waiting, sent, refused, last_sent
        FROM forwarding f JOIN connections c USING (account_id, service),
            LATERAL (SELECT count(*) FILTER (WHERE status IN ('waiting', 'sending')) AS waiting,
                            count(*) FILTER (WHERE status = 'sent') AS sent,
                            count(*) FILTER (WHERE status = 'refused') AS refused,
                            max(done_at) FILTER (WHERE status = 'sent') AS last_sent
                     FROM forwards WHERE account_id = $1 AND service = $2) AS counted
        WHERE account_id = $1 AND service = $2 AND c.forwards
        """,
        account_id,
        service,
    )
    return None if row is None else State(*row)


async def refusals(conn: Connection, account_id: int, service: Service, limit: int) -> list[Refusal]:
    """Return what was refused last."""
    rows = await conn.fetch(
        """
        SELECT scrobble_id, listened_at, artist, track, reason FROM forwards
        WHERE account_id = $1 AND service = $2 AND status = 'refused'
        ORDER BY done_at DESC, scrobble_id DESC LIMIT $3
        """,
        account_id,
        service,
        limit,
    )
    return [Refusal(*row) for row in rows]


class Sent(NamedTuple):
    """A play that was sent, or may have been: the second, and the names that it may come back by."""

    scrobble_id: int
    listened_at: datetime
    names: tuple[tuple[str, str], ...]
    certain: bool


async def sent_at(
    conn: Connection, account_id: int, service: Service, moments: Sequence[datetime]
) -> Mapping[datetime, list[Sent]]:
    """Return what was sent there with these seconds, by second."""
    rows = await conn.fetch(
        """
        SELECT scrobble_id, listened_at, artist, track, told_artist, told_track, status = 'sent' AS certain
        FROM forwards WHERE account_id = $1 AND service = $2 AND listened_at = ANY($3::timestamptz[])
          AND status IN ('sending', 'sent')
        """,
        account_id,
        service,
        list(moments),
    )
    found: dict[datetime, list[Sent]] = {}
    for row in rows:
        sent = (row["artist"], row["track"])
        told = (row["told_artist"] or sent[0], row["told_track"] or sent[1])
        one = Sent(row["scrobble_id"], row["listened_at"], tuple({sent, told}), row["certain"])
        found.setdefault(row["listened_at"], []).append(one)
    return found


def _scrobble(row: Mapping[str, object]) -> model.Scrobble:
    names = ("artist", "track", "release", "album_artist", "duration_ms", "source_app", "listened_at", "evidence")
    return msgspec.convert({name: row[name] for name in names}, model.Scrobble)
