"""The settings: one page per intention, and this one, which leads to them."""

from __future__ import annotations

from typing import NamedTuple

from litestar import get
from litestar.response import Template

from sleevenotes.server import templating
from sleevenotes.server.strangers import SignedIn
from sleevenotes.server.templating import Asking


class Section(NamedTuple):
    """A page of settings: its address, its title, and what a listener does there, in one sentence."""

    way: str
    title: str
    says: str


SECTIONS: tuple[Section, ...] = (
    Section("/players", "Players", "Connect a player: addresses and tokens to copy."),
    Section("/settings/forwarding", "Forwarding", "Send your plays on to Last.fm and ListenBrainz."),
    Section("/settings/same-plays", "Same plays", "What two services recorded and is shown once; show both instead."),
    Section("/settings/lastfm", "Last.fm", "Bring your history in, and keep it in step."),
    Section("/settings/listenbrainz", "ListenBrainz", "Bring your listens in, and keep them in step."),
)  # fmt: skip


@get("/settings")
async def settings(request: Asking, account: SignedIn) -> Template:
    """Show which settings there are."""
    return templating.page(request, "settings.html", account, sections=SECTIONS)


handlers = [settings]
