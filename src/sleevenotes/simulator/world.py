"""The music world: a catalogue under given conditions, who knows what of it, and the truth for benchmarks.

Truth comes from here and never from the product.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

from sleevenotes.simulator import build, conditions, coverage, draw, entities, extras, ids, invent, rows, sleeves

ARCHIVE = "coverartarchive"
MUSICBRAINZ = "musicbrainz"


class Truth(NamedTuple):
    """What a name really is. `known_to` and `has_art` name sources, as the conditions do."""

    recording_mbid: str
    release_group_mbid: str
    release_mbid: str
    known_to: frozenset[str]
    has_art: frozenset[str]


class Cover(NamedTuple):
    """One image of a release at the Cover Art Archive."""

    id: int
    front: bool
    back: bool
    extension: str  # of the original; thumbnails are always jpg


class World:
    """Everything the simulated services serve."""

    def __init__(self, given: conditions.Conditions, source: Iterable[rows.Row]) -> None:
        self.given = given
        self.seed = given.seed
        self.catalogue = build.Catalogue(given.seed, source)
        self.extras = extras.Extras(given, self.catalogue)
        self.known = coverage.Known(given, self.catalogue.artists)
        self._by_name = {
            (entities.printed(recording.credit).lower(), recording.title.lower()): recording.row
            for recording in reversed(self.catalogue.recordings)
        }

        for release in self.catalogue.releases.values():
            if release.credit[0].artist is self.catalogue.various:
                release.tracks = [track for track in release.tracks if self._known(track.credit)]

    @classmethod
    def invented(cls, given: conditions.Conditions | None = None, *, artists: int = 300) -> World:
        """Make a world of invented names."""
        given = given or conditions.calm()
        return cls(given, invent.catalogue(given.seed, artists))

    @classmethod
    def from_csv(cls, path: Path, given: conditions.Conditions | None = None) -> World:
        """Load a world from a catalogue file."""
        return cls(given or conditions.calm(), rows.read(path))

    # ------------------------------------------------------------ truth

    def truth(self, artist: str, track: str, release: str = "") -> Truth | None:
        """Return what a name of the catalogue is; None for names that are not in it. Letter case does not matter.

        The release group is that of the named release where the recording is on one of that title, else the
        catalogue's own.
        """
        row = self._by_name.get((artist.lower(), track.lower()))
        if row is None:
            return None
        recording = self.catalogue.recordings[row]
        home = self._named(recording, release) or self.catalogue.home(row)
        known_to = self.known.sources_of(recording.credit[0].artist)
        has_art = frozenset(source for source in known_to if self.shown(source, home.group))
        if MUSICBRAINZ in known_to and self.has_art(home.group):
            has_art |= {ARCHIVE}
        return Truth(recording.mbid, home.group.mbid, home.mbid, known_to, has_art)

    def _named(self, recording: entities.Recording, release: str) -> entities.Release | None:
        """Return the release of that title, the catalogue's own first."""
        home = self.catalogue.home(recording.row)
        titled = [each for each in (home, *recording.releases) if each.title.lower() == release.lower()]
        return titled[0] if titled else None

    def cover_truth(self, image: bytes) -> str:
        """Return the id of the release group whose front cover these bytes are, "" for any other bytes."""
        side, _, mbid = sleeves.read_mark(image).partition(" ")
        return mbid if side == "front" else ""

    # ------------------------------------------------------------ what MusicBrainz holds

    def recording(self, mbid: str) -> entities.Recording | None:
        """Return a recording MusicBrainz holds, by its own or a merged id."""
        row = self.catalogue.recording_rows.get(mbid)
        if row is not None:
            return self._held(self.catalogue.recordings[row])
        found = ids.read(self.seed, mbid)
        if found is None or found[1] >= len(self.catalogue.recordings):
            return None
        kind, row, member = found
        if kind == ids.MERGED_RECORDING:
            return self._held(self.catalogue.recordings[row])
        return self._held(self._extra(row, member)) if kind == ids.RECORDING else None

    def release(self, mbid: str) -> entities.Release | None:
        """Return a release MusicBrainz holds, by its own or a merged id."""
        release = self.catalogue.releases.get(mbid)
        found = None if release else ids.read(self.seed, mbid)
        if found and found[0] == ids.RELEASE:
            extra = self._held(self._extra(*found[1:]))
            return extra.releases[0] if extra else None
        if found and found[0] == ids.MERGED_RELEASE and found[1] < len(self.catalogue.recordings):
            release = self.catalogue.home(found[1])
        return release if release and self._known(release.group.credit) else None

    def group(self, mbid: str) -> entities.Group | None:
        """Return a release group MusicBrainz holds."""
        group = self.catalogue.groups.get(mbid)
        found = None if group else ids.read(self.seed, mbid)
        if found and found[0] == ids.RELEASE_GROUP:
            extra = self._held(self._extra(*found[1:]))
            return extra.releases[0].group if extra else None
        return group if group and self._known(group.credit) else None

    def artist(self, mbid: str) -> entities.Artist | None:
        """Return an artist MusicBrainz holds."""
        artist = self.catalogue.artists_by_mbid.get(mbid)
        found = None if artist else ids.read(self.seed, mbid)
        if found and found[0] == ids.ARTIST:
            extra = self._held(self._extra(*found[1:]))
            return next((name.artist for name in extra.credit if name.artist.mbid == mbid), None) if extra else None
        return artist if artist and self.knows(artist) else None

    def merged_recording(self, mbid: str) -> str:
        """Return an old id of a catalogue recording, which MusicBrainz has merged into it."""
        return ids.make(self.seed, ids.MERGED_RECORDING, self.catalogue.recording_rows[mbid], 0)

    def merged_release(self, recording_mbid: str) -> str:
        """Return an old id of the release the catalogue names for a recording."""
        return ids.make(self.seed, ids.MERGED_RELEASE, self.catalogue.recording_rows[recording_mbid], 0)

    def knows(self, artist: entities.Artist) -> bool:
        """Tell whether MusicBrainz holds an artist; it holds whoever is not of the catalogue."""
        return artist.index < 0 or artist.index in self.known.by(MUSICBRAINZ)

    def _extra(self, row: int, member: int) -> entities.Recording | None:
        return self.extras.recording(row, member) if self.extras.exists(row, member) else None

    def _held(self, recording: entities.Recording | None) -> entities.Recording | None:
        return recording if recording and self._known(recording.credit) else None

    def _known(self, credit: entities.Credit) -> bool:
        return self.knows(credit[0].artist)

    # ------------------------------------------------------------ images

    def shown(self, source: str, group: entities.Group) -> bool:
        """Tell whether a source that knows the artist has a front image of a release group."""
        return draw.number(self.seed, source, group.mbid) < self.given.front_share(source)

    def has_art(self, group: entities.Group) -> bool:
        """Tell whether any release of a group has a front image at the Cover Art Archive."""
        return self.shown(ARCHIVE, group)

    def covers(self, release: entities.Release) -> list[Cover]:
        """Return the images of a release: the group's first release has a front where the group has one."""
        dice = draw.Dice(self.seed, "images", release.mbid)
        front, back, png = dice.chance(0.7), dice.chance(0.3), dice.chance(0.04)
        first = dice.between(10**9, 4 * 10**10)
        found: list[Cover] = []
        if self.has_art(release.group) and (front or release is chosen(release.group)):
            found.append(Cover(first, front=True, back=False, extension="png" if png else "jpg"))
        if back:
            found.append(Cover(first + 17, front=False, back=True, extension="jpg"))
        return found

    def thumbnail_missing(self, cover: Cover, size: int) -> bool:
        """Tell whether archive.org never made that thumbnail: one in a hundred."""
        return draw.number(self.seed, "thumbnail", cover.id, size) < 0.01

    def draw_cover(self, release: entities.Release, cover: Cover, size: int) -> bytes:
        """Return the bytes of an image; size 0 is the original."""
        return sleeves.image(self.picture(release, cover), size, cover.extension)

    def picture(self, release: entities.Release, cover: Cover) -> sleeves.Picture:
        """Return what is drawn on an image; it can be drawn in another process."""
        group = release.group
        side = "front" if cover.front else "back"
        return sleeves.Picture(f"{side} {group.mbid}", group.title, entities.printed(group.credit))

    @property
    def digest(self) -> str:
        """Identify the world: equal for equal catalogues and seeds."""
        text = f"{self.seed}{len(self.catalogue.recordings)}" + "".join(sorted(self.catalogue.groups))
        return hashlib.sha256(text.encode()).hexdigest()


def chosen(group: entities.Group) -> entities.Release:
    """Return the release that stands for a group at the Cover Art Archive: the earliest dated, else the first."""
    return min(group.releases, key=lambda release: (release.date or "9999", release.mbid))
