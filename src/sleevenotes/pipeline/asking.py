"""Whom to ask for a name, in what order: declared rules, or, of who is neither bulk nor broad, what is foreseen.

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

Where a predictor is in force, an outlook (prediction.order) takes the place of what is declared of the quick and the
slow: who is unlikely is left out; the drip asks quick and slow in one order, the likeliest for its cost first, told
anew after each answer; and once one of them has served, no further one is asked.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import NamedTuple

from sleevenotes import model
from sleevenotes.prediction import priors
from sleevenotes.prediction.order import Outlook
from sleevenotes.sources import contract
from sleevenotes.store import lookups

BULK = ("listenbrainz",)
BROAD = ("musicbrainz",)
FORGIVING = ("listenbrainz_fuzzy",)
QUICK = ("deezer", "lastfm")
SLOW = tuple(priors.PRIORS)


class Wave(NamedTuple):
    """Whom to ask at once; `anew` by another spelling of the name, where an earlier wave found one."""

    sources: list[contract.Source]
    anew: bool = False


def waves(
    sources: Sequence[contract.Source], lookup: lookups.Pending, band: model.Band, outlook: Outlook | None = None
) -> list[Wave]:
    """Order the usable sources of recordings into waves for this name."""
    by_name = {source.name: source for source in sources if is_worth_asking(source)}
    waited_for = band > model.Band.LOW_PRIORITY
    quick, then = _declared(lookup, band) if outlook is None else _foreseen(outlook, by_name, lookup, band)
    first = [(*BULK, *BROAD, *quick), FORGIVING] if waited_for else [BULK, BROAD, FORGIVING, quick]

    def usable(wave: Sequence[str], *, anew: bool = False) -> Wave:
        return Wave([by_name[name] for name in wave if name in by_name], anew)

    told = [*map(usable, first), usable(BULK, anew=True), usable(BROAD, anew=True), *map(usable, then)]
    return [wave for wave in told if wave.sources]


Plan = tuple[Sequence[str], list[Sequence[str]]]
"""Whom to ask in the quick wave, and the waves of the slow ones."""


def _declared(lookup: lookups.Pending, band: model.Band) -> Plan:
    slow = likely(lookup)
    if band > model.Band.LOW_PRIORITY:
        return QUICK, [slow]
    return QUICK, [(name,) for name in slow] if lookup.tries > 0 else []


def _foreseen(outlook: Outlook, usable: Collection[str], lookup: lookups.Pending, band: model.Band) -> Plan:
    """Plan by what is foreseen; who has answered is of the quick wave, so that it is heard before others are asked."""
    heard = [name for name in (*QUICK, *SLOW) if name in outlook.answered]
    if band is model.Band.LOW_PRIORITY and lookup.tries > 0:
        asked = outlook.asked(name for name in (*QUICK, *SLOW) if name in usable)
        return heard, [] if outlook.is_served else [(name,) for name in asked]
    quick = [*heard, *outlook.asked(name for name in QUICK if name in usable)]
    if band is model.Band.LOW_PRIORITY or outlook.is_served:
        return quick, []
    return quick, [outlook.asked(name for name in SLOW if name in usable)]


def considered(
    questions: Mapping[str, contract.Question], lookup: lookups.Pending, band: model.Band
) -> dict[str, contract.Question]:
    """Leave, of the questions by source, those that this look puts or skips for what is foreseen of them."""
    drips = band > model.Band.LOW_PRIORITY or lookup.tries > 0
    return {source: each for source, each in questions.items() if source in QUICK or (drips and source in SLOW)}


def is_worth_asking(source: contract.Source) -> bool:
    """Leave out Discogs without a token: its documentation refuses such requests, and a search names no track."""
    return source.name != "discogs" or contract.FindImages in source.policy.answers


def likely(lookup: lookups.Pending) -> tuple[str, ...]:
    """Return the slow lanes that may well know this name as declared, the likeliest first."""
    seen = priors.signs(lookup.artist, lookup.track, lookup.release, lookup.plays)
    return tuple(priors.in_order(tuple(priors.PRIORS), seen))


def for_covers(usable: Sequence[contract.Source], outlook: Outlook | None = None) -> list[contract.Source]:
    """Order those who may be asked for an album's cover, for when they are asked one after another.

    As declared, the quick lanes go first, and last whose covers may not be kept: they would have to be fetched again
    and again. As foreseen, who has answered stands first, then the likeliest for its cost; who is unlikely is left out.
    """
    declared = sorted(usable, key=lambda source: (source.policy.keep_s is not None, source.policy.pace))
    if outlook is None:
        return declared
    by_name = {source.name: source for source in declared}
    return [by_name[name] for name in outlook.likely(by_name)]
