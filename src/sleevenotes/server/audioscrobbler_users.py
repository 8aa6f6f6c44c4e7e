"""user.getInfo, user.getRecentTracks, user.getLovedTracks, user.getTrackScrobbles, and what there is none of."""

from __future__ import annotations

from datetime import UTC, datetime

from sleevenotes.server import api_periods
from sleevenotes.server import audioscrobbler_words as words
from sleevenotes.server.audioscrobbler_answers import BAD_PARAMETER, Failure, Node, text, tree
from sleevenotes.server.audioscrobbler_context import Context, Method
from sleevenotes.store import feedback, listeners, played

PER_PAGE, MAX_PER_PAGE = 50, 1_000
MAX_PAGE = 1_000_000
_TAGGED = ("artist", "album", "track")


async def get_info(context: Context) -> Node:
    """user.getInfo: who one is, and how much one has played. Nothing that we do not know: no age, no country."""
    account = await context.reader()
    base = context.call.base_url
    async with context.parts.database.connection() as conn:
        facts = await listeners.facts(conn, account.id)
    rows = [
        text("name", account.name),
        text("realname"),
        text("url", f"{base}/"),
        *words.images(base, ""),
        text("country"),
        text("age", 0),
        text("gender", "n"),
        text("subscriber", 0),
        text("playcount", facts.plays),
        text("playlists", 0),
        text("bootstrap", 0),
        text("registered", f"{facts.registered_at:%Y-%m-%d %H:%M}", unixtime=int(facts.registered_at.timestamp())),
        text("type", "user"),
    ]
    return tree("user", rows, ("image",))


async def get_recent_tracks(context: Context) -> Node:
    """user.getRecentTracks: a page of plays, newest first, with what plays now on top of the first page only."""
    account = await context.reader()
    call = context.call
    limit, page = _page(context)
    since, until = _moment(context, "from"), _moment(context, "to")
    extended = call.get("extended") == "1"
    async with context.parts.database.connection() as conn:
        total = await listeners.count(conn, account.id, since, until)
        ids = await listeners.page(conn, account.id, since, until, limit=limit, offset=(page - 1) * limit)
        plays = await played.by_ids(conn, account.id, ids)
        now = await played.now_playing(conn, account.id, context.now) if page == 1 and until is None else None
    rows = [words.played(play, call.base_url, extended=extended) for play in plays]
    if now:
        rows.insert(0, words.played(now, call.base_url, extended=extended, playing=True))
    return words.paged("recenttracks", rows, "track", user=account.name, page=page, limit=limit, total=total)


async def get_track_scrobbles(context: Context) -> Node:
    """user.getTrackScrobbles: when one has played a track, by the names as sent."""
    account = await context.reader()
    call = context.call
    artist, track = call.required("artist"), call.required("track")
    limit, page = _page(context)
    async with context.parts.database.connection() as conn:
        ids = await listeners.of_track(conn, account.id, artist, track)
        plays = await played.by_ids(conn, account.id, ids[(page - 1) * limit : page * limit])
    rows = [words.played(play, call.base_url, extended=False) for play in plays]
    return words.paged("trackscrobbles", rows, "track", user=account.name, page=page, limit=limit, total=len(ids))


async def get_loved_tracks(context: Context) -> Node:
    """user.getLovedTracks: a page of what one loves, the latest first."""
    account = await context.reader()
    limit, page = _page(context)
    async with context.parts.database.connection() as conn:
        total = await feedback.count(conn, account.id, feedback.LOVED)
        offset = (page - 1) * limit
        loved = await feedback.newest(conn, account.id, feedback.LOVED, limit=limit, offset=offset)
    rows = [_loved(one, context.call.base_url) for one in loved]
    return words.paged("lovedtracks", rows, "track", user=account.name, page=page, limit=limit, total=total)


def _loved(one: feedback.Feedback, base_url: str) -> Node:
    rows = [
        words.plain_artist(one.artist),
        text("mbid"),
        words.date(one.given_at),
        text("name", one.track),
        *words.images(base_url, ""),
        text("url"),
        text("streamable", 0, fulltrack=0),
    ]
    # Last.fm's order: the track's own name before its artist's, which some clients count on
    return tree("track", [rows[3], *rows[:3], *rows[4:]], ("image",))


async def get_personal_tags(context: Context) -> Node:
    """user.getPersonalTags: none, for tags are not kept here."""
    account = await context.reader()
    kind = context.call.get("taggingtype").lower() or "track"
    if kind not in _TAGGED:  # it becomes the name of an element
        raise Failure(BAD_PARAMETER, f"Invalid parameters - taggingtype is one of {', '.join(_TAGGED)}")
    rows = [tree(f"{kind}s", [], (kind,))]
    tag = context.call.get("tag")
    return tree("taggings", rows, user=account.name, tag=tag, page=1, perPage=PER_PAGE, totalPages=0, total=0)


async def get_top_tags(context: Context) -> Node:
    """user.getTopTags, and the tags of a track, an album or an artist: none."""
    account = await context.reader()
    return tree("toptags", [], ("tag",), user=account.name)


async def get_tags(context: Context) -> Node:
    """track.getTags, album.getTags, artist.getTags: none of one's own."""
    await context.reader()
    return tree("tags", [], ("tag",))


async def get_friends(context: Context) -> Node:
    """user.getFriends: nobody."""
    account = await context.reader()
    return words.paged("friends", [], "user", user=account.name, page=1, limit=PER_PAGE, total=0)


def _page(context: Context) -> tuple[int, int]:
    limit = context.call.number("limit", PER_PAGE, 1, MAX_PER_PAGE)
    return limit, context.call.number("page", 1, 1, MAX_PAGE)


def _moment(context: Context, name: str) -> datetime | None:
    seconds = context.call.number(name, 0, 0, api_periods.LATEST_S)
    return datetime.fromtimestamp(seconds, UTC) if seconds else None


METHODS: dict[str, Method] = {
    "user.getinfo": get_info,
    "user.getrecenttracks": get_recent_tracks,
    "user.gettrackscrobbles": get_track_scrobbles,
    "user.getlovedtracks": get_loved_tracks,
    "user.getpersonaltags": get_personal_tags,
    "user.gettoptags": get_top_tags,
    "user.getfriends": get_friends,
    "track.gettags": get_tags,
    "album.gettags": get_tags,
    "artist.gettags": get_tags,
    "track.gettoptags": get_top_tags,
    "album.gettoptags": get_top_tags,
    "artist.gettoptags": get_top_tags,
}
