"""The bytes of one image: read them fully or refuse them, measure, make thumbnails, find its colours.

Everything here is pure and busy: callers run it off the event loop (`asyncio.to_thread`).
What is shown to anybody is one of `SIZES`, decoded and encoded again by us; an original is never served.
"""

from __future__ import annotations

import colorsys
import io

import msgspec
import thumbhash
from PIL import ExifTags, Image, ImageCms, UnidentifiedImageError

from sleevenotes import errors, model
from sleevenotes.artwork import likeness

SIZES = (64, 250, 500)
"""Longest sides of the thumbnails, in pixels."""

MAX_BYTES = 20_000_000
MAX_PIXELS = 50_000_000

_MIMES = {
    "JPEG": "image/jpeg",
    "MPO": "image/jpeg",
    "PNG": "image/png",
    "GIF": "image/gif",
    "WEBP": "image/webp",
}
_FORMATS = ("JPEG", "PNG", "GIF", "WEBP")  # MPO is a JPEG with a second picture: opened as JPEG

# What the EXIF orientation says was done to the picture, and how Pillow undoes it.
_UPRIGHT = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
_SIDEWAYS = {_UPRIGHT[orientation] for orientation in (5, 6, 7, 8)}

_PAPER = (255, 255, 255)  # what shows through transparent places
_MEASURED_SIDE = 128  # what colours and likeness are measured on: they look at 48 pixels a side at most
_THUMBHASH_SIDE = 32  # the encoder is plain Python: 5 ms at 32 px, 45 ms at its limit of 100, the same picture
_PALETTE = 8


class Examined(msgspec.Struct, frozen=True):
    """What the bytes of an image are: `width` and `height` in pixels as shown, `size` in bytes.

    `thumbnails` holds WebP bytes by size; an image smaller than a size is kept at its own. `phash` is the
    perceptual hash, None for a picture with too little on it (`artwork.likeness`).
    """

    mime: str
    width: int
    height: int
    size: int
    thumbhash: bytes
    colour: str
    phash: int | None

    def as_image(self, digest: str, *, source: str, source_url: str, page: str = "", credit: str = "") -> model.Image:
        """Return the noun that the catalogue keeps of it."""
        return model.Image(
            digest=digest,
            width=self.width,
            height=self.height,
            mime=self.mime,
            size=self.size,
            thumbhash=self.thumbhash,
            colour=self.colour,
            source=source,
            source_url=source_url,
            page=page,
            credit=credit,
        )


def examine(data: bytes) -> Examined:
    """Decode all of `data` and measure it.

    Raises errors.Garbled for what is not wholly a JPEG, PNG, GIF (its first frame counts) or WebP, and for
    more than `MAX_BYTES` bytes or `MAX_PIXELS` pixels.
    """
    mime, (width, height), picture = _opened(data, _MEASURED_SIDE)
    return Examined(
        mime=mime,
        width=width,
        height=height,
        size=len(data),
        thumbhash=_thumbhash(picture),
        colour=dominant(picture),
        phash=likeness.phash(picture),
    )


def thumbnails(data: bytes) -> dict[int, bytes]:
    """Make the thumbnails, WebP bytes by size. Raises as `examine` does."""
    return _thumbnails(_opened(data, SIZES[-1])[2])


def _opened(data: bytes, side: int) -> tuple[str, tuple[int, int], Image.Image]:
    if len(data) > MAX_BYTES:
        raise errors.Garbled(f"the image has {len(data):,} bytes; at most {MAX_BYTES:,} are read", body=data)
    try:
        return _decode(data, side)
    except (errors.Garbled, MemoryError):
        raise
    except Exception as error:  # hostile bytes make decoders raise OSError, ValueError, SyntaxError, struct.error …
        raise errors.Garbled(f"the image does not decode{_detail(error)}", body=data) from error


def _detail(error: Exception) -> str:
    """Return what a decoder says of an image that is damaged; not what names our objects, or speaks of code."""
    if isinstance(error, Image.DecompressionBombError | Image.DecompressionBombWarning):
        return f": it has more than {MAX_PIXELS:,} pixels"  # by far, or it would have been opened
    telling = isinstance(error, OSError | SyntaxError) and not isinstance(error, UnidentifiedImageError)
    return f": {error}" if telling else ""


def dominant(picture: Image.Image) -> str:
    """Return the colour a listener would name, "#rrggbb": the commonest of a few, the vivid counted more.

    A black sleeve with a red title is black in area and red in memory: each colour of a small palette counts
    by its area times its liveliness, and by the area alone where nothing is lively.
    """
    small = picture.resize((48, 48), Image.Resampling.BOX).convert("RGB")
    palette = small.quantize(_PALETTE, Image.Quantize.MEDIANCUT, dither=Image.Dither.NONE).convert("RGB")
    counted = palette.getcolors(maxcolors=256) or []
    weighed = [(area * _liveliness(colour), colour) for area, colour in counted if isinstance(colour, tuple)]
    red, green, blue = max(weighed)[1]
    return f"#{red:02x}{green:02x}{blue:02x}"


