"""Answering names from the offline catalogue, before any source is asked.

    spelt as sent, beyond doubt  -> matched at once, while the play is stored (`answer`)
    in another writing           -> matched by the match stage (`begin`), where `matching.decide` says so
    anything else                -> left to the sources; what the catalogue has is one more voice (`options`)

Beyond doubt is a name whose artist shares it with nobody as much recorded, and that is on the album that was sent,
where one was. The dump keeps one of all recordings whose names fold together, so it cannot tell homonyms' songs of one
title apart, only that there are homonyms. It knows no types and no dates, nor do the rows that are kept from it; when
it was built counts as when it said so, so that it overrides nothing newer.
"""

from __future__ import annotations

import asyncio
import functools
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Final, NamedTuple

from sleevenotes import events, model, names
from sleevenotes.catalogue import Catalogue, Entry
from sleevenotes.catalogue.covers import Covers
from sleevenotes.matching import decide, release
from sleevenotes.pipeline import reconsider
from sleevenotes.pipeline.tools import Tools
from sleevenotes.sources import coverartarchive
from sleevenotes.store import artwork_candidates, artworks, catalog, jobs, lookups, matches
from sleevenotes.store import events as store_events
from sleevenotes.store.postgres import Connection

SOURCE: Final = "catalogue"

WRITTEN: Final = 0.05
"""Distance up to which a name is another writing of the same (matching.distance)."""

_NOBODY: Final = frozenset({release.VARIOUS_ARTISTS, "125ec42a-7229-4250-afc5-e057484327fe"})  # "[unknown]"
"""Artists who are none: their songs of one title are different songs."""

_TYPOGRAPHY: Final = str.maketrans(
    {
        **dict.fromkeys("\u2018\u2019\u02bc\u00b4`", "'"),
        **dict.fromkeys("\u201c\u201d\u201e", '"'),
        **dict.fromkeys("\u2010\u2011\u2012\u2013\u2014\u2212", "-"),
    }
)


class Name(NamedTuple):
    """A lookup that waits: its id, what was sent, and how urgent its cover is."""

    lookup_id: int
    artist: str
    track: str
    release: str
    band: model.Band = model.Band.LOW_PRIORITY


class Answer(NamedTuple):
    """What a name was found to be."""

    name: Name
    match: model.Match


async def answer(
    conn: Connection,
    catalogue: Catalogue,
    met_names: Sequence[Name],
    now: datetime,
    *,
    covers: Covers | None = None,
    needs_group: bool = True,
    fetch_covers: bool = True,
    in_any_writing: bool = False,
) -> set[int]:
    """Match, within this transaction, those names that the catalogue knows beyond doubt; return their lookups' ids.

    Covers that the index knows are offered to their albums, and looked for, unless `fetch_covers` is False. Where no
    release group is known, a name is left alone, unless `needs_group` is False: its release then stands for an album
    of its own. With `in_any_writing`, names in another writing are answered, too, as the match stage would, a
    millisecond or two each.
    """
    look = functools.partial(_known if in_any_writing else _certain, catalogue, met_names, needs_group=needs_group)
    answers = await asyncio.to_thread(look)
    await _settle(conn, (catalogue, covers), answers, now, fetch_covers=fetch_covers)
    return {each.name.lookup_id for each in answers}


def _certain(catalogue: Catalogue, sent: Sequence[Name], *, needs_group: bool) -> list[Answer]:
    found = catalogue.exact([(each.artist, each.track) for each in sent])
    return [
        Answer(name, match(entry, name.release))
        for name, entry in zip(sent, found, strict=True)
        if entry is not None and is_certain(name, entry, needs_group=needs_group)
    ]


def is_certain(name: Name, entry: Entry, *, needs_group: bool = True) -> bool:
    """Tell whether an entry is what was sent, spelt alike, beyond doubt."""
    return (
        _same(name.track, entry.recording_name)
        and _same(name.artist, entry.artist_credit_name)
        and (bool(entry.release_group_mbid) or not needs_group)
        and _is_told_apart(entry, name.release)
    )


def match(entry: Entry, submitted: str) -> model.Match:
    """Return the match that an entry is; raises ValueError where the credit's parts are not known."""
    found, on = recording(entry), released(entry)
    where = f"on the submitted album, {on.title}" if submitted else f"on {on.title}, its canonical release"
    return model.Match(found, on, SOURCE, 0.0, f"artist and title agree; {where}")


def recording(entry: Entry) -> model.Recording:
    """Return the recording of an entry whose credit's parts are known."""
    if not entry.parts:
        raise ValueError(f"credit {entry.artist_credit_id}: whose part is whose is not known")
    parts = tuple(model.ArtistCreditName(part.mbid, part.name, part.join_phrase) for part in entry.parts)
    return model.Recording(entry.recording_mbid, entry.recording_name, model.ArtistCredit(parts))


def released(entry: Entry) -> model.Release:
    """Return the release of an entry; of its group only the id is known, so its title stands for the group's."""
    own = "" if entry.release_group_mbid else f"musicbrainz:release/{entry.release_mbid}"
    group = model.ReleaseGroup(entry.release_group_mbid, entry.release_name, foreign_id=own)
    return model.Release(entry.release_mbid, entry.release_name, group)


def _same(sent: str, known: str) -> bool:
    """Tell whether two names are spelt alike, but for case, spaces and the printer's quotation marks and dashes."""
    return sent == known or names.fold(sent).translate(_TYPOGRAPHY) == names.fold(known).translate(_TYPOGRAPHY)


