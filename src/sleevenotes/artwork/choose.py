"""Which image becomes an album's cover: a pure rule over what arrived, never the order of arrival.

What does not decode never gets here (`artwork.image` refuses it). An image is exact where it was found by an MBID,
and fuzzy where it was found by names. By the first of these that tells two images apart:

    1. placeholders and spacers are no cover
    2. a fuzzy image that shows another picture than an exact one, or than more sources than show its own, loses
    3. shorter sides under 250 pixels lose to any larger image that is left
    4. a stop-gap, which terms forbid to keep, loses to what may be kept
    5. what is exact, or is shown by a second source, too, comes before what one source alone found by names
    6. the declared order of sources: the Cover Art Archive, TheAudioDB, Discogs, Deezer, iTunes, Last.fm
    7. of one source: exact before fuzzy, the matched edition's own front before the album's; size breaks ties

Where the longer side of the image so chosen has fewer pixels than wanted, a larger one that is as right takes its
place: one that shows the same picture, or is surer of the album (`larger`).

Worked example: Deezer and iTunes show one picture, Discogs (by name) another, the Cover Art Archive has nothing.
Discogs loses by rule 2, one source against two; Deezer comes before iTunes by rule 6. "It is the cover that
Deezer shows for an album of this name; iTunes shows the same picture."
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import Final

import msgspec

from sleevenotes.artwork import likeness

SOURCES = ("coverartarchive", "theaudiodb", "discogs", "deezer", "itunes", "lastfm")
"""The declared order: a cover of an earlier source is shown before one of a later source, others come last."""

SUBJECTS = ("release", "release_group")
"""Whose front it is: the matched edition's own before the one the source shows for the whole album."""

SPACER = 32
"""Shorter sides under this many pixels are no cover: where they have nothing, services send 1 x 1 spacers."""

SMALL = 250
"""Shorter sides under this many pixels lose to any larger image."""

# What services show where they have nothing: Last.fm's star, Discogs' spacer, Deezer's address without a hash.
_PLACEHOLDER: Final = re.compile(
    r"2a96cbd8b46e442fc41c2b86b821562f|/spacer\.gif(?:$|\?)|dzcdn\.net/images/(?:cover|artist)//"
)


class Candidate(msgspec.Struct, frozen=True):
    """A decoded image that may become the cover: its source, one of `SUBJECTS`, its size in pixels.

    `exact`: found by an MBID; True unless told otherwise. `phash` is None where not measured: it is then neither
    like nor unlike any other. `stop_gap`: terms forbid to keep it. `id` is the caller's own and not looked at.
    `called` is how people write the source's name, within a sentence.
    """

    digest: str
    source: str
    subject: str
    width: int
    height: int
    url: str = ""
    exact: bool = True
    phash: int | None = None
    stop_gap: bool = False
    id: int = 0
    called: str = ""


class Choice(msgspec.Struct, frozen=True):
    """The cover and why, None where no image is usable; and each other image with why it was passed over."""

    chosen: Candidate | None
    reason: str
    others: tuple[tuple[Candidate, str], ...] = ()


def choose(candidates: Iterable[Candidate], *, wanted: int = 0) -> Choice:
    """Choose the cover among what arrived, and say why; of `wanted` pixels, where there is one as right."""
    arrived = sorted(set(candidates), key=lambda each: (each.source, each.url, each.digest, each.id))
    refused = [(each, why) for each in arrived if (why := _placeholder(each))]
    covers = [each for each in arrived if not _placeholder(each)]
    outvoted = [(each, why) for each in covers if (why := _outvoted(each, covers))]
    left = sorted((each for each in covers if not _outvoted(each, covers)), key=lambda each: _rank(each, covers))
    if not left:
        return Choice(None, "None of the images that were found is a cover.", tuple(refused))
    chosen = larger(left[0], covers, wanted) or left[0]
    passed = [(each, _passed_over(each, chosen, covers)) for each in left if each is not chosen]
    return Choice(chosen, reason(chosen, covers), (*passed, *outvoted, *refused))


def larger(current: Candidate, candidates: Iterable[Candidate], wanted: int) -> Candidate | None:
    """Return the image to show in place of one that is smaller than wanted: the first in order that is large enough.

    Where none is, the largest. None where no larger one is as right, or the terms of its source forbid to keep it.
    """
    if _longer_side(current) >= wanted:
        return None
    covers = list({*candidates, current})
    found = [each for each in order(covers) if _is_larger(each, current) and _is_as_right(each, current, covers)]
    enough = (each for each in found if _longer_side(each) >= wanted)
    return next(enough, max(found, key=_longer_side, default=None))


def _longer_side(candidate: Candidate) -> int:
    return max(candidate.width, candidate.height)


def _is_larger(candidate: Candidate, current: Candidate) -> bool:
    area, least = candidate.width * candidate.height, current.width * current.height
    return not candidate.stop_gap and _longer_side(candidate) > _longer_side(current) and area > least


def _is_as_right(candidate: Candidate, current: Candidate, covers: Sequence[Candidate]) -> bool:
    """Tell whether an image is the album's cover at least as surely as the one that is shown."""
    if likeness.alike(candidate.phash, current.phash) or min(current.width, current.height) < SMALL:
        return True
    if current.exact:
        return candidate.exact and not likeness.different(candidate.phash, current.phash)
    return candidate.exact or len(_supporters(candidate, covers)) > len(_supporters(current, covers))


