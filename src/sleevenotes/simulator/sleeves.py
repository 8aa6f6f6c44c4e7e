"""Generated sleeves: every release group its own, the same for ever, drawn in a few milliseconds.

An image carries a mark (JPEG comment, PNG text) that says whose it is, so that a benchmark can tell a right cover
from its bytes alone.
"""

from __future__ import annotations

import functools
import io
import math
from collections.abc import Callable
from typing import NamedTuple

from anyascii import anyascii
from PIL import Image, ImageDraw, ImageFont, PngImagePlugin

from sleevenotes.simulator import draw

ORIGINAL = 1400  # edge of the original, in pixels
_MARK = "sleevenotes simulator: "
Colour = tuple[int, int, int]
Palette = tuple[Colour, Colour, Colour, Colour, Colour]  # two grounds, two figures, one ink

_PALETTES = (
    "1b1f3b 53354a e84545 ffb26b fff3e2", "f4ecd8 e2c391 c8553d 2d3047 1b1b1e", "003049 0a6c74 f77f00 fcbf49 eae2b7",
    "2b2d42 4a4e69 ef233c edf2f4 edf2f4", "fde2e4 cddafd e05780 5465ff 22223b", "0b132b 1c2541 5bc0be f2d0a4 ffffff",
    "e9d8a6 94d2bd ae2012 005f73 001219", "10002b 5a189a ff6d00 e0aaff ffffff", "fffcf2 ccc5b9 eb5e28 403d39 252422",
    "081c15 2d6a4f d8f3dc ffd166 ffffff", "ffe5d9 ffcad4 9d8189 d68c45 3d2c2e", "14213d 274c77 fca311 e5e5e5 ffffff",
    "f6bd60 f7ede2 84a59d f28482 33272a", "22092c 872341 be3144 f05941 fbe9d0", "caf0f8 90e0ef 0077b6 ff9f1c 03045e",
    "2f3e46 52796f cad2c5 e9c46a fdfcdc", "faf3dd c8d5b9 4a7c59 8fc0a9 283d3b", "0d0d0d 3d3d3d e63946 f1faee f1faee",
)  # fmt: skip


class Picture(NamedTuple):
    """What is drawn: whose image it is ("front MBID", "back MBID") and the words on it."""

    mark: str
    title: str
    artist: str


@functools.lru_cache(maxsize=400)
def image(picture: Picture, size: int, extension: str, quality: int = 82) -> bytes:
    """Return an image's bytes: a JPEG thumbnail of that edge, or for size 0 the original."""
    drawn = _draw(picture, size or ORIGINAL)
    out = io.BytesIO()
    if extension == "png" and not size:
        text = PngImagePlugin.PngInfo()
        text.add_text("Comment", _MARK + picture.mark)
        drawn.quantize(128).save(out, "PNG", pnginfo=text, compress_level=3)
    else:
        drawn.save(out, "JPEG", quality=quality, comment=(_MARK + picture.mark).encode())
    return out.getvalue()


def read_mark(data: bytes) -> str:
    """Return the mark of an image of ours, "" for any other bytes; reads the head only, so it does not decode."""
    start = data[:4096].find(_MARK.encode())
    if start < 0:
        return ""
    begin = start + len(_MARK)
    side, _, rest = data[begin : begin + 60].decode("ascii", "replace").partition(" ")
    return f"{side} {rest[:36]}"


def _draw(picture: Picture, size: int) -> Image.Image:
    """Draw at twice the size where that is cheap, then reduce: smooth edges."""
    scale = 2 if size <= 500 else 1
    edge = size * scale
    dice = draw.Dice("sleeve", picture.mark)
    palette = _palette(dice)
    canvas = _ground(dice, palette, edge)
    pen = ImageDraw.Draw(canvas)
    if picture.mark.startswith("back"):
        _words(pen, palette, edge, picture, top=True)
    else:
        style = dice.pick(_STYLES)
        style(dice, pen, palette, edge)
        _lettering(dice, pen, palette, edge, picture)
    return canvas.reduce(scale) if scale > 1 else canvas


