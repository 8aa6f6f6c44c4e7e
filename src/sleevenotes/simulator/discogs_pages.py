"""What Discogs writes of a record and of an artist: as a hit of a search, and looked up.

An artist's name is Discogs' own: one in seven has a number, since others go by the same ("Nirvana (2)"); one in thirty
is credited by a variation, marked by a star ("Queen*"); one article in four stands behind, as in very old entries
("Persuader, The"). Those shares are ours. A record without an image shows a spacer, to strangers nothing at all.
"""

from __future__ import annotations

import re
from typing import Any, Final, NamedTuple

from sleevenotes.simulator import draw, entities, imagehosts, shops
from sleevenotes.simulator.world import World

Json = dict[str, Any]

NAME: Final = "discogs"
_API: Final = "https://api.discogs.com"
_SITE: Final = "https://www.discogs.com"
_FORMATS: Final = {"CD": "CD", '12" Vinyl': "Vinyl", "Digital Media": "File"}
_COUNTRIES: Final = {"GB": "UK", "DE": "Germany", "JP": "Japan", "FR": "France", "CA": "Canada", "XE": "Europe"}


class ArtistPage(NamedTuple):
    """An artist."""

    world: World
    artist: entities.Artist

    @property
    def number(self) -> int:
        """Return Discogs' id of the artist."""
        return shops.number(NAME, "artist", self.artist.mbid)

    @property
    def path(self) -> str:
        """Return where it is looked up."""
        return f"/artists/{self.number}"

    @property
    def name(self) -> str:
        """Return the name that is the artist's alone."""
        if self.artist is self.world.catalogue.various:
            return "Various"
        name = self.artist.name
        if name.startswith("The ") and draw.number(NAME, "article", self.artist.mbid) < 0.25:
            name = f"{name[4:]}, The"
        share = draw.number(NAME, "namesakes", self.artist.mbid)
        return f"{name} ({2 + int(share * 40)})" if share < 0.14 else name

    @property
    def printed(self) -> str:
        """Return the name as it stands on a record."""
        starred = draw.number(NAME, "variation", self.artist.mbid) < 0.03
        return f"{self.artist.name}*" if starred and self.artist.index >= 0 else self.name

    def found(self, _: bool) -> Json:
        """Write a hit of a search."""
        uri = f"/artist/{self.number}-{_slug(self.artist.name)}"
        return {
            "id": self.number,
            "type": "artist",
            "title": self.name,
            "master_id": None,
            "master_url": None,
            "uri": uri,
            "resource_url": f"{_API}{self.path}",
            "thumb": "",
            "cover_image": imagehosts.SPACER,
            "user_data": {"in_wantlist": False, "in_collection": False},
        }

    def looked_up(self, _: bool) -> Json:
        """Write the artist's own page."""
        return {
            "profile": "",
            "releases_url": f"{_API}{self.path}/releases",
            "name": self.name,
            "uri": f"{_SITE}/artist/{self.number}-{_slug(self.artist.name)}",
            "resource_url": f"{_API}{self.path}",
            "id": self.number,
            "data_quality": "Needs Vote",
        }


