"""Plays: scrobbles with all that pages and APIs show of them, newest first."""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import msgspec

from sleevenotes import model, names
from sleevenotes.store import covers, effective, feedback, same_plays
from sleevenotes.store.postgres import Connection


class Play(msgspec.Struct, frozen=True):
    """One play with all that lists show of it; what is unknown or unmatched is None, "" or ().

    `artists` holds (artist id, MBID, name as credited, join phrase), in order. Which match counts is said in
    `store.effective`, which cover in `store.covers`. `thumbhash` is base64; `image_digest` hex. What plays now has
    the id 0, and `listened_at` is when it began.
    """

    id: int
    listened_at: datetime
    artist: str
    track: str
    release: str
    status: model.Status
    lookup_id: int
    source_app: str
    duration_ms: int | None
    extra: dict[str, Any]
    evidence: model.Evidence
    recording_id: int | None
    recording_mbid: str
    recording_title: str
    artist_credit: str
    artists: tuple[tuple[int, str, str, str], ...]
    release_group_id: int | None
    release_group_mbid: str
    release_group_title: str
    release_id: int | None
    release_mbid: str
    release_title: str
    length_ms: int | None
    artwork_status: str
    image_digest: str
    thumbhash: str
    colour: str
    album_artist: str
    source_device: str
    origin: str
    artwork_uri: str
    inserted_at: datetime
    feedback: int = 0  # what the listener thinks of the track, by its names: 1 loved, -1 hated, 0 neither
    track_key: str = ""  # the same for all plays of artist and track as sent: names.digest, in hex
    artwork_by: str = ""  # what led to its image: choice, preference, sent, album, preview, temporary, "" none
    led_by: str = ""  # to this match: "correction", "evidence", "everybody" (the owner's), "consensus", "" all share
    same_as: int | None = None  # hidden: the id of the scrobble that is shown instead, see store.same_plays


async def feed(
    conn: Connection,
    account_id: int,
    *,
    before: tuple[datetime, int] | None = None,
    since: datetime | None = None,
    until: datetime | None = None,
    limit: int,
    oldest: bool = False,
) -> list[Play]:
    """Return the account's plays, newest first.

    `before` is the (listened_at, id) of the last play of the page above; `since` is inclusive, `until` exclusive.
    With `oldest`, the page holds the oldest of them instead, still newest first.
    """
    wanted, values = ["s.account_id = $1", "s.same_as IS NULL"], [account_id, limit]
    for text, value in (("s.listened_at >= ${}", since), ("s.listened_at < ${}", until)):
        if value is not None:
            values.append(value)  # type: ignore[arg-type] # parameters are of any type
            wanted.append(text.format(len(values)))
    if before is not None:
        values += before  # type: ignore[arg-type] # as above
        wanted.append(f"(s.listened_at, s.id) < (${len(values) - 1}, ${len(values)})")
    order = "s.listened_at, s.id" if oldest else "s.listened_at DESC, s.id DESC"
    page = f"SELECT * FROM scrobbles s WHERE {' AND '.join(wanted)} ORDER BY {order} LIMIT $2"
    return [_play(row) for row in await conn.fetch(_plays(page), *values)]


async def by_ids(conn: Connection, account_id: int, ids: Sequence[int], *, shown: bool = False) -> list[Play]:
    """Return those of these scrobbles that are this account's, newest first; hidden ones too, unless only `shown`."""
    page = "SELECT * FROM scrobbles s WHERE s.account_id = $1 AND s.id = ANY($2) AND (s.same_as IS NULL OR NOT $3)"
    return [_play(row) for row in await conn.fetch(_plays(page), account_id, list(ids), shown)]


async def by_lookups(conn: Connection, account_id: int, lookup_ids: Sequence[int], limit: int) -> list[Play]:
    """Return the account's newest plays of these lookups, newest first."""
    page = """
        SELECT * FROM scrobbles s WHERE s.account_id = $1 AND s.lookup_id = ANY($2) AND s.same_as IS NULL
        ORDER BY s.listened_at DESC, s.id DESC LIMIT $3
    """
    return [_play(row) for row in await conn.fetch(_plays(page), account_id, list(lookup_ids), limit)]


async def of_origin(conn: Connection, account_id: int, origin: str, limit: int) -> list[Play]:
    """Return the account's newest plays that were read from there, not imported, newest first; hidden ones, too."""
    page = """
        SELECT * FROM scrobbles s WHERE s.account_id = $1 AND s.origin = $2 AND s.import_id IS NULL
        ORDER BY s.listened_at DESC, s.id DESC LIMIT $3
    """
    return [_play(row) for row in await conn.fetch(_plays(page), account_id, origin, limit)]


async def count_of_origin(conn: Connection, account_id: int, origin: str) -> int:
    """Return how many of the account's plays were read from there, not imported; hidden ones among them."""
    number: int = await conn.fetchval(
        "SELECT count(*) FROM scrobbles WHERE account_id = $1 AND origin = $2 AND import_id IS NULL", account_id, origin
    )
    return number


async def at(conn: Connection, account_id: int, listened_at: datetime) -> list[Play]:
    """Return the account's plays within the second that begins then, also such as are hidden."""
    page = """
        SELECT * FROM scrobbles s WHERE s.account_id = $1
        AND s.listened_at >= $2 AND s.listened_at < $2 + interval '1 second'
    """
    return [_play(row) for row in await conn.fetch(_plays(page), account_id, listened_at)]


async def count(conn: Connection, account_id: int) -> int:
    """Return how many plays the account has; a scrobble that is hidden behind another is none."""
    # Two counts from indexes alone, since telling the hidden ones apart row by row would read the table.
    number: int = await conn.fetchval(
        """
        SELECT (SELECT count(*) FROM scrobbles WHERE account_id = $1)
             - (SELECT count(*) FROM scrobbles WHERE account_id = $1 AND same_as IS NOT NULL)
        """,
        account_id,
    )
    return number


