"""Giving feedback by a play: what the native API and the pages do alike."""

from __future__ import annotations

from typing import Any

from litestar.connection import ASGIConnection

from sleevenotes import errors
from sleevenotes.server import services
from sleevenotes.store import feedback, played
from sleevenotes.store.accounts import Account


async def give(
    connection: ASGIConnection[Any, Any, Any, Any], account: Account, scrobble_id: int, score: int | None
) -> bool:
    """Give 1 (loved), -1 (hated) or 0 (neither) to the track of one's own play; False where there is no such play.

    It holds for every play of the same artist and track. Raises errors.Refused for another score.
    """
    if score not in (-1, 0, 1):
        raise errors.Refused("score must be 1 (loved), -1 (hated) or 0 (neither).", field="score")
    parts = services.of(connection)
    ids = [scrobble_id] if 0 < scrobble_id < 2**63 else []
    async with parts.database.transaction() as conn:
        for play in await played.by_ids(conn, account.id, ids):
            await feedback.give(conn, account.id, play.artist, play.track, score, parts.clock.now())
            return True
    return False
