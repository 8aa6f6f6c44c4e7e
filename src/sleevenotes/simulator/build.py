"""From the rows of a catalogue to artists, release groups, releases and recordings, all deterministic.

What the rows do not say is drawn: dates, countries, lengths, further editions, singles before the album, a best-of,
compilations by various artists. So one recording is on several releases and the choice among them matters.
"""

from __future__ import annotations

import math
import re
import string
from collections.abc import Iterable

from sleevenotes import names
from sleevenotes.simulator import draw, entities, ids, invent, rows

_EDITION_WORDS = r"deluxe|edition|remaster|expanded|anniversary|bonus|reissue|mono|stereo"
_EDITION = re.compile(
    rf"\s*[(\[][^()\[\]]*\b(?:{_EDITION_WORDS})\w*\b[^()\[\]]*[)\]]|\s+-\s+(?:\d{{4}}\s+)?remaster\w*.*$", re.IGNORECASE
)
_SPLIT = re.compile(r"( feat\.? | ft\.? | featuring | & | and | with | x | vs\.? |, | \+ | / )", re.IGNORECASE)
_TYPES = (
    (re.compile(r"\bE\.?P\.?$|\bEP\b\)?$"), "EP", ""),
    (re.compile(r"\bsingle\)?$", re.IGNORECASE), "Single", ""),
    (re.compile(r"best of|\b(?:anthology|collection|essential|hits)\b", re.IGNORECASE), "Album", "Compilation"),
    (re.compile(r"soundtrack|\bost\b|motion picture", re.IGNORECASE), "Album", "Soundtrack"),
    (re.compile(r"\blive\b|unplugged|en vivo|ao vivo|in concert", re.IGNORECASE), "Album", "Live"),
    (re.compile(r"\bremix(es|ed)?\b", re.IGNORECASE), "Album", "Remix"),
)  # fmt: skip
COUNTRIES = ("US", "GB", "DE", "JP", "CA", "FR", "AU", "XE", "XW")
_DIGITS = string.digits + string.ascii_uppercase
_FORMATS = ("CD", "CD", "CD", "Digital Media", "Digital Media", '12" Vinyl')


