"""The perceptual hash, held to its thresholds on covers that the simulator draws."""

from __future__ import annotations

import functools
import io
import itertools
from collections.abc import Callable

import pytest
from PIL import Image

from sleevenotes.artwork import image, likeness
from sleevenotes.simulator import sleeves

COVERS = 60


@functools.lru_cache(maxsize=COVERS)
def cover(number: int) -> Image.Image:
    mark = f"front {number:08d}-0000-4000-8000-{number * 7919:012d}"
    return opened(sleeves.image(sleeves.Picture(mark, f"Title {number}", f"Artist {number * 3}"), 500, "jpg"))


def opened(data: bytes) -> Image.Image:
    return Image.open(io.BytesIO(data)).convert("RGB")


def encoded(picture: Image.Image, side: int, format_: str, **options: object) -> Image.Image:
    out = io.BytesIO()
    picture.resize((side, side), Image.Resampling.LANCZOS).save(out, format_, **options)
    return opened(out.getvalue())


def cropped(picture: Image.Image, share: float) -> Image.Image:
    edge = round(500 * share)
    return picture.crop((edge, edge, 500 - edge, 500 - edge))


def hashed(picture: Image.Image) -> int:
    found = likeness.phash(picture)
    assert found is not None
    return found


@pytest.mark.parametrize(
    "change",
    [
        lambda picture: encoded(picture, 500, "JPEG", quality=40),
        lambda picture: encoded(picture, 300, "JPEG", quality=20),
        lambda picture: encoded(picture, 250, "JPEG", quality=70),
        lambda picture: encoded(picture, 700, "WEBP", quality=60),
        lambda picture: encoded(picture, 1000, "PNG"),
    ],
    ids=["worse", "small and much worse", "half as large", "WebP", "enlarged"],
)
def test_the_same_cover_in_other_bytes_is_alike(change: Callable[[Image.Image], Image.Image]) -> None:
    for number in range(COVERS):
        assert likeness.alike(hashed(cover(number)), hashed(change(cover(number))))


@pytest.mark.parametrize("share", [0.01, 0.03])
def test_the_same_cover_cut_at_its_edges_is_never_called_different(share: float) -> None:
    for number in range(COVERS):
        picture = cover(number)
        assert not likeness.different(hashed(picture), hashed(encoded(cropped(picture, share), 500, "JPEG")))


def test_different_covers_are_hardly_ever_alike_and_nearly_always_different() -> None:
    hashes = [hashed(cover(number)) for number in range(COVERS)]
    pairs = list(itertools.combinations(hashes, 2))
    assert sum(likeness.alike(*pair) for pair in pairs) <= 0.003 * len(pairs)
    assert sum(likeness.different(*pair) for pair in pairs) >= 0.97 * len(pairs)


@pytest.mark.parametrize("colour", ["black", "white", "#aa3344"])
def test_a_picture_of_one_colour_has_no_hash_and_is_like_nothing(colour: str) -> None:
    flat = likeness.phash(Image.new("RGB", (500, 500), colour))
    assert flat is None
    assert not likeness.alike(flat, flat)
    assert not likeness.different(flat, hashed(cover(1)))


def test_compression_noise_on_one_colour_is_not_hashed() -> None:
    assert likeness.phash(encoded(Image.new("RGB", (500, 500), "#102030"), 500, "JPEG", quality=30)) is None


def test_the_distance_counts_differing_bits() -> None:
    assert likeness.distance(0b1011, 0b0010) == 2
    assert likeness.distance(0, (1 << 64) - 1) == 64


def test_an_examined_image_brings_its_hash() -> None:
    out = io.BytesIO()
    cover(1).save(out, "JPEG", quality=82)
    phash = image.examine(out.getvalue()).phash
    assert phash is not None
    assert 0 <= phash < 1 << 64
    assert likeness.alike(phash, hashed(cover(1)))