async def bounds(conn: Connection, account_id: int) -> tuple[datetime, datetime] | None:
    """Return when the account's first and last plays were; None where it has none."""
    row = await conn.fetchrow(
        """
        SELECT min(listened_at) AS first, max(listened_at) AS last FROM scrobbles
        WHERE account_id = $1 AND same_as IS NULL
        """,
        account_id,
    )
    return (row["first"], row["last"]) if row["first"] else None


async def now_playing(conn: Connection, account_id: int, now: datetime) -> Play | None:
    """Return what the account plays now, None when it is over."""
    page = """
        SELECT 0::bigint AS id, n.started_at AS listened_at, n.account_id, n.lookup_id, NULL::bigint AS match_id,
            NULL::bigint AS same_as,
            p.artist, p.track, coalesce(p.release, '') AS release, coalesce(p.album_artist, '') AS album_artist,
            p.duration_ms, coalesce(p.source_app, '') AS source_app, coalesce(p.source_device, '') AS source_device,
            coalesce(p.origin, '') AS origin, coalesce(p.artwork_uri, '') AS artwork_uri, p.evidence, p.extra,
            n.started_at AS inserted_at, NULL::bytea AS identity,
            NULL::bigint AS image_id, NULL::bigint AS preferred_image_id
        FROM now_playing n, jsonb_to_record(n.scrobble) AS p (
            artist text, track text, release text, album_artist text, duration_ms int, source_app text,
            source_device text, origin text, artwork_uri text, evidence jsonb, extra jsonb)
        WHERE n.account_id = $1 AND n.expires_at > $2
    """
    row = await conn.fetchrow(_plays(page), account_id, now)
    return await _with_feedback(conn, account_id, _play(row)) if row else None


async def _with_feedback(conn: Connection, account_id: int, play: Play) -> Play:
    """Add what plays now's own row does not know: its track's identity, which only names.digest can tell."""
    identity = names.digest(play.artist, play.track)
    scores = await feedback.scores(conn, account_id, [identity])
    return msgspec.structs.replace(play, feedback=scores.get(identity, 0), track_key=identity.hex())


def _plays(page: str) -> str:
    """Join all that a play shows to the rows of `page`; only then, so that a page costs its own rows only."""
    return f"WITH page AS MATERIALIZED ({page}) {_DETAILS}"


_DETAILS = f"""
    SELECT s.id, s.listened_at, s.artist, s.track, s.release, s.lookup_id, s.source_app,
        coalesce(s.duration_ms, hidden.duration_ms) AS duration_ms, s.extra,
        coalesce(hidden.evidence, '{{}}') || coalesce(s.evidence, '{{}}') AS evidence,
        coalesce(nullif(s.album_artist, ''), hidden.album_artist, '') AS album_artist, s.source_device, s.origin,
        coalesce(nullif(s.artwork_uri, ''), hidden.artwork_uri, '') AS artwork_uri, s.inserted_at, s.same_as,
        coalesce(f.score, 0) AS feedback, s.identity AS track_key,
        {effective.STATUS} AS status, {effective.BY} AS led_by, {covers.BY} AS artwork_by,
        r.id AS recording_id, r.mbid AS recording_mbid, r.title AS recording_title, r.length_ms,
        c.name AS artist_credit, parts.artists,
        g.id AS release_group_id, g.mbid AS release_group_mbid, g.title AS release_group_title,
        e.id AS release_id, e.mbid AS release_mbid, e.title AS release_title,
        w.status AS artwork_status, i.digest AS image_digest, i.thumbhash, i.colour
    FROM page s
    JOIN lookups l ON l.id = s.lookup_id
    {effective.JOINS}
    LEFT JOIN matches m ON m.id = {effective.MATCH}
    LEFT JOIN feedback f ON f.account_id = s.account_id AND f.identity = s.identity
    LEFT JOIN recordings r ON r.id = m.recording_id
    LEFT JOIN artist_credits c ON c.id = r.artist_credit_id
    LEFT JOIN LATERAL (
        SELECT jsonb_agg(jsonb_build_array(a.id, coalesce(a.mbid::text, ''), n.name, n.join_phrase)
                         ORDER BY n.position) AS artists
        FROM artist_credit_names n JOIN artists a ON a.id = n.artist_id WHERE n.artist_credit_id = c.id
    ) parts ON true
    LEFT JOIN release_groups g ON g.id = m.release_group_id
    LEFT JOIN releases e ON e.id = m.release_id
    {covers.JOINS}
    LEFT JOIN images i ON i.id = {covers.IMAGE}
    {same_plays.COMPLETED}
    ORDER BY s.listened_at DESC, s.id DESC
"""

_TEXTS = (
    *("recording_mbid", "recording_title", "artist_credit", "release_group_mbid", "release_group_title"),
    *("release_mbid", "release_title", "artwork_status", "colour"),
)


def _play(row: Mapping[str, Any]) -> Play:
    facts = dict(row)
    facts.update((name, str(facts[name] or "")) for name in _TEXTS)
    facts["status"] = model.Status(facts["status"])
    facts["extra"] = facts["extra"] or {}
    facts["evidence"] = msgspec.convert(facts["evidence"] or {}, model.Evidence)
    facts["artists"] = tuple(map(tuple, facts["artists"] or ()))
    facts["track_key"] = (facts["track_key"] or b"").hex()
    facts["image_digest"] = (facts["image_digest"] or b"").hex()
    facts["thumbhash"] = base64.b64encode(facts["thumbhash"] or b"").decode()
    return Play(**facts)
