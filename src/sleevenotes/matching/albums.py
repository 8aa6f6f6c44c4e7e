"""Whether an image that a source offers is this album's cover, told by its artist's and its release's names.

An image of another album, or of another artist's album, is worse than none: what is not surely the album is
refused. Artists are compared as `sleevenotes.matching.distance` does, titles as `sleevenotes.matching.release`
does, with less patience:

    editions fold into the album       "Nevermind (Deluxe Edition)", "OK Computer (Remastered 2011)" fit
    another kind of record does not    "Halo - Single" is not the album "Halo"; "Alive (Live)" is not "Alive"
    numbers must agree                 "Greatest Hits II", "The Marshall Mathers LP2"
    titles that many albums bear       "Greatest Hits" needs the artist as asked, not nearly

Whom two artists share a name with ("Nirvana" of Seattle and of London) names cannot tell. There the title does, or
the picture has to: `artwork.choose` refuses what shows another than the rest.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Iterator
from typing import Final

import msgspec

from sleevenotes import model, names
from sleevenotes.matching import distance, release, titles, weights

THRESHOLD: Final = 0.15
"""Up to this distance it is the album; the same as for recordings (`sleevenotes.matching.decide`)."""

WRITING: Final = 0.04  # case folds away; this is punctuation, accents, script
EDITION: Final = 0.05
SLIP: Final = 0.1  # letters differ, one in ten at most: fits only where the artist is as asked
GENERIC: Final = 0.12  # the title names no album alone: what makes the artist doubtful makes it too far
ANOTHER: Final = 0.5  # another record, another artist, or not told whose

_GENERIC: Final = re.compile(
    r"^(?:the )?(?:(?:very |all time )?(?:best|greatest|essentials?|ultimate|definitive|collection|anthology|hits"
    r"|singles|gold|platinum|live|unplugged|remix(?:es)?|demos?|b ?sides|rarities|christmas|soundtrack|untitled)\b"
    r"[\w ]*)$"
)
_VARIOUS: Final = frozenset(["variousartists", "various", "va", "verschiedeneinterpreten", "diversinterpretes"])
_SINGLE: Final = re.compile(r"\s*(?:[-\u2013\u2014]\s*|[(\[]\s*)(?:the\s+|cd\s+)?single\s*[)\]]?\s*$", re.IGNORECASE)
_EP: Final = re.compile(r"(?<=\S)\s*(?:[-\u2013\u2014]\s*|[(\[]\s*|\s)e\.?p\.?\s*[)\]]?\s*$", re.IGNORECASE)
_WORDS: Final = re.compile(r"[^\W_]+")
_ARTICLE: Final = re.compile(r"^(?:the|an?)\s+", re.IGNORECASE)
_KINDS: Final = frozenset(["live", "remix", "acoustic", "instrumental", "demo", "karaoke", "tribute", "re-recorded"])


class Album(msgspec.Struct, frozen=True):
    """The album a cover is wanted for; `primary_type` (Album, Single, EP …) is "" where not known."""

    artist: str
    release: str
    primary_type: str = ""


class Fit(msgspec.Struct, frozen=True):
    """How far what a source names is from the album, 0..1, as named penalties."""

    distance: distance.Distance

    @property
    def fits(self) -> bool:
        """Tell whether it is the album."""
        return self.distance.total <= THRESHOLD

    @property
    def reason(self) -> str:
        """Return the weightiest penalty in words, "" where artist and title are as asked."""
        worst = max(self.distance.penalties, key=lambda penalty: penalty.weight, default=None)
        return worst.name if worst else ""


def fits(asked_artist: str, asked_release: str, artist: str, release_: str, *, primary_type: str = "") -> Fit:
    """Measure whether `artist`, `release_`, as a source writes them, name the album that was asked for.

    `primary_type` is the asked album's, "" where not known.
    """
    asked = Album(asked_artist, asked_release, primary_type)
    if not (asked.artist and asked.release and artist and release_):
        return Fit(distance.Distance((model.Penalty("it is not told whose cover it is", ANOTHER),)))
    by = _artist(asked.artist, artist)
    return Fit(distance.Distance((*by, *_release(asked, release_), *_generic(asked.release, by))))


# ---------------------------------------------------------------- artist


def _artist(asked: str, found: str) -> tuple[model.Penalty, ...]:
    """Compare artists both ways round, since either side may leave out a later one of several."""
    if {names.key(asked), names.key(found)} <= _VARIOUS:
        return ()
    ways = (_credited(asked, found), _credited(found, asked))
    return min(ways, key=lambda penalties: sum(each.weight for each in penalties))


def _credited(sent: str, credit: str) -> tuple[model.Penalty, ...]:
    """Measure an artist against a credit by the rule for recordings, their titles being the same."""
    recording = model.Recording("", "-", model.ArtistCredit((model.ArtistCreditName("", credit),)))
    return distance.measure(distance.Asked(sent, "-"), recording, ()).penalties


# ---------------------------------------------------------------- title


def _release(asked: Album, found: str) -> Iterator[model.Penalty]:
    plain, kind = _split_kind(asked.release)
    other, other_kind = _split_kind(found)
    wanted = kind or (asked.primary_type if asked.primary_type in ("Single", "EP") else "")
    if other_kind and other_kind != wanted:
        yield model.Penalty(f"{found} is {'an EP' if other_kind == 'EP' else 'a single'}", ANOTHER)
    elif kind and not other_kind and asked.primary_type == "Album":
        yield model.Penalty(f"{found} is not called {kind}", ANOTHER)
    versions, other_versions = _versions(plain), _versions(other)
    if versions != other_versions:
        said = ", ".join(sorted(versions ^ other_versions))
        yield model.Penalty(f"{found} differs by: {said}", ANOTHER)
        return
    yield from _title(plain, other)


def _title(asked: str, found: str) -> Iterator[model.Penalty]:
    fit = _fit(asked, found)
    if fit < release.Fit.EDITION:  # "Marshall Mathers LP (Explicit)", and the article is missing, too
        fit = max(fit, min(_fit(_ARTICLE.sub("", asked), _ARTICLE.sub("", found)), release.Fit.EDITION))
    if fit is release.Fit.EXACT:
        return
    if fit is release.Fit.SAME:
        yield model.Penalty(f"the title is written {found}", WRITING)
    elif fit is release.Fit.EDITION:
        yield model.Penalty(f"an edition: {found}", EDITION)
    elif _words(asked) == _words(found):
        yield model.Penalty(f"the title is written {found}", WRITING)
    elif fit is release.Fit.ALIKE and not _is_longer(asked, found):
        yield model.Penalty(f"the title is spelt {found}", SLIP)
    else:
        yield model.Penalty(f"another release: {found}", ANOTHER)


def _fit(asked: str, found: str) -> release.Fit:
    return release.fit(asked, model.Release("", found, model.ReleaseGroup("", found)))


def _generic(asked: str, by: tuple[model.Penalty, ...]) -> Iterator[model.Penalty]:
    doubtful = sum(each.weight for each in by) > weights.WRITING
    if doubtful and _GENERIC.match(" ".join(_WORDS.findall(names.fold(asked)))):
        yield model.Penalty("many artists have an album of this title", GENERIC)


@functools.lru_cache(maxsize=20_000)
def _split_kind(title: str) -> tuple[str, str]:
    """Take a closing "- Single" or "EP" off a title: the rest, and "Single", "EP" or ""."""
    for pattern, kind in ((_SINGLE, "Single"), (_EP, "EP")):
        rest = pattern.sub("", title)
        if rest != title and rest.strip():
            return rest.strip(), kind
    return title, ""


def _versions(title: str) -> frozenset[str]:
    """Return which other version of an album a title's notes name: a live or a remix album is another album."""
    return titles.read(title).version.kinds & _KINDS


def _words(title: str) -> tuple[str, ...]:
    """Return the words that count, Roman numerals as digits, without a leading article."""
    return titles.arabic(_ARTICLE.sub("", names.plain(title)))


def _is_longer(one: str, other: str) -> bool:
    """Tell whether numbers differ ("LP", "LP2"), or one has all words of the other and more ("Hits Live")."""
    words, others = set(_words(one)), set(_words(other))
    digits = (re.findall(r"\d+", " ".join(_words(each))) for each in (one, other))
    return words < others or others < words or next(digits) != next(digits)
