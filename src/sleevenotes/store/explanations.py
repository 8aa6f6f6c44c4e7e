"""Why a play became what it became: everything that was decided about one scrobble, in one read."""

from __future__ import annotations

from datetime import datetime

import msgspec

from sleevenotes.store import effective, predictions, traces
from sleevenotes.store.postgres import Connection


class Sent(msgspec.Struct, frozen=True):
    """The play as its client sent it."""

    id: int
    account: str
    listened_at: datetime
    artist: str
    track: str
    release: str
    source_app: str
    origin: str
    evidence: dict[str, object] | None


class Decided(msgspec.Struct, frozen=True):
    """What its lookup is: status and why, and what was too close or too far to choose.

    `plays` are the account's own: how often others play the name is told to nobody. `met_at` is when the account's
    came in first, see `effective.MET_AT`.
    """

    lookup_id: int
    status: str
    reason: str
    tries: int
    plays: int
    met_at: datetime
    decided_at: datetime | None
    recheck_at: datetime | None
    candidates: object


class Matched(msgspec.Struct, frozen=True):
    """What it was matched to; `own` is true where only this play's evidence led there."""

    own: bool
    source: str
    distance: float
    reason: str
    penalties: list[dict[str, object]]
    artist: str
    recording: str
    recording_mbid: str
    release: str
    release_mbid: str
    release_group_id: int | None
    release_group: str
    release_group_mbid: str


class Cover(msgspec.Struct, frozen=True):
    """What is known of its album's cover."""

    status: str
    reason: str
    source: str
    source_url: str
    width: int | None
    height: int | None


class Explanation(msgspec.Struct, frozen=True):
    """One scrobble from what was sent to what is shown, every question that was asked for it, and what was foreseen."""

    sent: Sent
    lookup: Decided
    match: Matched | None
    led_by: str  # to the match, or to none: "correction", "evidence", "everybody", "consensus" or ""
    cover: Cover | None
    match_traces: list[traces.Trace]
    cover_traces: list[traces.Trace]
    match_predictions: list[predictions.Prediction]
    cover_predictions: list[predictions.Prediction]


async def explain(conn: Connection, scrobble_id: int) -> Explanation | None:
    """Read one scrobble's story; None when there is no such scrobble."""
    row = await conn.fetchrow(
        f"""
        SELECT s.id, accounts.name AS account, listened_at, s.artist, s.track, s.release, source_app, origin, evidence,
               s.lookup_id, status, reason, tries, decided_at, recheck_at, candidates,
               own.plays, own.met_at,
               {effective.BY} AS led_by, {effective.MATCH} AS in_force
        FROM scrobbles s
        JOIN accounts ON accounts.id = s.account_id
        JOIN lookups l ON l.id = s.lookup_id
        {effective.JOINS}
        CROSS JOIN LATERAL (
            SELECT count(*) FILTER (WHERE s.same_as IS NULL) AS plays, min({effective.MET_AT}) AS met_at
            FROM scrobbles s WHERE s.lookup_id = l.id AND s.account_id = accounts.id
        ) own
        WHERE s.id = $1
        """,
        scrobble_id,
    )
    if row is None:
        return None
    facts = dict(row)
    match = await _match(conn, facts["in_force"], facts["led_by"])
    group = match.release_group_id if match else None
    asked = [
        *await traces.of_lookup(conn, facts["lookup_id"]),
        *await traces.of_scrobble(conn, scrobble_id),
    ]
    return Explanation(
        sent=msgspec.convert(facts, Sent),
        lookup=msgspec.convert(facts, Decided),
        match=match,
        led_by=facts["led_by"],
        cover=await _cover(conn, group) if group else None,
        match_traces=asked,
        cover_traces=await traces.of_release_group(conn, group) if group else [],
        match_predictions=await predictions.of_subject(conn, "match", facts["lookup_id"]),
        cover_predictions=await predictions.of_subject(conn, "artwork", group) if group else [],
    )


async def _match(conn: Connection, match_id: int | None, led_by: str) -> Matched | None:
    row = await conn.fetchrow(
        f"""
        SELECT $2 = 'evidence' AS own, matches.source, distance, penalties,
               CASE WHEN $2 = 'consensus' THEN {effective.AGREED} ELSE reason END AS reason,
               artist_credits.name AS artist,
               recordings.title AS recording, coalesce(recordings.mbid::text, '') AS recording_mbid,
               coalesce(releases.title, '') AS release, coalesce(releases.mbid::text, '') AS release_mbid,
               matches.release_group_id,
               coalesce(release_groups.title, '') AS release_group,
               coalesce(release_groups.mbid::text, '') AS release_group_mbid
        FROM matches
        JOIN recordings ON recordings.id = recording_id
        JOIN artist_credits ON artist_credits.id = recordings.artist_credit_id
        LEFT JOIN releases ON releases.id = matches.release_id
        LEFT JOIN release_groups ON release_groups.id = matches.release_group_id
        WHERE matches.id = $1
        """,
        match_id,
        led_by,
    )
    return None if row is None else msgspec.convert(dict(row), Matched)


async def _cover(conn: Connection, release_group_id: int) -> Cover | None:
    row = await conn.fetchrow(
        """
        SELECT status, reason, coalesce(source, '') AS source, coalesce(source_url, '') AS source_url,
               width, height
        FROM artworks LEFT JOIN images ON images.id = image_id
        WHERE release_group_id = $1
        """,
        release_group_id,
    )
    return None if row is None else msgspec.convert(dict(row), Cover)
