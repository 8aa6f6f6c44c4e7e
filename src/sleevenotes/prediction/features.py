"""A question and what is known of its artist, as numbers.

Of each question (n) and each source (s), in a row of FEATURES:

    own, own_served, own_absent    how this artist's questions of this kind fared at this source so far
    cross                          how its questions of the other kinds fared there
    others                         how all of them fared at the other sources
    heard_absent, heard_served     what the other sources said to this very question by now
    plays, script … prior          the name: how often it is played here, its letters, length and words, signs

and, beside the row, the artist's name as runs of two and three letters, hashed into BUCKETS: once for all sources, and
once for each. The runs of many names are hashed together, as arrays; nothing of it is kept but weights.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt

from sleevenotes.prediction import priors

Array = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

KINDS: Final = ("find_recording", "find_images")

FEATURES: Final = (
    "one", "own", "own_served", "own_absent", "cross", "others", "heard_absent", "heard_served",
    "plays", "other_script", "length", "words", "title_length", "digits", "electronic", "old", "on_album", "prior",
)  # fmt: skip

BUCKETS: Final = 4096
RUNS: Final = (2, 3)
LONGEST: Final = 40
"""Letters of an artist's name that are looked at."""

Past = Mapping[tuple[str, str], tuple[int, int]]
"""How an artist's questions fared, by (source, kind): how many were served, how many not."""


class Asked(NamedTuple):
    """A question as it stands when somebody is to be asked. `heard`: who has answered it, and whether that served."""

    kind: str
    artist: str
    track: str  # "" where an album's cover is asked for
    release: str
    plays: int
    past: Past
    heard: Mapping[str, bool]


class Rows(NamedTuple):
    """Questions as numbers: `dense` (n, sources, features), `kinds` (n), and the runs of letters of all names, one
    after another: `runs` (hashes), `ends` (n; where each name's runs end). `unasked` (n, sources): nobody has asked
    this source about this artist.
    """

    dense: Array
    kinds: Ints
    runs: npt.NDArray[np.uint32]
    ends: Ints
    unasked: npt.NDArray[np.bool_]


def rows(questions: Sequence[Asked], sources: Sequence[str]) -> Rows:
    """Turn questions into numbers, for each of these sources."""
    kinds = np.array([KINDS.index(each.kind) for each in questions], dtype=np.int64)
    hashes, ends = _runs([each.artist for each in questions])
    past, heard = _told(questions, sources)
    dense = _dense(questions, sources, kinds, past, heard)
    return Rows(dense, kinds, hashes, ends, past.sum(axis=(2, 3)) == 0)


def _dense(questions: Sequence[Asked], sources: Sequence[str], kinds: Ints, past: Array, heard: Array) -> Array:
    count, there = len(questions), len(sources)
    dense = np.empty((count, there, len(FEATURES)))
    every = np.arange(count)
    own = past[every, :, kinds]  # n, sources, (served, absent)
    everything = past.sum(axis=2)
    dense[..., 0] = 1.0
    dense[..., 1] = _odds(own)
    dense[..., 2:4] = np.minimum(own, 1.0)
    dense[..., 4] = _odds(everything - own)
    dense[..., 5] = _odds(everything.sum(axis=1, keepdims=True) - everything)
    dense[..., 6:8] = (heard.sum(axis=1, keepdims=True) - heard)[..., ::-1] / 2.0
    seen = [priors.signs(each.artist, each.track, each.release, each.plays) for each in questions]
    dense[..., 8:17] = np.array([_name(each, signs) for each, signs in zip(questions, seen, strict=True)]).reshape(
        count, 1, 9
    )
    declared = {signs: [priors.chance(source, signs) for source in sources] for signs in set(seen)}
    dense[..., 17] = np.array([declared[signs] for signs in seen]).reshape(count, there) * 4.0 - 2.0
    return dense