def _palette(dice: draw.Dice) -> Palette:
    colours = [_colour(code) for code in dice.pick(_PALETTES).split()]
    turn = dice.between(0, 2)
    if dice.chance(0.35):  # the same five in another order look like another sleeve
        colours[2], colours[3] = colours[3], colours[2]
    shift = [channel * (6 - 6 * turn) // 6 for channel in (4, -2, 3)]
    first, second, third, fourth, ink = [
        tuple(min(255, max(0, value + by)) for value, by in zip(colour, shift, strict=True)) for colour in colours
    ]
    return (_rgb(first), _rgb(second), _rgb(third), _rgb(fourth), _rgb(ink))


def _rgb(values: tuple[int, ...]) -> Colour:
    return (values[0], values[1], values[2])


def _colour(code: str) -> Colour:
    return (int(code[:2], 16), int(code[2:4], 16), int(code[4:], 16))


def _blend(one: Colour, other: Colour, share: float) -> Colour:
    return _rgb(tuple(round(a + (b - a) * share) for a, b in zip(one, other, strict=True)))


def _ground(dice: draw.Dice, palette: Palette, edge: int) -> Image.Image:
    """Return a soft gradient: four pixels, enlarged."""
    seed = Image.new("RGB", (2, 2))
    seed.putdata([_blend(palette[0], palette[1], dice.number()) for _ in range(3)] + [palette[1]])
    return seed.resize((edge, edge), Image.Resampling.BILINEAR)


# ---------------------------------------------------------------- styles


def _sun(dice: draw.Dice, pen: ImageDraw.ImageDraw, palette: Palette, edge: int) -> None:
    """Rings around a centre low in the picture, over layered hills."""
    x, y = edge * (0.3 + 0.4 * dice.number()), edge * (0.3 + 0.2 * dice.number())
    rings = dice.between(3, 7)
    for ring in range(rings, 0, -1):
        radius = edge * 0.34 * ring / rings
        colour = _blend(palette[2], palette[3], ring / rings)
        pen.ellipse((x - radius, y - radius, x + radius, y + radius), fill=colour)
    for layer in range(3):
        phase, height = dice.number() * 6.3, edge * (0.62 + 0.12 * layer)
        points = [
            (edge * step / 24, height + edge * 0.05 * math.sin(phase + step / (2.5 + layer))) for step in range(25)
        ]
        pen.polygon([(0, edge), *points, (edge, edge)], fill=_blend(palette[0], palette[2], 0.2 + 0.22 * layer))


def _stripes(dice: draw.Dice, pen: ImageDraw.ImageDraw, palette: Palette, edge: int) -> None:
    """Slanted bars of uneven width."""
    slant, at = edge * (dice.number() - 0.5) * 1.4, -0.5 * edge
    while at < edge * 1.5:
        width = edge * (0.02 + 0.1 * dice.number())
        colour = dice.pick(palette[1:4])
        pen.polygon([(at, 0), (at + width, 0), (at + width + slant, edge), (at + slant, edge)], fill=colour)
        at += width + edge * (0.02 + 0.09 * dice.number())


def _tiles(dice: draw.Dice, pen: ImageDraw.ImageDraw, palette: Palette, edge: int) -> None:
    """A grid of quarter circles, dots and squares."""
    count = dice.between(3, 6)
    cell = edge / count
    for place in range(count * count):
        x, y = place % count * cell, place // count * cell
        box = (x, y, x + cell, y + cell)
        pen.rectangle(box, fill=_blend(palette[0], palette[1], dice.number()))
        kind, colour = dice.between(0, 5), dice.pick(palette[2:])
        if kind < 4:
            left, top = x - cell * (kind % 2), y - cell * (kind // 2)
            turn = (0, 90, 270, 180)[kind]
            pen.pieslice((left, top, left + 2 * cell, top + 2 * cell), turn, turn + 90, fill=colour)
        elif kind == 4:
            inset = cell * 0.2
            pen.ellipse((x + inset, y + inset, x + cell - inset, y + cell - inset), fill=colour)


def _rays(dice: draw.Dice, pen: ImageDraw.ImageDraw, palette: Palette, edge: int) -> None:
    """Beams from one point, and a disc over it."""
    x, y = edge * (0.2 + 0.6 * dice.number()), edge * (0.3 + 0.5 * dice.number())
    beams = dice.between(9, 22)
    far, half = edge * 1.6, math.pi / beams / 1.9
    for beam in range(beams):
        angle = 2 * math.pi * beam / beams
        ends = [(x + far * math.cos(angle + side), y + far * math.sin(angle + side)) for side in (-half, half)]
        pen.polygon([(x, y), *ends], fill=_blend(palette[2], palette[1], 0.2 + 0.5 * (beam % 3) / 3))
    radius = edge * (0.1 + 0.12 * dice.number())
    pen.ellipse((x - radius, y - radius, x + radius, y + radius), fill=palette[3])


def _waves(dice: draw.Dice, pen: ImageDraw.ImageDraw, palette: Palette, edge: int) -> None:
    """Lines that swell in the middle, each hiding the one behind."""
    lines, phase = dice.between(14, 26), dice.number() * 6.3
    for line in range(lines):
        base = edge * (0.2 + 0.66 * line / lines)
        points = []
        for step in range(61):
            along = step / 60
            swell = math.exp(-((along - 0.5) ** 2) / 0.03)
            bump = abs(math.sin(phase + line * 1.7 + along * 21) + 0.6 * math.sin(along * 47 + line * phase))
            points.append((edge * (0.12 + 0.76 * along), base - edge * 0.075 * swell * bump))
        pen.polygon([*points, (edge * 0.88, base + edge * 0.02), (edge * 0.12, base + edge * 0.02)], fill=palette[0])
        pen.line(points, fill=_blend(palette[4], palette[2], line / lines), width=max(1, edge // 260))


def _orbits(dice: draw.Dice, pen: ImageDraw.ImageDraw, palette: Palette, edge: int) -> None:
    """Thin circles that share a point, with discs upon them."""
    x, y = edge * (0.35 + 0.3 * dice.number()), edge * (0.35 + 0.3 * dice.number())
    for ring in range(1, dice.between(5, 10)):
        radius = edge * 0.075 * ring
        box = (x - radius, y - radius, x + radius, y + radius)
        pen.ellipse(box, outline=_blend(palette[4], palette[1], 0.35), width=max(1, edge // 300))
        angle, size = dice.number() * 6.3, edge * (0.012 + 0.035 * dice.number())
        cx, cy = x + radius * math.cos(angle), y + radius * math.sin(angle)
        pen.ellipse((cx - size, cy - size, cx + size, cy + size), fill=dice.pick(palette[2:4]))
    pen.ellipse((x - edge * 0.05, y - edge * 0.05, x + edge * 0.05, y + edge * 0.05), fill=palette[2])


def _halftone(dice: draw.Dice, pen: ImageDraw.ImageDraw, palette: Palette, edge: int) -> None:
    """Dots that grow towards a point."""
    x, y, count = dice.number(), dice.number(), dice.between(12, 18)
    cell, colour = edge / count, palette[2]
    for row in range(count):
        for column in range(count):
            cx, cy = (column + 0.5) / count, (row + 0.5) / count
            near = max(0.0, 1 - math.hypot(cx - x, cy - y) / 1.05)
            radius = cell * 0.62 * near**1.3
            box = (cx * edge - radius, cy * edge - radius, cx * edge + radius, cy * edge + radius)
            pen.ellipse(box, fill=_blend(colour, palette[3], near))


def _blocks(dice: draw.Dice, pen: ImageDraw.ImageDraw, palette: Palette, edge: int) -> None:
    """A few large flat shapes, edge to edge."""
    pen.rectangle((0, edge * (0.45 + 0.3 * dice.number()), edge, edge), fill=palette[2])
    x, y, radius = edge * dice.number(), edge * (0.2 + 0.5 * dice.number()), edge * (0.2 + 0.18 * dice.number())
    pen.ellipse((x - radius, y - radius, x + radius, y + radius), fill=palette[3])
    left, width = edge * (0.1 + 0.5 * dice.number()), edge * (0.12 + 0.2 * dice.number())
    pen.polygon([(left, edge), (left + width, edge), (left + width / 2, edge * 0.25)], fill=palette[1])


_STYLES: tuple[Callable[[draw.Dice, ImageDraw.ImageDraw, Palette, int], None], ...] = (
    _sun,
    _stripes,
    _tiles,
    _rays,
    _waves,
    _orbits,
    _halftone,
    _blocks,
)


# ---------------------------------------------------------------- letters


@functools.lru_cache(maxsize=32)
def _font(pixels: int) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    return ImageFont.load_default(pixels)


def _plain(text: str) -> str:
    """Return the text in the letters the built-in font has, which are ASCII's; others are romanised."""
    return text if text.isascii() else anyascii(text).title()


def _lettering(dice: draw.Dice, pen: ImageDraw.ImageDraw, palette: Palette, edge: int, picture: Picture) -> None:
    """Put the name on the sleeve: large initials, a small caption, or nothing."""
    kind = dice.number()
    if kind < 0.3:
        initials = "".join(part[0] for part in _plain(picture.title).split()[:3] if part[0].isalnum()) or "•"
        corner = (edge * 0.07, edge * 0.93) if dice.chance(0.6) else (edge * 0.07, edge * 0.36)
        pen.text(corner, initials.upper(), font=_font(edge * 3 // 10), fill=palette[4], anchor="ls")
    elif kind < 0.85:
        _words(pen, palette, edge, picture, top=dice.chance(0.4))


def _words(pen: ImageDraw.ImageDraw, palette: Palette, edge: int, picture: Picture, *, top: bool) -> None:
    artist, title = _plain(picture.artist).upper()[:26], _plain(picture.title)[:30]
    height = edge * 0.06 if top else edge * 0.84
    band = (0, edge * 0.03, edge, edge * 0.19) if top else (0, edge * 0.81, edge, edge * 0.97)
    pen.rectangle(band, fill=_blend(palette[0], palette[1], 0.5))
    ink = palette[4]
    pen.text((edge * 0.06, height), artist, font=_font(edge * 6 // 100), fill=ink, anchor="lt")
    pen.text((edge * 0.06, height + edge * 0.065), title, font=_font(edge * 45 // 1000), fill=palette[2], anchor="lt")
