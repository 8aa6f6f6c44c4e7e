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
    owner: bool = False  # for owners of the installation only


SECTIONS: tuple[Section, ...] = (
    Section("/players", "Players", "Connect a player: addresses and tokens to copy."),
    Section("/settings/lastfm", "Last.fm", "Bring your history in, and keep it in step."),
    Section("/settings/listenbrainz", "ListenBrainz", "Bring your listens in, and keep them in step."),
    Section("/imports", "Imports", "Bring your history from another service, and undo it."),
    Section("/settings/forwarding", "Forwarding", "Send your plays on to Last.fm and ListenBrainz."),
    Section("/settings/same-plays", "Same plays", "What two services recorded and is shown once; show both instead."),
    Section("/settings/covers", "Covers you chose", "See, change or give up the covers that you chose yourself."),
    Section("/settings/account", "Account", "Time zone, password, where you are logged in, your public profile."),
    Section("/settings/people", "People", "Who is here, and inviting somebody.", owner=True),
    Section("/settings/consensus", "What listeners agree on", "Corrections that hold for everybody.", owner=True),
    Section("/plays/deleted", "Deleted plays", "Bring back what was deleted within 24 hours."),
    Section("/export", "Export", "Take everything out, as a file."),
)  # fmt: skip


@get("/settings")
async def settings(request: Asking, account: SignedIn) -> Template:
    """Show which settings there are."""
    shown = [section for section in SECTIONS if account.is_owner or not section.owner]
    return templating.page(request, "settings.html", account, sections=shown)


handlers = [settings]
