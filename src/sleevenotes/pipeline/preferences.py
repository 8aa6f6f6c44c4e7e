"""Choosing covers: a listener says which image an album shows, or one play alone; their pages show it at once.

A preference speaks of names, as a correction does, so no play is written: `store.covers` reads it, for plays past and
to come. Nobody else's view changes. What is chosen must be there, and must be allowed to stay: an image that its
source's terms forbid to keep is refused.

Every function is to be called in a transaction.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sleevenotes import errors, events
from sleevenotes.store import events as store_events
from sleevenotes.store import images, preferences
from sleevenotes.store.played import Play
from sleevenotes.store.postgres import Connection
from sleevenotes.store.preferences import Subject

FIELD = "preferred_artwork_url"


def of_play(play: Play, *, remember: bool) -> Subject:
    """Return what a choice made at this play is for: its (artist, release), or the play alone."""
    group = play.release_group_id if play.release else None
    return Subject(play.artist, play.release, group, None if remember else play.id)


async def choose(
    conn: Connection,
    account_id: int,
    subject: Subject,
    digest: str,
    now: datetime,
    *,
    address: str = "",
    play_id: int | None = None,
    at: datetime | None = None,
) -> int:
    """Make this image the cover; return the id of the act. What was chosen for the play alone (`play_id`) gives way.

    `at` is when that was chosen, where it was before now and elsewhere.

    Raises errors.Refused where there is no such image, or it may not be kept.
    """
    stored = await images.by_digest(conn, digest)
    if stored is None:
        raise errors.Refused(f"{FIELD}: there is no such image any more. Load the page again.", field=FIELD)
    if stored.expires_at is not None:
        raise errors.Refused(
            f"{FIELD}: the terms of where it comes from let it be kept for some hours only, so it cannot stay. "
            "Choose another, or upload a picture of your own.",
            field=FIELD,
        )
    await images.hold(conn, stored.id, now)
    chosen_at = now if at is None else min(at, now)
    chosen = await preferences.put(conn, account_id, subject, stored.id, chosen_at, address=address)
    if subject.scrobble_id is None and play_id is not None:
        await preferences.supersede_play(conn, play_id, chosen)
    await _tell(conn, account_id, [subject], now, play_id=play_id)
    return chosen


async def forget(conn: Connection, account_id: int, play: Play, now: datetime) -> int | None:
    """Give up what was chosen for this play; return the id of the act, None where nothing was.

    Where that was for the play alone, it is that; else the preference of its album goes, for all of its plays.
    """
    led = await preferences.of_play(conn, account_id, play.id, play.release_group_id)
    if led is None:
        return None
    subject = of_play(play, remember=led.scrobble_id is None)
    if led.scrobble_id is None and led.release_group_id != subject.release_group_id:
        subject = Subject(led.artist, led.release, led.release_group_id)
    return await give_up(conn, account_id, subject, now)


async def give_up(conn: Connection, account_id: int, subject: Subject, now: datetime) -> int:
    """Let this show what it shows by itself; return the id of the act, which can be undone."""
    done = await preferences.put(conn, account_id, subject, None, now)
    await _tell(conn, account_id, [subject], now)
    return done


async def undo(conn: Connection, account_id: int, preference_id: int, now: datetime) -> None:
    """Undo an act: what was before is shown again.

    Raises errors.Gone where the account has no such act, or it is undone already.
    """
    subjects = await preferences.undo(conn, account_id, preference_id, now) if 0 < preference_id < 2**63 else []
    if not subjects:
        raise errors.Gone("There is no such choice of yours, or it is undone already.")
    await _tell(conn, account_id, subjects, now)


async def _tell(
    conn: Connection, account_id: int, subjects: Sequence[Subject], now: datetime, *, play_id: int | None = None
) -> None:
    more = [Subject("", "", None, play_id)] if play_id is not None else []
    lookup_ids = await preferences.lookups(conn, account_id, [*subjects, *more])
    groups = sorted({each.release_group_id for each in subjects if each.release_group_id is not None})
    await store_events.tell(conn, [account_id], events.CoversChosen(tuple(lookup_ids), tuple(groups)), now)
