"""Whether two images show the same picture: perceptual hashes of 64 bits, compared by how many bits differ.

A hash is made as follows (the usual "pHash"): the picture in grey, reduced to 32 x 32 pixels; its cosine
transform; of that the 8 x 8 lowest frequencies; one bit for each, set where it is above their median. What
compression, another size or another format does to a picture moves few of these; another picture shares half of
them by chance.

Measured on covers that the simulator draws (`tests/unit/artwork/test_likeness.py` holds the thresholds to it):

    the same cover at 500 px, 150 of them              differing bits: median   most
      JPEG of quality 40                                                  0      4
      WebP of 700 px; PNG of 1000 px; drawn anew at 1400 px               0      6
      JPEG of 250 px; JPEG of 300 px and quality 20                       2     10
      GIF of 64 colours                                                   0     12
      lighter by a sixth                                                  2     12
      1 % cut off each side                                               4     16
      3 % cut off each side                                               8     20
    different covers, 79,800 pairs of 400                                32 (least 4)
      pairs that are ALIKE, at most 10 bits apart: 0.06 %
      pairs that are DIFFERENT, at least 22 bits apart: 98.3 %

A difference hash (dHash), measured beside it, takes a quarter of the time and is as good at ALIKE. At DIFFERENT it
is worse: it needs 24 bits for the same cover cut by 3 %, and over 4.9 % of different pairs lie within those.
"""

from __future__ import annotations

import math
from typing import Final

from PIL import Image

ALIKE: Final = 10
"""Two images whose hashes differ by at most this many bits show the same picture."""

DIFFERENT: Final = 22
"""From this many bits on they show different pictures; between the two, nothing can be said."""

_SIDE: Final = 32
_LOW: Final = 8
_COSINES: Final = [[math.cos(math.pi / _SIDE * (at + 0.5) * term) for at in range(_SIDE)] for term in range(_LOW)]
_FLAT: Final = 4.0  # grey levels between the lightest and the darkest of the reduced picture: only noise is hashed


def phash(picture: Image.Image) -> int | None:
    """Return the hash, 64 bits without a sign; None for a picture of one colour, which is like any other."""
    small = picture.convert("L").resize((_SIDE, _SIDE), Image.Resampling.BOX)
    darkest, lightest = small.getextrema()
    if not isinstance(darkest, (int, float)) or not isinstance(lightest, (int, float)):
        raise TypeError("a grey picture has one channel")
    if lightest - darkest < _FLAT:
        return None
    grey = small.tobytes()
    rows = [_transform(grey[start : start + _SIDE]) for start in range(0, _SIDE * _SIDE, _SIDE)]
    columns = [_transform([row[term] for row in rows]) for term in range(_LOW)]
    terms = [columns[across][down] for down in range(_LOW) for across in range(_LOW)]
    median = sorted(terms[1:])[(_LOW * _LOW - 1) // 2]  # without the first, which is only the brightness
    return sum(1 << place for place, term in enumerate(terms) if term > median)


def distance(one: int, other: int) -> int:
    """Return how many of the 64 bits differ."""
    return (one ^ other).bit_count()


def alike(one: int | None, other: int | None) -> bool:
    """Tell whether two images surely show the same picture; an image without a hash is like none."""
    return one is not None and other is not None and distance(one, other) <= ALIKE


def different(one: int | None, other: int | None) -> bool:
    """Tell whether two images surely show different pictures."""
    return one is not None and other is not None and distance(one, other) >= DIFFERENT


def _transform(values: bytes | list[float]) -> list[float]:
    """Return the lowest terms of the cosine transform (DCT-II) of one line."""
    return [sum(map(float.__mul__, map(float, values), cosines)) for cosines in _COSINES]
