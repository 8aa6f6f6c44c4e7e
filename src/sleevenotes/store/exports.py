"""Everything an account's plays are, for taking it away: as sent, what they are matched to, what is loved."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from datetime import datetime
from typing import Any

import msgspec

from sleevenotes import model
from sleevenotes.store import effective
from sleevenotes.store.feedback import Feedback
from sleevenotes.store.postgres import Database

PAGE = 1_000


class Matched(msgspec.Struct, frozen=True):
    """What a play is shown as; "" and () where it is not matched. `cover` is the image's digest, in hex."""

    status: str
    led_by: str
    recording_mbid: str
    recording: str
    length_ms: int | None
    artists: tuple[tuple[str, str, str], ...]  # MBID, name as credited, join phrase
    release_mbid: str
    release_title: str
    release_group_mbid: str
    release_group: str
    cover: str

    @property
    def artist_credit(self) -> str:
        """Return the whole credit as printed."""
        return "".join(name + join for _, name, join in self.artists)


class Exported(msgspec.Struct, frozen=True):
    """One play: as sent, behind which play it is hidden (moment, artist, track), what is thought of its track."""

    id: int
    scrobble: model.Scrobble
    inserted_at: datetime
    same_as: tuple[datetime, str, str] | None
    feedback: int
    feedback_given_at: datetime | None
    matched: Matched


async def plays(database: Database, account_id: int) -> AsyncIterator[list[Exported]]:
    """Yield all plays of an account, hidden ones too, from the earliest on, page by page.

    Each page is a transaction of its own: what is stored meanwhile behind the present page is still seen.
    """
    after: tuple[datetime | None, int] = (None, 0)
    while True:
        async with database.connection() as conn:
            rows = await conn.fetch(_PLAYS, account_id, *after, PAGE)
        if not rows:
            return
        yield [_exported(row) for row in rows]
        after = rows[-1]["listened_at"], rows[-1]["id"]


async def feedback_alone(database: Database, account_id: int) -> list[Feedback]:
    """Return the loved and hated tracks that the account has no play of."""
    async with database.connection() as conn:
        rows = await conn.fetch(
            """
            SELECT f.artist, f.track, f.score, f.given_at FROM feedback f
            WHERE f.account_id = $1
              AND NOT EXISTS (SELECT FROM scrobbles s WHERE s.account_id = $1 AND s.identity = f.identity)
            ORDER BY f.given_at, f.identity
            """,
            account_id,
        )
    return [Feedback(**row) for row in rows]


_PLAYS = f"""
    WITH page AS MATERIALIZED (
        SELECT * FROM scrobbles s WHERE s.account_id = $1
          AND ($2::timestamptz IS NULL OR (s.listened_at, s.id) > ($2::timestamptz, $3::bigint))
        ORDER BY s.listened_at, s.id LIMIT $4
    )
    SELECT s.id, s.listened_at, s.artist, s.track, s.release, s.album_artist, s.duration_ms, s.source_app,
        s.source_device, s.origin, s.foreign_id, s.artwork_uri, s.evidence, s.extra, s.inserted_at,
        shown.listened_at AS shown_at, shown.artist AS shown_artist, shown.track AS shown_track,
        f.score, f.given_at,
        {effective.STATUS} AS status, {effective.BY} AS led_by,
        r.mbid AS recording_mbid, r.title AS recording, r.length_ms, parts.artists,
        e.mbid AS release_mbid, e.title AS release_title, g.mbid AS release_group_mbid, g.title AS release_group,
        encode(i.digest, 'hex') AS cover
    FROM page s
    JOIN lookups l ON l.id = s.lookup_id
    {effective.JOINS}
    LEFT JOIN scrobbles shown ON shown.id = s.same_as
    LEFT JOIN feedback f ON f.account_id = s.account_id AND f.identity = s.identity
    LEFT JOIN matches m ON m.id = {effective.MATCH}
    LEFT JOIN recordings r ON r.id = m.recording_id
    LEFT JOIN LATERAL (
        SELECT jsonb_agg(jsonb_build_array(coalesce(a.mbid::text, ''), n.name, n.join_phrase)
                         ORDER BY n.position) AS artists
        FROM artist_credit_names n JOIN artists a ON a.id = n.artist_id WHERE n.artist_credit_id = r.artist_credit_id
    ) parts ON true
    LEFT JOIN release_groups g ON g.id = m.release_group_id
    LEFT JOIN releases e ON e.id = m.release_id
    LEFT JOIN artworks w ON w.release_group_id = g.id
    LEFT JOIN images i ON i.id = w.image_id
    ORDER BY s.listened_at, s.id
"""

_SENT = (
    *("artist", "track", "release", "listened_at", "album_artist", "duration_ms", "source_app", "source_device"),
    *("origin", "foreign_id", "artwork_uri"),
)
_TEXTS = (
    "recording_mbid",
    "recording",
    "release_mbid",
    "release_title",
    "release_group_mbid",
    "release_group",
    "cover",
)


def _exported(row: Mapping[str, Any]) -> Exported:
    scrobble = model.Scrobble(
        **{name: row[name] for name in _SENT},
        evidence=msgspec.convert(row["evidence"] or {}, model.Evidence),
        extra=row["extra"] or {},
    )
    matched = Matched(
        status=row["status"],
        led_by=row["led_by"],
        length_ms=row["length_ms"],
        artists=tuple(map(tuple, row["artists"] or ())),
        **{name: str(row[name] or "") for name in _TEXTS},
    )
    shown = (row["shown_at"], row["shown_artist"], row["shown_track"]) if row["shown_at"] else None
    return Exported(row["id"], scrobble, row["inserted_at"], shown, row["score"] or 0, row["given_at"], matched)
