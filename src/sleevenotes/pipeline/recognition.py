"""Which plays that come back from a service are ones that we sent there."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Final, NamedTuple

from sleevenotes import names
from sleevenotes.matching import songs
from sleevenotes.store import connections, forwards
from sleevenotes.store.connections import Service
from sleevenotes.store.postgres import Connection


class Came(NamedTuple):
    """A play that came from somewhere."""

    id: int
    listened_at: datetime
    origin: str
    artist: str
    track: str


_SERVICES: Final[Mapping[str, Service]] = {origin: service for service, origin in connections.ORIGINS.items()}


async def recognised(conn: Connection, account_id: int, plays: Sequence[Came]) -> dict[int, int]:
    """Find which plays from a sync are ones that we sent there: id -> id of our own scrobble.

    One comes back with the second it was sent with, and its names
    as sent or as they were corrected; where the answer to sending was lost, by names that are near.
    """
    found: dict[int, int] = {}
    for origin, service in _SERVICES.items():
        mine = [play for play in plays if play.origin == origin]
        moments = [play.listened_at for play in mine]
        sent = await forwards.sent_at(conn, account_id, service, moments) if mine else {}
        for play in mine:
            match = next((one for one in sent.get(play.listened_at, ()) if _is_it(one, play.artist, play.track)), None)
            if match is not None:
                found[play.id] = match.scrobble_id
    return found


def _is_it(sent: forwards.Sent, artist: str, track: str) -> bool:
    came = (names.key(artist), names.key(track))
    if any(came == (names.key(one), names.key(other)) for one, other in sent.names):
        return True
    return not sent.certain and any(
        songs.likeness(artist, track, one, other) is not songs.Likeness.OTHER for one, other in sent.names
    )
