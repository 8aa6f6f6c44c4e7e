"""How far a recording is from the name that was sent: a sum of named penalties, each a reason in words.

0 is identical, 1 is nothing in common. The weights are ordered, not measured in any unit: what is only another
way of writing weighs little (up to 0.05), what may be a slip of the pen more (up to 0.15), and what makes
another recording or another artist exceeds the threshold of `sleevenotes.matching.decide` alone.

Worked example: "beyonce", "Halo (Live)" against "Halo" by "Beyoncé":
    artist written otherwise 0.04  +  not the version sent 0.40  =  0.44
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Final

import msgspec
from rapidfuzz import fuzz

from sleevenotes import model, names
from sleevenotes.matching import credit_names, readings, release, slips, titles, weights

_SAME_LENGTH_S: Final = 5.0
_EQUAL_LENGTH_S: Final = 2.0  # what durations differ by that were rounded on their way
_CUT_OFF: Final = (28, 31)  # letters of a title cut off after thirty
NEAR_ENOUGH: Final = 0.06  # so near, no other reading of the titles is tried
_IN_COMMON: Final = 70.0  # rapidfuzz partial ratio of keys; with less, no reading helps
_ALBUMS: Final = 5  # of a candidate, whose titles may stand behind its title
_NAMELESS: Final = frozenset(["[untitled]", "[unknown]", "[data track]", "[silence]"])  # MusicBrainz' own, for many
_AS_IT_STANDS: Final = readings.Reading("", "", "", "", 0.0)
_ARTICLE: Final = re.compile(r"^(?:the|an?)\s+(?=\S)", re.IGNORECASE)
_SUBTITLE: Final = re.compile(r"\s*[(\[][^()\[\]]*[)\]]\s*$")


class Asked(msgspec.Struct, frozen=True):
    """What was sent: the names, and what else is known of the play."""

    artist: str
    track: str
    release: str = ""
    duration_ms: int | None = None


class Distance(msgspec.Struct, frozen=True):
    """The penalties of one candidate; `total` is 0..1. `sent` and `title` are the two titles as they were read."""

    penalties: tuple[model.Penalty, ...]
    sent: str = ""
    title: str = ""

    @property
    def same_title(self) -> bool:
        """Tell whether the titles are the same, as they were read, but for writing and notes."""
        return names.key(titles.read(self.sent).base) == names.key(titles.read(self.title).base)

    @property
    def total(self) -> float:
        """Return their sum, at most 1."""
        return min(1.0, round(sum(penalty.weight for penalty in self.penalties), 4))


def measure(asked: Asked, recording: model.Recording, releases: Sequence[model.Release]) -> Distance:
    """Measure how far a recording, known to be on these releases, is from what was sent.

    Where the names as they stand are too far, the other readings of both titles are tried; the nearest counts.
    """
    best = _measure(asked, recording, releases, recording.title)
    if best.total <= NEAR_ENOUGH:
        return best
    for read, found, why in _readings(asked, recording, releases):
        one = _measure(read, recording, releases, found.title or recording.title, found.album, why)
        if one.total < best.total:
            best = one
    return best


def _measure(
    asked: Asked,
    recording: model.Recording,
    releases: Sequence[model.Release],
    title: str,
    told_album: str = "",
    why: tuple[model.Penalty, ...] = (),
) -> Distance:
    """Measure a candidate by a title of it; `told_album` is the album that its full title told."""
    on_album = any(release.fit(asked.release, one) for one in releases) or asked.release == told_album != ""
    support = _support(asked, recording, on_album=on_album)
    sent, found = titles.read(asked.track), titles.read(title)
    titled = tuple(_title(sent, found, recording.artist_credit, support))
    return Distance(
        (
            *credit_names.compare(asked.artist, recording.artist_credit, found.base, support, titled),
            *titled,
            *_version(sent, found, recording, releases, on_album=on_album),
            *_circumstances(asked, recording, on_album=on_album),
            *why,
        ),
        asked.track,
        title,
    )


def _support(asked: Asked, recording: model.Recording, *, on_album: bool) -> slips.Support:
    apart = _apart(asked, recording)
    if apart is None:
        return slips.Support(on_album, duration=False, against=False)
    return slips.Support(on_album, apart <= _EQUAL_LENGTH_S, apart > _SAME_LENGTH_S)


def _apart(asked: Asked, recording: model.Recording) -> float | None:
    """Return how many seconds the durations differ by; None where one is not known."""
    if not (asked.duration_ms and recording.length_ms):
        return None
    return abs(asked.duration_ms - recording.length_ms) / 1000


# ---------------------------------------------------------------- other readings


def _readings(
    asked: Asked, recording: model.Recording, releases: Sequence[model.Release]
) -> Iterator[tuple[Asked, readings.Reading, tuple[model.Penalty, ...]]]:
    """Read both titles otherwise, where that can help: the same letters are in both."""
    if fuzz.partial_ratio(names.key(asked.track), names.key(recording.title)) < _IN_COMMON:
        return
    on = tuple(one.title for one in releases[:_ALBUMS])
    sent = readings.of(asked.track, asked.artist, (asked.release, *on))
    found = readings.of(recording.title, recording.artist_credit.name, (*on, asked.release))
    for one in (_AS_IT_STANDS, *sent):
        read = _read(asked, one)
        for other in (_AS_IT_STANDS, *found):
            if (one is other) or not _says_so(one, other, read, releases):
                continue
            why = tuple(
                model.Penalty(f"the title {whose} has {each.why}", _rounded(max(each.weight, least)))
                for whose, each, least in (("sent", one, 0.0), ("found", other, weights.POORLY_TITLED))
                if each.why
            )
            if one.number and other.number and one.number != other.number:
                why = (*why, model.Penalty(f"track {other.number}, not {one.number}", weights.ANOTHER_TRACK))
            yield read, other, why


def _read(asked: Asked, reading: readings.Reading) -> Asked:
    if not reading.title:
        return asked
    artist = reading.artist if reading.artist and readings.is_unknown(asked.artist) else asked.artist
    return Asked(artist, reading.title, asked.release or reading.album, asked.duration_ms)


def _says_so(one: readings.Reading, other: readings.Reading, read: Asked, releases: Sequence[model.Release]) -> bool:
    """Tell whether nothing is lost: a "Live at Wembley" that is cut off must be the album on both sides."""
    said = one.said | other.said
    return not said or not releases or any(release.fit(read.release, each) for each in releases)


# ---------------------------------------------------------------- title


def _title(
    asked: titles.Title, found: titles.Title, credit: model.ArtistCredit, support: slips.Support
) -> Iterator[model.Penalty]:
    if names.fold(asked.whole) == names.fold(found.whole):
        return
    if names.key(asked.whole) == names.key(found.whole):
        yield model.Penalty(f"the title is written {found.whole}", weights.WRITING)
        return
    yield from _guests(asked, found, credit, on_album=support.album)
    same_base = names.key(asked.base) == names.key(found.base)
    if not same_base:
        yield _other_base(asked.base, found.base, support)
    elif names.fold(asked.base) != names.fold(found.base):
        yield model.Penalty(f"the title is written {found.base}", weights.WRITING)
    if asked.year and found.year and asked.year != found.year:
        yield model.Penalty(f"another year: {found.year}", weights.ANOTHER_VERSION)
    alike = names.key(asked.guests) == names.key(found.guests) and asked.version == found.version
    if asked.remastered != found.remastered or (alike and same_base and asked.year == found.year):
        yield model.Penalty("a note on one side only", weights.NOTES)
    if bool(asked.year) != bool(found.year):
        yield model.Penalty("a year on one side only", weights.NOTES)


def _guests(
    asked: titles.Title, found: titles.Title, credit: model.ArtistCredit, *, on_album: bool
) -> Iterator[model.Penalty]:
    if asked.guests and not found.guests:
        known = {name for part in credit.names for name in credit_names.all_names(part)}
        credited = any(names.key(guest) in known for guest in credit_names.split(asked.guests))
        weight = weights.GUESTS if credited else weights.GUESTS_ELSEWHERE if on_album else weights.GUESTS_UNTOLD
        yield model.Penalty(f"{asked.guests} is a guest in the title sent", weight)
    elif found.guests and not asked.guests:
        yield model.Penalty(f"{found.guests} is a guest in this title", weights.GUESTS)
    elif names.key(asked.guests) != names.key(found.guests):
        yield model.Penalty(f"the guest is {found.guests}", weights.GUESTS_ELSEWHERE)


def _other_base(asked: str, found: str, support: slips.Support) -> model.Penalty:
    if same_words(asked, found):
        return model.Penalty(f"the title is written {found}", weights.WRITING)
    if slips.numbers(asked) != slips.numbers(found):
        return model.Penalty(f"another number: {found}", weights.ANOTHER_NUMBER)
    key, other = names.key(asked), names.key(found)
    if _CUT_OFF[0] <= len(asked) <= _CUT_OFF[1] and other.startswith(key):
        return model.Penalty(f"the title is cut off; in full {found}", weights.TRUNCATED)
    if key in (names.key(_SUBTITLE.sub("", found)), _without_the(found)):
        return model.Penalty(f"the full title is {found}", weights.SUBTITLE)
    if other in (names.key(_SUBTITLE.sub("", asked)), _without_the(asked)):
        return model.Penalty(f"the title is only {found}", weights.SUBTITLE)
    cut_off = len(found) == 30 and len(asked) > 30  # who knows what the rest was
    slip = None if cut_off else slips.slip(asked, found, support.count)
    if slip is not None:
        return model.Penalty(f"the title is spelt {found}", _rounded(slip))
    alike = fuzz.ratio(key, other) / 100
    return model.Penalty(f"another title: {found}", _rounded(weights.ANOTHER_TITLE + (1 - alike) / 2))


def same_words(one: str, other: str) -> bool:
    """Tell whether two titles differ in how words are written: "II" and "2", "&" and "and", "7" and "Seven"."""
    words, others = titles.arabic(one), titles.arabic(other)
    return (words == others != ()) or (titles.spelt(one) == titles.spelt(other) != "")


def _without_the(title: str) -> str:
    return names.key(_ARTICLE.sub("", title))


# ---------------------------------------------------------------- version


def _version(
    asked: titles.Title,
    found_title: titles.Title,
    recording: model.Recording,
    releases: Sequence[model.Release],
    *,
    on_album: bool,
) -> Iterator[model.Penalty]:
    same = names.key(asked.whole) == names.key(found_title.whole)
    sent = asked.version | found_title.version if same else asked.version  # "V: The Final Cut" is "V - The Final Cut"
    found = found_title.version | titles.version_of(recording.disambiguation)
    if same:
        found |= sent
    extra, missing = found.kinds - sent.kinds, sent.kinds - found.kinds
    only_noted = extra == {"live"} and not found_title.version.kinds  # MusicBrainz keeps "live" out of titles
    if only_noted and not missing and on_album:
        yield model.Penalty("a live recording, as the submitted album says", weights.LIVE_ON_LIVE_ALBUM)
    elif missing == {"live"} and not extra and _is_live_only(releases):
        yield model.Penalty("the album, not the title, says live", weights.LIVE_ON_LIVE_ALBUM)
    else:
        yield from (
            model.Penalty(f"this is a different version: {kind}", weights.ANOTHER_VERSION) for kind in sorted(extra)
        )
        yield from (model.Penalty(f"not the version sent: {kind}", weights.ANOTHER_VERSION) for kind in sorted(missing))
    if found.kinds == sent.kinds != frozenset() and not same:
        yield from _details(sent, found)


def _details(asked: titles.Version, found: titles.Version) -> Iterator[model.Penalty]:
    """Compare whose remix, which concert. A live one is often named without its place, a remix seldom."""
    if asked.details == found.details:
        return
    shared, told = asked.details & found.details, asked.details | found.details
    same = len(shared) * 2 >= len(told) or (shared and asked.kinds == {"live"})
    if asked.details and found.details and not same:
        words = " ".join(sorted(found.details))
        yield model.Penalty(f"another {' '.join(sorted(found.kinds))}: {words}", weights.ANOTHER_VERSION)
    else:
        weight = weights.DISAMBIGUATED if asked.kinds == {"live"} else weights.VAGUE_VERSION
        yield model.Penalty("one side says more exactly which version", weight)


def _is_live_only(releases: Sequence[model.Release]) -> bool:
    return bool(releases) and all("Live" in one.release_group.secondary_types for one in releases)


# ---------------------------------------------------------------- the rest


def _circumstances(asked: Asked, recording: model.Recording, *, on_album: bool) -> Iterator[model.Penalty]:
    note, apart = recording.disambiguation, _apart(asked, recording)
    if note and not titles.is_usual(note) and not titles.version_of(note).kinds:
        yield model.Penalty(f"told apart by: {note}", weights.DISAMBIGUATED)
    if names.fold(asked.track) in _NAMELESS and (apart is None or apart > _EQUAL_LENGTH_S):
        yield model.Penalty("a title that names nothing", weights.NAMELESS)
    if recording.video:
        yield model.Penalty("a video", weights.VIDEO)
    if asked.release and not on_album:
        yield model.Penalty("not known on the submitted album", weights.ANOTHER_ALBUM)
    if apart is not None and apart > _SAME_LENGTH_S:
        most = weights.LONGEST_ON_ALBUM if on_album else weights.LONGEST
        weight = min(most, (apart - _SAME_LENGTH_S) / 30 * weights.LONGEST)
        yield model.Penalty(f"{apart:.0f} s apart", _rounded(weight))


def _rounded(weight: float) -> float:
    return round(min(1.0, weight), 4)
