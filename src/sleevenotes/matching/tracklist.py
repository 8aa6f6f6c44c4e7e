"""Which of an album's recordings each name is, where a listener has said which album it is.

The album is sure, the artist is what may have been sent wrongly: so the title decides, as `matching.distance` measures
it, and the artist only where two recordings have the same one. A name that no title fits, or that two different ones
fit equally well, is left.

Worked example: the album has "Jóga" and "Jóga (Strings & Vocals)". "Joga" is the first, "Joga (strings and vocals)" the
second, and "Alarm Call" is not on it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from sleevenotes import names
from sleevenotes.matching import decide, titles

_FAR: Final = decide.THRESHOLD


def find(name: decide.Asked, album: Sequence[decide.Option]) -> decide.Weighed | None:
    """Return which of the album's recordings a name is; None where none is, or two could be."""
    ranked = sorted(((_title(name, option), decide.weigh(name, option)) for option in album), key=_order)
    if not ranked or ranked[0][0] > _FAR:
        return None
    best = ranked[0]
    rivals = [one for one in ranked[1:] if one[0] <= best[0] + decide.MARGIN]
    if any(_song(one[1]) != _song(best[1]) for one in rivals):
        return None
    return best[1]


def _title(name: decide.Asked, option: decide.Option) -> float:
    """Return how far the titles are apart, whoever it is by and whatever else it is on."""
    return decide.weigh(decide.Asked(option.recording.artist_credit.name, name.track), option).distance


def _order(one: tuple[float, decide.Weighed]) -> tuple[float, float, str]:
    return one[0], one[1].distance, one[1].option.recording.identity


def _song(one: decide.Weighed) -> str:
    return names.key(titles.read(one.option.recording.title).base)
