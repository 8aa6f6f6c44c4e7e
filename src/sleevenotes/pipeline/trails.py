"""Where a cover may be found, and how far each way has been gone; pure over what is known.

A trail is one source's way to one image. The Cover Art Archive's addresses follow from the MBIDs; another source is
asked which covers it has, what it names is held against the album, and the first that fits is fetched.
"""

from __future__ import annotations

import enum
from collections.abc import Iterator, Mapping, Sequence

import msgspec

from sleevenotes import model
from sleevenotes.artwork import choose
from sleevenotes.matching import albums, decide
from sleevenotes.pipeline import elsewhere
from sleevenotes.pipeline.tools import Tools
from sleevenotes.sources import contract, coverartarchive
from sleevenotes.store import artwork_candidates, artworks, replies, source_ids

ARCHIVE = coverartarchive.CoverArtArchive.name

MOST_REFUSED = 3
"""Covers of other albums that are noted of each search: enough to tell why it led nowhere."""

Known = Mapping[tuple[str, bytes], replies.Reply]


class End(enum.Enum):
    """How far a trail has been gone."""

    OPEN = "a question is to be asked or not answered yet"
    FETCHED = "the bytes are here"
    NOTHING = "the source answered and has no cover of this album"
    UNREACHED = "retries of faults are spent"


class Trail(msgspec.Struct, frozen=True):
    """One source's way to a cover: `ask` is (whom, what) while open, `offer` and `file` once there is an image.

    With the image go the source's own `ids` of the album, where that is matched.
    """

    source: str
    end: End
    ask: tuple[str, contract.Question] | None = None
    offer: artwork_candidates.New | None = None
    file: contract.ImageFile | None = None
    ids: tuple[source_ids.Told, ...] = ()


class ByName(msgspec.Struct, frozen=True):
    """An album as a player names it; what only a match tells is ""."""

    artist: str
    title: str
    primary_type: str = ""
    release_mbid: str = ""
    release_group_mbid: str = ""


Sought = artworks.Artwork | ByName
"""An album whose cover is sought."""


def search(row: Sought, source: contract.Source) -> contract.FindImages:
    """Return the question for covers of this album, as this source is asked."""
    return contract.FindImages(row.artist, row.title, row.release_group_mbid if source.policy.by_mbid else "")


Offers = Sequence[artwork_candidates.Candidate]


def first_questions(row: Sought, offers: Offers, tools: Tools) -> list[contract.Question]:
    """List the questions that can be put before anything is asked; `offers` came with the album's recordings."""
    searches = {search(row, source): None for source in tools.answering(contract.FindImages)}
    return [*(question for _, question in _fronts(row, offers)), *searches]


def next_questions(row: Sought, offers: Offers, tools: Tools, known: Known) -> list[contract.Question]:
    """List the questions that answers led to: originals behind missing thumbnails, and what searches offer."""
    led: list[contract.Question] = []
    for _, question in _fronts(row, offers):
        reply = known.get((ARCHIVE, contract.key(question)))
        led += _answer(reply).follow_ups if reply else ()
    for source in tools.answering(contract.FindImages):
        reply = known.get((source.name, contract.key(search(row, source))))
        led += [contract.FetchImage(offer.url) for offer in _fitting(row, reply)] if reply else ()
    return led


def genres(row: Sought, tools: Tools, known: Known) -> dict[str, tuple[str, ...]]:
    """Return what the answers about covers tell of the album's genres, by source: of the first album that fits."""
    told: dict[str, tuple[str, ...]] = {}
    for source in tools.answering(contract.FindImages):
        reply = known.get((source.name, contract.key(search(row, source))))
        fitting = _fitting(row, reply) if reply else ()
        if first := next((offer.genres for offer in fitting if offer.genres), ()):
            told[source.name] = first
    return told


def for_who_waits(offers: Offers) -> Offers:
    """Leave out fronts that are known by their ids: the fronts of release and group are asked for by then, or here."""
    return [each for each in offers if each.status != "wanted" or not coverartarchive.is_by_id(each.url)]


