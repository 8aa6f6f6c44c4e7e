"""The ListenBrainz API's metadata, as players ask for it: which recording these names are (upstreams §3.2).

Only what the asking listener plays or has played is told, for what others play is theirs. A player asks so before it
loves what plays now, where it was given no recording_msid.
"""

from __future__ import annotations

from typing import Any

from litestar import Request, Router, get
from litestar.types import ASGIApp

from sleevenotes import errors, names
from sleevenotes.server import answers, auth, services
from sleevenotes.store import played, subjects
from sleevenotes.store.accounts import Account
from sleevenotes.store.played import Play

Asked = Request[Any, Any, Any]


@get("/metadata/lookup")
async def lookup(request: Asked) -> ASGIApp:
    """Tell what `artist_name` and `recording_name` were matched to; {} where they were not, or are not one's own."""
    account = await auth.reader(request)
    play = await _newest(request, account, _name(request, "artist_name"), _name(request, "recording_name"))
    return answers.json(_told(play) if play and play.recording_mbid else {})


def _name(request: Asked, field: str) -> str:
    name = request.query_params.get(field, "").strip()
    if not name or "\0" in name:
        raise errors.Refused(f"{field} is invalid or not present in arguments", field=field)
    return name


async def _newest(request: Asked, account: Account, artist: str, track: str) -> Play | None:
    parts = services.of(request)
    async with parts.database.connection() as conn:
        playing = await played.now_playing(conn, account.id, parts.clock.now())
        if playing and playing.recording_mbid and playing.track_key == names.digest(artist, track).hex():
            return playing
        found = await subjects.track(conn, account.id, artist, track)
        return next(iter(await played.by_ids(conn, account.id, [found.newest_id])), None) if found else None


def _told(play: Play) -> dict[str, object]:
    told: dict[str, object] = {
        "artist_credit_name": play.artist_credit,
        "artist_mbids": [mbid for _, mbid, _, _ in play.artists if mbid],
        "recording_mbid": play.recording_mbid,
        "recording_name": play.recording_title,
    }
    if play.release_mbid:
        told |= {"release_mbid": play.release_mbid, "release_name": play.release_title}
    return told


routers = [Router(path, route_handlers=[lookup], include_in_schema=False) for path in ("/1", "/apis/listenbrainz/1")]
