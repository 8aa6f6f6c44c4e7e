"""How doubtful a decision is, in words, for the listener who looks at it again. Not for deciding: that is done.

Each doubt is a named weight, and their sum, at most 1, times the plays is the order of the review: what is played most
and is most doubtful first. A name of which nothing is shown counts fully.

Worked example: "Ms. Dynamite", "Krazy Krush" on "It Takes More", matched to the artist as "Ms Dynamite" on "A Little
Deeper": another way of writing weighs 0.04 / 0.15 = 0.27, the other album 0.3: 0.57. Played 20 times, it comes before
an undecided name that was played 11 times.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import msgspec

from sleevenotes import model, names
from sleevenotes.matching import decide, release

SUSPICIOUS: Final = 0.3
"""From this weight on, a match is worth a look. Another way of writing alone stays below."""

UNDECIDED: Final = 1.0
ANOTHER_NAME: Final = 0.3  # the artist is known, or credited, under another name
ANOTHER_ALBUM: Final = 0.3
VERSION: Final = 0.4  # of one title there are versions, and what tells them apart was not sent
SHOP_ONLY: Final = 0.3  # known to a source without MusicBrainz' ids alone

# How the penalties of matching.distance begin that say more than their weight, which is small by intention.
_NAMED: Final = (
    *("the artist is credited as", "the artist is also known as", "credited to", "the artists are credited"),
    "by ",  # by the surname alone
)
_VERSIONS: Final = (
    *("told apart by", "one side says more exactly which version", "the album, not the title, says live"),
    *("another ", "a video"),
)
_ALBUM: Final = "not known on the submitted album"


class Shown(msgspec.Struct, frozen=True):
    """A name as sent, and the match that is shown for it.

    `albums` are the titles of its release and release group; `has_mbid` is False where only a shop knows it, by the
    name of `source`.
    """

    artist: str
    release: str
    credit: str
    albums: tuple[str, ...]
    has_mbid: bool
    source: str
    penalties: tuple[model.Penalty, ...]


def undecided(reason: str) -> tuple[model.Penalty, ...]:
    """Return the one doubt of a name that was left alone."""
    return (model.Penalty(reason or "nothing is shown", UNDECIDED),)


def doubts(shown: Shown) -> tuple[model.Penalty, ...]:
    """Return what makes a match doubtful, the weightiest first; () where nothing does."""
    found = (*_penalties(shown), *_circumstances(shown))
    return tuple(sorted(found, key=lambda doubt: -doubt.weight))


def total(found: tuple[model.Penalty, ...]) -> float:
    """Return how doubtful that is together, 0..1."""
    return min(1.0, sum(doubt.weight for doubt in found))


def _penalties(shown: Shown) -> Iterator[model.Penalty]:
    for penalty in shown.penalties:
        if penalty.name == _ALBUM:
            continue  # told with the album it is on instead
        least = ANOTHER_NAME if _is_named(penalty.name) else VERSION if penalty.name.startswith(_VERSIONS) else 0.0
        yield model.Penalty(penalty.name, round(max(least, penalty.weight / decide.THRESHOLD), 4))


def _is_named(words: str) -> bool:
    return words.startswith(_NAMED)


def _circumstances(shown: Shown) -> Iterator[model.Penalty]:
    if shown.release and shown.albums and not any(_is_album(shown.release, title) for title in shown.albums):
        yield model.Penalty(f"sent on {shown.release}, shown on {shown.albums[0]}", ANOTHER_ALBUM)
    if not shown.has_mbid:
        yield model.Penalty("known to a shop only, without MusicBrainz' id", SHOP_ONLY)


def _is_album(sent: str, title: str) -> bool:
    if names.key(sent) == names.key(title):
        return True
    group = model.ReleaseGroup("", title)
    return bool(release.fit(sent, model.Release("", title, group)))
