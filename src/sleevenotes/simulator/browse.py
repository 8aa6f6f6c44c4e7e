"""MusicBrainz' browsing: the things linked to another thing, in pages.

A page is sorted by id within itself; with recordings it ends once it holds 500 tracks, so it may be shorter than
asked for.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from sleevenotes.simulator import entities, lookups
from sleevenotes.simulator.world import World

Json = dict[str, Any]

LINKS = {
    "release-group": ("artist", "release"),
    "release": ("artist", "release-group", "recording"),
    "recording": ("artist", "release"),
    "artist": ("release", "recording", "release-group"),
}


class Browse:
    """Finds what is linked to what; the artists' lists are made when first needed."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._lists: dict[str, dict[str, list[Any]]] = {}

    def things(self, entity: str, link: str, mbid: str) -> list[Any] | None:
        """Return everything of a kind that is linked to the thing of that id; None where there is no such thing."""
        find = {
            "artist": self._world.artist,
            "release": self._world.release,
            "release-group": self._world.group,
            "recording": self._world.recording,
        }
        linked: Any = find[link](mbid)
        if linked is None:
            return None
        if link == "artist":
            return self._by_artist(entity).get(linked.mbid, [])
        return _linked(entity, linked)

    def page(self, entity: str, things: Sequence[Any], incs: set[str]) -> list[Json]:
        """Return one page as JSON."""
        if entity == "release" and "recordings" in incs:
            things = _cut(things)
        make: dict[str, Callable[[Any], Json]] = {
            "release": lambda thing: lookups.release(self._world, thing, incs),
            "release-group": lambda thing: lookups.group(thing, incs),
            "recording": lambda thing: lookups.recording(thing, incs - {"releases"}),
            "artist": lambda thing: lookups.artist(thing, incs),
        }
        return [make[entity](thing) for thing in sorted(things, key=lambda thing: thing.mbid)]

    def linked(self, artist: entities.Artist, incs: set[str]) -> Json:
        """Return the lists a lookup of an artist includes, each cut at 25."""
        names = {"recordings": "recording", "releases": "release", "release-groups": "release-group"}
        return {
            name: self.page(entity, self._by_artist(entity).get(artist.mbid, [])[: lookups.MOST_LINKED], set())
            for name, entity in names.items()
            if name in incs
        }

    def _by_artist(self, entity: str) -> dict[str, list[Any]]:
        if entity not in self._lists:
            catalogue = self._world.catalogue
            every: dict[str, Sequence[Any]] = {
                "recording": catalogue.recordings,
                "release": list(catalogue.releases.values()),
                "release-group": list(catalogue.groups.values()),
            }
            lists: dict[str, list[Any]] = {}
            for thing in every.get(entity, ()):
                for name in thing.credit:
                    lists.setdefault(name.artist.mbid, []).append(thing)
            self._lists[entity] = lists
        return self._lists[entity]


def only(things: list[Any], types: str, statuses: str) -> list[Any]:
    """Keep the things of those types and statuses ("album|ep"); "" keeps all."""
    for wanted, names in ((types, _types), (statuses, _statuses)):
        if wanted:
            kept = set(wanted.lower().split("|"))
            things = [thing for thing in things if kept & names(thing)]
    return things


def _types(thing: Any) -> set[str]:
    group = getattr(thing, "group", thing)
    return {kind.lower() for kind in (getattr(group, "primary", ""), *getattr(group, "secondary", ()))}


def _statuses(thing: Any) -> set[str]:
    return {getattr(thing, "status", "").lower()}


def _linked(entity: str, thing: Any) -> list[Any]:
    if entity == "artist":
        return [name.artist for name in thing.credit]
    if entity == "recording":
        return list(thing.tracks)
    if entity == "release-group":
        return [thing.group]
    return list(thing.releases)


def _cut(releases: Sequence[entities.Release]) -> list[entities.Release]:
    kept: list[entities.Release] = []
    tracks = 0
    for release in releases:
        kept.append(release)
        tracks += len(release.tracks)
        if tracks >= lookups.TRACK_LIMIT:
            break
    return kept
