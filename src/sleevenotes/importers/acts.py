"""What a listener has said of plays, as our own exports tell it: corrections, covers, what is no repeat of another.

Each is a JSON object: in JSON lines the line {"sleevenotes": {"act": "correction", …}}, in CSV and Parquet the column
`act` of a row that is no play. They stand behind the plays they speak of. Nothing is longer than a cell of a
spreadsheet: a correction of many names is a line a name, an image is lines of PART bytes; `Gather` puts them together.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from datetime import datetime
from typing import Annotated, Any, Literal

import msgspec

from sleevenotes import model

PART = 18_000  # bytes of an image on a line; 24,000 letters of base64
MOST_BYTES = 20_000_000  # of an image; a damaged file must not fill the memory
SIGN = b'{"sleevenotes":'


MOST_NAMES = 500  # of a correction, as the pages take them
BYTES_OF_NAME = 4_000  # what a name of a correction is reckoned to weigh, generously

Moment = Annotated[datetime, msgspec.Meta(tz=True)]
Identity = Annotated[str, msgspec.Meta(pattern="^[0-9a-f]{32}$")]


class Key(msgspec.Struct, frozen=True):
    """Which play of its account: what is unique of it."""

    listened_at: Moment
    artist: str
    track: str


class Name(msgspec.Struct, frozen=True, omit_defaults=True):
    """What a correction says of a name (artist, track, release as sent); None: nothing of what was found."""

    artist: str
    track: str
    release: str = ""
    became: model.Match | None = None


class Said(msgspec.Struct, frozen=True, tag_field="act", tag="correction", omit_defaults=True):
    """A line of a correction: `number` tells which of the export's; see the table `corrections` for its kinds."""

    number: int
    kind: Literal["match", "album", "none", "confirmed"]
    at: Moment
    name: Name


class Part(msgspec.Struct, frozen=True, tag_field="act", tag="image"):
    """A part of an image, from 0 on, of how many; `digest` is the sha256 of the whole, in hex."""

    digest: str
    part: int
    of: int
    data: bytes


class Cover(msgspec.Struct, frozen=True, tag_field="act", tag="cover", omit_defaults=True):
    """An image chosen for the plays of (artist, release), and of the album that these mean; or for one play alone."""

    image: str
    at: Moment
    artist: str = ""
    release: str = ""
    address: str = ""
    release_group: model.ReleaseGroup | None = None
    artist_credit: model.ArtistCredit | None = None
    play: Key | None = None


class Brought(msgspec.Struct, frozen=True, tag_field="act", tag="uploaded"):
    """An image that was uploaded with a play."""

    image: str
    play: Key


class Own(msgspec.Struct, frozen=True, tag_field="act", tag="own_play"):
    """A play that is no second record of another, whatever lies near it."""

    play: Key
    at: Moment


class Apart(msgspec.Struct, frozen=True, tag_field="act", tag="apart"):
    """Two origins that never recorded the same play."""

    origin: str
    other: str
    at: Moment


class Deleted(msgspec.Struct, frozen=True, tag_field="act", tag="deleted_play"):
    """A play that was deleted, and does not come back by itself; `identity` is names.digest of its names, in hex.

    So the file does not tell what somebody did not want to be known.
    """

    listened_at: Moment
    identity: Identity


class Edited(msgspec.Struct, frozen=True, tag_field="act", tag="edited_play"):
    """What a play was before it was told anew; what brings that again brings this play. `identity` as of `Deleted`."""

    play: Key
    listened_at: Moment
    identity: Identity


Line = Said | Part | Cover | Brought | Own | Apart | Deleted | Edited


class Correction(msgspec.Struct, frozen=True):
    """A whole correction."""

    kind: Literal["match", "album", "none", "confirmed"]
    at: Moment
    names: tuple[Name, ...]


class Image(msgspec.Struct, frozen=True):
    """A whole image."""

    digest: str
    data: bytes


Act = Correction | Image | Cover | Brought | Own | Apart | Deleted | Edited


def parts(digest: str, data: bytes) -> Iterator[Part]:
    """Cut an image into lines."""
    count = -(-len(data) // PART)
    for at in range(count):
        yield Part(digest, at, count, data[at * PART : (at + 1) * PART])


class Gather:
    """Puts together what is written on several lines."""

    def __init__(self) -> None:
        self._said: list[Said] = []
        self._parts: list[Part] = []

    def take(self, value: Any) -> Iterator[Act]:
        """Read a line and yield what is whole by now. Raises ValueError for what is not as Sleevenotes writes it."""
        line = msgspec.convert(value, Line)  # its ValidationError is a ValueError
        if self._said and not (isinstance(line, Said) and self._goes_on(line)):
            yield from self.end()
        if isinstance(line, Said):
            self._said.append(line)
        elif isinstance(line, Part):
            yield from self._whole(line)
        else:
            yield line

    def end(self) -> Iterator[Act]:
        """Yield the correction that the last lines told, if they did."""
        said, self._said = self._said, []
        if said:
            yield Correction(said[0].kind, said[0].at, tuple(one.name for one in said))

    def _goes_on(self, line: Said) -> bool:
        return line.number == self._said[0].number and len(self._said) < MOST_NAMES

    def _whole(self, line: Part) -> Iterator[Image]:
        so_far, self._parts = self._parts if line.part else [], []
        if line.part != len(so_far) or any(one.digest != line.digest for one in so_far):
            raise ValueError("parts of an image are missing")
        if sum(len(one.data) for one in so_far) > MOST_BYTES:
            raise ValueError("an image of more than 20 MB")
        self._parts = [*so_far, line]
        if line.part + 1 == line.of:
            data, self._parts = b"".join(one.data for one in self._parts), []
            if hashlib.sha256(data).hexdigest() != line.digest:
                raise ValueError("an image is not what its digest says")
            yield Image(line.digest, data)


def weight(act: Act) -> int:
    """Return how many bytes of memory this takes, roughly."""
    match act:
        case Image():
            return len(act.data)
        case Correction():
            return BYTES_OF_NAME * len(act.names)
        case _:
            return 0