class Hit(NamedTuple):
    """A record: as one edition ("release") or as all of them ("master")."""

    world: World
    album: shops.Album
    entity: str

    @property
    def counterpart(self) -> Hit:
        """Return the master of a release, the release that stands for a master."""
        return self._replace(entity="release" if self.entity == "master" else "master")

    @property
    def number(self) -> int:
        """Return Discogs' id."""
        release = self.album.release
        return shops.number(NAME, self.entity, release.group.mbid if self.entity == "master" else release.mbid)

    @property
    def path(self) -> str:
        """Return where it is looked up."""
        return f"/{self.entity}s/{self.number}"

    @property
    def title(self) -> str:
        """Return the title: of a master without the notes of an edition."""
        release = self.album.release
        return release.group.title if self.entity == "master" else release.title

    # ------------------------------------------------------------ found

    def found(self, is_known: bool) -> Json:
        """Write a hit of a search, with images for those who are known."""
        release, master = self.album.release, self if self.entity == "master" else self.counterpart
        credit = "".join(ArtistPage(self.world, name.artist).printed + name.join for name in release.credit)
        document: Json = {
            "id": self.number,
            "type": self.entity,
            "title": f"{credit} - {self.title}",
            **({"year": release.date[:4]} if release.date else {}),
            "country": _COUNTRIES.get(release.country, release.country),
            "format": self._formats(),
            "label": ["Not On Label"],
            "genre": ["Rock"],
            "style": [],
            "barcode": [],
            "catno": "none",
            "master_id": master.number,
            "master_url": f"{_API}{master.path}",
            "uri": f"/{self.entity}/{self.number}-{_slug(self.title)}",
            "resource_url": f"{_API}{self.path}",
            "thumb": self._image(150) if is_known else "",
            "cover_image": (self._image(600) or imagehosts.SPACER) if is_known else "",
            "community": {"want": self.number % 97, "have": self.number % 89},
        }
        return document | ({"user_data": {"in_wantlist": False, "in_collection": False}} if is_known else {})

    def _formats(self) -> list[str]:
        release = self.album.release
        kinds = [release.group.primary, *release.group.secondary]
        unofficial = {"Bootleg": ["Unofficial Release"], "Promotion": ["Promo"]}.get(release.status, [])
        return [_FORMATS.get(release.format, "CD"), *(kind for kind in kinds if kind), *unofficial]

    def _image(self, edge: int) -> str:
        """Return the address of the front, "" where there is none. An album's editions share one here."""
        album = self.album
        return imagehosts.address(self.world, NAME, album.group, of_namesake=album.of_namesake, edge=edge)

    # ------------------------------------------------------------ looked up

    def looked_up(self, is_known: bool) -> Json:
        """Write the page of its own."""
        both = self._both(is_known)
        return both | (self._master() if self.entity == "master" else self._release(is_known))

    def _both(self, is_known: bool) -> Json:
        images = self._images() if is_known else [each | {"uri": "", "uri150": ""} for each in self._images()]
        return {
            "id": self.number,
            "title": self.title,
            "artists": [self._credited(name) for name in self.album.release.credit],
            "year": int(self.album.release.date[:4] or 0),
            **({"images": images} if images else {}),
            "genres": ["Rock"],
            "styles": [],
            "tracklist": self._tracklist(),
            "num_for_sale": self.number % 50,
            "lowest_price": 1 + self.number % 2000 / 100,
            "uri": f"{_SITE}/{_slug(self.title)}/{self.entity}/{self.number}",
            "resource_url": f"{_API}{self.path}",
            "data_quality": "Correct",
        }

    def _master(self) -> Json:
        release = self.counterpart
        return {
            "main_release": release.number,
            "main_release_url": f"{_API}{release.path}",
            "versions_url": f"{_API}{self.path}/versions",
        }

    def _release(self, is_known: bool) -> Json:
        release, master = self.album.release, self.counterpart
        dated = {"released": _full(release.date), "released_formatted": release.date} if release.date else {}
        return dated | {
            "status": "Accepted",
            "master_id": master.number,
            "master_url": f"{_API}{master.path}",
            "artists_sort": release.credit[0].artist.sort_name,
            "country": _COUNTRIES.get(release.country, release.country),
            "thumb": self._image(150) if is_known else "",
            "formats": [{"qty": "1", "name": _FORMATS.get(release.format, "CD"), "descriptions": self._formats()[1:]}],
            "format_quantity": 1,
            "estimated_weight": 85,
            "date_added": "2010-01-02T03:04:05-08:00",
            "date_changed": "2015-06-07T08:09:10-07:00",
            "community": _COMMUNITY,
            **{name: [] for name in ("series", "labels", "extraartists", "identifiers", "companies")},
        }

    def _credited(self, name: entities.Name) -> Json:
        page = ArtistPage(self.world, name.artist)
        return {
            "join": name.join.strip(),
            "name": page.name,
            "anv": name.artist.name if page.printed.endswith("*") else "",
            "tracks": "",
            "role": "",
            "resource_url": f"{_API}{page.path}",
            "id": page.number,
        }

    def _tracklist(self) -> list[Json]:
        return [
            {"position": str(place), "type_": "track", "title": track.title, "duration": _length(track.length)}
            for place, track in enumerate(self.album.release.tracks, 1)
        ]

    def _images(self) -> list[Json]:
        large, small = self._image(600), self._image(150)
        if not large:
            return []
        front = {"type": "primary", "uri": large, "resource_url": large, "uri150": small, "width": 600, "height": 600}
        return [front]


_COMMUNITY: Final = {
    "status": "Accepted",
    "rating": {"count": 3, "average": 4.5},
    "want": 10,
    "have": 20,
    "contributors": [],
    "submitter": {"username": "somebody", "resource_url": f"{_API}/users/somebody"},
    "data_quality": "Correct",
}


def _length(milliseconds: int | None) -> str:
    seconds = (milliseconds or 0) // 1000
    return f"{seconds // 60}:{seconds % 60:02}" if seconds else ""


def _full(date: str) -> str:
    """Write a partial date as Discogs does: an unknown month or day is 00."""
    return date if len(date) == 4 else f"{date}-00"[:10]


def _slug(text: str) -> str:
    return re.sub(r"[^\w]+", "-", text).strip("-") or "-"
