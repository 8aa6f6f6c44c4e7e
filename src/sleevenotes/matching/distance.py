"""How far a recording is from the name that was sent: a sum of named penalties, each a reason in words.

0 is identical, 1 is nothing in common. The weights are ordered, not measured in any unit: what is only another
way of writing weighs little (up to 0.05), what may be a slip of the pen more (up to 0.15), and what makes
another recording or another artist exceeds the threshold of `sleevenotes.matching.decide` alone.

Worked example: "beyonce", "Halo (Live)" against "Halo" by "Beyoncé":
    artist written otherwise 0.04  +  not the version sent 0.40  =  0.44
"""

from __future__ import annotations

import functools
import re
from collections.abc import Iterator, Sequence
from typing import Final

import msgspec
from rapidfuzz import fuzz

from sleevenotes import model, names
from sleevenotes.matching import release, titles

# Other ways of writing the same. Each is above ANOTHER_ALBUM by more than the margin of decide.py: of two titles
# that differ in writing, the one as sent wins even where only the other is known on the submitted album.
WRITING: Final = 0.04  # case folds away; this is punctuation, accents, script
CREDITED_AS: Final = 0.01  # the artist's own name, credited otherwise on this recording
ALIAS: Final = 0.03
ORDER: Final = 0.02  # the same artists, in another order or otherwise joined
PARTLY_CREDITED: Final = 0.05  # one of several artists is missing on one side
ANOTHER_MEMBER: Final = 0.1  # "A and B" sent, only A credited: may be another act
NOT_FIRST: Final = 0.08  # only a later artist of the credit was named
ARTICLE: Final = 0.05  # "The" on one side only
NOTES: Final = 0.04  # a remaster or "album version" note on one side only
GUESTS: Final = 0.04  # guests named in the title on one side, in the credit on the other
GUESTS_ELSEWHERE: Final = 0.07  # guests the other side does not name at all
# Small doubts, which order what is otherwise alike.
DISAMBIGUATED: Final = 0.005
ANOTHER_ALBUM: Final = 0.02
LIVE_ON_LIVE_ALBUM: Final = 0.002
VIDEO: Final = 0.05
# Slips of the pen, plus what the letters differ by.
SLIP: Final = 0.05
SUBTITLE: Final = 0.12
# Another recording, another artist.
VAGUE_VERSION: Final = 0.1  # "(Remix)" and "(Foo Remix)"
ANOTHER_VERSION: Final = 0.4
ANOTHER_NUMBER: Final = 0.5
ANOTHER_TITLE: Final = 0.4
ANOTHER_ARTIST: Final = 0.5
LONGEST: Final = 0.15  # what durations weigh at most, reached at 35 s apart

_ALIKE: Final = 0.88
_LEAST_LETTERS: Final = 5
_SAME_LENGTH_S: Final = 5.0
_JOINERS: Final = re.compile(
    r"\s*(?:[,;/&+\u00d7]|\b(?:and|und|et|y|e|og|och|with|vs|x|feat|ft|featuring|presents)\b\.?)\s*",
    re.IGNORECASE,
)
_SUBTITLE: Final = re.compile(r"\s*[(\[][^()\[\]]*[)\]]\s*$")


class Asked(msgspec.Struct, frozen=True):
    """What was sent: the names, and what else is known of the play."""

    artist: str
    track: str
    release: str = ""
    duration_ms: int | None = None


class Distance(msgspec.Struct, frozen=True):
    """The penalties of one candidate; `total` is 0..1."""

    penalties: tuple[model.Penalty, ...]

    @property
    def total(self) -> float:
        """Return their sum, at most 1."""
        return min(1.0, round(sum(penalty.weight for penalty in self.penalties), 4))


def measure(asked: Asked, recording: model.Recording, releases: Sequence[model.Release]) -> Distance:
    """Measure how far a recording, known to be on these releases, is from what was sent."""
    on_album = any(release.fit(asked.release, one) for one in releases)
    return Distance(
        (
            *_artist(asked, recording),
            *_title(titles.read(asked.track), recording),
            *_version(titles.read(asked.track), recording, releases, on_album=on_album),
            *_circumstances(asked, recording, on_album=on_album),
        )
    )


# ---------------------------------------------------------------- artist


def _artist(asked: Asked, recording: model.Recording) -> Iterator[model.Penalty]:
    credit = recording.artist_credit
    if names.fold(asked.artist) == names.fold(credit.name):
        return
    found = _same_artist(asked.artist, credit) or _shared_artists(asked.artist, credit)
    if found is None:
        found = _alike_artist(asked.artist, credit)
    yield found


