"""What pages and API tell and do about plays that are sent on to Last.fm and ListenBrainz."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

import msgspec

from sleevenotes import errors
from sleevenotes.server.services import Services
from sleevenotes.store import connections, forwards
from sleevenotes.store.connections import Service
from sleevenotes.store.forwards import Refusal, State

NAMES: Final[dict[Service, str]] = {"lastfm": "Last.fm", "listenbrainz": "ListenBrainz"}
REFUSALS: Final = 20  # shown of a service
EARLIEST: Final[dict[Service, timedelta | None]] = {"lastfm": timedelta(days=14), "listenbrainz": None}
"""How old a play may be that a service still takes."""


class Told(msgspec.Struct, frozen=True):
    """How forwarding to a service stands. `can` is False where the listener has not logged in there."""

    service: Service
    called: str
    can: bool
    why_not: str
    state: State | None
    refusals: list[Refusal]


def service(name: str) -> Service:
    """Read the name of a service. Raises errors.Refused."""
    for known in NAMES:
        if name == known:
            return known
    raise errors.Refused(
        f"{name[:40]!r} is no service that plays are sent to: lastfm or listenbrainz.", field="service"
    )


async def told(parts: Services, account_id: int) -> list[Told]:
    """Tell how it stands with each service."""
    return [await _told(parts, account_id, name) for name in NAMES]


async def turn_on(parts: Services, account_id: int, name: Service) -> None:
    """Have plays from now on sent there. Raises errors.Refused where that cannot be."""
    if why := _missing_key(parts, name):
        raise errors.Refused(why, field="service")
    async with parts.database.transaction() as conn:
        if not await forwards.turn_on(conn, account_id, name, parts.clock.now()):
            raise errors.Refused(_NO_LOGIN[name], field="service")


async def turn_off(parts: Services, account_id: int, name: Service) -> None:
    """Send nothing there any more."""
    async with parts.database.transaction() as conn:
        await forwards.turn_off(conn, account_id, name)


async def queue_past(parts: Services, account_id: int, name: Service, since: datetime | None = None) -> int:
    """Have what is here already sent there, as far back as it takes plays; return how many plays that is."""
    now = parts.clock.now()
    age = EARLIEST[name]
    first = now - age if age else datetime.fromtimestamp(0, now.tzinfo)
    async with parts.database.transaction() as conn:
        return await forwards.queue_past(conn, account_id, name, max(first, since or first), now)


async def try_again(parts: Services, account_id: int, name: Service) -> int:
    """Have what was refused sent once more, and what waits sent now; return how many plays were refused."""
    async with parts.database.transaction() as conn:
        count = await forwards.queue_again(conn, account_id, name)
        await forwards.go_on(conn, account_id, name, parts.clock.now())
    return count


async def _told(parts: Services, account_id: int, name: Service) -> Told:
    async with parts.database.connection() as conn:
        connected = await connections.of_account(conn, account_id, name)
        state = await forwards.state(conn, account_id, name)
        refused = await forwards.refusals(conn, account_id, name, REFUSALS)
    why_not = _missing_key(parts, name)
    if not why_not and not (connected and connected.secret):
        why_not = _NO_LOGIN[name]
    return Told(name, NAMES[name], not why_not, why_not, state, refused)


def _missing_key(parts: Services, name: Service) -> str:
    settings = parts.settings
    if name == "lastfm" and not (settings.lastfm_key and settings.lastfm_secret):
        return "This server has no key and secret for Last.fm yet: whoever runs it sets lastfm_key and lastfm_secret."
    return ""


_NO_LOGIN: Final[dict[Service, str]] = {
    "lastfm": "Log in at Last.fm first: a name alone lets nothing be sent there.",
    "listenbrainz": "Connect ListenBrainz by its token first: a name alone lets nothing be sent there.",
}
