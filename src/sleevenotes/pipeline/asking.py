"""Whom to ask for a name, in what order: declared rules, to become the prior of what is learned later.

A wave is asked at once; the next one only when every source of the wave has answered and none of the answers decides.

    cheap and bulk first      ListenBrainz takes fifty names a request, MusicBrainz a handful
    somebody is waiting       both at once, and Deezer, which answers quickest: the first to decide wins
    then who forgives         ListenBrainz again, one name a request: it knows a name with a few letters wrong
    then the quick lane       Deezer answers ten names a second, and Last.fm five
    another spelling          where only a shop knows the name, what it spells otherwise is put to both first waves
                              again: the shop's search forgives, and they have the ids
    then the slow lanes       TheAudioDB (mainstream), Discogs (electronic, vinyl), iTunes: twenty or thirty names a
                              minute; whom it is unlikely to know it is not asked (PRIORS). For imports and backfill
                              they are left to the recheck's drip: they would hold up thousands of names for the few
                              that only they know. There they are asked one after another, the likeliest first
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


class Prior(NamedTuple):
    """How likely a source is to know a name, 0..1, and by how much each sign makes it more or less so.

    Declared, from what the services are kept for: collectors' records, a shop's stock, what fans write down.
    """

    at_large: float
    mainstream: float  # much played here
    electronic: float  # by a DJ, a mix, a remix, on vinyl
    other_script: float  # not a Latin letter in the artist's name
    old: float  # its title or album names a year before 1990


PRIORS = {
    "theaudiodb": Prior(0.5, mainstream=0.3, electronic=-0.3, other_script=-0.4, old=0.0),
    "discogs": Prior(0.6, mainstream=0.0, electronic=0.3, other_script=-0.2, old=0.2),
    "itunes": Prior(0.7, mainstream=0.1, electronic=-0.1, other_script=-0.2, old=-0.1),
}
"""Of the slow lanes, whose requests are dear."""

UNLIKELY = 0.25
"""Below this, a slow lane is not asked."""

MUCH_PLAYED = 10

_ELECTRONIC = re.compile(r"\b(?:dj|mc|remix|mix|dub|vip|bootleg|edit|vinyl|rework)\b|\b12\"", re.IGNORECASE)
_OLD = re.compile(r"\b19[0-8]\d\b")


class Wave(NamedTuple):
    """Whom to ask at once; `anew` by another spelling of the name, where an earlier wave found one."""

    sources: list[contract.Source]
    anew: bool = False


def waves(sources: Sequence[contract.Source], lookup: lookups.Pending, band: model.Band) -> list[Wave]:
    """Order the usable sources of recordings into waves for this name."""
    waited_for = band > model.Band.LOW_PRIORITY
    first = [(*BULK, *BROAD, *QUICK), FORGIVING] if waited_for else [BULK, BROAD, FORGIVING, QUICK]
    slow = likely(lookup)
    then = [slow] if waited_for else [(name,) for name in slow] if lookup.tries > 0 else []
    by_name = {source.name: source for source in sources if is_worth_asking(source)}

    def usable(wave: tuple[str, ...], *, anew: bool = False) -> Wave:
        return Wave([by_name[name] for name in wave if name in by_name], anew)

    told = [*map(usable, first), usable(BULK, anew=True), usable(BROAD, anew=True), *map(usable, then)]
    return [wave for wave in told if wave.sources]


def is_worth_asking(source: contract.Source) -> bool:
    """Leave out Discogs without a token: its documentation refuses such requests, and a search names no track."""
    return source.name != "discogs" or contract.FindImages in source.policy.answers


def likely(lookup: lookups.Pending) -> tuple[str, ...]:
    """Return the slow lanes that may well know this name, the likeliest first."""
    chances = {name: _chance(prior, lookup) for name, prior in PRIORS.items()}
    return tuple(sorted((name for name in chances if chances[name] >= UNLIKELY), key=lambda name: -chances[name]))


def _chance(prior: Prior, lookup: lookups.Pending) -> float:
    text = f"{lookup.artist} {lookup.track} {lookup.release}"
    signs = (
        (prior.mainstream, lookup.plays >= MUCH_PLAYED),
        (prior.electronic, _ELECTRONIC.search(text)),
        (prior.other_script, not any(letter.isascii() and letter.isalpha() for letter in lookup.artist)),
        (prior.old, _OLD.search(f"{lookup.track} {lookup.release}")),
    )
    return prior.at_large + sum(weight for weight, is_so in signs if is_so)
