"""A listener's public profile, where they have chosen to have one: what plays now, the latest plays, the top albums.

Nothing else of an account is ever shown to strangers. Who has not chosen it is not there, just as who does not exist.
"""

from __future__ import annotations

from litestar import Router, get
from litestar.exceptions import NotFoundException
from litestar.params import FromPath
from litestar.response import Template

from sleevenotes.server import auth, services, templating, views
from sleevenotes.server.templating import Asking
from sleevenotes.store import accounts, charts, played
from sleevenotes.store.accounts import Scope

PLAYS = 20
ALBUMS = 12


@get("/user/{name:str}")
async def profile(request: Asking, name: FromPath[str]) -> Template:
    """Show a public profile; its own listener sees it also while it is private."""
    parts = services.of(request)
    now = parts.clock.now()
    viewer = await auth.account_of(request)
    async with parts.database.connection() as conn:
        shown = await accounts.by_name(conn, name)
        own = viewer is not None and shown is not None and viewer.id == shown.id and Scope.READ in viewer.may
        if shown is None or not (shown.is_public or own):
            raise NotFoundException
        playing = await played.now_playing(conn, shown.id, now)
        plays = await played.feed(conn, shown.id, limit=PLAYS)
        albums = await charts.albums(conn, shown.id, charts.Period(), ALBUMS)
    where = views.zone(viewer.time_zone if viewer else shown.time_zone)
    return templating.page(
        request,
        "user.html",
        viewer,
        shown=shown,
        playing=playing,
        plays=plays,
        albums=albums.entries,
        tell=lambda at: views.dated(at, now, where),
    )


handlers = [Router(path="/", route_handlers=[profile], include_in_schema=False)]
