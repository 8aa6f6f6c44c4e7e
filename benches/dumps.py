"""Invents a dump in the shape of MusicBrainz' canonical one, as large as wanted, the same at every run.

What matters for an index is like the real thing's: about twelve recordings a credit with a long tail to thousands, ten
to a release, one credit in eight of two artists, one artist in a hundred a homonym, one in fifteen not in Latin script,
rows in the order of credits.
"""

from __future__ import annotations

import random
from pathlib import Path
from typing import NamedTuple

from sleevenotes.catalogue import dump

_HEAD = (
    "id,artist_credit_id,artist_mbids,artist_credit_name,release_mbid,release_name,recording_mbid,recording_name,"
    "combined_lookup,score\n"
)
_SYLLABLES = [consonant + vowel for consonant in "bcdfghklmnprst" for vowel in "aeio"]
_CYRILLIC = [chr(consonant) + vowel for consonant in range(0x43A, 0x43E) for vowel in "\u0430\u0435\u0438\u043e"]
_WORDS = 40_000
_MOST = 5_000  # recordings by one credit


class Known(NamedTuple):
    """A row that was written, to be asked for."""

    artist: str
    track: str
    mbid: str


def write(directory: Path, rows: int, samples: int, seed: int = 4) -> list[Known]:
    """Write the recordings and the release redirects of a dump; return that many of its rows, spread over all."""
    directory.mkdir(parents=True, exist_ok=True)
    made = _Inventor(random.Random(seed))
    every = max(1, rows // samples)
    known: list[Known] = []
    with (
        (directory / dump.RECORDINGS).open("w", encoding="utf-8") as recordings,
        (directory / dump.RELEASE_REDIRECTS).open("w", encoding="utf-8") as releases,
    ):
        recordings.write(_HEAD)
        releases.write("release_mbid,canonical_release_mbid,release_group_mbid\n")
        number = credit = 0
        while number < rows:
            credit += 1
            mbids, artist = made.credit()
            for title in made.titles(rows - number):
                if number % 10 == 0 or made.fresh:
                    release, album = made.mbid(), made.title()
                    releases.write(f"{release},{release},{made.mbid()}\n")
                    made.fresh = False
                number += 1
                mbid = made.mbid()
                score = number % 5_000_000
                recordings.write(
                    f'{number},{credit},"{mbids}","{artist}",{release},"{album}",{mbid},"{title}",,{score}\n'
                )
                if number % every == 0:
                    known.append(Known(artist, title, mbid))
    return known


class _Inventor:
    """Draws names and ids."""

    def __init__(self, draw: random.Random) -> None:
        self._draw = draw
        self.fresh = True
        self._latin = [self._word(_SYLLABLES) for _ in range(_WORDS)]
        self._cyrillic = [self._word(_CYRILLIC) for _ in range(_WORDS)]
        self._words = self._latin
        self._earlier: list[str] = []

    def credit(self) -> tuple[str, str]:
        """Draw an artist credit: its MBIDs and its name; what follows is in its script."""
        draw = self._draw
        self.fresh = True
        self._words = self._cyrillic if draw.random() < 1 / 15 else self._latin
        if self._earlier and draw.random() < 0.01:
            return self.mbid(), draw.choice(self._earlier)
        if draw.random() < 1 / 8:
            return f"{self.mbid()},{self.mbid()}", f"{self._name()} & {self._name()}"
        name = self._name()
        if len(self._earlier) < 10_000:
            self._earlier.append(name)
        return self.mbid(), name

    def titles(self, most: int) -> list[str]:
        """Draw as many different titles as one credit has."""
        count = min(most, _MOST, int(self._draw.paretovariate(1.07)) + 1)
        return list(dict.fromkeys(self.title() for _ in range(count)))

    def title(self) -> str:
        """Draw a title of one to four words."""
        words, pick = self._words, self._draw.random
        count = int(pick() * 4) + 1
        return " ".join([words[int(pick() * _WORDS)] for _ in range(count)])

    def mbid(self) -> str:
        """Draw an MBID."""
        digits = f"{self._draw.getrandbits(128):032x}"
        return f"{digits[:8]}-{digits[8:12]}-{digits[12:16]}-{digits[16:20]}-{digits[20:]}"

    def _name(self) -> str:
        words, pick = self._words, self._draw.random
        return " ".join([words[int(pick() * _WORDS)] for _ in range(int(pick() * 3) + 1)])

    def _word(self, syllables: list[str]) -> str:
        return "".join(self._draw.choice(syllables) for _ in range(self._draw.randint(2, 4))).capitalize()