class Catalogue:
    """Everything made at load, and the maps to find it by id."""

    def __init__(self, seed: int, source: Iterable[rows.Row]) -> None:
        self.seed = seed
        self.artists: list[entities.Artist] = []
        self.recordings: list[entities.Recording] = []
        self.scores: list[int] = []
        self.recording_rows: dict[str, int] = {}
        self.releases: dict[str, entities.Release] = {}
        self.groups: dict[str, entities.Group] = {}
        self.artists_by_mbid: dict[str, entities.Artist] = {}
        self.various = entities.Artist(
            entities.VARIOUS_ARTISTS, "Various Artists", "Various Artists", "add compilations to this artist", "Other"
        )
        self.artists_by_mbid[self.various.mbid] = self.various
        self._credits: dict[tuple[str, str], entities.Credit] = {}
        self._home: list[entities.Release] = []  # of each row: the release the catalogue names
        self._fill(source)

    def home(self, row: int) -> entities.Release:
        """Return the release that the catalogue names for a row."""
        return self._home[row]

    def _fill(self, source: Iterable[rows.Row]) -> None:
        sleeves: dict[str, tuple[str, list[int]]] = {}
        for row in source:
            self._recording(row, sleeves)
        self._rank()
        self._home = [_NOWHERE] * len(self.recordings)
        for mbid, (title, members) in sleeves.items():
            self._sleeve(mbid, title, members)
        groups = list(self.groups.values())
        for group in groups:
            self._date(group)
        for group in groups:
            self._further_editions(group)
            self._singles(group)
        self._best_ofs()
        self._compilations()

    # ------------------------------------------------------------ artists and recordings

    def _recording(self, row: rows.Row, sleeves: dict[str, tuple[str, list[int]]]) -> None:
        index = len(self.recordings)
        credit = self._credit(row.artist_mbids, row.artist)
        dice = draw.Dice(self.seed, "recording", row.recording_mbid)
        length = int(225_000 * math.exp(0.3 * (dice.number() + dice.number() + dice.number() - 1.5) * 2))
        recording = entities.Recording(
            row.recording_mbid, row.recording, credit, index, None if dice.chance(0.04) else length
        )
        if dice.chance(0.7):
            recording.isrc = isrc(index, dice.between(60, 99))
        self.recordings.append(recording)
        self.scores.append(row.score)
        self.recording_rows[row.recording_mbid] = index
        lead = credit[0].artist
        lead.rank = min(lead.rank, row.score) if lead.rank else row.score
        mbid, title = row.release_mbid, row.release
        if not title:
            mbid, title = ids.plain("own single", row.recording_mbid), row.recording
        sleeves.setdefault(mbid, (title, []))[1].append(index)

    def _credit(self, mbids: str, text: str) -> entities.Credit:
        if (mbids, text) not in self._credits:
            self._credits[mbids, text] = self._split(mbids.split(","), text)
        return self._credits[mbids, text]

    def _split(self, mbids: list[str], text: str) -> entities.Credit:
        """Divide a joint credit among its artists; one that does not divide evenly stays with the first."""
        parts = _SPLIT.split(text)
        if len(mbids) == 1 or len(parts) != 2 * len(mbids) - 1:
            return (entities.Name(self._artist(mbids[0], text), text),)
        joins = [*parts[1::2], ""]
        return tuple(
            entities.Name(self._artist(mbid, name), name, join)
            for mbid, name, join in zip(mbids, parts[::2], joins, strict=True)
        )

    def _artist(self, mbid: str, name: str) -> entities.Artist:
        if mbid not in self.artists_by_mbid:
            made = artist(self.seed, mbid, name)
            made.index = len(self.artists)
            self.artists.append(made)
            self.artists_by_mbid[mbid] = made
        return self.artists_by_mbid[mbid]

    def _rank(self) -> None:
        """Turn best scores into ranks 1… and standings: standardised -ln(rank)."""
        ordered = sorted(self.artists, key=lambda each: (each.rank or math.inf, each.index))
        for place, each in enumerate(ordered, 1):
            each.rank, each.standing = place, -math.log(place)
        mean = sum(each.standing for each in ordered) / max(1, len(ordered))
        spread = math.sqrt(sum((each.standing - mean) ** 2 for each in ordered) / max(1, len(ordered))) or 1.0
        for each in ordered:
            each.standing = (each.standing - mean) / spread

    # ------------------------------------------------------------ releases

    def _sleeve(self, mbid: str, title: str, members: list[int]) -> None:
        tracks = [self.recordings[index] for index in members]
        leads = {track.credit[0].artist.mbid for track in tracks}
        credit = (entities.Name(self.various, "Various Artists"),)
        if len(leads) == 1:
            lead = tracks[0].credit[0]
            credit = (entities.Name(lead.artist, lead.credited),)
        group = self._group(credit, title, tracks)
        release = self._release(mbid, title, group, credit, tracks)
        for index in members:
            self._home[index] = release

    def _group(self, credit: entities.Credit, title: str, tracks: list[entities.Recording]) -> entities.Group:
        plain = _EDITION.sub("", title).strip() or title
        mbid = ids.plain("release group", credit[0].artist.mbid, names.key(plain))
        if mbid not in self.groups:
            primary, secondary = _type(title, tracks, various=credit[0].artist is self.various)
            self.groups[mbid] = entities.Group(mbid, plain, credit, primary, secondary)
        return self.groups[mbid]

    def _release(
        self,
        mbid: str,
        title: str,
        group: entities.Group,
        credit: entities.Credit,
        tracks: list[entities.Recording],
    ) -> entities.Release:
        dice = draw.Dice(self.seed, "release", mbid)
        release = entities.Release(mbid, title, group, credit, country=dice.pick(COUNTRIES), format=dice.pick(_FORMATS))
        release.tracks = tracks
        for track in tracks:
            track.releases.append(release)
        group.releases.append(release)
        self.releases[mbid] = release
        return release

    def _date(self, group: entities.Group) -> None:
        """Date the editions the catalogue names: the plainest title is the original."""
        dice = draw.Dice(self.seed, "dates", group.mbid)
        begin = group.credit[0].artist.begin
        year = min(2024, begin + dice.between(0, 25))
        for number, release in enumerate(sorted(group.releases, key=lambda each: (len(each.title), each.mbid))):
            if number or not dice.chance(0.02):
                release.date = partial(dice, min(2025, year + number * dice.between(1, 12)))

    def _further_editions(self, group: entities.Group) -> None:
        dice = draw.Dice(self.seed, "editions", group.mbid)
        original = group.releases[0]
        if not dice.chance(0.3) or group.primary != "Album" or not original.date:
            return
        for number in range(dice.between(1, 3)):
            deluxe = number == 0 and original.title == group.title and dice.chance(0.35)
            title = group.title + (" (Deluxe Edition)" if deluxe else "")
            mbid = ids.plain("edition", group.mbid, number)
            made = self._release(mbid, title, group, group.credit, original.tracks)
            made.date = "" if dice.chance(0.1) else partial(dice, min(2025, _year(original) + dice.between(1, 20)))
            made.disambiguation = dice.pick(("", "", "reissue", "promo")) if not deluxe else ""
            made.status = "Promotion" if made.disambiguation == "promo" else "Official"

    def _singles(self, group: entities.Group) -> None:
        """Release a few songs of a plain album as singles, some months before it."""
        if group.primary != "Album" or group.secondary or len(group.releases[0].tracks) < 3:
            return
        for track in group.releases[0].tracks:
            dice = draw.Dice(self.seed, "single", track.mbid)
            if not dice.chance(0.1):
                continue
            taken = ids.plain("release group", group.credit[0].artist.mbid, names.key(track.title))
            if taken not in self.groups:
                mbid = ids.plain("single group", track.mbid)
                single = entities.Group(mbid, track.title, track.credit, "Single")
                self.groups[mbid] = single
                made = self._release(ids.plain("single", track.mbid), track.title, single, track.credit, [track])
                made.date = partial(dice, _year(group.releases[0]) - dice.between(0, 1))

    def _best_ofs(self) -> None:
        by_artist: dict[int, list[entities.Recording]] = {}
        for recording in self.recordings:
            home = self._home[recording.row].group
            if home.primary == "Album" and not home.secondary:
                by_artist.setdefault(recording.credit[0].artist.index, []).append(recording)
        for index, songs in by_artist.items():
            dice = draw.Dice(self.seed, "best of", index)
            if len(songs) >= 12 and dice.chance(0.3):
                who = self.artists[index]
                chosen = [song for song in songs if dice.chance(10 / len(songs))] or songs[:5]
                self._collection(dice, f"The Best of {who.name}", (entities.Name(who, who.name),), chosen)

    def _compilations(self) -> None:
        """Put about one song in twelve on a compilation by various artists, sixteen on each."""
        dice = draw.Dice(self.seed, "compilations")
        homes = self._home
        songs = [
            song
            for song in self.recordings
            if homes[song.row].group.primary == "Album"
            and not homes[song.row].group.secondary
            and draw.number(self.seed, "compiled", song.mbid) < 1 / 12
        ]
        songs.sort(key=lambda song: draw.number(self.seed, "shuffled", song.mbid))
        credit = (entities.Name(self.various, "Various Artists"),)
        for start in range(0, len(songs), 16):
            self._collection(dice, invent.compilation(dice), credit, songs[start : start + 16])

    def _collection(
        self, dice: draw.Dice, title: str, credit: entities.Credit, songs: list[entities.Recording]
    ) -> None:
        group = self._group(credit, title, songs)
        if group.releases:  # an album of that name exists: leave it alone
            return
        group.primary, group.secondary = "Album", ("Compilation",)
        made = self._release(ids.plain("collection", group.mbid), title, group, credit, songs)
        latest = max((_year(self._home[song.row]) for song in songs), default=1990)
        made.date = partial(dice, min(2025, latest + dice.between(0, 6)))


