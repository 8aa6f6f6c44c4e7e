"""What stands in for a cover, and what a cover does to the page around it: placeholders and washes.

A placeholder is the thumbhash stored with the image, drawn a few pixels wide: the browser blurs it by stretching it.
A wash is the cover's dominant colour, mixed into the page's ground until text on it can be read.
Both are pure; the placeholder is small enough to stand in the page itself (a "data:" address of about 250 bytes).
"""

from __future__ import annotations

import base64
import functools
import math
import struct
import zlib

import msgspec

# The page's colours, as in static/app.css: ground and the faintest text that is printed on a wash.
PAPER, PAPER_INK = (250, 248, 244), (92, 86, 77)
NIGHT, NIGHT_INK = (20, 19, 17), (170, 163, 152)

INK, CHALK = (28, 26, 23), (240, 236, 228)  # the strongest text of each

VISIBLE = 3.2  # contrast of a chart and its ground, a little over WCAG's 3:1 for graphics
READABLE = 4.5  # contrast of text and ground, WCAG 2.2 AA for text of any size

Colour = tuple[int, int, int]


class Wash(msgspec.Struct, frozen=True):
    """A cover's colour as a ground for text, "#rrggbb" for each theme; `spot` is the colour as it is."""

    light: str
    dark: str
    spot: str


@functools.lru_cache(maxsize=2048)
def wash(colour: str) -> Wash | None:
    """Mix "#rrggbb" into both grounds until faint text on it keeps AA contrast; None when it is no colour."""
    spot = _parse(colour)
    if spot is None:
        return None
    return Wash(
        light=_hex(_readable(spot, PAPER, PAPER_INK)), dark=_hex(_readable(spot, NIGHT, NIGHT_INK)), spot=colour
    )


@functools.lru_cache(maxsize=2048)
def tint(colour: str) -> str:
    """Turn "#rrggbb" into the colour of a chart, for both themes: "light-dark(…, …)"; "" when it is no colour.

    Mixed with the ink until it stands out from the ground (3:1, WCAG 2.2 for graphics).
    """
    spot = _parse(colour)
    if spot is None:
        return ""
    return f"light-dark({_hex(_visible(spot, PAPER, INK))}, {_hex(_visible(spot, NIGHT, CHALK))})"


def contrast(one: Colour, other: Colour) -> float:
    """Return the contrast ratio of two colours, 1 to 21 (WCAG 2.2, "contrast ratio")."""
    lighter, darker = sorted((_luminance(one), _luminance(other)), reverse=True)
    return (lighter + 0.05) / (darker + 0.05)


def _readable(spot: Colour, ground: Colour, ink: Colour) -> Colour:
    """Take as much of the colour as leaves the ink readable, at most about half."""
    for share in range(54, 0, -3):
        mixed = _mix(spot, ground, share / 100)
        if contrast(mixed, ink) >= READABLE:
            return mixed
    return ground


def _visible(spot: Colour, ground: Colour, ink: Colour) -> Colour:
    """Take as little ink as makes the colour stand out from the ground."""
    for share in range(100, 0, -4):
        mixed = _mix(spot, ink, share / 100)
        if contrast(mixed, ground) >= VISIBLE:
            return mixed
    return ink


def _mix(spot: Colour, ground: Colour, share: float) -> Colour:
    red, green, blue = (round(a * share + b * (1 - share)) for a, b in zip(spot, ground, strict=True))
    return red, green, blue


def _luminance(colour: Colour) -> float:
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in (part / 255 for part in colour)]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def _parse(colour: str) -> Colour | None:
    if len(colour) != 7 or colour[0] != "#":
        return None
    try:
        return int(colour[1:3], 16), int(colour[3:5], 16), int(colour[5:7], 16)
    except ValueError:
        return None


def _hex(colour: Colour) -> str:
    return "#{:02x}{:02x}{:02x}".format(*colour)


