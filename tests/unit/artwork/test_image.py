from __future__ import annotations

import io
import random
import struct
import zlib

import pytest
import thumbhash
from PIL import ExifTags, Image, ImageCms, ImageDraw

from sleevenotes import errors
from sleevenotes.artwork import image


def painted(width: int = 600, height: int = 600, seed: int = 1) -> Image.Image:
    """Return a picture with enough in it that every row of it costs bytes."""
    chance = random.Random(seed)  # noqa: S311 -- a picture, not a secret
    picture = Image.new("RGB", (width, height), (30, 60, 120))
    draw = ImageDraw.Draw(picture)
    for _ in range(200):
        x, y, size = chance.random() * width, chance.random() * height, chance.random() * 40
        draw.ellipse((x, y, x + size, y + size), fill=tuple(chance.randrange(256) for _ in range(3)))
    return picture


def encoded(picture: Image.Image, format_: str, **options: object) -> bytes:
    out = io.BytesIO()
    picture.save(out, format_, **options)
    return out.getvalue()


def shown(data: bytes) -> Image.Image:
    picture = Image.open(io.BytesIO(data))
    picture.load()
    return picture


def near(one: object, other: tuple[int, int, int], within: int = 12) -> bool:
    assert isinstance(one, tuple)
    return all(abs(a - b) <= within for a, b in zip(one[:3], other, strict=True))


@pytest.mark.parametrize(
    ("format_", "mime"),
    [("JPEG", "image/jpeg"), ("PNG", "image/png"), ("GIF", "image/gif"), ("WEBP", "image/webp")],
)
def test_each_format_is_measured_and_made_into_webp_thumbnails(format_: str, mime: str) -> None:
    data = encoded(painted(600, 400), format_)
    examined = image.examine(data)
    assert (examined.mime, examined.width, examined.height, examined.size) == (mime, 600, 400, len(data))
    made = image.thumbnails(data)
    assert {size: shown(made[size]).size for size in image.SIZES} == {
        64: (64, 43),
        250: (250, 167),
        500: (500, 333),
    }
    assert {shown(data).format for data in made.values()} == {"WEBP"}


def test_the_same_bytes_always_give_the_same_result() -> None:
    data = encoded(painted(), "JPEG")
    assert image.examine(data) == image.examine(data)
    assert image.thumbnails(data) == image.thumbnails(data)


def test_a_small_image_is_not_enlarged() -> None:
    made = image.thumbnails(encoded(painted(100, 80), "PNG"))
    assert [shown(made[size]).size for size in (64, 250, 500)] == [(64, 51), (100, 80), (100, 80)]


def test_an_image_of_one_pixel_or_one_line_is_examined_too() -> None:
    for size in ((1, 1), (1, 3000), (3000, 1)):
        examined = image.examine(encoded(Image.new("RGB", size, (200, 10, 10)), "PNG"))
        assert (examined.width, examined.height) == size
        assert examined.colour == "#c80a0a"


@pytest.mark.parametrize("format_", ["JPEG", "PNG", "GIF", "WEBP"])
def test_bytes_cut_short_are_refused_wherever_they_are_cut(format_: str) -> None:
    data = encoded(painted(200, 200), format_)
    for end in range(0, len(data) - 32, max(1, len(data) // 60)):
        with pytest.raises(errors.Garbled):
            image.examine(data[:end])


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"<html>503 Service Unavailable</html>",
        b"\x89PNG\r\n\x1a\n" + bytes(200),
        b"\xff\xd8\xff\xe0" + bytes(200),
        b"GIF89a" + bytes(50),
        b"RIFF\x20\x00\x00\x00WEBPVP8 " + bytes(50),
    ],
)
def test_what_is_no_image_is_garbled_and_shows_its_first_bytes(data: bytes) -> None:
    with pytest.raises(errors.Garbled) as raised:
        image.examine(data)
    assert raised.value.body == data
    assert "object at 0x" not in str(raised.value)


@pytest.mark.parametrize("format_", ["BMP", "TIFF", "ICO", "PPM", "TGA", "PDF"])
def test_a_format_that_no_source_may_send_is_refused(format_: str) -> None:
    with pytest.raises(errors.Garbled, match="decode"):
        image.examine(encoded(painted(64, 64), format_))


def test_too_many_bytes_are_refused_unread() -> None:
    with pytest.raises(errors.Garbled, match="20,000,001 bytes"):
        image.examine(bytes(image.MAX_BYTES + 1))


