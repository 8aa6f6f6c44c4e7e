"""Matches: what names were decided to be, and who is to be told.

A lookup's match is shared by all accounts; a scrobble's own rests on what only that play knows; a
correction's is what a listener said (`store.corrections`).

Rows of lookups are locked in the order of their identity, as `pipeline.submit` does, so that both queue.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime

import msgspec

from sleevenotes import model
from sleevenotes.store import effective
from sleevenotes.store.postgres import Connection


class Identity(msgspec.Struct, frozen=True):
    """A decided identity as rows of the catalogue, and why; `distance` is 0 where identical, 1 at most."""

    recording_id: int
    release_id: int | None
    release_group_id: int | None
    source: str
    distance: float
    reason: str
    penalties: tuple[model.Penalty, ...] = ()


class Outcome(msgspec.Struct, frozen=True):
    """How looking for one lookup's match ended; `identity` is given exactly when the status is enriched.

    `candidates` is what was too close or too far to choose, in the form of the review page; msgspec encodes
    it.
    """

    lookup_id: int
    status: model.Status
    reason: str
    identity: Identity | None = None
    candidates: object | None = None
    recheck_at: datetime | None = None

    def __post_init__(self) -> None:
        if self.status is model.Status.PENDING:
            raise ValueError(f"lookup {self.lookup_id}: pending is no outcome")
        if (self.identity is None) == (self.status is model.Status.ENRICHED):
            raise ValueError(f"lookup {self.lookup_id}: an identity is given when, and only when, enriched")


def matched(lookup_id: int, identity: Identity, *, recheck_at: datetime | None = None) -> Outcome:
    """Return the outcome of a lookup whose identity is decided.

    `recheck_at` is for one that may get a better: known so far only by a source without MBIDs.
    """
    return Outcome(lookup_id, model.Status.ENRICHED, identity.reason, identity, recheck_at=recheck_at)


async def settle(conn: Connection, outcomes: Sequence[Outcome], now: datetime) -> dict[int, model.Status]:
    """Write outcomes of different lookups; return the status each has now, without lookups that are gone.

    A fault is never absence: where a renewed look failed, the match that was known stays, and so does
    "enriched"; only the next look is dated anew. A source that answered and has nothing does take a shared
    match away.
    """
    by_lookup = {outcome.lookup_id: outcome for outcome in outcomes}
    locked = await conn.fetch(
        "SELECT id, match_id FROM lookups WHERE id = ANY($1::bigint[]) ORDER BY identity FOR NO KEY UPDATE",
        list(by_lookup),
    )
    settled = [by_lookup[row["id"]] for row in locked]
    await conn.execute(
        "DELETE FROM matches WHERE lookup_id = ANY($1::bigint[])",
        [outcome.lookup_id for outcome in settled if outcome.status is model.Status.NOT_FOUND],
    )
    shared = {outcome.lookup_id: outcome.identity for outcome in settled if outcome.identity}
    match_ids = await write(conn, "lookup_id", shared, now)
    return await _mark(conn, settled, match_ids, now)


async def keep(conn: Connection, identity: Identity, now: datetime, *, scrobble_id: int) -> int | None:
    """Give one scrobble a match of its own and return its id; None where the scrobble is gone."""
    return (await keep_own(conn, {scrobble_id: identity}, now)).get(scrobble_id)


async def keep_own(conn: Connection, identities: Mapping[int, Identity], now: datetime) -> dict[int, int]:
    """Give scrobbles matches of their own and return these by scrobble, without scrobbles that are gone."""
    there = await conn.fetch(
        "SELECT id FROM scrobbles WHERE id = ANY($1::bigint[]) ORDER BY id FOR NO KEY UPDATE", list(identities)
    )
    match_ids = await write(conn, "scrobble_id", {row["id"]: identities[row["id"]] for row in there}, now)
    await conn.execute(
        """
        UPDATE scrobbles SET match_id = new.match_id
        FROM unnest($1::bigint[], $2::bigint[]) AS new (scrobble_id, match_id) WHERE id = scrobble_id
        """,
        list(match_ids),
        list(match_ids.values()),
    )
    return match_ids


async def drop_agreeing(conn: Connection, lookup_ids: Sequence[int]) -> int:
    """Drop own matches of plays of these lookups that say what everybody's says: recording and release group.

    Returns how many. They come about where a client's hint was answered before the names were decided.
    """
    agreeing = await conn.fetch(
        f"""
        SELECT scrobbles.id FROM scrobbles
        JOIN lookups l ON l.id = scrobbles.lookup_id
        {effective.SHARED_JOIN}
        JOIN matches AS own ON own.id = scrobbles.match_id
        JOIN matches AS shared ON shared.id = {effective.SHARED_MATCH}
        WHERE l.id = ANY($1::bigint[]) AND own.recording_id = shared.recording_id
          AND own.release_group_id IS NOT DISTINCT FROM shared.release_group_id
        ORDER BY scrobbles.id FOR NO KEY UPDATE OF scrobbles
        """,
        list(lookup_ids),
    )
    if agreeing:
        await conn.execute("DELETE FROM matches WHERE scrobble_id = ANY($1::bigint[])", [row["id"] for row in agreeing])
    return len(agreeing)


async def accounts_of_lookups(conn: Connection, lookup_ids: Sequence[int]) -> dict[int, list[int]]:
    """Return, by account, which of these lookups it has played or is playing now."""
    rows = await conn.fetch(
        """
        SELECT account_id, lookup_id AS id FROM scrobbles WHERE lookup_id = ANY($1::bigint[])
        UNION
        SELECT account_id, lookup_id FROM now_playing WHERE lookup_id = ANY($1::bigint[])
        ORDER BY 1, 2
        """,
        list(lookup_ids),
    )
    return _grouped((row["account_id"], row["id"]) for row in rows)


async def lookups_of_release_groups(conn: Connection, release_group_ids: Sequence[int]) -> list[int]:
    """Return the lookups that are matched to these release groups."""
    rows = await conn.fetch(
        """
        SELECT lookups.id FROM lookups JOIN matches ON matches.id = match_id
        WHERE release_group_id = ANY($1::bigint[]) ORDER BY 1
        """,
        list(release_group_ids),
    )
    return [row["id"] for row in rows]


async def accounts_of_release_groups(conn: Connection, release_group_ids: Sequence[int]) -> dict[int, list[int]]:
    """Return, by account, which of these release groups its plays, or what plays now, were matched to."""
    rows = await conn.fetch(
        """
        WITH matched AS (SELECT * FROM matches WHERE release_group_id = ANY($1::bigint[]))
        SELECT account_id, release_group_id AS id FROM matched JOIN scrobbles USING (lookup_id)
        UNION
        SELECT account_id, release_group_id FROM matched JOIN scrobbles ON scrobbles.id = matched.scrobble_id
        UNION
        SELECT account_id, release_group_id FROM matched JOIN now_playing USING (lookup_id)
        UNION
        SELECT plays.account_id, release_group_id FROM matched JOIN corrected ON corrected.id = corrected_id
        JOIN scrobbles AS plays ON plays.lookup_id = corrected.lookup_id
        WHERE corrected.everybody OR (own AND plays.account_id = corrected.account_id)
        UNION
        SELECT plays.account_id, release_group_id FROM matched JOIN agreements ON agreements.match_id = matched.id
        JOIN scrobbles AS plays ON plays.lookup_id = agreements.lookup_id
        ORDER BY 1, 2
        """,
        list(release_group_ids),
    )
    return _grouped((row["account_id"], row["id"]) for row in rows)


async def write(conn: Connection, owner: str, identities: Mapping[int, Identity], now: datetime) -> dict[int, int]:
    """Write one match per owner, by the name of its column ("lookup_id" …); return match ids by owner."""
    given = list(identities.values())
    rows = await conn.fetch(
        f"""
        INSERT INTO matches
            ({owner}, recording_id, release_id, release_group_id,
             source, distance, penalties, reason, decided_at)
        SELECT owner, recording_id, release_id, release_group_id, source, distance, penalties::jsonb, reason, $9
        FROM unnest($1::bigint[], $2::bigint[], $3::bigint[], $4::bigint[],
                    $5::text[], $6::real[], $7::text[], $8::text[])
            AS new (owner, recording_id, release_id, release_group_id, source, distance, penalties, reason)
        ORDER BY owner
        ON CONFLICT ({owner}) DO UPDATE SET
            recording_id = excluded.recording_id,
            release_id = excluded.release_id,
            release_group_id = excluded.release_group_id,
            source = excluded.source,
            distance = excluded.distance,
            penalties = excluded.penalties,
            reason = excluded.reason,
            decided_at = excluded.decided_at
        RETURNING {owner} AS owner, id
        """,
        list(identities),
        [identity.recording_id for identity in given],
        [identity.release_id for identity in given],
        [identity.release_group_id for identity in given],
        [identity.source for identity in given],
        [identity.distance for identity in given],
        [_json(identity.penalties) for identity in given],
        [identity.reason for identity in given],
        now,
    )
    return {row["owner"]: row["id"] for row in rows}


async def _mark(
    conn: Connection, outcomes: Sequence[Outcome], match_ids: Mapping[int, int], now: datetime
) -> dict[int, model.Status]:
    """Write the outcomes onto the lookups themselves, which are locked."""
    rows = await conn.fetch(
        """
        UPDATE lookups SET
            status = CASE WHEN new.stays THEN 'enriched' ELSE new.status END,
            match_id = CASE WHEN new.stays THEN lookups.match_id ELSE new.match_id END,
            candidates = new.candidates::jsonb,
            reason = CASE WHEN new.stays THEN lookups.reason ELSE new.reason END,
            tries = CASE WHEN new.status = 'enriched' THEN 0 ELSE least(lookups.tries + 1, 1000) END,
            decided_at = $7,
            recheck_at = new.recheck_at
        FROM (
            SELECT given.*, given.status = 'failed' AND old.match_id IS NOT NULL AS stays
            FROM unnest($1::bigint[], $2::text[], $3::bigint[], $4::text[], $5::text[], $6::timestamptz[])
                AS given (id, status, match_id, candidates, reason, recheck_at)
            JOIN lookups AS old USING (id)
        ) AS new
        WHERE lookups.id = new.id
        RETURNING lookups.id, lookups.status
        """,
        [outcome.lookup_id for outcome in outcomes],
        [outcome.status.value for outcome in outcomes],
        [match_ids.get(outcome.lookup_id) for outcome in outcomes],
        [None if outcome.candidates is None else _json(outcome.candidates) for outcome in outcomes],
        [outcome.reason for outcome in outcomes],
        [outcome.recheck_at for outcome in outcomes],
        now,
    )
    return {row["id"]: model.Status(row["status"]) for row in rows}


def _json(value: object) -> str:
    """Write a list as text: the driver takes a list of lists for an array of two dimensions, also as jsonb[]."""
    return msgspec.json.encode(value).decode()


def _grouped(pairs: Iterable[tuple[int, int]]) -> dict[int, list[int]]:
    grouped: dict[int, list[int]] = {}
    for account_id, subject_id in pairs:
        grouped.setdefault(account_id, []).append(subject_id)
    return grouped
