"""Evidence: what only one play knows, held against what its names were decided to be for everybody.

A client's hints go down a ladder, from certain to fuzzy; the first rung that says something settles which recording
it is, and each must agree with the names:

    recording   the MusicBrainz id that the client sent, of a recording that goes by the artist and track sent
    ISRC        a recording that has it, and goes by the names sent: one code may be on two songs by mistake
    artist      of homonyms ("Nirvana"), the one whose MusicBrainz id was sent: these ids can be trusted
    duration    of one artist's versions that the text cannot tell apart, the one that lasts as long as the play

Then the release: the one whose id was sent, if the recording is on it and the album sent, if any, agrees. A hint that
the shared match satisfies says nothing, and another edition of the same release group is the same album: most plays
get no match of their own.

The client's artist ids are believed: where nothing that was found is by any of these artists, no hint is followed.

Worked example: "Nirvana", "Rainbow Chaser", nothing else: an abstention between two bands. With the artist id of the
British one: its recording. With a duration of 161 s besides, where it has the song at 161 s and at 206 s: the shorter.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from typing import Final, NamedTuple

import msgspec

from sleevenotes import model, names
from sleevenotes.matching import decide, distance, release, titles

SAME_LENGTH_MS: Final = 5_000
"""What durations of one recording may differ by: players count silence, and round."""

OTHER_LENGTH_MS: Final = 10_000
"""From here on, a recording lasts so much longer or shorter than the play that another version may be meant."""

_ISRC: Final = re.compile(r"[A-Z]{2}[A-Z0-9]{3}[0-9]{7}")
_ONLY_LENGTH: Final = frozenset({"edit", "extended", "version"})  # kinds of versions that may differ in length alone


class Hints(msgspec.Struct, frozen=True):
    """What was sent with the play; `recording_mbids` are the client's and those it was merged into.

    `by_isrc` are the identities of recordings that were found by the ISRC: rows do not always show it.
    """

    recording_mbids: frozenset[str] = frozenset()
    isrc: str = ""
    by_isrc: frozenset[str] = frozenset()
    artist_mbids: frozenset[str] = frozenset()
    release_mbid: str = ""
    release_group_mbid: str = ""
    duration_ms: int | None = None


class Shared(NamedTuple):
    """What the names were decided to be for everybody: identities, "" where they are not matched."""

    recording: str = ""
    release_group: str = ""


def isrc(text: str) -> str:
    """Return an ISRC as twelve capitals and digits, however it was written; "" for what is none."""
    code = re.sub(r"[\s-]", "", text).upper()
    return code if _ISRC.fullmatch(code) else ""


def decide_own(
    asked: decide.Asked, options: Sequence[decide.Option], hints: Hints, shared: Shared
) -> decide.Chosen | None:
    """Decide what this play is by its own evidence; None where that says nothing else than the shared match.

    `options` are all recordings that were told of, for the names and for the hints.
    """
    able = [one for one in options if not hints.artist_mbids or _by(one, hints.artist_mbids)]
    standing, said = _climb(asked, able, hints, _standing(asked, options, shared))
    if not _is_named(standing, hints):
        standing, said = _by_duration(asked, able, hints, standing, said)
    standing, note = _on_release(asked, able, hints, standing)
    chosen = standing.chosen
    if chosen is None or (standing.recording, standing.group) == (shared.recording, shared.release_group):
        return None
    where = (f"on {chosen.release.title}{note}",) if chosen.release else ()
    return msgspec.structs.replace(chosen, reason="; ".join((_agreement(chosen), *said, *where)))


def decide_amid(
    asked: decide.Asked, options: Sequence[decide.Option], album: model.ReleaseGroup, shared: Shared
) -> decide.Chosen | None:
    """Decide what a play without an album is, amid plays of this album; None where nothing of it is on there.

    It is asked for as if the album had been sent, and never at the price of a worse agreement of the names.
    """
    standing = _standing(asked, options, shared)
    there = _restricted(options, lambda one: one.release_group.identity == album.identity)
    found = _preferred(msgspec.structs.replace(asked, release=album.title), there, standing)
    if found is None or found.release is None or standing.option is None:
        return None
    reason = f"{_agreement(found)}; on {found.release.title}, like the plays around it"
    return msgspec.structs.replace(found, reason=reason)


# ---------------------------------------------------------------- where a decision stands


class _Standing(NamedTuple):
    """What a play is taken for so far: by the shared match, `chosen` None, or by its evidence."""

    option: decide.Option | None
    group: str
    distance: float
    chosen: decide.Chosen | None = None

    @property
    def recording(self) -> str:
        return self.option.recording.identity if self.option else ""


def _standing(asked: decide.Asked, options: Iterable[decide.Option], shared: Shared) -> _Standing:
    option = next((one for one in options if shared.recording and one.recording.identity == shared.recording), None)
    if option is None:
        return _Standing(None, shared.release_group, decide.THRESHOLD)
    return _Standing(option, shared.release_group, distance.measure(asked, option.recording, option.releases).total)


def _chosen(found: decide.Chosen) -> _Standing:
    group = found.release.release_group.identity if found.release else ""
    return _Standing(found.weighed.option, group, found.weighed.distance, found)


def _is_no_worse(found: decide.Chosen, standing: _Standing) -> bool:
    """Tell whether the names agree as well as they did: what only orders is not weighed."""
    return found.weighed.distance <= standing.distance + decide.MARGIN


# ---------------------------------------------------------------- the ladder


class _Rung(NamedTuple):
    """A hint: whether it was sent, which recordings satisfy it, and whether it may cost the names nothing."""

    words: str
    says: Callable[[Hints], bool]
    holds: Callable[[decide.Option, Hints], bool]
    strict: bool = False


def _by(option: decide.Option, artist_mbids: frozenset[str]) -> bool:
    return any(part.mbid in artist_mbids for part in option.recording.artist_credit.names)


_RECORDING: Final = _Rung(
    "the player named this recording",
    lambda hints: bool(hints.recording_mbids),
    lambda one, hints: one.recording.mbid in hints.recording_mbids,
)
_ISRC_RUNG: Final = _Rung(
    "it has the ISRC that the player sent",
    lambda hints: bool(hints.isrc),
    lambda one, hints: hints.isrc in one.recording.isrcs or one.recording.identity in hints.by_isrc,
)
_ARTIST: Final = _Rung(
    "it is by the artist that the player named",
    lambda hints: bool(hints.artist_mbids),
    lambda one, hints: _by(one, hints.artist_mbids),
    strict=True,
)
_LADDER: Final = (_RECORDING, _ISRC_RUNG, _ARTIST)


def _climb(
    asked: decide.Asked, able: Sequence[decide.Option], hints: Hints, standing: _Standing
) -> tuple[_Standing, tuple[str, ...]]:
    """Go down the ladder until a rung holds; where the shared match satisfies it, that stands."""
    for rung in _LADDER:
        if not rung.says(hints):
            continue
        if standing.option is not None and rung.holds(standing.option, hints):
            return standing, ()
        found = decide.decide(asked, [one for one in able if rung.holds(one, hints)])
        if isinstance(found, decide.Chosen) and (not rung.strict or _is_no_worse(found, standing)):
            return _chosen(found), (rung.words,)
    return standing, ()


def _is_named(standing: _Standing, hints: Hints) -> bool:
    """Tell whether what stands is the very recording that the client named."""
    rungs = [rung for rung in (_RECORDING, _ISRC_RUNG) if rung.says(hints)]
    return standing.option is not None and any(rung.holds(standing.option, hints) for rung in rungs)


# ---------------------------------------------------------------- duration


def _by_duration(
    asked: decide.Asked, able: Sequence[decide.Option], hints: Hints, standing: _Standing, said: tuple[str, ...]
) -> tuple[_Standing, tuple[str, ...]]:
    """Take another version of the same song, of the length that was played, where the text does not tell which.

    A note ("single edit") is no part of the text sent and may be what tells the lengths apart; a title is.
    """
    lasted, option = hints.duration_ms, standing.option
    if not lasted or option is None or not option.recording.length_ms:
        return standing, said
    if abs(option.recording.length_ms - lasted) <= OTHER_LENGTH_MS:
        return standing, said
    near = [one for one in able if _lasts(one, lasted) and _is_same_song(one, option)]
    found = decide.decide(asked, [_without_note(one) for one in near])
    if not isinstance(found, decide.Chosen) or not _is_no_worse(found, standing):
        return standing, said
    if _fit(asked, found.release) < _fit(asked, _release_of(option, standing.group)):
        return standing, said
    whole = next(one for one in near if one.recording.identity == found.weighed.option.recording.identity)
    weighed = msgspec.structs.replace(found.weighed, option=whole)
    seconds = round(lasted / 1000)
    return _chosen(msgspec.structs.replace(found, weighed=weighed)), (*said, f"it lasts the {seconds} s that were sent")


def _lasts(option: decide.Option, duration_ms: int) -> bool:
    length = option.recording.length_ms
    return bool(length) and abs((length or 0) - duration_ms) <= SAME_LENGTH_MS


def _is_same_song(one: decide.Option, other: decide.Option) -> bool:
    artists = {part.identity for part in one.recording.artist_credit.names}
    shared = artists & {part.identity for part in other.recording.artist_credit.names} - {""}
    return bool(shared) and _base(one) == _base(other)


def _base(option: decide.Option) -> str:
    return names.key(titles.read(option.recording.title).base)


def _without_note(option: decide.Option) -> decide.Option:
    """Leave out a disambiguation that speaks of the length alone."""
    note = option.recording.disambiguation
    if not note or not titles.version_of(note).kinds <= _ONLY_LENGTH:
        return option
    return msgspec.structs.replace(option, recording=msgspec.structs.replace(option.recording, disambiguation=""))


# ---------------------------------------------------------------- release


def _on_release(
    asked: decide.Asked, able: Sequence[decide.Option], hints: Hints, standing: _Standing
) -> tuple[_Standing, str]:
    """Take the release that the client named, where what it is taken for, or the same song, is on it."""
    wanted: list[Callable[[model.Release], bool]] = []
    if hints.release_mbid:
        wanted.append(lambda one: one.mbid == hints.release_mbid)
    if hints.release_group_mbid:
        wanted.append(lambda one: one.release_group.mbid == hints.release_group_mbid)
    for is_named in wanted:
        there = [each for each in _restricted(able, is_named) if _agrees(asked, each)]
        if any(one.release_group.identity == standing.group for each in there for one in each.releases):
            return standing, ""
        if standing.chosen or _is_named(standing, hints):  # which recording is settled
            there = [each for each in there if each.recording.identity == standing.recording]
        found = _preferred(asked, there, standing)
        if found is not None and found.release is not None:
            return _chosen(found), ", the release that the player named"
    return standing, ""


def _agrees(asked: decide.Asked, there: decide.Option) -> bool:
    return not asked.release or any(release.fit(asked.release, one) for one in there.releases)


def _restricted(options: Iterable[decide.Option], wanted: Callable[[model.Release], bool]) -> list[decide.Option]:
    """Return the options that are on a wanted release, as if they were on no other."""
    there = [(one, tuple(each for each in one.releases if wanted(each))) for one in options]
    return [msgspec.structs.replace(one, releases=releases) for one, releases in there if releases]


def _preferred(asked: decide.Asked, there: Sequence[decide.Option], standing: _Standing) -> decide.Chosen | None:
    """Decide among these: for the recording that stands if it is among them, else for the same song."""
    if standing.option is None:
        return None
    same = [one for one in there if one.recording.identity == standing.recording]
    found = decide.decide(asked, same or [one for one in there if _is_same_song(one, standing.option)])
    return found if isinstance(found, decide.Chosen) and _is_no_worse(found, standing) else None


def _release_of(option: decide.Option, group: str) -> model.Release | None:
    return next((one for one in option.releases if one.release_group.identity == group), None)


def _fit(asked: decide.Asked, one: model.Release | None) -> release.Fit:
    return release.fit(asked.release, one) if one else release.Fit.NONE


# ---------------------------------------------------------------- in words


def _agreement(chosen: decide.Chosen) -> str:
    """Say how the names agree, as `sleevenotes.matching.decide` says it."""
    worst = max(chosen.weighed.penalties, key=lambda penalty: penalty.weight, default=None)
    return f"artist and title agree ({worst.name})" if worst else "artist and title agree"