_NOWHERE = entities.Release("", "", entities.Group("", "", ()), ())


def artist(seed: int, mbid: str, name: str) -> entities.Artist:
    """Make an artist of that id and name, with what the catalogue does not say drawn."""
    dice = draw.Dice(seed, "artist", mbid)
    article, _, rest = name.partition(" ")
    sort_name = f"{rest}, {article}" if article in ("The", "A", "Die", "Los") and rest else name
    person = dice.chance(0.35)
    country = dice.pick(COUNTRIES[:7])
    place = invent.city(dice)
    return entities.Artist(
        mbid,
        name,
        sort_name,
        f"{place} {'songwriter' if person else 'band'}" if dice.chance(0.25) else "",
        "Person" if person else "Group",
        country,
        dice.between(1955, 2015),
    )


def isrc(row: int, year: int) -> str:
    """Return the ISRC of a row; `row_of` reads it back."""
    high = row // 100_000
    return f"ZZ{_DIGITS[high // 36 % 36]}{_DIGITS[high % 36]}S{year:02}{row % 100_000:05}"


def row_of(code: str) -> int:
    """Return the row an ISRC of ours stands for, -1 for any other text."""
    if len(code) != 12 or not code.startswith("ZZ") or code[4] != "S" or not code[5:].isdigit():
        return -1
    try:
        return int(code[2:4], 36) * 100_000 + int(code[7:])
    except ValueError:
        return -1


def partial(dice: draw.Dice, year: int) -> str:
    """Return a partial date in a year: seven in ten whole, one in ten without the day, two in ten the year alone."""
    kind, month, day = dice.number(), dice.between(1, 12), dice.between(1, 28)
    if kind < 0.7:
        return f"{year}-{month:02}-{day:02}"
    return f"{year}-{month:02}" if kind < 0.8 else str(year)


def _year(release: entities.Release) -> int:
    return int(release.date[:4]) if release.date else 1990


def _type(title: str, tracks: list[entities.Recording], *, various: bool) -> tuple[str, tuple[str, ...]]:
    for pattern, primary, secondary in _TYPES:
        if pattern.search(title):
            return primary, (secondary,) if secondary else ()
    if various:
        return "Album", ("Compilation",)
    if len(tracks) == 1 and names.fold(title) == names.fold(tracks[0].title):
        return "Single", ()
    return "Album", ()
