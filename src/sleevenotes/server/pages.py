"""The feed, its fragments and the line on which pages hear what happens; and the list of all pages' handlers."""

from __future__ import annotations

from litestar import Router, get
from litestar.di import Provide
from litestar.params import FromQuery
from litestar.response import Stream, Template

from sleevenotes import errors
from sleevenotes.server import (
    feeds,
    lines,
    pages_account,
    pages_albums,
    pages_charts,
    pages_connections,
    pages_consensus,
    pages_covers,
    pages_edits,
    pages_feedback,
    pages_figures,
    pages_forwarding,
    pages_history,
    pages_imports,
    pages_letting_in,
    pages_music,
    pages_people,
    pages_players,
    pages_review,
    pages_same_plays,
    pages_self,
    pages_settings,
    pages_status,
    pages_user,
    pages_waiting,
    services,
    strangers,
    submissions,
    templating,
)
from sleevenotes.server.strangers import SignedIn
from sleevenotes.server.templating import Asking
from sleevenotes.store import events, played

ROWS = 100  # plays in one fragment


@get("/", before_request=submissions.at_the_root)
async def feed(request: Asking, account: SignedIn, before: FromQuery[str] = "") -> Template:
    """Show one page of the feed, the newest with what plays now on top."""
    parts = services.of(request)
    now = parts.clock.now()
    async with parts.database.connection() as conn:
        heard = (await events.read(conn, account.id, "")).cursor  # before the plays: nothing falls in between
        page = await feeds.read(conn, account, before, now)
        playing = None if before else await feeds.now_playing(conn, account, now)
        await feeds.hurry(conn, [play for day in page.days for play in day.plays], now)
    return templating.page(
        request,
        "feed.html",
        account,
        cursor=heard,
        feed=page,
        playing=playing,
        tell=feeds.teller(account, now),
        newest=not before,
        base_url=pages_account.base_url(request),
    )


@get("/fragments/feed")
async def feed_fragment(request: Asking, account: SignedIn) -> Template:
    """Return the newest page's days, without the page around them."""
    parts = services.of(request)
    now = parts.clock.now()
    async with parts.database.connection() as conn:
        page = await feeds.read(conn, account, "", now)
    return templating.fragment("_days.html", feed=page, tell=feeds.teller(account, now))


@get("/fragments/plays")
async def plays_fragment(
    request: Asking,
    account: SignedIn,
    ids: FromQuery[str] = "",
    lookups: FromQuery[str] = "",
    app: FromQuery[str] = "",
) -> Template:
    """Return rows of the feed: of these scrobbles, and the newest of these lookups; comma-separated ids."""
    parts = services.of(request)
    now = parts.clock.now()
    async with parts.database.connection() as conn:
        plays = await played.by_ids(conn, account.id, numbers("ids", ids), shown=True)
        if lookups:
            plays += await played.by_lookups(conn, account.id, numbers("lookups", lookups), ROWS)
    tell = feeds.teller(account, now)
    return templating.fragment("_plays.html", plays=plays, tell=tell, usual_app=app)


@get("/fragments/now")
async def now_fragment(request: Asking, account: SignedIn) -> Template:
    """Return what plays now, empty when nothing does."""
    parts = services.of(request)
    now = parts.clock.now()
    async with parts.database.connection() as conn:
        playing = await feeds.now_playing(conn, account, now)
    return templating.fragment("_now.html", playing=playing, tell=feeds.teller(account, now))


@get("/live")
async def line(
    request: Asking,
    account: SignedIn,
    after: FromQuery[str] = "",
) -> Stream:
    """Stream what happens to the account: server-sent events, see sleevenotes.server.live."""
    return lines.sse(request, account.id, after)


def numbers(field: str, text: str) -> list[int]:
    """Read comma-separated ids, at most ROWS of them.

    Raises errors.Refused naming the field.
    """
    try:
        return [min(int(part), 2**63 - 1) for part in text.split(",")[:ROWS] if part]
    except ValueError:
        raise errors.Refused(f"{field}: {text[:40]!r} is not a list of numbers", field=field) from None


SIGNED_IN = {"account": Provide(strangers.signed_in)}

handlers = [
    *pages_account.handlers,
    *pages_people.handlers,
    pages_consensus.owners,
    *pages_figures.handlers,
    *pages_user.handlers,
    Router(
        path="/",
        route_handlers=[
            feed,
            *pages_edits.handlers,
            *pages_feedback.handlers,
            *pages_letting_in.handlers,
            *pages_albums.handlers,
            *pages_charts.handlers,
            *pages_history.handlers,
            *pages_connections.handlers,
            *pages_consensus.handlers,
            *pages_covers.handlers,
            *pages_imports.handlers,
            *pages_music.handlers,
            *pages_players.handlers,
            *pages_review.handlers,
            *pages_self.handlers,
            *pages_same_plays.handlers,
            *pages_forwarding.handlers,
            *pages_settings.handlers,
            *pages_status.handlers,
        ],
        dependencies=SIGNED_IN,
        exception_handlers={strangers.Stranger: strangers.show_the_way},
        include_in_schema=False,
    ),
    Router(
        path="/",
        route_handlers=[feed_fragment, plays_fragment, now_fragment, line, pages_waiting.wait],
        dependencies=SIGNED_IN,
        exception_handlers={strangers.Stranger: strangers.refuse},
        include_in_schema=False,
    ),
]
