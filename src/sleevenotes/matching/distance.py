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
from sleevenotes.matching import readings, release, slips, titles

# Other ways of writing the same. Each is above ANOTHER_ALBUM by more than the margin of decide.py: of two titles
# that differ in writing, the one as sent wins even where only the other is known on the submitted album.
WRITING: Final = 0.04  # case folds away; this is punctuation, accents, script
CREDITED_AS: Final = 0.01  # the artist's own name, credited otherwise on this recording
ALIAS: Final = 0.03
ORDER: Final = 0.02  # the same artists, in another order or otherwise joined
PARTLY_CREDITED: Final = 0.05  # one of several artists is missing on one side
ANOTHER_MEMBER: Final = 0.1  # "A and B" sent, only A credited: may be another act
NOT_FIRST: Final = 0.08  # only a later artist of the credit was named
ARTICLE: Final = 0.05  # "The" on one side only, or the last name before the first
UNKNOWN_ARTIST: Final = 0.1  # none was sent, and the album agrees
ANOTHER_SCRIPT: Final = 0.12  # one in Chinese characters, whose sound is not told; album and title agree
SURNAME: Final = 0.1  # "Mozart", and a title or an album that says which
NOTES: Final = 0.04  # a remaster or "album version" note on one side only
GUESTS: Final = 0.04  # guests named in the title on one side, in the credit on the other
GUESTS_ELSEWHERE: Final = 0.07  # guests the other side does not name at all
GUESTS_UNTOLD: Final = 0.16  # so, and no album says that it is this one: there may be one with the guests
POORLY_TITLED: Final = 0.05  # a title found that holds more than the title: one otherwise written is better
SMALL_SLIP: Final = 0.1
TRUNCATED: Final = 0.06  # cut off after thirty letters, as ID3v1 does
# Small doubts, which order what is otherwise alike.
DISAMBIGUATED: Final = 0.005
ANOTHER_ALBUM: Final = 0.02
LIVE_ON_LIVE_ALBUM: Final = 0.002
VIDEO: Final = 0.05
SUBTITLE: Final = 0.12  # slips of the pen weigh as much: sleevenotes.matching.slips
# Another recording, another artist.
VAGUE_VERSION: Final = 0.1  # "(Remix)" and "(Foo Remix)"
ANOTHER_VERSION: Final = 0.4
ANOTHER_NUMBER: Final = 0.5
ANOTHER_TITLE: Final = 0.4
ANOTHER_ARTIST: Final = 0.5
LONGEST: Final = 0.15  # what durations weigh at most, reached at 35 s apart
LONGEST_ON_ALBUM: Final = 0.06  # on the submitted album there is seldom another of the name

_SAME_LENGTH_S: Final = 5.0
_EQUAL_LENGTH_S: Final = 2.0  # what durations differ by that were rounded on their way
_DISTINCT: Final = 18  # letters of a title that hardly two artists have
_SURNAME: Final = 5  # letters of a last name that may stand alone
_CUT_OFF: Final = (28, 31)  # letters of a title cut off after thirty
_JOINERS: Final = re.compile(
    r"\s*(?:[,;/&+\u00d7]|\b(?:and|und|et|y|e|og|och|with|vs|x|feat|ft|featuring|presents)\b\.?)\s*",
    re.IGNORECASE,
)
NEAR_ENOUGH: Final = 0.06  # so near, no other reading of the titles is tried
_IN_COMMON: Final = 70.0  # rapidfuzz partial ratio of keys; with less, no reading helps
_ALBUMS: Final = 5  # of a candidate, whose titles may stand behind its title
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


class Support(msgspec.Struct, frozen=True):
    """What speaks for a candidate besides its names."""

    album: bool  # it is on the submitted album
    duration: bool
    against: bool  # durations are known, and differ

    @property
    def count(self) -> int:
        """Return how many slips are believed for it (`sleevenotes.matching.slips`)."""
        return 0 if self.against else self.album + self.duration


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
            *_artist(asked, recording.artist_credit, found, support, titled),
            *titled,
            *_version(sent, found, recording, releases, on_album=on_album),
            *_circumstances(asked, recording, on_album=on_album),
            *why,
        ),
        asked.track,
        title,
    )


def _support(asked: Asked, recording: model.Recording, *, on_album: bool) -> Support:
    apart = _apart(asked, recording)
    known = apart is not None
    return Support(on_album, known and apart <= _EQUAL_LENGTH_S, known and apart > _SAME_LENGTH_S)


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
                for whose, each, least in (("sent", one, 0.0), ("found", other, POORLY_TITLED))
                if each.why
            )
            yield read, other, why