def order(candidates: Iterable[Candidate]) -> list[Candidate]:
    """Return the usable candidates, best first; empty where none is usable."""
    covers = [each for each in set(candidates) if not _placeholder(each)]
    return sorted((each for each in covers if not _outvoted(each, covers)), key=lambda each: _rank(each, covers))


def is_certain(candidates: Iterable[Candidate]) -> bool:
    """Tell whether two sources show the best of these alike: whoever else has the cover shows that picture, too."""
    covers = list(candidates)
    best = order(covers)[:1]
    return any(len(_supporters(each, covers)) > 1 for each in best)


def reason(chosen: Candidate, covers: Sequence[Candidate] = ()) -> str:
    """Say in one sentence why this cover, `covers` being all that stood for the choice."""
    said = f"It is {_what(chosen)}"
    if min(chosen.width, chosen.height) < SMALL:
        said += f", small as it is: {chosen.width} x {chosen.height} pixels"
    same = _listed(_supporters(chosen, covers) - {chosen.source}, covers)
    unlike = {each.source for each in covers if likeness.different(each.phash, chosen.phash)}
    others = _listed(unlike - {chosen.source}, covers)
    if same:
        said += f"; {same} {'show' if ' and ' in same else 'shows'} the same picture"
    if others:
        said += f"; {others} {'show' if ' and ' in others else 'shows'} another"
    return f"{said}."


def is_placeholder(url: str) -> bool:
    """Tell whether an address is that of the image a service shows where it has none."""
    return bool(_PLACEHOLDER.search(url))


# ---------------------------------------------------------------- rules


def _placeholder(candidate: Candidate) -> str:
    """Return why this is no cover at all, "" where it may be one."""
    if is_placeholder(candidate.url):
        return f"It is what {_name(candidate)} shows where it has no cover."
    if min(candidate.width, candidate.height) < SPACER:
        return f"It has {candidate.width} x {candidate.height} pixels: a spacer."
    return ""


def _outvoted(candidate: Candidate, covers: Sequence[Candidate]) -> str:
    """Return by whom this image, found by names, is contradicted; "" where it may stand."""
    if candidate.exact or any(each.exact and likeness.alike(each.phash, candidate.phash) for each in covers):
        return ""
    against = [each for each in covers if likeness.different(each.phash, candidate.phash)]
    exact = _listed({each.source for each in against if each.exact}, against)
    if exact:
        return f"It was found by the album's name, and shows another picture than {exact}, found by its MBID."
    own = _supporters(candidate, covers)
    others = max((_supporters(each, covers) for each in against), key=lambda who: (len(who), sorted(who)), default=own)
    if len(others) <= len(own):
        return ""
    return f"It was found by the album's name, and shows another picture than {_listed(others, covers)}."


def _supporters(candidate: Candidate, covers: Iterable[Candidate]) -> set[str]:
    """Return the sources that show this picture, its own among them."""
    return {candidate.source} | {each.source for each in covers if likeness.alike(each.phash, candidate.phash)}


def _rank(candidate: Candidate, covers: Sequence[Candidate]) -> tuple[bool | int | str, ...]:
    return (
        min(candidate.width, candidate.height) < SMALL,
        candidate.stop_gap,
        not (candidate.exact or len(_supporters(candidate, covers)) > 1),
        SOURCES.index(candidate.source) if candidate.source in SOURCES else len(SOURCES),
        candidate.source,
        not candidate.exact,
        SUBJECTS.index(candidate.subject),
        -candidate.width * candidate.height,
        candidate.digest,
        candidate.url,
    )


# ---------------------------------------------------------------- words


def _passed_over(candidate: Candidate, chosen: Candidate, covers: Sequence[Candidate]) -> str:
    """Say by which rule the chosen image comes before this one, which could be shown as well."""
    small = min(candidate.width, candidate.height) < SMALL <= min(chosen.width, chosen.height)
    if small or _rank(candidate, covers) < _rank(chosen, covers):
        return f"It has only {candidate.width} x {candidate.height} pixels."
    if candidate.stop_gap and not chosen.stop_gap:
        return f"{_capital(_name(candidate))} does not let its images be kept."
    if candidate.source == chosen.source:
        return "The same source has a better one."
    if likeness.alike(candidate.phash, chosen.phash):
        return f"It is the same picture, and {_name(chosen)} comes first."
    if not candidate.exact and len(_supporters(candidate, covers)) == 1:
        return f"It was found by the album's name, and nobody else shows it; {_name(chosen)} is surer."
    return f"{_capital(_name(chosen))} comes first."


def _what(chosen: Candidate) -> str:
    name = _name(chosen)
    if chosen.source == "coverartarchive":
        front = "the front of this very edition" if chosen.subject == "release" else "the front shown for the album"
        return f"{front} in {name}"
    if chosen.exact:
        return f"the cover that {name} has under the album's MusicBrainz id"
    return f"the cover that {name} shows for an album of this name"


def _name(candidate: Candidate) -> str:
    return candidate.called or candidate.source


def _listed(sources: Iterable[str], covers: Iterable[Candidate]) -> str:
    """Return sources as people say them, in the declared order: "Deezer, iTunes and Last.fm"."""
    ranked = sorted(sources, key=lambda each: (SOURCES.index(each) if each in SOURCES else len(SOURCES), each))
    called = {each.source: _name(each) for each in covers}
    named = [called[each] for each in ranked]
    return " and ".join(filter(None, (", ".join(named[:-1]), *named[-1:])))


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:] if text.startswith("the ") else text
