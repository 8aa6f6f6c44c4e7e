"""What the review shows: cases in their order, what may be chosen, and an album's names beside another's tracks.

Shared by the pages and the API, so that both say the same.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

import msgspec

from sleevenotes import model
from sleevenotes.matching import decide, doubt, release
from sleevenotes.pipeline import corrections as correcting
from sleevenotes.server import views
from sleevenotes.store import cases, corrections, searches
from sleevenotes.store.cases import Case
from sleevenotes.store.postgres import Connection
from sleevenotes.store.searches import Search

LOOKED_AT = 500  # the most played and farthest of the account's doubtful names; the rest comes up as these are settled


class Doubted(msgspec.Struct, frozen=True):
    """A case and what makes it doubtful; `weight` 0..1, `score` is the plays times that, what the review sorts by."""

    case: Case
    doubts: tuple[model.Penalty, ...]
    weight: float

    @property
    def score(self) -> float:
        """Return how much it deserves to be looked at."""
        return self.case.plays * self.weight


class Offer(msgspec.Struct, frozen=True):
    """A recording that can be chosen; `search_id` says which search found it, None that the decision kept it.

    `candidate` is what names it in a request; the length is in milliseconds, `doubts` are in words, `link` may be "".
    """

    candidate: str
    search_id: int | None
    title: str
    artist: str
    album: str
    year: str
    length_ms: int | None
    disambiguation: str
    link: str
    source: str
    doubts: tuple[str, ...]


class Album(msgspec.Struct, frozen=True):
    """A release group that a search for one of its tracks came upon."""

    mbid: str
    title: str
    artist: str
    year: str
    kind: str


def judge(case: Case) -> Doubted:
    """Say what makes a case doubtful."""
    if case.recording_id is None:
        found = doubt.undecided(case.reason)
    else:
        shown = doubt.Shown(
            artist=case.artist,
            release=case.release,
            credit=case.credit,
            albums=tuple(filter(None, (case.release_title, case.release_group))),
            has_mbid=bool(case.recording_mbid),
            source=case.source,
            penalties=tuple(case.penalties),
        )
        found = doubt.doubts(shown)
    return Doubted(case, found, doubt.total(found))


def ranked(given: Iterable[Case]) -> list[Doubted]:
    """Return those that are worth a look, most played and most doubtful first."""
    judged = [each for each in map(judge, given) if each.weight >= doubt.SUSPICIOUS]
    return sorted(judged, key=lambda each: (-each.score, each.case.lookup_id))


class Queue(NamedTuple):
    """What an account has to look at, in order; `more` where there may be more than is listed."""

    cases: list[Doubted]
    more: bool


async def queue(conn: Connection, account_id: int) -> Queue:
    """Read what the account has to look at."""
    found = await cases.doubtful(conn, account_id, LOOKED_AT)
    return Queue(ranked(found), more=len(found) == LOOKED_AT)


# ---------------------------------------------------------------- one case


class Opened(msgspec.Struct, frozen=True):
    """One case, opened: what may be chosen, what was searched for, and the correction in force, if any."""

    doubted: Doubted
    offers: tuple[Offer, ...]
    searches: tuple[Search, ...]
    found: dict[int, tuple[Offer, ...]]  # by search
    correction_id: int | None

    @property
    def case(self) -> Case:
        """Return the case itself."""
        return self.doubted.case


async def opened(conn: Connection, account_id: int, lookup_id: int) -> Opened:
    """Open the case of a name. Raises errors.Gone where the account has not played it."""
    case = await correcting.own(conn, account_id, lookup_id)
    asked = await searches.of_case(conn, account_id, lookup_id, whole_album=False, limit=3)
    return Opened(
        doubted=judge(case),
        offers=offers(correcting.weighed(case.candidates), case.release),
        searches=tuple(asked),
        found={each.id: offers(correcting.weighed(each.candidates), case.release, each.id) for each in asked},
        correction_id=await corrections.in_force(conn, account_id, lookup_id),
    )


def offers(weighed: Sequence[decide.Weighed], sent_release: str, search_id: int | None = None) -> tuple[Offer, ...]:
    """Write candidates so that they can be chosen from, each on the release that it would be taken to be on."""
    return tuple(_offer(one, sent_release, search_id) for one in weighed)


def _offer(one: decide.Weighed, sent_release: str, search_id: int | None) -> Offer:
    recording = one.option.recording
    choice = release.choose(one.option.releases, sent_release, recording.artist_credit)
    return Offer(
        candidate=recording.identity,
        search_id=search_id,
        title=recording.title,
        artist=recording.artist_credit.name,
        album=choice.release.title if choice else "",
        year=choice.release.date[:4] if choice else "",
        length_ms=recording.length_ms,
        disambiguation=recording.disambiguation,
        link=link_of(recording.mbid, recording.foreign_id),
        source=one.option.source,
        doubts=tuple(penalty.name for penalty in one.penalties),
    )


def link_of(mbid: str, foreign_id: str) -> str:
    """Return where a recording can be read about; "" where nothing is known."""
    if mbid:
        return f"https://musicbrainz.org/recording/{mbid}"
    source, _, own = foreign_id.partition(":")
    number = own.removeprefix("r").partition("/")[0]
    known = {"discogs": f"https://www.discogs.com/release/{number}", "deezer": f"https://www.deezer.com/track/{number}"}
    return known.get(source, "") if number.isdecimal() else ""


# ---------------------------------------------------------------- a whole album


class OpenedAlbum(msgspec.Struct, frozen=True):
    """An album's case: its names, the newest search, and each name's place where that found an album."""

    anchor: Case
    names: tuple[Case, ...]
    search: Search | None
    albums: tuple[Album, ...]
    places: tuple[correcting.Place, ...]

    @property
    def fitting(self) -> int:
        """Return how many names are on the album that was found."""
        return sum(each.found is not None for each in self.places)

    @property
    def found(self) -> model.Release | None:
        """Return a release that stands for the album that was found."""
        found = [each.found.option.releases for each in self.places if each.found is not None]
        return next((releases[0] for releases in found if releases), None)


async def opened_album(conn: Connection, account_id: int, lookup_id: int) -> OpenedAlbum:
    """Open the album of a name. Raises errors.Gone where the account has not played it."""
    anchor = await correcting.own(conn, account_id, lookup_id)
    asked = await searches.of_case(conn, account_id, lookup_id, whole_album=True, limit=1)
    search = asked[0] if asked else None
    places: Sequence[correcting.Place] = ()
    if search is not None and correcting.is_album(search):
        places = await correcting.album_places(conn, account_id, search)
    names = await cases.load(conn, account_id, await cases.of_album(conn, account_id, lookup_id, correcting.MOST))
    return OpenedAlbum(anchor, tuple(names), search, albums(search), tuple(places))


def albums(search: Search | None) -> tuple[Album, ...]:
    """Return the release groups that a search for a track came upon, those of the nearest recordings first."""
    if search is None or search.question.get("type") != "find_recording":
        return ()
    found: dict[str, Album] = {}
    for one in correcting.weighed(search.candidates):
        credit = one.option.recording.artist_credit
        for each in sorted(one.option.releases, key=lambda each: release.order(each, "", credit)):
            group = each.release_group
            if group.mbid and group.mbid not in found:
                by = (each.artist_credit or credit).name
                kind = ", ".join(filter(None, (group.primary_type, *group.secondary_types)))
                found[group.mbid] = Album(group.mbid, group.title, by, group.first_release_date[:4], kind)
    return tuple(found.values())[:12]


# ---------------------------------------------------------------- in words


def asking(search: Search) -> str:
    """Say how a search stands."""
    whom = views.source_name(search.source or "musicbrainz")
    return {
        "pending": f"Asking {whom}…",
        "answered": f"{whom} answered.",
        "absent": f"{whom} does not know it.",
        "failed": f"{whom} could not be asked, or did not answer. Nothing is lost: search once more.",
    }[search.status]