def _same_artist(artist: str, credit: model.ArtistCredit) -> model.Penalty | None:
    """Compare with the credit as a whole."""
    key = names.key(artist)
    if key == names.key(credit.name):
        return model.Penalty(f"the artist is written {credit.name}", WRITING)
    if len(credit.names) == 1:
        only = credit.names[0]
        if only.artist_name and key == names.key(only.artist_name):
            return model.Penalty(f"the artist is credited as {only.name}", CREDITED_AS)
        if key in _other_names(only):
            return model.Penalty(f"the artist is also known as {artist}", ALIAS)
    if _loose(artist) == _loose(credit.name):
        return model.Penalty(f"the artist is written {credit.name}", ARTICLE)
    return None


def _shared_artists(artist: str, credit: model.ArtistCredit) -> model.Penalty | None:
    """Compare artist by artist: the same in another order, or one of them missing on one side."""
    asked = [names.key(part) for part in _split(artist)]
    known = [_all_names(part) for part in credit.names]
    whole = next((place for place, one in enumerate(known) if names.key(artist) in one), None)
    if whole is not None:
        weight = NOT_FIRST if whole else PARTLY_CREDITED
        return model.Penalty(f"credited to {credit.name}", weight)
    places = [next((place for place, one in enumerate(known) if part in one), None) for part in asked]
    if None not in places and len(set(places)) == len(known):
        return model.Penalty(f"the artists are credited as {credit.name}", ORDER)
    if places[0] == 0 and len(asked) > 1:
        weight = PARTLY_CREDITED if names.split_guests(artist)[1] else ANOTHER_MEMBER
        return model.Penalty(f"credited to {credit.name}", weight)
    return None


def _alike_artist(artist: str, credit: model.ArtistCredit) -> model.Penalty:
    key, other = _loose(artist), _loose(credit.name)
    ratio = fuzz.ratio(key, other) / 100
    if ratio >= _ALIKE and min(len(key), len(other)) >= _LEAST_LETTERS:
        return model.Penalty(f"the artist is spelt {credit.name}", _rounded(SLIP + 1 - ratio))
    return model.Penalty(f"by {credit.name}", _rounded(ANOTHER_ARTIST + (1 - ratio) / 2))


def _split(artist: str) -> list[str]:
    text = artist.replace("(", " ").replace(")", " ")
    return [part for part in _JOINERS.split(text) if part.strip()] or [artist]


@functools.lru_cache(maxsize=20_000)
def _loose(artist: str) -> str:
    """Reduce to a key without articles and joining words: "Florence and the Machine" is "florencemachine"."""
    parts = _split(names.without_article(artist))
    return "".join(names.key(names.without_article(part)) for part in parts)


@functools.lru_cache(maxsize=5_000)
def _other_names(part: model.ArtistCreditName) -> frozenset[str]:
    return frozenset(map(names.key, (*part.aliases, part.sort_name))) - {""}


def _all_names(part: model.ArtistCreditName) -> frozenset[str]:
    return _other_names(part) | {names.key(part.name), names.key(part.artist_name or part.name)}


# ---------------------------------------------------------------- title


def _title(asked: titles.Title, recording: model.Recording) -> Iterator[model.Penalty]:
    found = titles.read(recording.title)
    if names.fold(asked.whole) == names.fold(found.whole):
        return
    if names.key(asked.whole) == names.key(found.whole):
        yield model.Penalty(f"the title is written {found.whole}", WRITING)
        return
    yield from _guests(asked, found, recording.artist_credit)
    if names.key(asked.base) != names.key(found.base):
        yield _other_base(asked.base, found.base)
    elif names.fold(asked.base) != names.fold(found.base):
        yield model.Penalty(f"the title is written {found.base}", WRITING)
    alike = names.key(asked.guests) == names.key(found.guests) and asked.version == found.version
    if asked.remastered != found.remastered or (alike and names.key(asked.base) == names.key(found.base)):
        yield model.Penalty("a note on one side only", NOTES)


def _guests(asked: titles.Title, found: titles.Title, credit: model.ArtistCredit) -> Iterator[model.Penalty]:
    if asked.guests and not found.guests:
        known = {name for part in credit.names for name in _all_names(part)}
        credited = any(names.key(guest) in known for guest in _split(asked.guests))
        weight = GUESTS if credited else GUESTS_ELSEWHERE
        yield model.Penalty(f"{asked.guests} is a guest in the title sent", weight)
    elif found.guests and not asked.guests:
        yield model.Penalty(f"{found.guests} is a guest in this title", GUESTS)
    elif names.key(asked.guests) != names.key(found.guests):
        yield model.Penalty(f"the guest is {found.guests}", GUESTS_ELSEWHERE)


