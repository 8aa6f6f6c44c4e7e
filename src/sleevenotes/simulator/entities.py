"""The things of the simulated world, as its services hold them. Lengths in ms; dates are MusicBrainz's partial ones."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import NamedTuple

VARIOUS_ARTISTS = "89ad4ac3-39f7-470e-963a-56509c546377"  # MusicBrainz' own id of "Various Artists"


@dataclass(slots=True, eq=False)
class Artist:
    """Somebody who records. `standing` is the standardised -ln(rank) by plays; `index` is -1 outside the catalogue."""

    mbid: str
    name: str
    sort_name: str
    disambiguation: str = ""
    kind: str = "Group"
    country: str = ""
    begin: int = 1990
    index: int = -1
    rank: int = 0
    standing: float = 0.0


class Name(NamedTuple):
    """One artist within a credit: as credited, and what joins the next."""

    artist: Artist
    credited: str
    join: str = ""


Credit = tuple[Name, ...]


def printed(credit: Credit) -> str:
    """Return a credit as on the sleeve."""
    return "".join(name.credited + name.join for name in credit)


@dataclass(slots=True, eq=False)
class Group:
    """A release group; `number` tells apart those made at load (>= 0) from those made when asked for (-1)."""

    mbid: str
    title: str
    credit: Credit
    primary: str = "Album"
    secondary: tuple[str, ...] = ()
    releases: list[Release] = field(default_factory=list)

    @property
    def first_date(self) -> str:
        """Return the earliest date of its releases, "" where none has one."""
        return min((release.date for release in self.releases if release.date), default="")


@dataclass(slots=True, eq=False)
class Release:
    """One edition, with its tracks in order."""

    mbid: str
    title: str
    group: Group
    credit: Credit
    status: str = "Official"
    date: str = ""
    country: str = ""
    format: str = "CD"
    disambiguation: str = ""
    tracks: list[Recording] = field(default_factory=list)


@dataclass(slots=True, eq=False)
class Recording:
    """One recording; `row` is its row in the catalogue, or that of the name it crowds (then `member` >= 0)."""

    mbid: str
    title: str
    credit: Credit
    row: int
    length: int | None = None
    disambiguation: str = ""
    isrc: str = ""
    member: int = -1
    releases: list[Release] = field(default_factory=list)

    @property
    def first_date(self) -> str:
        """Return the earliest date of its releases, "" where none has one."""
        return min((release.date for release in self.releases if release.date), default="")