def _read(asked: Asked, reading: readings.Reading) -> Asked:
    if not reading.title:
        return asked
    artist = reading.artist if reading.artist and readings.is_unknown(asked.artist) else asked.artist
    return Asked(artist, reading.title, asked.release or reading.album, asked.duration_ms)


def _says_so(
    one: readings.Reading, other: readings.Reading, read: Asked, releases: Sequence[model.Release]
) -> bool:
    """Tell whether nothing is lost: a "Live at Wembley" that is cut off must be the album on both sides."""
    said = one.said | other.said
    return not said or not releases or any(release.fit(read.release, each) for each in releases)


# ---------------------------------------------------------------- artist


def _artist(
    asked: Asked, credit: model.ArtistCredit, found: titles.Title, support: Support, titled: tuple[model.Penalty, ...]
) -> Iterator[model.Penalty]:
    if names.fold(asked.artist) == names.fold(credit.name) and not readings.is_unknown(asked.artist):
        return
    same_title = all(each.weight <= WRITING for each in titled)
    if readings.is_unknown(asked.artist) or readings.is_unknown(credit.name):
        told = same_title and (support.album or (support.duration and len(names.key(found.base)) >= _DISTINCT))
        yield model.Penalty(f"no artist is told; by {credit.name}", UNKNOWN_ARTIST if told else ANOTHER_ARTIST)
        return
    yield (
        _same_artist(asked.artist, credit)
        or _shared_artists(asked.artist, credit)
        or _less_of_artist(asked, credit, found, support, same_title=same_title)
        or _alike_artist(asked.artist, credit, support.count if same_title or _is_slip(titled, support) else 0)
    )


def _is_slip(titled: tuple[model.Penalty, ...], support: Support) -> bool:
    """Tell whether the title differs by a few letters at most, and album or duration agree."""
    return support.count > 0 and sum(each.weight for each in titled) <= SMALL_SLIP


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
    if _loose(artist) == _loose(credit.name) or _words(artist) == _words(credit.name):
        return model.Penalty(f"the artist is written {credit.name}", ARTICLE)
    return None


def _shared_artists(artist: str, credit: model.ArtistCredit) -> model.Penalty | None:
    """Compare artist by artist: the same in another order, or one of them missing on one side."""
    known = [_all_names(part) for part in credit.names]
    asked = [names.key(part) for part in _split_known(artist, known)]
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


def _less_of_artist(
    asked: Asked, credit: model.ArtistCredit, found: titles.Title, support: Support, *, same_title: bool
) -> model.Penalty | None:
    """Accept less than the artist's name, where the title is the same and says which: album, or a long title."""
    if not same_title:
        return None
    if _before_dash(asked.artist) == names.key(credit.name):
        return model.Penalty(f"by {credit.name}", SURNAME)
    if support.album and _is_unread(asked.artist) != _is_unread(credit.name):
        return model.Penalty(f"the artist is written {credit.name}", ANOTHER_SCRIPT)
    if not (support.album or len(names.key(found.base)) >= _DISTINCT):
        return None
    words, others = sorted((_words(asked.artist), _words(credit.name)), key=len)
    longest = max(map(len, words), default=0)
    last = names.key(credit.name).endswith(names.key(asked.artist)) and longest >= _SURNAME
    if set(words) < set(others) and (last or (support.count == 2 and longest > 2)):
        return model.Penalty(f"by {credit.name}", SURNAME)
    return None


@functools.lru_cache(maxsize=20_000)
def _words(artist: str) -> tuple[str, ...]:
    """Return the words of a name as keys, sorted: "Utada Hikaru" and "Hikaru Utada", "Floyd, Eddie" are the same."""
    return tuple(sorted(filter(None, map(names.key, re.split(r"[\s,]+", artist)))))


def _is_unread(artist: str) -> bool:
    """Tell whether a name is in characters that tell no sound by themselves (Chinese, also as Japanese writes them)."""
    return any("\u3400" <= letter <= "\u9fff" for letter in artist)


def _before_dash(artist: str) -> str:
    """Return the key of "Poe" in "Poe - Haunted", an artist with the album behind it; "" where there is no dash."""
    before, dash, _ = artist.partition(" - ")
    return names.key(before) if dash else ""