def _is_told_apart(entry: Entry, submitted: str) -> bool:
    """Tell whether nobody else can be meant, and no other album."""
    if not entry.parts or not _NOBODY.isdisjoint(entry.artist_mbids):
        return False
    if not submitted:
        return not entry.is_homonym
    return release.fit(submitted, released(entry)) >= (release.Fit.SAME if entry.is_homonym else release.Fit.EDITION)


# ---------------------------------------------------------------- in the match stage


async def begin(tools: Tools, waiting: Sequence[lookups.Pending], band: model.Band) -> list[lookups.Pending]:
    """Match the names that the catalogue knows, as sent or in another writing; return the others."""
    catalogue = tools.catalogue.current()
    if catalogue is None or not waiting:
        return list(waiting)
    sent = [Name(each.id, each.artist, each.track, each.release, band) for each in waiting]
    answers = await asyncio.to_thread(_known, catalogue, sent, needs_group=True)
    if answers:
        async with tools.database.transaction() as conn:
            await _settle(conn, (catalogue, tools.catalogue.covers()), answers, tools.clock.now())
            await reconsider.begin(conn, [each.name.lookup_id for each in answers], band)
    done = {each.name.lookup_id for each in answers}
    return [each for each in waiting if each.id not in done]


def options(tools: Tools, lookup: lookups.Pending) -> list[decide.Option]:
    """Return what the catalogue has that may be meant, to be weighed with what the sources told.

    Of homonyms' songs it has one, which would pass for the only one.
    """
    catalogue = tools.catalogue.current()
    found = catalogue.fuzzy(lookup.artist, lookup.track) if catalogue else []
    return _options(each for each in found if not each.is_homonym or _is_told_apart(each, lookup.release))


def _known(catalogue: Catalogue, sent: Sequence[Name], *, needs_group: bool) -> list[Answer]:
    """Return what the catalogue knows: first what is spelt as sent, in bulk, then other writings, one by one."""
    certain = _certain(catalogue, sent, needs_group=needs_group)
    done = {each.name.lookup_id for each in certain}
    written = (_decided(catalogue, name) for name in sent if name.lookup_id not in done)
    return certain + [each for each in written if each is not None]


def _decided(catalogue: Catalogue, name: Name) -> Answer | None:
    entries = catalogue.fuzzy(name.artist, name.track)
    asked = decide.Asked(name.artist, name.track, name.release)
    decision = decide.decide(asked, _options(entries))
    if not isinstance(decision, decide.Chosen) or decision.weighed.distance > WRITTEN:
        return None
    chosen = next(each for each in entries if each.recording_mbid == decision.weighed.option.recording.mbid)
    same_artist = names.key(name.artist) == names.key(chosen.artist_credit_name)
    if not same_artist and not _same_artists(catalogue.artists(name.artist), chosen):
        return None
    return Answer(name, decision.match) if _is_told_apart(chosen, name.release) else None


def _same_artists(sent: Sequence[str], entry: Entry) -> bool:
    """Tell whether the artists that were sent, otherwise joined or in another order, are all that are credited."""
    return len(sent) > 1 and {names.key(each) for each in sent} == {names.key(part.name) for part in entry.parts}


def _options(entries: Iterable[Entry]) -> list[decide.Option]:
    return [
        decide.Option(recording(each), (released(each),), SOURCE)
        for each in entries
        if each.parts and each.release_group_mbid and _NOBODY.isdisjoint(each.artist_mbids)
    ]


# ---------------------------------------------------------------- storing


async def _settle(
    conn: Connection,
    told: tuple[Catalogue, Covers | None],
    answers: Sequence[Answer],
    now: datetime,
    *,
    fetch_covers: bool = True,
) -> None:
    """Store what was found, have covers looked for, and tell whoever else plays these names."""
    if not answers:
        return
    catalogue, covers = told
    found = [each.match for each in answers]
    kept = await catalog.keep(conn, [(each.recording, each.release) for each in found], catalogue.built_at)
    outcomes = [
        matches.matched(
            each.name.lookup_id,
            matches.Identity(
                row.recording_id,
                row.release_id,
                row.release_group_id,
                each.match.source,
                each.match.distance,
                each.match.reason,
                each.match.penalties,
            ),
        )
        for each, row in zip(answers, kept, strict=True)
    ]
    await matches.settle(conn, outcomes, now)
    await _offer(conn, covers, {row.release_group_id: each.release for each, row in zip(found, kept, strict=True)})
    for band in sorted({each.name.band for each in answers if fetch_covers}):
        rows = [row for each, row in zip(answers, kept, strict=True) if each.name.band is band]
        editions = {row.release_group_id: row.release_id for row in rows if row.release_group_id and row.release_id}
        await jobs.enqueue(conn, "artwork", await artworks.want(conn, editions, now), band)
    owners = await matches.accounts_of_lookups(conn, [each.name.lookup_id for each in answers])
    for account_id, ids in owners.items():
        await store_events.tell(conn, [account_id], events.LookupsDecided(tuple(ids)), now)
    await store_events.wake_waiting(conn)


async def _offer(conn: Connection, covers: Covers | None, albums: Mapping[int | None, model.Release | None]) -> None:
    """Offer the fronts that the index knows to their albums."""
    if covers is None:
        return
    fronts = {key: front(covers, on.mbid) for key, on in albums.items() if key is not None and on is not None}
    await artwork_candidates.put_all(conn, {key: [offer] for key, offer in fronts.items() if offer is not None})


def front(covers: Covers, release_mbid: str) -> artwork_candidates.New | None:
    """Return a release's front as an offer to its album; None where the index has none."""
    url = covers.front(release_mbid)
    if not url:
        return None
    page = f"https://musicbrainz.org/release/{release_mbid}/cover-art"
    return artwork_candidates.New(
        coverartarchive.CoverArtArchive.name, url, covers.built_at, exact=True, subject="release", page=page
    )
