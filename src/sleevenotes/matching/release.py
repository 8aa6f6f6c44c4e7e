"""Choosing the release: on which album was this recording played?

Where the player named an album and one of the recording's releases fits it, that one. Otherwise the album a
listener would name: official, by the artist, no collection, the earliest. So the order is, by the first of these
that tells two releases apart:

    1. how well it fits the submitted album: as written, in other writing, without its edition notes, nearly
    2. whose it is: the recording's artist's, somebody else's, Various Artists'
    3. official; then promotions and unknown; then bootlegs
    4. album; EP; single; then live albums, soundtracks and compilations; then the rest
    5. the earliest date; an unknown month or day counts as the end of its year or month, no date as the last
    6. the smaller MBID, so that every run chooses alike

Worked example: "Have I Told You Lately" by Van Morrison, no album sent, known on "At the Movies" (a
compilation, 2007), "Avalon Sunset" (album, 1989) and "Now Love" (Various Artists, 2003): "Avalon Sunset". With
"At The Movies (Deluxe Edition)" sent: "At the Movies".
"""

from __future__ import annotations

import enum
import functools
import re
from collections.abc import Sequence
from typing import Final

import msgspec
from rapidfuzz import fuzz

from sleevenotes import model, names
from sleevenotes.matching import titles

VARIOUS_ARTISTS: Final = "89ad4ac3-39f7-470e-963a-56509c546377"  # https://musicbrainz.org/doc/Style/Unknown_and_untitled/Special_purpose_artist

_ALIKE: Final = 90.0  # rapidfuzz ratio of keys, 0..100: one wrong letter in ten
_LEAST_LETTERS: Final = 6  # shorter titles are never compared loosely
_EDITION: Final = re.compile(
    r"\b(?:deluxe|edition|expanded|anniversary|bonus|special|limited|collector'?s?|re-?issue|explicit|clean"
    r"|re-?master(?:ed)?|version|dis[ck]|cd|ep|single|ost|soundtrack|motion picture|vinyl|digital|mono"
    r"|stereo)\b",
    re.IGNORECASE,
)
_NOT_EDITION: Final = re.compile(r"\b(?:live|remix\w*|acoustic|instrumental\w*|demos?|karaoke)\b", re.IGNORECASE)
_KINDS: Final = {"Album": 0, "EP": 1, "Single": 2}
_STATUSES: Final = {"Official": 0, "Bootleg": 2, "Pseudo-Release": 2, "Withdrawn": 2, "Cancelled": 2}

Rank = tuple[int, int, int]


class Fit(enum.IntEnum):
    """How well a release fits the submitted album."""

    NONE = 0
    ALIKE = 1  # nearly the same letters
    EDITION = 2  # the same but for notes of the edition
    SAME = 3  # the same but for case, accents and punctuation
    EXACT = 4


class Choice(msgspec.Struct, frozen=True):
    """The chosen release, how well it fits what was sent, and why in half a sentence."""

    release: model.Release
    fit: Fit
    reason: str


def choose(releases: Sequence[model.Release], submitted: str, recording_credit: model.ArtistCredit) -> Choice | None:
    """Choose among the releases a recording is on; None when there are none. `submitted` may be ""."""
    if not releases:
        return None
    best = min(releases, key=lambda release: order(release, submitted, recording_credit))
    fitting = fit(submitted, best)
    return Choice(best, fitting, _reason(best, fitting, submitted, recording_credit))


def order(release: model.Release, submitted: str, recording_credit: model.ArtistCredit) -> tuple[int, Rank, str, str]:
    """Return what releases are sorted by, the best first: fit, rank, date, MBID."""
    return (-fit(submitted, release), rank(release, recording_credit), _sortable(release.date), release.identity)


def fit(submitted: str, release: model.Release) -> Fit:
    """Tell how well a release fits the submitted album, by its own title or its release group's."""
    if not submitted:
        return Fit.NONE
    return max(_fit(submitted, release.title), min(_fit(submitted, release.release_group.title), Fit.SAME))


def rank(release: model.Release, recording_credit: model.ArtistCredit) -> Rank:
    """Return whose it is, how official, and of which kind; smaller is better."""
    group = release.release_group
    if group.secondary_types:
        kind = 3 if set(group.secondary_types) <= {"Live", "Soundtrack", "Compilation"} else 4
    else:
        kind = _KINDS.get(group.primary_type, 5)
    return _owner(release, recording_credit), _STATUSES.get(release.status, 1), kind


def _owner(release: model.Release, recording_credit: model.ArtistCredit) -> int:
    credit = release.artist_credit
    if credit is None:
        return 0
    artists = _artists(credit)
    if VARIOUS_ARTISTS in artists:
        return 2
    return 0 if artists & _artists(recording_credit) else 1


@functools.lru_cache(maxsize=50_000)
def _fit(submitted: str, title: str) -> Fit:
    if names.fold(submitted) == names.fold(title):
        return Fit.EXACT
    sent, other = names.key(submitted), names.key(title)
    if sent == other:
        return Fit.SAME
    plain, other_plain = _without_edition(submitted), _without_edition(title)
    if names.key(plain) == names.key(other_plain) or titles.spelt(plain) == titles.spelt(other_plain) != "":
        return Fit.EDITION
    if titles.numbers(plain) != titles.numbers(other_plain) or min(len(sent), len(other)) < _LEAST_LETTERS:
        return Fit.NONE
    return Fit.ALIKE if fuzz.ratio(names.key(plain), names.key(other_plain)) >= _ALIKE else Fit.NONE


def _without_edition(title: str) -> str:
    return names.cut_notes(names.clean_release(title), _is_edition)[0]


@functools.lru_cache(maxsize=20_000)
def key(title: str) -> str:
    """Reduce an album's title to what editions share: no notes of the edition, one spelling of volumes and parts."""
    return titles.spelt(_without_edition(title)) or names.key(title)


def _is_edition(note: str) -> bool:
    """Tell whether a note speaks of the edition; a live or remix album is another album."""
    return bool(_EDITION.search(note)) and not _NOT_EDITION.search(note)


def _sortable(date: str) -> str:
    """Complete a partial date with the latest it may be: "1977" sorts as "1977-99-99", "" after all."""
    return date + "9999-99-99"[len(date) :]


def _reason(release: model.Release, fitting: Fit, submitted: str, recording_credit: model.ArtistCredit) -> str:
    if fitting >= Fit.SAME:
        return f"on the submitted album, {release.title}"
    if fitting:
        return f"on {release.title}, which is the submitted album by another edition's name"
    owner, _, kind = rank(release, recording_credit)
    whose = ("the artist's own", "another artist's", "a Various Artists")[owner]
    what = ("album", "EP", "single")[kind] if kind < 3 else "release"
    chosen = f"on {release.title}, the earliest of {whose} {what}s known"
    if owner:
        chosen = f"on {release.title}, {whose} {what}, as no release of the artist's own is known"
    return f"{chosen} (the submitted album, {submitted}, is not among its releases)" if submitted else chosen


def _artists(credit: model.ArtistCredit) -> set[str]:
    return {part.identity or names.key(part.name) for part in credit.names}
