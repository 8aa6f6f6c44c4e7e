"""Deciding which recording a name means, or that it cannot be told.

A wrong match is worse than none. The steps:

    1. Every candidate gets a distance (`sleevenotes.matching.distance`).
    2. The best is beyond THRESHOLD: abstain; with nothing even near, there is nothing to review either.
    3. All within MARGIN of the best are contenders. Contenders by different artists are homonyms (two bands
       called "Nirvana"): the submitted album has already set them apart where it could; else the song of one
       is on many times the releases of the others'; else abstain. One artist's different titles: abstain.
    4. What is left is one song by one artist, which MusicBrainz often has several times (single, album, each
       compilation). These are no rivals: the one on the submitted album, else on the best release
       (`sleevenotes.matching.release`), is chosen, always the same one.

Worked example: "Nirvana", "Come as You Are", no album. The search finds it by Nirvana (US) as on the album and
live, and by a tribute band. The live one is a different version (0.40), the tribute another artist (about 0.8);
one contender is left, at 0: chosen, on "Nevermind".
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final

import msgspec

from sleevenotes import model, names
from sleevenotes.matching import distance, readings, release, slips, titles, weights

THRESHOLD: Final = 0.15
MARGIN: Final = 0.015  # below the smallest weight that says something (an album that differs: 0.02)
NEAR: Final = 0.6  # what is farther is not worth a reviewer's look
KEPT: Final = 5
_MANY: Final = 5  # releases, and times as many as its homonyms', that make an artist the one who is meant

Asked = distance.Asked


class Option(msgspec.Struct, frozen=True):
    """A recording that may be meant, the releases it is known to be on, and the source that told."""

    recording: model.Recording
    releases: tuple[model.Release, ...] = ()
    source: str = ""


class Weighed(msgspec.Struct, frozen=True):
    """An option with its distance, 0..1, and what it is made of."""

    option: Option
    distance: float
    penalties: tuple[model.Penalty, ...]
    title: str = ""  # the recording's title, as it was read
    same_title: bool = True  # as the one sent, as that was read

    @property
    def is_damaged(self) -> bool:
        """Tell whether the title was read without what it holds besides: a track's number, an artist, an album."""
        return self.title != self.option.recording.title

    @property
    def order(self) -> tuple[bool, float]:
        """Return what orders options: within the threshold first; then the distance, the more for a damaged title:
        its letters are no authority, either.
        """
        return self.distance > THRESHOLD, self.distance + (weights.DAMAGED if self.is_damaged else 0)


class Chosen(msgspec.Struct, frozen=True, tag="chosen"):
    """It is this recording, on this release (None where it is on none)."""

    weighed: Weighed
    release: model.Release | None
    reason: str

    @property
    def match(self) -> model.Match:
        """Return it as the noun that is stored."""
        return model.Match(
            recording=self.weighed.option.recording,
            release=self.release,
            source=self.weighed.option.source,
            distance=self.weighed.distance,
            reason=self.reason,
            penalties=self.weighed.penalties,
        )


class Abstained(msgspec.Struct, frozen=True, tag="abstained"):
    """It cannot be told; `candidates` are the nearest, the best first, at most KEPT."""

    reason: str
    candidates: tuple[Weighed, ...]


class Nothing(msgspec.Struct, frozen=True, tag="nothing"):
    """No candidate is worth a look."""

    reason: str


Decision = Chosen | Abstained | Nothing


def decide(asked: Asked, options: Sequence[Option]) -> Decision:
    """Decide which of the options was asked for. Options with the same MBID are taken together."""
    if not options:
        return Nothing("no source knows this artist and track")
    weighed = sorted((weigh(asked, option) for option in united(options)), key=_by_distance)
    best = weighed[0]
    if best.distance > THRESHOLD:
        return _too_far(best, weighed)
    contenders = [one for one in weighed if one.order <= (False, best.order[1] + MARGIN)]
    homonyms = _by_artist(contenders)
    meant = homonyms[0] if len(homonyms) == 1 else _outstanding(homonyms, weighed)
    if meant is None:
        who = " and ".join(_described(group[0]) for group in homonyms[:3])
        return _abstained(f"{who} go by the same name, and nothing tells which is meant", contenders)
    meant = [one for one in meant if not one.is_damaged] or meant
    meant = [one for one in meant if one.same_title] or meant  # the others are slips away from what was sent
    if not meant[0].same_title and len({names.key(titles.read(one.title).base) for one in meant}) > 1:
        return _abstained("several of this artist's titles are equally near", contenders)
    return _chosen(asked, meant, outstanding=len(homonyms) > 1)


def _too_far(best: Weighed, weighed: Sequence[Weighed]) -> Decision:
    recording = best.option.recording
    told = f"{recording.title} by {recording.artist_credit.name}"
    if best.distance > NEAR:
        return Nothing(f"nothing like it among {len(weighed)} candidates; the nearest is {told}")
    return _abstained(f"the nearest, {told}, differs too much: {_worst(best)}", weighed)