def _alike_artist(artist: str, credit: model.ArtistCredit, support: int) -> model.Penalty:
    plain, other = _loose(artist), _loose(credit.name)
    slip = slips.slip(plain, other, support)
    if slip is not None and not slips.more_words(artist, credit.name):
        return model.Penalty(f"the artist is spelt {credit.name}", _rounded(slip))
    alike = fuzz.ratio(plain, other) / 100
    return model.Penalty(f"by {credit.name}", _rounded(ANOTHER_ARTIST + (1 - alike) / 2))


def _split_known(artist: str, known: Sequence[frozenset[str]]) -> Sequence[str]:
    """Split, keeping what is one artist of the credit together: "Tyler, the Creator & Kali Uchis" are two."""
    parts = names.split_artists(artist, lambda name: any(names.key(name) in one for one in known))
    return parts if len(parts) > 1 else _split(artist)


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


def _title(
    asked: titles.Title, found: titles.Title, credit: model.ArtistCredit, support: Support
) -> Iterator[model.Penalty]:
    if names.fold(asked.whole) == names.fold(found.whole):
        return
    if names.key(asked.whole) == names.key(found.whole):
        yield model.Penalty(f"the title is written {found.whole}", WRITING)
        return
    yield from _guests(asked, found, credit, on_album=support.album)
    same_base = names.key(asked.base) == names.key(found.base)
    if not same_base:
        yield _other_base(asked.base, found.base, support)
    elif names.fold(asked.base) != names.fold(found.base):
        yield model.Penalty(f"the title is written {found.base}", WRITING)
    if asked.year and found.year and asked.year != found.year:
        yield model.Penalty(f"another year: {found.year}", ANOTHER_VERSION)
    alike = names.key(asked.guests) == names.key(found.guests) and asked.version == found.version
    if asked.remastered != found.remastered or (alike and same_base and asked.year == found.year):
        yield model.Penalty("a note on one side only", NOTES)
    if bool(asked.year) != bool(found.year):
        yield model.Penalty("a year on one side only", NOTES)


def _guests(
    asked: titles.Title, found: titles.Title, credit: model.ArtistCredit, *, on_album: bool
) -> Iterator[model.Penalty]:
    if asked.guests and not found.guests:
        known = {name for part in credit.names for name in _all_names(part)}
        credited = any(names.key(guest) in known for guest in _split(asked.guests))
        weight = GUESTS if credited else GUESTS_ELSEWHERE if on_album else GUESTS_UNTOLD
        yield model.Penalty(f"{asked.guests} is a guest in the title sent", weight)
    elif found.guests and not asked.guests:
        yield model.Penalty(f"{found.guests} is a guest in this title", GUESTS)
    elif names.key(asked.guests) != names.key(found.guests):
        yield model.Penalty(f"the guest is {found.guests}", GUESTS_ELSEWHERE)


def _other_base(asked: str, found: str, support: Support) -> model.Penalty:
    if same_words(asked, found):
        return model.Penalty(f"the title is written {found}", WRITING)
    if slips.numbers(asked) != slips.numbers(found):
        return model.Penalty(f"another number: {found}", ANOTHER_NUMBER)
    key, other = names.key(asked), names.key(found)
    if _CUT_OFF[0] <= len(asked) <= _CUT_OFF[1] and other.startswith(key):
        return model.Penalty(f"the title is cut off; in full {found}", TRUNCATED)
    if key in (names.key(_SUBTITLE.sub("", found)), _without_the(found)):
        return model.Penalty(f"the full title is {found}", SUBTITLE)
    if other in (names.key(_SUBTITLE.sub("", asked)), _without_the(asked)):
        return model.Penalty(f"the title is only {found}", SUBTITLE)
    cut_off = len(found) == 30 and len(asked) > 30  # who knows what the rest was
    slip = None if cut_off else slips.slip(asked, found, support.count)
    if slip is not None:
        return model.Penalty(f"the title is spelt {found}", _rounded(slip))
    alike = fuzz.ratio(key, other) / 100
    return model.Penalty(f"another title: {found}", _rounded(ANOTHER_TITLE + (1 - alike) / 2))


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
    apart = _apart(asked, recording)
    if apart is not None and apart > _SAME_LENGTH_S:
        most = LONGEST_ON_ALBUM if on_album else LONGEST
        weight = min(most, (apart - _SAME_LENGTH_S) / 30 * LONGEST)
        yield model.Penalty(f"{apart:.0f} s apart", _rounded(weight))


def _rounded(weight: float) -> float:
    return round(min(1.0, weight), 4)
