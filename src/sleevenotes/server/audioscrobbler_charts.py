"""user.getTop…, user.getWeekly…, library.getArtists: what one plays most, counted by `store.charts`."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime

from sleevenotes.server import api_periods
from sleevenotes.server import audioscrobbler_words as words
from sleevenotes.server.audioscrobbler_answers import BAD_PARAMETER, Failure, Node, text, tree
from sleevenotes.server.audioscrobbler_context import Context, Method
from sleevenotes.store import charts, tallies
from sleevenotes.store.charts import Period, Top, Tops
from sleevenotes.store.postgres import Connection

PER_PAGE, MAX_PER_PAGE = 50, 1_000
MAX_PAGE = 10_000
WEEKLY = 1_000  # of a week at most

Ask = Callable[[Connection, int, Period, int, int], Awaitable[Tops]]
Write = Callable[[Top, int, str], Node]

_ASK: dict[str, Ask] = {"artist": charts.artists, "album": charts.albums, "track": charts.tracks}
_WRITE: dict[str, Write] = {"artist": words.top_artist, "album": words.top_album, "track": words.top_track}


async def get_top_artists(context: Context) -> Node:
    """user.getTopArtists: the artists played most in a period."""
    return await _top(context, "artist")


async def get_top_albums(context: Context) -> Node:
    """user.getTopAlbums: the albums played most in a period."""
    return await _top(context, "album")


async def get_top_tracks(context: Context) -> Node:
    """user.getTopTracks: the tracks played most in a period."""
    return await _top(context, "track")


async def _top(context: Context, kind: str) -> Node:
    account = await context.reader()
    period = api_periods.lastfm(context.call.get("period") or "overall", context.now)
    if period is None:
        raise Failure(BAD_PARAMETER, f"Invalid parameters - period is one of {', '.join(api_periods.LASTFM)}")
    limit, page = _page(context)
    found = await _ask(context, account.id, kind, period, limit, (page - 1) * limit)
    first = (page - 1) * limit + 1
    write, base = _WRITE[kind], context.call.base_url
    rows = [write(top, rank, base) for rank, top in enumerate(found.entries, first)]
    return words.paged(f"top{kind}s", rows, kind, user=account.name, page=page, limit=limit, total=found.different)


async def get_library_artists(context: Context) -> Node:
    """library.getArtists: all artists one has played, most played first."""
    account = await context.reader()
    limit, page = _page(context)
    found = await _ask(context, account.id, "artist", Period(), limit, (page - 1) * limit)
    rows = [words.top_artist(top, 0, context.call.base_url, library=True) for top in found.entries]
    return words.paged("artists", rows, "artist", user=account.name, page=page, limit=limit, total=found.different)


async def get_weekly_chart_list(context: Context) -> Node:
    """user.getWeeklyChartList: the weeks since the first play; a week begins on Sunday at 12:00 UTC."""
    account = await context.reader()
    async with context.parts.database.connection() as conn:
        bounds = await tallies.bounds(conn, account.id)
    weeks = api_periods.weeks(bounds[0], context.now) if bounds else []
    rows = [text("chart", "", from_=_uts(week), to=_uts(week + api_periods.WEEK)) for week in weeks]
    return tree("weeklychartlist", rows, ("chart",), user=account.name)


async def get_weekly_artist_chart(context: Context) -> Node:
    """user.getWeeklyArtistChart."""
    return await _weekly(context, "artist")


async def get_weekly_album_chart(context: Context) -> Node:
    """user.getWeeklyAlbumChart."""
    return await _weekly(context, "album")


async def get_weekly_track_chart(context: Context) -> Node:
    """user.getWeeklyTrackChart."""
    return await _weekly(context, "track")


async def _weekly(context: Context, kind: str) -> Node:
    account = await context.reader()
    latest = api_periods.week_of(context.now) - api_periods.WEEK  # the last that is over
    first = context.call.number("from", _uts(latest), 0, api_periods.LATEST_S)
    past = context.call.number("to", _uts(latest + api_periods.WEEK), 0, api_periods.LATEST_S)
    if past <= first:
        raise Failure(BAD_PARAMETER, "Invalid parameters - to must be later than from")
    period = Period(datetime.fromtimestamp(first, UTC), datetime.fromtimestamp(past, UTC))
    found = await _ask(context, account.id, kind, period, WEEKLY, 0)
    base = context.call.base_url
    rows = [words.weekly(kind, top, rank, base) for rank, top in enumerate(found.entries, 1)]
    return tree(f"weekly{kind}chart", rows, (kind,), user=account.name, from_=first, to=past)


async def _ask(context: Context, account_id: int, kind: str, period: Period, limit: int, offset: int) -> Tops:
    async with context.parts.database.connection() as conn:
        return await _ASK[kind](conn, account_id, period, limit, offset)


def _page(context: Context) -> tuple[int, int]:
    limit = context.call.number("limit", PER_PAGE, 1, MAX_PER_PAGE)
    return limit, context.call.number("page", 1, 1, MAX_PAGE)


def _uts(at: datetime) -> int:
    return int(at.timestamp())


METHODS: dict[str, Method] = {
    "user.gettopartists": get_top_artists,
    "user.gettopalbums": get_top_albums,
    "user.gettoptracks": get_top_tracks,
    "library.getartists": get_library_artists,
    "user.getweeklychartlist": get_weekly_chart_list,
    "user.getweeklyartistchart": get_weekly_artist_chart,
    "user.getweeklyalbumchart": get_weekly_album_chart,
    "user.getweeklytrackchart": get_weekly_track_chart,
}
