"""Whom to ask for a name, in what order: declared rules, to become the prior of what is learned later.

A wave is asked at once; the next one only when every source of the wave has answered and none of the answers decides.

    cheap and bulk first      ListenBrainz takes fifty names a request, MusicBrainz a handful
    somebody is waiting       both at once, and Deezer, which answers quickest: the first to decide wins
    then who forgives         ListenBrainz again, one name a request: it knows a name with a few letters wrong
    then the quick lane       Deezer answers ten names a second, and Last.fm five
    another spelling          where only a shop knows the name, what it spells otherwise is put to both first waves
                              again: the shop's search forgives, and they have the ids
    then the slow lanes       TheAudioDB (mainstream), Discogs (electronic, vinyl), iTunes: twenty or thirty names a
                              minute. For imports and backfill they are left to the recheck's drip: they would hold
                              up thousands of names for the few that only they know
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import NamedTuple

from sleevenotes import model
from sleevenotes.sources import contract
from sleevenotes.store import lookups

BULK = ("listenbrainz",)
BROAD = ("musicbrainz",)
FORGIVING = ("listenbrainz_fuzzy",)
QUICK = ("deezer", "lastfm")
SLOW = ("theaudiodb", "discogs", "itunes")

_ELECTRONIC = re.compile(r"\b(?:dj|mc|remix|mix|dub|vip|bootleg|edit|12\"|vinyl|rework)\b", re.IGNORECASE)


class Wave(NamedTuple):
    """Whom to ask at once; `anew` by another spelling of the name, where an earlier wave found one."""

    sources: list[contract.Source]
    anew: bool = False


def waves(sources: Sequence[contract.Source], lookup: lookups.Pending, band: model.Band) -> list[Wave]:
    """Order the usable sources of recordings into waves for this name."""
    waited_for = band > model.Band.LOW_PRIORITY
    first = [(*BULK, *BROAD, *QUICK), FORGIVING] if waited_for else [BULK, BROAD, FORGIVING, QUICK]
    slow = [_slow(lookup)] if waited_for or lookup.tries > 0 else []
    by_name = {source.name: source for source in sources if _is_worth_asking(source)}

    def usable(wave: tuple[str, ...], *, anew: bool = False) -> Wave:
        return Wave([by_name[name] for name in wave if name in by_name], anew)

    told = [*map(usable, first), usable(BULK, anew=True), usable(BROAD, anew=True), *map(usable, slow)]
    return [wave for wave in told if wave.sources]


def _is_worth_asking(source: contract.Source) -> bool:
    """Leave out Discogs without a token: its documentation refuses such requests, and a search names no track."""
    return source.name != "discogs" or contract.FindImages in source.policy.answers


def _slow(lookup: lookups.Pending) -> tuple[str, ...]:
    """Leave out what is unlikely: TheAudioDB has next to nothing in other scripts, Discogs knows records."""
    if not any(letter.isascii() and letter.isalpha() for letter in lookup.artist):
        return tuple(name for name in SLOW if name != "theaudiodb")
    if _ELECTRONIC.search(f"{lookup.artist} {lookup.track} {lookup.release}"):
        return tuple(name for name in SLOW if name != "theaudiodb")
    return SLOW