# ---------------------------------------------------------------- thumbhash
#
# A thumbhash holds a few cosine terms for lightness (l), yellow-blue (p) and red-green (q); to draw it at any size,
# sum the terms at each pixel. Layout: https://evanw.github.io/thumbhash/ (reference decoder, thumbHashToRGBA).
# The `thumbhash` package's own decoder keeps the first column's cosines for every column and prints as it goes
# (0.1.2), so decoding is ours; tests compare this one with what was encoded.


@functools.lru_cache(maxsize=4096)
def placeholder(thumbhash: str, side: int = 6) -> str:
    """Draw a thumbhash (base64) as a square PNG of `side` pixels in a "data:" address; "" when it cannot be read."""
    try:
        pixels = draw(base64.b64decode(thumbhash, validate=True), side)
    except (ValueError, IndexError):  # broken base64 is a ValueError, too
        return ""
    return "data:image/png;base64," + base64.b64encode(_png(pixels, side)).decode()


def draw(thumbhash: bytes, side: int) -> list[Colour]:
    """Decode a thumbhash to side * side pixels, row by row; proportions are not kept.

    Raises IndexError when the bytes are too few, ValueError for a transparent one (our covers are flattened).
    """
    dc, planes = _planes(thumbhash)
    cosines = [[math.cos(math.pi / side * (at + 0.5) * term) for term in range(7)] for at in range(side)]
    return [_pixel(dc, planes, cosines[x], cosines[y]) for y in range(side) for x in range(side)]


Plane = list[tuple[int, int, float]]  # (horizontal term, vertical term, amplitude)


def _planes(data: bytes) -> tuple[tuple[float, float, float], tuple[Plane, Plane, Plane]]:
    """Read the averages and the cosine terms of l, p and q."""
    low = data[0] | data[1] << 8 | data[2] << 16
    high = data[3] | data[4] << 8
    if low >> 23:
        raise ValueError("a thumbhash with transparency")
    landscape, short = high >> 15, high & 7
    wide, tall = (7, short) if landscape else (short, 7)
    nibbles = [part for byte in data[5:] for part in (byte & 15, byte >> 4)]
    average = (low & 63) / 63, (low >> 6 & 63) / 31.5 - 1, (low >> 12 & 63) / 31.5 - 1
    lightness = _plane(nibbles, max(3, wide), max(3, tall), (low >> 18 & 31) / 31)
    yellow = _plane(nibbles, 3, 3, (high >> 3 & 63) / 63 * 1.25)
    red = _plane(nibbles, 3, 3, (high >> 9 & 63) / 63 * 1.25)
    return average, (lightness, yellow, red)


def _plane(nibbles: list[int], wide: int, tall: int, scale: float) -> Plane:
    """Take one plane's terms off the front of `nibbles`: a triangle of the lower frequencies, without the average."""
    terms = [(x, y) for y in range(tall) for x in range(wide) if (x or y) and x * tall < wide * (tall - y)]
    return [(x, y, (nibbles.pop(0) / 7.5 - 1) * scale) for x, y in terms]


def _pixel(
    average: tuple[float, float, float], planes: tuple[Plane, Plane, Plane], across: list[float], down: list[float]
) -> Colour:
    light, yellow, red_green = (
        start + sum(amplitude * across[x] * down[y] * 2 for x, y, amplitude in plane)
        for start, plane in zip(average, planes, strict=True)
    )
    blue = light - 2 / 3 * yellow
    red = (3 * light - blue + red_green) / 2
    return _byte(red), _byte(red - red_green), _byte(blue)


def _byte(part: float) -> int:
    return max(0, min(255, round(255 * part)))


def _png(pixels: list[Colour], side: int) -> bytes:
    """Write the smallest PNG that holds these pixels: 8-bit RGB, no filter."""
    rows = b"".join(b"\0" + bytes(c for p in pixels[at : at + side] for c in p) for at in range(0, len(pixels), side))
    header = struct.pack(">IIBBBBB", side, side, 8, 2, 0, 0, 0)
    chunks = ((b"IHDR", header), (b"IDAT", zlib.compress(rows, 9)), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(map(_chunk, *zip(*chunks, strict=True)))


def _chunk(name: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))
