"""Refreshing: somebody wants covers looked for anew, now; in the band `critical`, and seen on open pages as it goes.

What is shown stays until something better comes. What was asked is asked anew, whatever was answered; within a minute
it is only hurried. A cover that the listener chose is not touched, for it does not stand where the album's stands.

Every function is to be called in a transaction.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from sleevenotes import model
from sleevenotes.pipeline import sent_images
from sleevenotes.store import artworks, jobs, lookups, matches, replies, wants
from sleevenotes.store.played import Play
from sleevenotes.store.postgres import Connection

AT_MOST_EVERY = timedelta(minutes=1)


async def plays(conn: Connection, wanted: Sequence[Play], now: datetime) -> None:
    """Look anew for the covers of these plays; for their match, where they have none."""
    groups = {play.release_group_id for play in wanted if play.release_group_id is not None}
    await albums(conn, sorted(groups), now)
    unmatched = sorted({play.lookup_id for play in wanted if play.release_group_id is None})
    reopened = await lookups.reopen(conn, unmatched, now - AT_MOST_EVERY)
    await replies.forget(conn, "match", reopened, only_unfound=True)
    await jobs.enqueue(conn, "match", unmatched, model.Band.CRITICAL)
    await wants.bump(conn, "match", unmatched, model.Band.CRITICAL)
    for address, lookup_id in {(play.artwork_uri, play.lookup_id) for play in wanted if play.artwork_uri}:
        await sent_images.fetch(conn, address, now, lookup_id=lookup_id)


async def albums(conn: Connection, release_group_ids: Sequence[int], now: datetime) -> None:
    """Look anew for the covers of these albums."""
    reopened = await artworks.reopen(conn, release_group_ids, now, now - AT_MOST_EVERY)
    await replies.forget(conn, "artwork", reopened, only_unfound=False)
    named = await matches.lookups_of_release_groups(conn, reopened)
    await replies.forget(conn, "preview", named, only_unfound=False)
    await jobs.enqueue(conn, "artwork", list(release_group_ids), model.Band.CRITICAL)
    await wants.bump(conn, "artwork", release_group_ids, model.Band.CRITICAL)
