"""The recordings that crowd and mislead: what else a MusicBrainz search finds for one name.

A name's *crowd* are other versions by the same artist: live, remixed, acoustic, demo. Its *decoys* are what a hasty
matcher takes for it: the same title by somebody else, a cover, a karaoke tribute, a namesake of the artist.
Every one differs from the true recording in title, disambiguation or artist, so that the truth is never ambiguous.
They are made when asked for (a world of 64,000 names would hold a million); their ids lead back to (row, member).
"""

from __future__ import annotations

import hashlib
import re
from collections import OrderedDict
from typing import NamedTuple

from sleevenotes.simulator import build, conditions, draw, entities, ids, invent

FIRST_DECOY = 0xF000  # members from here on are decoys

HOMONYM = "homonym artist"
SAME_ARTIST = ("live", "remix")  # decoys by the true artist: unknown where the artist is


class Version(NamedTuple):
    """A kind of crowding: its weight, the title's suffix, the disambiguation, and words that rule it out."""

    weight: int
    suffix: str
    disambiguation: str
    unless: str
    status: str
    primary: str
    secondary: tuple[str, ...]


_LIVE = r"live|vivo|unplugged|concert|session|bootleg"
VERSIONS = (
    Version(38, "", "live, {date}: {word} Hall, {city}", _LIVE, "Bootleg", "Album", ("Live",)),
    Version(14, " (live)", "", _LIVE, "Official", "Album", ("Live",)),
    Version(14, " ({word} remix)", "", "remix|mix", "Official", "Single", ("Remix",)),
    Version(8, " (acoustic)", "", "acoustic|unplugged", "Official", "EP", ()),
    Version(8, " (demo)", "demo", "demo", "Official", "Album", ("Demo",)),
    Version(6, " (instrumental)", "", "instrumental", "Official", "Single", ()),
    Version(6, " (radio edit)", "", "edit|radio", "Promotion", "Single", ()),
    Version(6, " ({word} dub)", "", "dub", "Official", "Single", ("Remix",)),
)
_UNLESS = tuple(re.compile(rf"\b(?:{version.unless})\b", re.IGNORECASE) for version in VERSIONS)
_TABLE = tuple(kind for kind, version in enumerate(VERSIONS) for _ in range(version.weight))


