"""ListenBrainz' two indexes of names.

The exact index holds one recording under each key, the most played; the fuzzy one forgives five letters in the artist
and five in the title, where one of the two is as asked. An artist is in either by the conditions' coverage. A namesake
of an artist, whom nothing but the name tells apart, is there by a draw of its own, and answers where the true artist is
not there. Versions of a song under other titles are in neither.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from anyascii import anyascii
from rapidfuzz.distance import Levenshtein

from sleevenotes.simulator import draw, entities, extras
from sleevenotes.simulator.world import World

EXACT: Final = "listenbrainz_exact"
FUZZY: Final = "listenbrainz_fuzzy_get"
_EDITS: Final = 5  # in artist and in title, for a fuzzy match
_NOT_WORD = re.compile(r"\W+")
_TITLE_CUT = re.compile(r"\s*(?:[(\[]| ft\.? | feat\.? | featuring | - ).*$", re.IGNORECASE)
_ARTIST_CUT = re.compile(r"\s*(?:[(\[,]| ft\.? | feat\.? | featuring | - | with | & ).*$", re.IGNORECASE)


def key(artist: str, track: str) -> str:
    """Fold a name to the exact index' key: letters and digits alone, romanised, lower case."""
    text = _NOT_WORD.sub("", artist + track).lower()
    return text if text.isascii() else anyascii(text).lower()


def _words(text: str) -> str:
    plain = text if text.isascii() else anyascii(text)
    return " ".join(_NOT_WORD.sub(" ", plain).lower().split())


class Index:
    """The catalogue's names and their namesakes; built when first needed."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._built = False
        self._names: dict[str, list[int]] = {}  # the key's rows, most played first
        self._namesakes: dict[str, list[tuple[int, int]]] = {}  # the key's decoys: row and member
        self._by_artist: dict[str, list[int]] = {}
        self._by_title: dict[str, list[int]] = {}

    def warm(self) -> None:
        """Build, once."""
        if self._built:
            return
        self._built = True
        scores = self._world.catalogue.scores
        for recording in sorted(self._world.catalogue.recordings, key=lambda each: scores[each.row]):
            artist = entities.printed(recording.credit)
            self._names.setdefault(key(artist, recording.title), []).append(recording.row)
            for name in {_words(artist), _words(recording.credit[0].credited)}:
                self._by_artist.setdefault(name, []).append(recording.row)
            self._by_title.setdefault(_words(recording.title), []).append(recording.row)
            for member in self._namesakes_of(recording.row):
                name = key(recording.credit[0].artist.name, recording.title)
                self._namesakes.setdefault(name, []).append((recording.row, member))

    def _namesakes_of(self, row: int) -> Iterator[int]:
        """Yield those decoys of a row that have the very artist's name and title."""
        for number in range(self._world.extras.decoys(row)):
            if self._world.extras.decoy_kind(row, number) == extras.HOMONYM:
                yield extras.FIRST_DECOY + number

    def exact(self, artist: str, track: str, index: str) -> entities.Recording | None:
        """Return the recording under a name's key in one of the two indexes."""
        self.warm()
        name = key(artist, track)
        for row in self._names.get(name, ()):
            if self._holds(index, self._world.catalogue.recordings[row]):
                return self._world.catalogue.recordings[row]
        for row, member in self._namesakes.get(name, ()):
            made = self._world.extras.recording(row, member)
            if self._holds(index, made):
                return made
        return None

    def fuzzy(self, artist: str, track: str) -> entities.Recording | None:
        """Return the nearest recording with the same artist or the same title: the first as sent, then cut."""
        self.warm()
        for asked in ((artist, track), (_ARTIST_CUT.sub("", artist), _TITLE_CUT.sub("", track))):
            name, title = map(_words, asked)
            near = [
                (apart, place, recording)
                for place, recording in enumerate(self._candidates(name, title))
                if (apart := _apart(name, title, recording)) is not None and self._holds(FUZZY, recording)
            ]
            if near:
                return min(near, key=lambda each: each[:2])[2]
        return None

    def _candidates(self, artist: str, title: str) -> Iterator[entities.Recording]:
        recordings = self._world.catalogue.recordings
        for row in self._by_artist.get(artist, ()):
            yield recordings[row]
        for row in self._by_title.get(title, ()):
            yield recordings[row]
            yield from self._strangers(row)

    def _strangers(self, row: int) -> Iterator[entities.Recording]:
        """Yield the decoys of a row that are by others: the same artist's go by the same key as the true one."""
        for number in range(self._world.extras.decoys(row)):
            if self._world.extras.decoy_kind(row, number) not in extras.SAME_ARTIST:
                yield self._world.extras.recording(row, extras.FIRST_DECOY + number)

    def _holds(self, index: str, recording: entities.Recording) -> bool:
        artist = recording.credit[0].artist
        if artist.index >= 0:
            return artist.index in self._world.known.by(index)
        terms = self._world.given.coverage.get(index)
        # One draw for both indexes: who is in the smaller is in the larger.
        return terms is not None and draw.number(self._world.seed, "listenbrainz", artist.mbid) < terms.mean


def _apart(artist: str, title: str, recording: entities.Recording) -> int | None:
    """Return by how many letters a name is off, None where it is too many in the artist or in the title."""
    printed = {_words(entities.printed(recording.credit)), _words(recording.credit[0].credited)}
    by = min(Levenshtein.distance(artist, name, score_cutoff=_EDITS) for name in printed)
    of = Levenshtein.distance(title, _words(recording.title), score_cutoff=_EDITS)
    return by + of if by <= _EDITS and of <= _EDITS else None
