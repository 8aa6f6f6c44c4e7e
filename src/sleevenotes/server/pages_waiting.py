"""What plays on a page wait for, in words: "Asking MusicBrainz, 12 names ahead, about 9 s"."""

from __future__ import annotations

import msgspec
from litestar import get
from litestar.params import FromQuery

from sleevenotes.pipeline import estimate, waiting
from sleevenotes.server import native_live, services, views
from sleevenotes.server.strangers import SignedIn
from sleevenotes.server.templating import Asking
from sleevenotes.sources import registry
from sleevenotes.store import played


class Waits(msgspec.Struct, frozen=True):
    """What one play waits for: words without the time, and the seconds it will take; the page's script counts down."""

    id: int
    words: str
    seconds: float


@get("/fragments/waiting")
async def wait(request: Asking, account: SignedIn, ids: FromQuery[str] = "") -> list[Waits]:
    """Tell what these plays of the account wait for; those that wait for nothing are left out."""
    async with services.of(request).database.connection() as conn:
        plays = await played.by_ids(conn, account.id, native_live.numbers(ids))
        found = await native_live.estimator_of(request).of(conn, plays)
    told = {play.id: found.get(waits_for) for play in plays if (waits_for := waiting.subject(play))}
    return [Waits(each, words(of), round(of.seconds, 1)) for each, of in told.items() if of]


def words(of: estimate.Estimate) -> str:
    """Say what is waited for, without the time."""
    called = registry.named(of.source).policy.called
    if of.paused_for >= 1:
        return f"{called[0].upper()}{called[1:]} rests for another {views.span(of.paused_for * 1000)}"
    what = "cover" if of.kind in ("fetch_image", "find_images") else "name"
    ahead = f", {views.plural(of.ahead, what)} ahead" if of.ahead and not of.asking else ""
    return f"Asking {called}{ahead}"