class Extras:
    """Makes the crowd and the decoys of any row."""

    def __init__(self, given: conditions.Conditions, catalogue: build.Catalogue) -> None:
        self._given = given
        self._seed = given.seed
        self._catalogue = catalogue
        self._kinds: dict[int, bytes] = {}
        self._made: OrderedDict[tuple[int, int], entities.Recording] = OrderedDict()

    def crowd(self, row: int) -> int:
        """Return how many recordings crowd a row's name, besides the true one."""
        base = self._catalogue.recordings[row]
        shape = self._given.crowding
        name = (entities.printed(base.credit), base.title)
        found = draw.lognormal(shape.median, shape.sigma, self._seed, "crowd", *name)
        return max(0, min(shape.max, round(found)) - 1)

    def kinds(self, row: int) -> bytes:
        """Return which of VERSIONS each member of the crowd is; never one that the true title claims to be."""
        if row not in self._kinds:
            title = self._catalogue.recordings[row].title
            ruled_out = [pattern.search(title) is not None for pattern in _UNLESS]
            allowed = [_next_allowed(kind, ruled_out) for kind in range(len(VERSIONS))]
            table = bytes(allowed[_TABLE[byte * len(_TABLE) // 256]] for byte in range(256))
            drawn = hashlib.shake_128(f"{self._seed}\nkinds\n{row}".encode()).digest(self.crowd(row))
            if len(self._kinds) > 1000:
                self._kinds.clear()
            self._kinds[row] = drawn.translate(table)
        return self._kinds[row]

    def decoys(self, row: int) -> int:
        """Return how many decoys a row's name has."""
        per_name = self._given.decoys.per_name
        base = self._catalogue.recordings[row]
        return int(per_name) + (draw.number(self._seed, "decoy", base.mbid) < per_name % 1)

    def decoy_kind(self, row: int, number: int) -> str:
        """Return the kind of a decoy, one of the conditions' list."""
        kinds = self._given.decoys.kinds
        base = self._catalogue.recordings[row]
        return kinds[int(draw.number(self._seed, "decoy kind", base.mbid, number) * len(kinds))]

    def exists(self, row: int, member: int) -> bool:
        """Tell whether a row has that member."""
        if row >= len(self._catalogue.recordings):
            return False
        if member >= FIRST_DECOY:
            return member - FIRST_DECOY < self.decoys(row)
        return member < self.crowd(row)

    def recording(self, row: int, member: int) -> entities.Recording:
        """Return a member of a row's crowd or one of its decoys, on its own release."""
        key = (row, member)
        if key in self._made:
            self._made.move_to_end(key)
            return self._made[key]
        dice = draw.Dice(self._seed, "extra", row, member)
        base = self._catalogue.recordings[row]
        made = self._decoy(dice, base, member) if member >= FIRST_DECOY else self._version(dice, base, member)
        self._made[key] = made
        if len(self._made) > 20_000:
            self._made.popitem(last=False)
        return made

    # ------------------------------------------------------------ the two families

    def _version(self, dice: draw.Dice, base: entities.Recording, member: int) -> entities.Recording:
        version = VERSIONS[self.kinds(base.row)[member]]
        when, where = build.partial(dice, dice.between(1970, 2024)), invent.city(dice)
        worded = "{word}" in version.suffix + version.disambiguation
        told = {"date": when, "word": invent.word(dice) if worded else "", "city": where}
        made = self._base(dice, base, member, base.title + version.suffix.format(**told), base.credit)
        made.disambiguation = version.disambiguation.format(**told)
        if "Live" in version.secondary:
            record = f"{when}: {told['word']} Hall, {where}" if version.status == "Bootleg" else f"Live in {where}"
        else:
            record = made.title
        self._release(made, record, base.credit, version, when)
        return made

    def _decoy(self, dice: draw.Dice, base: entities.Recording, member: int) -> entities.Recording:
        kind = self.decoy_kind(base.row, member - FIRST_DECOY)
        when, lead = build.partial(dice, dice.between(1975, 2024)), base.credit[0].artist.name
        if kind == "live":
            made = self._base(dice, base, member, base.title, base.credit)
            made.disambiguation = "live"
            self._release(made, f"Live at the {invent.word(dice)}", base.credit, VERSIONS[1], when)
            return made
        if kind == "remix":
            made = self._base(dice, base, member, f"{base.title} ({invent.artist(dice)} remix)", base.credit)
            self._release(made, f"{base.title} (remixes)", base.credit, VERSIONS[2], when)
            return made
        credit = self._stranger(dice, base, member, kind)
        title = base.title
        if kind == "karaoke tribute":
            title = f"{base.title} (karaoke version) [originally performed by {lead}]"
        made = self._base(dice, base, member, title, credit)
        made.disambiguation = f"{lead} cover" if kind == "cover" else ""
        album = {"cover": f"A Tribute to {lead}", "karaoke tribute": f"Karaoke Hits of {lead}"}.get(kind)
        plain = Version(0, "", "", "", "Official", "Album", ("Compilation",) if album else ())
        self._release(made, album or invent.title(dice), credit, plain, when)
        return made

    def _stranger(self, dice: draw.Dice, base: entities.Recording, member: int, kind: str) -> entities.Credit:
        lead = base.credit[0].artist.name
        name = invent.artist(dice)
        if kind == "karaoke tribute":
            name = dice.pick(("Karaoke All Stars", "Sing Along Studio", f"{lead} Tribute Band"))
        elif kind == HOMONYM:
            name = lead
        mbid = ids.make(self._seed, ids.ARTIST, base.row, member)
        made = build.artist(self._seed, mbid, name)
        if kind == HOMONYM:
            made.disambiguation = f"{invent.city(dice)} {dice.pick(('rapper', 'punk band', 'DJ', 'choir'))}"
        return (entities.Name(made, name),)

    # ------------------------------------------------------------ what both need

    def _base(
        self, dice: draw.Dice, base: entities.Recording, member: int, title: str, credit: entities.Credit
    ) -> entities.Recording:
        length = int((base.length or 220_000) * (0.7 + 0.8 * dice.number()))
        mbid = ids.make(self._seed, ids.RECORDING, base.row, member)
        return entities.Recording(mbid, title, credit, base.row, length, member=member)

    def _release(
        self,
        recording: entities.Recording,
        title: str,
        credit: entities.Credit,
        version: Version,
        date: str,
    ) -> None:
        row, member = recording.row, recording.member
        group = entities.Group(
            ids.make(self._seed, ids.RELEASE_GROUP, row, member),
            title,
            credit,
            version.primary,
            version.secondary,
        )
        country = build.COUNTRIES[ids.mix(row << 16 | member) % len(build.COUNTRIES)]
        release = entities.Release(
            ids.make(self._seed, ids.RELEASE, row, member), title, group, credit, version.status, date, country
        )
        release.tracks = [recording]
        group.releases = [release]
        recording.releases = [release]


def _next_allowed(kind: int, ruled_out: list[bool]) -> int:
    turned = [(kind + step) % len(ruled_out) for step in range(len(ruled_out))]
    return next((candidate for candidate in turned if not ruled_out[candidate]), kind)