def archive(row: Sought, offers: Offers, known: Known) -> Trail:
    """Follow the Cover Art Archive: the front that is known to be there, else the matched edition's, its original where
    only the thumbnail is missing, then the front shown for the album.
    """
    todo: list[tuple[str, contract.Question]] = list(_fronts(row, offers))
    broken = _broken(offers)
    unreached = False
    while todo:
        subject, question = todo.pop(0)
        if isinstance(question, contract.FetchImage) and question.url in broken:
            unreached = True
            continue
        reply = known.get((ARCHIVE, contract.key(question)))
        if reply is None:
            return Trail(ARCHIVE, End.OPEN, ask=(ARCHIVE, question))
        if file := fetched_file(reply):
            offer = artwork_candidates.New(ARCHIVE, file.url, reply.answered_at, exact=True, subject=subject)
            return Trail(ARCHIVE, End.FETCHED, offer=offer, file=file)
        unreached = unreached or reply.outcome is replies.Outcome.GIVEN_UP
        todo[:0] = [(subject, each) for each in _answer(reply).follow_ups]
    return Trail(ARCHIVE, End.UNREACHED if unreached else End.NOTHING)


def other_fronts(row: Sought, offers: Offers, known: Known) -> list[Trail]:
    """Return the archive's other fronts that nobody asked for yet, for who cannot wait for one after another."""
    todo = [each for _, each in _fronts(row, offers) if (ARCHIVE, contract.key(each)) not in known]
    if todo and coverartarchive.is_by_id(todo[0].url):
        return []  # it is known to be there
    return [Trail(ARCHIVE, End.OPEN, ask=(ARCHIVE, each)) for each in todo[1:]]


def fronts(row: Sought, offers: Offers, known: Known) -> list[Trail]:
    """Return the way to each of the archive's fronts, for who wants to see all of them."""
    ways: list[Trail] = []
    for subject, question in _fronts(row, offers):
        asked: list[contract.Question] = [question]
        while asked:
            reply = known.get((ARCHIVE, contract.key(asked[0])))
            file = fetched_file(reply) if reply else None
            if reply is None:
                ways.append(Trail(ARCHIVE, End.OPEN, ask=(ARCHIVE, asked[0])))
            elif file is not None:
                offer = artwork_candidates.New(ARCHIVE, file.url, reply.answered_at, exact=True, subject=subject)
                ways.append(Trail(ARCHIVE, End.FETCHED, offer=offer, file=file))
            asked = [*_answer(reply).follow_ups, *asked[1:]] if reply and file is None else []
    return ways


def searched(row: Sought, source: contract.Source, offers: Offers, tools: Tools, known: Known) -> Trail:
    """Follow another source: its covers by this name, the first that fits, its bytes."""
    asked = search(row, source)
    reply = known.get((source.name, contract.key(asked)))
    if reply is None:
        return Trail(source.name, End.OPEN, ask=(source.name, asked))
    unreached = reply.outcome is replies.Outcome.GIVEN_UP
    broken = _broken(offers)
    for image in _fitting(row, reply):
        fetching = tools.fetching(image.url)
        if fetching is None:
            continue
        if image.url in broken:
            unreached = True
            continue
        question = contract.FetchImage(image.url)
        fetched = known.get((fetching.name, contract.key(question)))
        if fetched is None:
            return Trail(source.name, End.OPEN, ask=(fetching.name, question))
        if file := fetched_file(fetched):
            offer = _offer(source.name, image, reply)
            return Trail(source.name, End.FETCHED, offer=offer, file=file, ids=_ids(row, reply))
        unreached = unreached or fetched.outcome is replies.Outcome.GIVEN_UP
    return Trail(source.name, End.UNREACHED if unreached else End.NOTHING)


def _ids(row: Sought, reply: replies.Reply) -> tuple[source_ids.Told, ...]:
    if isinstance(row, ByName):
        return ()
    album = elsewhere.Album(row.release_group_id, row.release_group_mbid, row.title, row.artist, row.primary_type)
    return tuple(elsewhere.of_album(album, _answer(reply).albums, reply))


def serves(row: Sought, reply: replies.Reply) -> bool:
    """Tell whether a search's answer offers a cover that may be this album's."""
    return bool(_fitting(row, reply))