def _told(questions: Sequence[Asked], sources: Sequence[str]) -> tuple[Array, Array]:
    """Count how each artist fared (n, sources, kinds, 2), and who has answered the question (n, sources, 2)."""
    place = {source: at for at, source in enumerate(sources)}
    past = np.zeros((len(questions), len(sources), len(KINDS), 2))
    heard = np.zeros((len(questions), len(sources), 2))
    for row, each in enumerate(questions):
        for (source, kind), counts in each.past.items():
            if source in place and kind in KINDS:
                past[row, place[source], KINDS.index(kind)] = counts
        for source, served in each.heard.items():
            if source in place:
                heard[row, place[source], 0 if served else 1] = 1.0
    return past, heard


def _odds(counts: Array) -> Array:
    """Return the log odds of (…, (served, absent)), drawn towards even."""
    odds: Array = np.log((counts[..., 0] + 0.5) / (counts[..., 1] + 0.5))
    return np.clip(odds, -3.0, 3.0)


def _name(each: Asked, seen: priors.Signs) -> tuple[float, ...]:
    title = each.track or each.release
    return (
        min(each.plays, 1000).bit_length() / 5.0,
        float(seen.other_script),
        min(len(each.artist), LONGEST) / 20.0,
        min(each.artist.count(" "), 5) / 3.0,
        min(len(title), 60) / 30.0,
        float(any(map(str.isdigit, title))),
        float(seen.electronic),
        float(seen.old),
        float(bool(each.release)),
    )


def _runs(artists: Sequence[str]) -> tuple[npt.NDArray[np.uint32], Ints]:
    """Hash every run of two and of three letters of each name, its ends marked by a space."""
    texts = [f" {artist[:LONGEST].casefold()} " for artist in artists]
    lengths = np.array([len(text) for text in texts], dtype=np.int64)
    letters = np.frombuffer("".join(texts).encode("utf-32-le", "surrogatepass"), dtype=np.uint32)
    owner = np.repeat(np.arange(len(texts)), lengths)
    hashes, owners = [], []
    with np.errstate(over="ignore"):
        for run in RUNS:
            if len(letters) < run:
                continue
            inside = owner[: len(owner) - run + 1] == owner[run - 1 :]
            mixed = np.full(len(letters) - run + 1, np.uint32(run * 0x9E3779B1 & 0xFFFFFFFF))
            for at in range(run):
                mixed = (mixed ^ letters[at : len(letters) - run + 1 + at]) * np.uint32(0x01000193)
            hashes.append(mixed[inside])
            owners.append(owner[: len(owner) - run + 1][inside])
    order = np.argsort(np.concatenate(owners), kind="stable") if owners else np.empty(0, dtype=np.int64)
    sorted_owners = np.concatenate(owners)[order] if owners else np.empty(0, dtype=np.int64)
    ends = np.searchsorted(sorted_owners, np.arange(len(texts)), side="right")
    return (np.concatenate(hashes)[order] if hashes else np.empty(0, dtype=np.uint32)), ends


def buckets(runs: npt.NDArray[np.uint32], salt: int) -> Ints:
    """Give each run its bucket, another one for another salt: 0 for all sources together, else a source's own."""
    with np.errstate(over="ignore"):
        mixed = (runs ^ np.uint32(salt * 0x85EBCA6B & 0xFFFFFFFF)) * np.uint32(0xC2B2AE35)
    return (mixed >> np.uint32(20)).astype(np.int64)  # the upper 12 of 32 bits: BUCKETS


def together(parts: Sequence[Rows]) -> Rows:
    """Put questions one after another."""
    starts = np.cumsum([0, *(len(part.runs) for part in parts)])
    return Rows(
        np.concatenate([part.dense for part in parts]),
        np.concatenate([part.kinds for part in parts]),
        np.concatenate([part.runs for part in parts]),
        np.concatenate([part.ends + start for part, start in zip(parts, starts, strict=False)]),
        np.concatenate([part.unasked for part in parts]),
    )


def part(whole: Rows, start: int, end: int) -> Rows:
    """Cut out the questions from `start` until before `end`."""
    first = int(whole.ends[start - 1]) if start else 0
    last = int(whole.ends[end - 1]) if end else 0
    return Rows(
        whole.dense[start:end],
        whole.kinds[start:end],
        whole.runs[first:last],
        whole.ends[start:end] - first,
        whole.unasked[start:end],
    )