def _liveliness(colour: tuple[int, ...]) -> float:
    """Weigh a colour from 0.1 (grey, black, white) to 1 (pure)."""
    red, green, blue = (part / 255 for part in colour[:3])
    _, lightness, _ = colorsys.rgb_to_hls(red, green, blue)
    chroma = max(red, green, blue) - min(red, green, blue)  # unlike HLS saturation, near zero in the near-black
    return 0.1 + 0.9 * chroma * (1 - abs(2 * lightness - 1) ** 4)


def _decode(data: bytes, side: int) -> tuple[str, tuple[int, int], Image.Image]:
    """Return the MIME type, the size as shown, and the upright RGB picture, its longest side at most `side`."""
    with Image.open(io.BytesIO(data), formats=_FORMATS) as opened:
        if opened.width * opened.height > MAX_PIXELS:
            raise errors.Garbled(
                f"the image has {opened.width} x {opened.height} pixels; at most {MAX_PIXELS:,} are decoded",
                body=data,
            )
        mime, size, turn = _MIMES[str(opened.format)], opened.size, _turn(opened)
        opened.draft(None, (side, side))  # JPEG: decodes at 1/2, 1/4 or 1/8, no smaller than this
        opened.load()
        picture = _plain(opened, side)
    if turn is not None:
        picture = picture.transpose(turn)
    return mime, (size[1], size[0]) if turn in _SIDEWAYS else size, picture


def _turn(opened: Image.Image) -> Image.Transpose | None:
    """Read the EXIF orientation; broken EXIF is none, since the pixels may well be whole."""
    try:
        return _UPRIGHT.get(opened.getexif().get(ExifTags.Base.Orientation, 1))
    except Exception:  # the EXIF reader raises as many kinds as the decoders
        return None


def _plain(opened: Image.Image, side: int) -> Image.Image:
    """Reduce to that side and to sRGB on paper, from any mode the four formats have."""
    profile = opened.info.get("icc_profile")
    if opened.has_transparency_data:
        reduced = _reduced(opened.convert("RGBA"), side)
        paper = Image.new("RGB", reduced.size, _PAPER)
        paper.paste(reduced, mask=reduced.getchannel("A"))
        return _standard(paper, profile if opened.mode in {"RGB", "RGBA"} else None)
    if opened.mode.startswith("I"):  # 16-bit grey: convert() would clip, not scale
        return _reduced(opened.convert("I").point(lambda value: value / 256).convert("L"), side).convert("RGB")
    if opened.mode in {"P", "1"}:
        return _reduced(opened.convert("RGB"), side)
    return _standard(_reduced(opened, side), profile)


_SRGB = ImageCms.createProfile("sRGB")


def _reduced(picture: Image.Image, side: int) -> Image.Image:
    scale = side / max(picture.size)
    if scale >= 1:
        return picture.copy()
    size = tuple(max(1, round(side * scale)) for side in picture.size)
    return picture.resize((size[0], size[1]), Image.Resampling.LANCZOS, reducing_gap=3.0)


def _standard(picture: Image.Image, profile: bytes | None) -> Image.Image:
    """Convert to sRGB by the embedded colour profile; where none is or it is broken, by the mode alone."""
    if profile:
        try:
            source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
            converted = ImageCms.profileToProfile(picture, source, _SRGB, outputMode="RGB")
        except (
            ImageCms.PyCMSError,
            OSError,
            ValueError,
        ):  # a profile that does not fit is no reason to refuse a cover
            converted = None
        if converted is not None:
            return converted
    return picture.convert("RGB")


def _thumbnails(picture: Image.Image) -> dict[int, bytes]:
    encoded: dict[int, bytes] = {}
    last, last_data = picture, b""
    for size in sorted(SIZES, reverse=True):
        if max(last.size) > size or not last_data:
            if max(last.size) > size:
                last = last.copy()
                last.thumbnail((size, size), Image.Resampling.LANCZOS, reducing_gap=3.0)
            last_data = _webp(last)
        encoded[size] = last_data
    return encoded


def _webp(picture: Image.Image) -> bytes:
    out = io.BytesIO()
    picture.save(out, "WEBP", quality=82, method=2)  # method 4, the default: 5 % fewer bytes for 2.5 x the time
    return out.getvalue()


def _thumbhash(picture: Image.Image) -> bytes:
    small = picture.copy()
    small.thumbnail((_THUMBHASH_SIDE, _THUMBHASH_SIDE), Image.Resampling.BOX)
    rgba = small.convert("RGBA")
    return bytes(thumbhash.rgba_to_thumb_hash(rgba.width, rgba.height, list(rgba.tobytes())))