def offered(image: contract.ImageAt, reply: replies.Reply, release: model.Release) -> artwork_candidates.New:
    """Return a front at the archive that came with a recording's description, by its own id there."""
    own = f"/release/{release.mbid}/" in image.url
    return artwork_candidates.New(
        ARCHIVE,
        image.url,
        reply.answered_at,
        exact=True,
        subject="release" if own else "release_group",
        artist=image.artist,
        release=image.release,
        page=image.page,
    )


def named(
    tools: Tools, decision: decide.Decision, told: Sequence[replies.Reply], known: Known
) -> tuple[artwork_candidates.New, ...]:
    """Return the covers of its album that came with a chosen recording's description."""
    if not isinstance(decision, decide.Chosen) or decision.release is None:
        return ()
    recording, edition = decision.weighed.option.recording, decision.release
    asked = contract.key(contract.DescribeRecording(recording.mbid))
    described = [known[source.name, asked] for source in tools.sources if (source.name, asked) in known]
    return tuple(
        offered(image, reply, edition)
        for reply in (*told, *described)
        for candidate in _answer(reply).candidates
        if isinstance(candidate, contract.RecordingCandidate) and candidate.recording.mbid == recording.mbid
        for image in candidate.images
        if recording.mbid and any(each.release_group.mbid == edition.release_group.mbid for each in candidate.releases)
    )


def refused(row: Sought, source: contract.Source, offers: Offers, known: Known) -> list[artwork_candidates.New]:
    """Return what a search offered that is no cover of this album, with the reason, where that is not noted yet."""
    reply = known.get((source.name, contract.key(search(row, source))))
    noted = {each.url for each in offers if each.source == source.name}
    if reply is None:
        return []
    found = [
        msgspec.structs.replace(_offer(source.name, image, reply), refused=why)
        for image in _images(reply)
        if (why := _unfit(row, image))
    ][:MOST_REFUSED]
    return [each for each in found if each.url not in noted]


def _fronts(row: Sought, offers: Offers) -> Iterator[tuple[str, contract.FetchImage]]:
    for each in offers:
        if each.source == ARCHIVE and coverartarchive.is_by_id(each.url):
            yield each.subject, contract.FetchImage(each.url)
    if row.release_mbid:
        yield "release", coverartarchive.front_of_release(row.release_mbid)
    if row.release_group_mbid:
        yield "release_group", coverartarchive.front_of_release_group(row.release_group_mbid)


def _broken(offers: Offers) -> set[str]:
    """Return the addresses whose bytes were fetched and never decoded: a fault, so no proof that there is no cover."""
    return {each.url for each in offers if each.status == "refused" and each.undecodable}


def _answer(reply: replies.Reply) -> contract.Answer:
    return msgspec.convert(reply.answer, contract.Answer)


def fetched_file(reply: replies.Reply) -> contract.ImageFile | None:
    """Return the image that a reply brought, None where it brought none."""
    found = [each for each in _answer(reply).candidates if isinstance(each, contract.ImageFile)]
    return found[0] if found else None


def _images(reply: replies.Reply) -> Sequence[contract.ImageAt]:
    return [each for each in _answer(reply).candidates if isinstance(each, contract.ImageAt)]


def _fitting(row: Sought, reply: replies.Reply) -> list[contract.ImageAt]:
    """The covers that may be this album's, nearest first: at most two, so that one dead address ends no trail."""
    return [image for image in _images(reply) if not _unfit(row, image)][:2]


def _unfit(row: Sought, image: contract.ImageAt) -> str:
    if choose.is_placeholder(image.url):
        return "It is what the source shows where it has no cover."
    if image.exact:
        return ""
    fit = albums.fits(row.artist, row.title, image.artist, image.release, primary_type=row.primary_type)
    return "" if fit.fits else f"It is of another album: {image.release} by {image.artist}."


def _offer(source: str, image: contract.ImageAt, reply: replies.Reply) -> artwork_candidates.New:
    return artwork_candidates.New(
        source,
        image.url,
        reply.answered_at,
        exact=image.exact,
        artist=image.artist,
        release=image.release,
        width=image.width,
        height=image.height,
        page=image.page,
    )