def _other_base(asked: str, found: str) -> model.Penalty:
    if titles.numbers(asked) != titles.numbers(found):
        return model.Penalty(f"another number: {found}", ANOTHER_NUMBER)
    if titles.arabic(asked) == titles.arabic(found) != ():
        return model.Penalty(f"the title is written {found}", WRITING)
    key, other = names.key(asked), names.key(found)
    if key in (names.key(_SUBTITLE.sub("", found)), _without_the(found)):
        return model.Penalty(f"the full title is {found}", SUBTITLE)
    if other in (names.key(_SUBTITLE.sub("", asked)), _without_the(asked)):
        return model.Penalty(f"the title is only {found}", SUBTITLE)
    ratio = fuzz.ratio(key, other) / 100
    slip = ratio >= _ALIKE and min(len(key), len(other)) >= _LEAST_LETTERS
    if slip and not _more_words(asked, found):
        return model.Penalty(f"the title is spelt {found}", _rounded(SLIP + 1 - ratio))
    return model.Penalty(f"another title: {found}", _rounded(ANOTHER_TITLE + (1 - ratio) / 2))


def _without_the(title: str) -> str:
    return names.key(names.without_article(title))


def _more_words(one: str, other: str) -> bool:
    """Tell whether one has all words of the other and more: "Angel" and "Dark Angel" differ by no slip."""
    words, others = set(names.fold(one).split()), set(names.fold(other).split())
    return words < others or others < words


# ---------------------------------------------------------------- version


def _version(
    asked: titles.Title, recording: model.Recording, releases: Sequence[model.Release], *, on_album: bool
) -> Iterator[model.Penalty]:
    found_title = titles.read(recording.title)
    found = found_title.version | titles.version_of(recording.disambiguation)
    extra, missing = found.kinds - asked.version.kinds, asked.version.kinds - found.kinds
    only_noted = extra == {"live"} and not found_title.version.kinds  # MusicBrainz keeps "live" out of titles
    if only_noted and not missing and on_album:
        yield model.Penalty("a live recording, as the submitted album says", LIVE_ON_LIVE_ALBUM)
    elif missing == {"live"} and not extra and _is_live_only(releases):
        yield model.Penalty("the album, not the title, says live", LIVE_ON_LIVE_ALBUM)
    else:
        yield from (model.Penalty(f"this is a different version: {kind}", ANOTHER_VERSION) for kind in sorted(extra))
        yield from (model.Penalty(f"not the version sent: {kind}", ANOTHER_VERSION) for kind in sorted(missing))
    if found.kinds == asked.version.kinds != frozenset() and names.key(asked.whole) != names.key(found_title.whole):
        yield from _details(asked.version, found)


def _details(asked: titles.Version, found: titles.Version) -> Iterator[model.Penalty]:
    """Compare whose remix, which concert. A live one is often named without its place, a remix seldom."""
    if asked.details == found.details:
        return
    shared, told = asked.details & found.details, asked.details | found.details
    same = len(shared) * 2 >= len(told) or (shared and asked.kinds == {"live"})
    if asked.details and found.details and not same:
        words = " ".join(sorted(found.details))
        yield model.Penalty(f"another {' '.join(sorted(found.kinds))}: {words}", ANOTHER_VERSION)
    else:
        weight = DISAMBIGUATED if asked.kinds == {"live"} else VAGUE_VERSION
        yield model.Penalty("one side says more exactly which version", weight)


def _is_live_only(releases: Sequence[model.Release]) -> bool:
    return bool(releases) and all("Live" in one.release_group.secondary_types for one in releases)


# ---------------------------------------------------------------- the rest


def _circumstances(asked: Asked, recording: model.Recording, *, on_album: bool) -> Iterator[model.Penalty]:
    note = recording.disambiguation
    if note and not titles.is_usual(note) and not titles.version_of(note).kinds:
        yield model.Penalty(f"told apart by: {note}", DISAMBIGUATED)
    if recording.video:
        yield model.Penalty("a video", VIDEO)
    if asked.release and not on_album:
        yield model.Penalty("not known on the submitted album", ANOTHER_ALBUM)
    if asked.duration_ms and recording.length_ms:
        apart = abs(asked.duration_ms - recording.length_ms) / 1000 - _SAME_LENGTH_S
        if apart > 0:
            yield model.Penalty(f"{apart + _SAME_LENGTH_S:.0f} s apart", _rounded(min(LONGEST, apart / 30 * LONGEST)))


def _rounded(weight: float) -> float:
    return round(min(1.0, weight), 4)
