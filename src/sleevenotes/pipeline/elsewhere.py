"""What an answer tells of how its source calls the very thing that was matched; pure over what is known.

An id of somebody else's is worse than none. So an answer counts only where it would serve by itself: of the recordings
that it holds, one is the matched one by title, artist and length (`matching.decide`), an album is the matched one
(`matching.albums`), an artist goes by the same name; and where the source gives a MusicBrainz id of another, that says
so. What is told goes by the identities of the catalogue's rows.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Final

import msgspec

from sleevenotes import model, names
from sleevenotes.matching import albums, decide
from sleevenotes.pipeline import answers
from sleevenotes.pipeline.tools import Tools
from sleevenotes.sources import contract
from sleevenotes.sources.own_ids import SourceId
from sleevenotes.store import catalog, replies
from sleevenotes.store.source_ids import Told

ANOTHER_EDIT_MS: Final = 10_000
"""By how much two lengths differ that are not of one recording."""


class Album(msgspec.Struct, frozen=True):
    """An album whose ids are told: the catalogue's row (id or identity), and by what it is known."""

    subject: int | str
    mbid: str
    title: str
    artist: str
    primary_type: str = ""

    @classmethod
    def of(cls, recording: model.Recording, release: model.Release) -> Album:
        """Return the album that a recording was matched on."""
        group, by = release.release_group, release.artist_credit or recording.artist_credit
        return cls(catalog.identity(group), group.mbid, group.title, by.name, group.primary_type)


def of_decision(
    tools: Tools, decision: decide.Decision, told: Sequence[replies.Reply], known: answers.Known
) -> tuple[Told, ...]:
    """Return what the answers that were told tell of the chosen recording, its album and its artists."""
    if not isinstance(decision, decide.Chosen):
        return ()
    able = {source.name for source in tools.sources if source.policy.ids}
    heard = [reply for reply in told if reply.source in able]
    heard += [page for reply in heard for page in pages(reply, known)]
    recording, release = decision.weighed.option.recording, decision.release
    album = Album.of(recording, release) if release else None
    return tuple(each for reply in heard for each in of_recording(recording, album, reply))


def pages(reply: replies.Reply, known: answers.Known) -> Iterator[replies.Reply]:
    """Go through the pages of releases that an answer led to, of those that are known."""
    for each in answers.answer(reply).follow_ups:
        page = known.get((reply.source, contract.key(each)))
        if page is not None and isinstance(each, contract.DescribeRelease):
            yield page


def of_recording(recording: model.Recording, album: Album | None, reply: replies.Reply) -> Iterator[Told]:
    """Go through what an answer about recordings tells of this one, of the album it was matched on, its artists."""
    found = _same(recording, album, reply)
    if found is None:
        return
    own = [each for each in found.ids if each.of == "recording" and not _contradicts(each.mbid, recording.mbid)]
    yield from (_told(catalog.identity(recording), each, reply) for each in own)
    yield from _artists(recording.artist_credit.names, found.ids, reply)
    if album is not None:
        yield from of_album(album, [found.ids], reply)


def of_album(
    album: Album,
    rows: Iterable[Sequence[SourceId]],
    reply: replies.Reply,
    credit: Sequence[model.ArtistCreditName] = (),
) -> Iterator[Told]:
    """Go through what the first row that is this album tells of it, and of those of these artists who are named there.

    Of each kind that the source has of albums, the first counts.
    """
    for row in rows:
        fitting = [each for each in row if each.of == "release_group" and _is_album(album, each)]
        kinds = {each.kind: each for each in reversed(fitting)}
        yield from (_told(album.subject, each, reply) for each in kinds.values())
        if fitting:
            yield from _artists(credit, row, reply)
            return


def albums_told(reply: replies.Reply) -> Sequence[Sequence[SourceId]]:
    """Return what an answer about albums told, album by album."""
    return answers.answer(reply).albums


def _same(recording: model.Recording, album: Album | None, reply: replies.Reply) -> contract.RecordingCandidate | None:
    """Return the candidate that is this recording, where the answer would by itself lead there."""
    held = [each for each in answers.answer(reply).candidates if isinstance(each, contract.RecordingCandidate)]
    if not any(each.ids for each in held):
        return None
    on = album.title if album else ""
    asked = decide.Asked(recording.artist_credit.name, recording.title, on, recording.length_ms)
    decision = decide.decide(asked, [decide.Option(each.recording, each.releases, reply.source) for each in held])
    if not isinstance(decision, decide.Chosen):
        return None
    chosen = decision.weighed.option.recording
    found = next(each for each in held if each.recording.identity == chosen.identity)
    return None if _contradicts(chosen.mbid, recording.mbid) or _are_apart(chosen, recording) else found


def _are_apart(one: model.Recording, other: model.Recording) -> bool:
    if one.length_ms is None or other.length_ms is None:
        return False
    return abs(one.length_ms - other.length_ms) > ANOTHER_EDIT_MS


def _artists(
    credit: Sequence[model.ArtistCreditName], told: Sequence[SourceId], reply: replies.Reply
) -> Iterator[Told]:
    """Give each artist of a credit the id that is told under its name; none where two are told under it."""
    for part in credit:
        called = {_key(name) for name in (part.name, part.artist_name) if name}
        mine = {each.id: each for each in told if each.of == "artist" and _key(each.name) in called}
        for each in mine.values():
            if len(mine) == 1 and not _contradicts(each.mbid, part.mbid):
                yield _told(catalog.identity(part), each, reply)


def _key(artist: str) -> str:
    return names.key(names.without_article(artist))


def _is_album(album: Album, told: SourceId) -> bool:
    if told.mbid and album.mbid:
        return told.mbid == album.mbid
    return albums.fits(album.artist, album.title, told.by, told.name, primary_type=album.primary_type).fits


def _contradicts(told: str, known: str) -> bool:
    return bool(told and known) and told.lower() != known.lower()


def _told(subject: int | str, each: SourceId, reply: replies.Reply) -> Told:
    return Told(each.of, subject, reply.source, each.id, each.kind, each.page)