def _abstained(reason: str, weighed: Sequence[Weighed]) -> Abstained:
    return Abstained(reason, tuple(weighed[:KEPT]))


def _chosen(asked: Asked, alike: Sequence[Weighed], *, outstanding: bool) -> Chosen:
    winner = min(alike, key=lambda one: _preference(asked, one))
    recording = winner.option.recording
    choice = release.choose(winner.option.releases, asked.release, recording.artist_credit)
    said = f"artist and title agree ({_worst(winner)})" if winner.penalties else "artist and title agree"
    if outstanding:
        said += "; of the artists of this name, the one with by far the most releases"
    where = f"; {choice.reason}" if choice else ""
    return Chosen(winner, choice.release if choice else None, said + where)


def _preference(asked: Asked, one: Weighed) -> tuple[object, ...]:
    """Order recordings of one song by one artist: by best release, then by small doubts, date and MBID."""
    recording = one.option.recording
    as_sent = recording.title.casefold() != asked.track.casefold()  # "..." and the ellipsis sign fold alike
    choice = release.choose(one.option.releases, asked.release, recording.artist_credit)
    if choice is None:
        return (1, as_sent, one.distance, recording.first_release_date or "9999", recording.identity)
    fit, rank, date, _ = release.order(choice.release, asked.release, recording.artist_credit)
    return (0, fit, rank, as_sent, one.distance, date, recording.identity)


# ---------------------------------------------------------------- homonyms


def _by_artist(contenders: Iterable[Weighed]) -> list[list[Weighed]]:
    """Group by who they are by; credits that share an artist go together, the nearest group comes first."""
    groups: list[tuple[set[str], list[Weighed]]] = []
    for one in contenders:
        who = _artists(one)
        group = next((group for group in groups if group[0] & who or _same_without_id(group[1][0], one)), None)
        if group is None:
            groups.append((who, [one]))
        else:
            group[0].update(who)
            group[1].append(one)
    return [members for _, members in groups]


def _same_without_id(one: Weighed, other: Weighed) -> bool:
    """Tell whether two artists that no catalogue tells apart are one, written in two ways, or not told at all."""
    both = [each.option.recording.artist_credit for each in (one, other)]
    if any(part.identity for credit in both for part in credit.names):
        return False
    first, second = (names.without_article(credit.name) for credit in both)
    either_unknown = readings.is_unknown(first) or readings.is_unknown(second)
    return either_unknown or slips.slip(first, second, 2) is not None


def _outstanding(homonyms: Sequence[list[Weighed]], everything: Sequence[Weighed]) -> list[Weighed] | None:
    """Return the artist whose song is on many releases, in whatever versions, where the others' hardly is.

    Who has been released, performed and remixed several times as often is played several times as often.
    """
    counted = sorted(((_release_count(group, everything), place) for place, group in enumerate(homonyms)))
    (second, _), (first, place) = counted[-2:]
    return homonyms[place] if first >= _MANY * max(1, second) else None


def _release_count(group: Iterable[Weighed], everything: Iterable[Weighed]) -> int:
    """Count the releases with any found recording by the artists of this group."""
    who = {artist for one in group for artist in _artists(one)}
    return len({each.identity for one in everything if who & _artists(one) for each in one.option.releases})


def _artists(one: Weighed) -> set[str]:
    return {part.identity or names.key(part.name) for part in one.option.recording.artist_credit.names}


# ---------------------------------------------------------------- small things


def weigh(asked: Asked, option: Option) -> Weighed:
    """Measure how far an option is from what was sent."""
    measured = distance.measure(asked, option.recording, option.releases)
    return Weighed(option, measured.total, measured.penalties, measured.title, measured.same_title)


def united(options: Iterable[Option]) -> list[Option]:
    """Take options of one identity together: the first's facts, all their releases."""
    united: dict[str, Option] = {}
    for option in options:
        identity = option.recording.identity
        known = united.get(identity)
        if known is None or not identity:
            united[identity or f"#{len(united)}"] = option
        else:
            releases = {one.identity: one for one in (*option.releases, *known.releases)}
            united[identity] = msgspec.structs.replace(known, releases=tuple(releases.values()))
    return list(united.values())


def _by_distance(one: Weighed) -> tuple[tuple[bool, float], str]:
    return one.order, one.option.recording.identity


def _worst(one: Weighed) -> str:
    return max(one.penalties, key=lambda penalty: penalty.weight).name


def _described(one: Weighed) -> str:
    credit = one.option.recording.artist_credit
    told = ", ".join(part.disambiguation for part in credit.names if part.disambiguation)
    return f"{credit.name} ({told})" if told else credit.name