@pytest.mark.parametrize("side", [7100, 12000, 20000])
def test_a_small_file_of_very_many_pixels_is_refused_before_it_is_decoded(side: int) -> None:
    header = struct.pack(">IIBBBBB", side, side, 8, 2, 0, 0, 0)  # no pixels follow: decoding would say so instead
    with pytest.raises(errors.Garbled, match="pixels"):
        image.examine(b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", bytes(20)))


def chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


@pytest.mark.parametrize("orientation", range(1, 9))
def test_the_picture_is_turned_as_its_exif_says(orientation: int) -> None:
    upright = Image.new("RGB", (300, 200), (0, 0, 255))
    upright.paste((255, 0, 0), (0, 0, 150, 100))  # red at the top left, nowhere else
    stored = {
        1: upright,
        2: upright.transpose(Image.Transpose.FLIP_LEFT_RIGHT),
        3: upright.transpose(Image.Transpose.ROTATE_180),
        4: upright.transpose(Image.Transpose.FLIP_TOP_BOTTOM),
        5: upright.transpose(Image.Transpose.TRANSPOSE),
        6: upright.transpose(Image.Transpose.ROTATE_90),
        7: upright.transpose(Image.Transpose.TRANSVERSE),
        8: upright.transpose(Image.Transpose.ROTATE_270),
    }[orientation]
    exif = Image.Exif()
    exif[ExifTags.Base.Orientation] = orientation
    data = encoded(stored, "JPEG", exif=exif, quality=95)
    examined = image.examine(data)
    assert (examined.width, examined.height) == (300, 200)
    thumbnail = shown(image.thumbnails(data)[500]).convert("RGB")
    assert near(thumbnail.getpixel((40, 40)), (255, 0, 0))
    for corner in ((260, 40), (40, 160), (260, 160)):
        assert near(thumbnail.getpixel(corner), (0, 0, 255))


@pytest.mark.filterwarnings("ignore:Corrupt EXIF")  # Pillow says so itself, outside of tests in the log
def test_broken_exif_does_not_cost_the_picture() -> None:
    data = encoded(painted(300, 200), "JPEG", exif=b"Exif\x00\x00MM\x00\x2a\xff\xff\xff\xff\x00\x01\x02")
    assert image.examine(data).width == 300


def test_transparent_places_show_white_paper() -> None:
    picture = Image.new("RGBA", (300, 300), (0, 0, 0, 0))
    picture.paste((0, 128, 0, 255), (0, 0, 150, 300))
    palette = Image.new("P", (300, 300), 0)
    palette.putpalette([0, 0, 0, 0, 128, 0])
    palette.paste(1, (0, 0, 150, 300))
    for data in (encoded(picture, "PNG"), encoded(picture, "WEBP"), encoded(palette, "GIF", transparency=0)):
        thumbnail = shown(image.thumbnails(data)[250])
        assert thumbnail.mode == "RGB"
        assert near(thumbnail.getpixel((40, 125)), (0, 128, 0))
        assert near(thumbnail.getpixel((210, 125)), (255, 255, 255))


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGBA", "CMYK", "I;16"])
def test_every_mode_keeps_its_tones(mode: str) -> None:
    grey = Image.new("L", (300, 300), 255)
    grey.paste(64, (0, 0, 150, 300))
    tones = (64, 64, 64)
    if mode == "I;16":
        stored = Image.frombytes("I;16", grey.size, b"".join(bytes((value, value)) for value in grey.tobytes()))
    elif mode == "1":
        stored, tones = grey.point(lambda value: 255 * (value > 128)).convert("1"), (0, 0, 0)
    else:
        stored = grey.convert("RGB").convert(mode) if mode == "CMYK" else grey.convert(mode)
    thumbnail = shown(image.thumbnails(encoded(stored, "JPEG" if mode == "CMYK" else "PNG"))[500])
    assert near(thumbnail.getpixel((40, 150)), tones)
    assert near(thumbnail.getpixel((260, 150)), (255, 255, 255))


def test_an_embedded_colour_profile_is_honoured_and_a_broken_one_is_passed_over() -> None:
    picture = Image.new("RGB", (300, 300), (120, 60, 200))
    lab = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    assert near(shown(image.thumbnails(encoded(picture, "PNG", icc_profile=lab))[500]).getpixel((9, 9)), (120, 60, 200))
    broken = image.thumbnails(encoded(picture, "PNG", icc_profile=b"no profile at all"))
    assert near(shown(broken[500]).getpixel((9, 9)), (120, 60, 200))


def test_an_animation_shows_its_first_frame() -> None:
    frames = [Image.new("RGB", (300, 300), colour) for colour in ((200, 30, 30), (30, 200, 30))]
    for format_ in ("GIF", "WEBP", "PNG"):
        data = encoded(frames[0], format_, save_all=True, append_images=frames[1:], duration=100)
        assert near(shown(image.thumbnails(data)[64]).getpixel((30, 30)), (200, 30, 30))


def test_a_jpeg_with_a_second_picture_is_a_jpeg() -> None:
    data = encoded(painted(300, 300), "MPO", save_all=True, append_images=[painted(300, 300, seed=2)])
    assert image.examine(data).mime == "image/jpeg"


def test_the_colour_is_the_vivid_one_where_there_is_one() -> None:
    sleeve = Image.new("RGB", (400, 400), (10, 10, 10))
    sleeve.paste((210, 20, 40), (0, 0, 400, 90))
    assert image.dominant(sleeve) == "#d21428"


def test_the_colour_is_the_commonest_where_nothing_is_vivid() -> None:
    sleeve = Image.new("RGB", (400, 400), (240, 240, 240))
    sleeve.paste((90, 90, 90), (0, 0, 400, 100))
    assert image.dominant(sleeve) == "#f0f0f0"


def test_the_thumbhash_tells_the_picture_s_average_colour() -> None:
    hashed = image.examine(encoded(Image.new("RGB", (500, 500), (200, 100, 50)), "PNG")).thumbhash
    red, green, blue, alpha = thumbhash.thumb_hash_to_average_rgba(list(hashed))
    assert near((round(red * 255), round(green * 255), round(blue * 255)), (200, 100, 50))
    assert alpha == 1
    assert len(image.examine(encoded(painted(), "JPEG")).thumbhash) <= 25


def test_as_image_names_digest_and_origin() -> None:
    noun = image.examine(encoded(painted(), "JPEG")).as_image(
        "ab" * 32, source="coverartarchive", source_url="https://x/1"
    )
    assert (noun.digest, noun.width, noun.source, noun.source_url) == ("ab" * 32, 600, "coverartarchive", "https://x/1")
