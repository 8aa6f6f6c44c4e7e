"""Telling plays anew: a listener says what a play was called, or when it was.

An edit moves a play to the lookup of its new names, as if it had been sent so. What its client knew of the old names
(MBIDs, ISRC) is forgotten with them. A correction, by contrast, leaves what was sent and says what it really is.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

import msgspec

from sleevenotes import errors, names
from sleevenotes.model import Band, Evidence, Scrobble
from sleevenotes.pipeline.submit import Submitter
from sleevenotes.store import scrobbles
from sleevenotes.store.postgres import Connection

MOST = 1000
"""Plays of one edit."""

HURRIED = 50
"""So many plays are looked up before everything else: somebody is looking at them."""


class Change(msgspec.Struct, frozen=True):
    """What to write anew; None leaves it as it is."""

    artist: str | None = None
    track: str | None = None
    release: str | None = None
    album_artist: str | None = None
    listened_at: datetime | None = None

    def of(self, scrobble: Scrobble) -> Scrobble:
        """Return the scrobble with this change; what its client knew of names that change is left out."""
        said = {name: getattr(self, name) for name in self.__struct_fields__ if getattr(self, name) is not None}
        told = {name: value for name, value in said.items() if getattr(scrobble, name) != value}
        if {"artist", "track"} & told.keys():
            told["evidence"] = Evidence()
        elif "release" in told:
            told["evidence"] = msgspec.structs.replace(
                scrobble.evidence, release_mbid="", release_group_mbid="", track_number=None
            )
        return msgspec.structs.replace(scrobble, **told)


async def edit(submitter: Submitter, account_id: int, ids: Sequence[int], change: Change) -> list[int]:
    """Tell these plays of the account anew, all or none, and return the ids of those that changed.

    Raises errors.Gone when one of them is not there, errors.Refused naming the plays where one would become the same
    as another, or when many shall have been at one time.
    """
    if len(ids) > MOST:
        raise errors.Refused(f"An edit takes at most {MOST} scrobbles, not {len(ids)}.", field="ids")
    if change.listened_at is not None and len(set(ids)) > 1:
        raise errors.Refused("Several scrobbles cannot have been played at one time.", field="played_at")

    async def take_up(conn: Connection) -> Mapping[int, Scrobble]:
        return await _changed(conn, account_id, ids, change)

    return await submitter.reenter(account_id, Band.CRITICAL if len(ids) <= HURRIED else Band.DEFAULT, take_up)


async def _changed(conn: Connection, account_id: int, ids: Sequence[int], change: Change) -> dict[int, Scrobble]:
    kept = await scrobbles.sent(conn, account_id, ids)
    if missing := sorted(set(ids) - kept.keys()):
        raise errors.Gone(f"There is no scrobble {missing[0]} of yours.")
    told = {scrobble_id: change.of(scrobble) for scrobble_id, scrobble in kept.items()}
    changed = {scrobble_id: scrobble for scrobble_id, scrobble in told.items() if scrobble != kept[scrobble_id]}
    await _check_keys(conn, account_id, changed)
    return changed


async def _check_keys(conn: Connection, account_id: int, changed: Mapping[int, Scrobble]) -> None:
    """Refuse what would make two plays the same: the same track at the same time."""
    ids = list(changed)
    news = [_new(account_id, scrobble) for scrobble in changed.values()]
    seen: dict[tuple[int, datetime, bytes], int] = {}
    for scrobble_id, new in zip(ids, news, strict=True):
        if new.key in seen:
            raise _same(scrobble_id, seen[new.key], new.scrobble)
        seen[new.key] = scrobble_id
    for position, there in (await scrobbles.existing(conn, news)).items():
        others = [one.id for one in there if one.id not in changed]
        if others:
            raise _same(ids[position], others[0], news[position].scrobble)


def _new(account_id: int, scrobble: Scrobble) -> scrobbles.New:
    if scrobble.listened_at is None:
        raise errors.Refused("A scrobble needs the time it was played at.", field="played_at")
    return scrobbles.New(account_id, scrobble.listened_at, names.digest(scrobble.artist, scrobble.track), scrobble)


def _same(scrobble_id: int, other: int, scrobble: Scrobble) -> errors.Refused:
    return errors.Refused(
        f"Scrobble {scrobble_id} would become the same play as scrobble {other}: {scrobble.track} by {scrobble.artist} "
        f"at {scrobble.listened_at:%Y-%m-%d %H:%M:%S} UTC. Delete one of them, or tell another time.",
        field="played_at",
    )
