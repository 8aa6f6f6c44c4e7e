from __future__ import annotations

import base64
import io

import thumbhash
from PIL import Image

from sleevenotes.server import covers


def hashed(picture: Image.Image) -> str:
    pixels = picture.convert("RGBA").tobytes()
    made = thumbhash.rgba_to_thumb_hash(picture.width, picture.height, list(pixels))
    return base64.b64encode(bytes(made)).decode()


def halves(left: str, right: str, size: tuple[int, int] = (60, 60)) -> Image.Image:
    picture = Image.new("RGB", size, left)
    picture.paste(right, (size[0] // 2, 0, *size))
    return picture


def pixels(address: str) -> Image.Image:
    head, _, body = address.partition(",")
    assert head == "data:image/png;base64"
    return Image.open(io.BytesIO(base64.b64decode(body))).convert("RGB")


def near(one: object, other: tuple[int, int, int], by: int = 24) -> bool:
    assert isinstance(one, tuple)
    return all(abs(a - b) <= by for a, b in zip(one, other, strict=True))


def test_a_plain_cover_gives_a_placeholder_of_its_colour() -> None:
    drawn = pixels(covers.placeholder(hashed(Image.new("RGB", (50, 50), (40, 120, 200)))))
    assert drawn.size == (6, 6)
    assert near(drawn.getpixel((3, 3)), (40, 120, 200))


def test_left_stays_left() -> None:
    drawn = pixels(covers.placeholder(hashed(halves("#c82020", "#2020c8")), 8))
    left, right = drawn.getpixel((0, 4)), drawn.getpixel((7, 4))
    assert near(left, (200, 32, 32), 48)
    assert near(right, (32, 32, 200), 48)


def test_top_stays_top() -> None:
    drawn = pixels(covers.placeholder(hashed(halves("#f0f0f0", "#101010").rotate(-90)), 8))
    top, bottom = drawn.getpixel((4, 0)), drawn.getpixel((4, 7))
    assert isinstance(top, tuple)
    assert isinstance(bottom, tuple)
    assert sum(top) > sum(bottom) + 300


def test_covers_that_are_not_square_can_be_drawn_too() -> None:
    for size in ((90, 30), (30, 90)):
        drawn = pixels(covers.placeholder(hashed(halves("#c82020", "#2020c8", size)), 8))
        assert near(drawn.getpixel((0, 4)), (200, 32, 32), 56)


def test_a_placeholder_is_small_enough_for_every_row_of_a_page() -> None:
    assert len(covers.placeholder(hashed(halves("#c82020", "#20c840")))) < 300


def test_what_is_no_thumbhash_gives_no_placeholder() -> None:
    assert not covers.placeholder("AAA=")
    assert not covers.placeholder("not base64!")
    assert not covers.placeholder(base64.b64encode(b"\xff" * 24).decode())  # transparent: covers never are


def test_text_can_be_read_on_every_wash() -> None:
    steps = (0, 51, 102, 153, 204, 255)
    for colour in ((red, green, blue) for red in steps for green in steps for blue in steps):
        made = covers.wash("#{:02x}{:02x}{:02x}".format(*colour))
        assert made
        assert covers.contrast(rgb(made.light), covers.PAPER_INK) >= covers.READABLE
        assert covers.contrast(rgb(made.dark), covers.NIGHT_INK) >= covers.READABLE


def test_a_wash_keeps_something_of_the_colour() -> None:
    made = covers.wash("#c81e1e")
    assert made
    red, green, _ = rgb(made.light)
    assert red - green > 20


def test_what_is_no_colour_gives_no_wash() -> None:
    assert covers.wash("") is None
    assert covers.wash("#12345g") is None


def test_contrast_of_black_and_white_is_the_greatest() -> None:
    assert round(covers.contrast((0, 0, 0), (255, 255, 255)), 2) == 21.0


def rgb(colour: str) -> covers.Colour:
    return int(colour[1:3], 16), int(colour[3:5], 16), int(colour[5:7], 16)
