"""What a popular name's recording was described as anew, and what follows: facts, genres, covers, portraits.

MusicBrainz' description is the whole one. ListenBrainz' has a year for a date and one title for release and group, so
that of it only what it alone knows is taken: genres, the first date where none is known, the archive's front.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import NamedTuple

import msgspec

from sleevenotes import model
from sleevenotes.pipeline import trails
from sleevenotes.sources import contract
from sleevenotes.store import (
    artwork_candidates,
    artworks,
    catalog,
    genres,
    jobs,
    matches,
    popular,
    portraits,
    replies,
    source_ids,
)
from sleevenotes.store.popular import Subject
from sleevenotes.store.postgres import Connection

COVERS_AFTER = timedelta(days=20)
"""How long ago an album's cover must have been decided to be looked for again: an album has many popular names."""


class Heard(NamedTuple):
    """One source's description; no candidate where it has none, or could not be reached."""

    reply: replies.Reply
    candidate: contract.RecordingCandidate | None

    @classmethod
    def of(cls, reply: replies.Reply) -> Heard:
        """Read a reply."""
        found = msgspec.convert(reply.answer, contract.Answer).candidates
        return cls(reply, next((each for each in found if isinstance(each, contract.RecordingCandidate)), None))


async def keep(conn: Connection, subject: Subject, heard: Sequence[Heard], now: datetime) -> None:
    """Keep what was told of a name that was taken up; needs a transaction."""
    told = [each.candidate for each in heard if each.candidate is not None]
    if told:
        await _keep_facts(conn, subject, next(filter(is_full, told), told[0]), now)
    for each in heard:
        await _keep_genres(conn, subject, each)
        await _keep_covers(conn, subject, each)
    await _want_cover(conn, subject, now)
    await _want_portraits(conn, subject, now)


async def _keep_facts(conn: Connection, subject: Subject, told: contract.RecordingCandidate, now: datetime) -> None:
    release = on_album(told.releases, subject) if is_full(told) else None
    recording = told.recording if is_full(told) else vaguely(told.recording, subject)
    [kept] = await catalog.keep(conn, [(recording, release)], now)
    if kept.recording_id != subject.recording_id:  # MusicBrainz has merged it into another
        await popular.merged(conn, subject.recording_id, kept.recording_id)
        await source_ids.merge(conn, subject.recording_id, kept.recording_id)


def is_full(told: contract.RecordingCandidate) -> bool:
    """Tell whether a description is MusicBrainz' own: it alone sorts artists' names and types groups."""
    return any(part.sort_name for part in told.recording.artist_credit.names)


def on_album(releases: Sequence[model.Release], subject: Subject) -> model.Release | None:
    """Return the matched release as it is told now, else the first of its group; None where it is not among them."""
    same = [each for each in releases if each.mbid == subject.release_mbid]
    group = [each for each in releases if each.release_group.mbid == subject.release_group_mbid]
    return next(iter([*same, *sorted(group, key=lambda each: (not each.date, each.date, each.mbid))]), None)


def vaguely(told: model.Recording, subject: Subject) -> model.Recording:
    """Leave out the date of a description that is no full one, where one is known: 1977 is no news of 1977-10-28."""
    return msgspec.structs.replace(told, first_release_date="") if subject.first_release_date else told


async def _keep_genres(conn: Connection, subject: Subject, heard: Heard) -> None:
    told = heard.candidate.genres if heard.candidate else ()
    known = await popular.artists(conn, [mbid for of, mbid, _ in told if of == "artist"])
    for of, mbid, names in told:
        if of == "artist" and mbid in known:
            await genres.tell(conn, "artist", known[mbid], heard.reply.source, names)
        elif mbid == subject.release_group_mbid and subject.release_group_id is not None:
            await genres.tell(conn, "release_group", subject.release_group_id, heard.reply.source, names)


async def _keep_covers(conn: Connection, subject: Subject, heard: Heard) -> None:
    """Offer the album the front that the description names at the archive: a new one is another candidate."""
    if heard.candidate is None or subject.release_group_id is None:
        return
    edition = on_album(heard.candidate.releases, subject)
    if edition is not None:
        offers = [trails.offered(image, heard.reply, edition) for image in heard.candidate.images]
        await artwork_candidates.put(conn, subject.release_group_id, offers)


async def _want_cover(conn: Connection, subject: Subject, now: datetime) -> None:
    if subject.release_group_id is None or subject.release_id is None:
        return
    new = await artworks.want(conn, {subject.release_group_id: subject.release_id}, now)
    again = await artworks.reopen(conn, [subject.release_group_id], now, now - COVERS_AFTER, afresh=False)
    await replies.forget(conn, "artwork", again, only_unfound=True)
    await replies.forget(conn, "preview", await matches.lookups_of_release_groups(conn, again), only_unfound=True)
    await jobs.enqueue(conn, "artwork", sorted({*new, *again}), model.Band.LOW_PRIORITY)


async def _want_portraits(conn: Connection, subject: Subject, now: datetime) -> None:
    due = [each for each in subject.artist_ids if await portraits.want(conn, each, now)]
    await replies.forget(conn, "portrait", due, only_unfound=False)  # or it would be told by the old answers, unasked
    await jobs.enqueue(conn, "portrait", due, model.Band.LOW_PRIORITY)
