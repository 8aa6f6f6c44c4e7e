"""MusicBrainz' search: which recordings, releases, release groups and artists match a query, best first."""

from __future__ import annotations

import heapq
from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

from sleevenotes.simulator import build, entities, ids, index, lucene
from sleevenotes.simulator.world import World

_SIMPLE = frozenset({"", "recording", "recordingaccent", "artist", "artistname", "creditname", "arid"})
_Hit = tuple[float, int, object]  # score, what decides between equals, the thing or (row, member)
_VERSION_WORDS = frozenset({"live", "demo"})  # that every member of a kind has in its disambiguation, or none
_MOST_EXPANDED = 300  # names whose crowds and decoys are looked at, where a query matches more
_MOST_EXAMINED = 300  # members of one crowd that are looked at one by one, where a query asks for more than names


class Hits(NamedTuple):
    """How many matched in all, and one page of (score 0..100 relative to the best of all, thing)."""

    total: int
    page: list[tuple[int, Any]]


def artist_names(artist: entities.Artist) -> list[str]:
    """Return an artist's name and aliases: a name with an article goes without it too."""
    return [artist.name, *aliases(artist)]


def aliases(artist: entities.Artist) -> list[str]:
    """Return an artist's aliases."""
    return [artist.name[4:]] if artist.name.startswith("The ") and len(artist.name) > 6 else []


class Search:
    """The search server of one world; each index is built when first needed."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._recordings = self._recording_index()
        self._others: dict[str, index.Index[Any]] = {}

    def warm(self) -> None:
        """Build what recording searches need, so that the first is as quick as the others."""
        for field in ("recording", "artist", "artistname", "creditname"):
            self._recordings.postings(field)

    def find(self, entity: str, node: lucene.Node, offset: int, limit: int) -> Hits:
        """Return a page of hits. Raises lucene.QueryError for a field the entity does not have."""
        if entity == "recording":
            _check_fields(node, self._recordings)
            return _page(self._match_recordings(node), offset, limit, self._materialise)
        searched = self._other(entity)
        _check_fields(node, searched)
        held = {"release": self._world.release, "release-group": self._world.group, "artist": self._world.artist}
        found = [
            (score, ids.mix(number), thing)
            for number, thing in enumerate(searched.candidates(node))
            if held[entity](thing.mbid) and (score := searched.score(node, thing)) is not None
        ]
        return _page(found, offset, limit, lambda thing: thing)

    # ------------------------------------------------------------ recordings

    def _match_recordings(self, node: lucene.Node) -> list[_Hit]:
        """Match the catalogue's recordings, and through the best of them what crowds their names."""
        fields = set(_fields(node))
        simple = fields <= _SIMPLE | {"comment"} and _commented(node) <= _VERSION_WORDS
        worded = bool(fields & (self._recordings.text_fields | {""}))
        found: list[_Hit] = []
        expanded: list[tuple[float | None, entities.Recording]] = []
        for base in self._recordings.candidates(node):
            score = self._recordings.score(node, base)
            if score is not None and self._world.knows(base.credit[0].artist):
                found.append((score, ids.mix(base.row << 17), base))
            if worded and base.member < 0:
                expanded.append((score, base))
        for score, base in heapq.nlargest(_MOST_EXPANDED, expanded, key=lambda each: each[0] or 0.0):
            found.extend(self._extras(node, base, score, simple=simple))
        return found

    def _extras(
        self, node: lucene.Node, base: entities.Recording, score: float | None, *, simple: bool
    ) -> Iterable[_Hit]:
        yield from self._decoys(node, base.row)
        if not self._world.knows(base.credit[0].artist):
            return
        if not simple:
            yield from self._examined(node, base.row)
        elif score is not None:
            yield from self._crowd(node, base.row)

    def _decoys(self, node: lucene.Node, row: int) -> Iterable[_Hit]:
        extras = self._world.extras
        for number in range(extras.decoys(row)):
            made = extras.recording(row, 0xF000 + number)
            score = self._recordings.score(node, made)
            if score is not None and self._world.knows(made.credit[0].artist):
                yield score, ids.mix(row << 17 | 0xF000 + number), made

    def _crowd(self, node: lucene.Node, row: int) -> Iterable[_Hit]:
        """Score one member of each kind for all of its kind: they differ in words nobody asks for."""
        kinds = self._world.extras.kinds(row)
        scores: dict[int, float | None] = {}
        for member, kind in enumerate(kinds):
            if kind not in scores:
                scores[kind] = self._recordings.score(node, self._world.extras.recording(row, member))
            score = scores[kind]
            if score is not None:
                yield score, ids.mix(row << 17 | 1 + member), (row, member)

    def _examined(self, node: lucene.Node, row: int) -> Iterable[_Hit]:
        for member in range(min(_MOST_EXAMINED, self._world.extras.crowd(row))):
            made = self._world.extras.recording(row, member)
            score = self._recordings.score(node, made)
            if score is not None:
                yield score, ids.mix(row << 17 | 1 + member), made

    def _materialise(self, thing: object) -> object:
        return self._world.extras.recording(*thing) if isinstance(thing, tuple) else thing

    def _recording_index(self) -> index.Index[entities.Recording]:
        world = self._world
        return index.Index(
            world.catalogue.recordings,
            texts={
                "recording": lambda r: (r.title,),
                "recordingaccent": lambda r: (r.title,),
                "alias": lambda _: (),
                "tag": lambda _: (),
                "comment": lambda r: (r.disambiguation,),
                "artist": lambda r: (entities.printed(r.credit), *_each_artist(r.credit)),
                "artistname": lambda r: [name.artist.name for name in r.credit],
                "creditname": lambda r: [name.credited for name in r.credit],
                "release": lambda r: [release.title for release in r.releases],
            },
            exact={**_RECORDING_EXACT},
            defaults={"artistname": 1.75, "recording": 2.0},
            finders={
                "rid": lambda mbid: _one(world.recording(mbid)),
                "isrc": self._by_isrc,
                "reid": lambda mbid: _tracks(world.release(mbid)),
                "rgid": lambda mbid: _group_tracks(world.group(mbid)),
            },
        )

    def _by_isrc(self, code: str) -> list[entities.Recording]:
        row = build.row_of(code.upper())
        recordings = self._world.catalogue.recordings
        return [recordings[row]] if 0 <= row < len(recordings) and recordings[row].isrc == code.upper() else []

    # ------------------------------------------------------------ the other entities

    def _other(self, entity: str) -> index.Index[Any]:
        if entity not in self._others:
            self._others[entity] = self._build(entity)
        return self._others[entity]

    def _build(self, entity: str) -> index.Index[Any]:
        catalogue = self._world.catalogue
        if entity == "artist":
            return index.Index(
                list(catalogue.artists_by_mbid.values()),
                texts={
                    "artist": artist_names,
                    "alias": aliases,
                    "sortname": lambda a: (a.sort_name,),
                    "comment": lambda a: (a.disambiguation,),
                },
                exact={"arid": lambda a: (a.mbid,), "type": lambda a: (a.kind,), "country": lambda a: (a.country,)},
                defaults={"artist": 2.0, "alias": 1.2},
                finders={"arid": lambda mbid: _one(self._world.artist(mbid))},
            )
        group = entity == "release-group"
        things: Sequence[Any] = list((catalogue.groups if group else catalogue.releases).values())
        name = "releasegroup" if group else "release"
        own = {"rgid": self._world.group} if group else {"reid": self._world.release}
        return index.Index(
            things,
            texts={
                name: lambda thing: (thing.title,),
                "artist": lambda thing: (entities.printed(thing.credit), *_each_artist(thing.credit)),
                "artistname": lambda thing: [each.artist.name for each in thing.credit],
                "creditname": lambda thing: [each.credited for each in thing.credit],
            },
            exact={
                "arid": lambda thing: [each.artist.mbid for each in thing.credit],
                "primarytype": lambda thing: ((thing if group else thing.group).primary,),
                "secondarytype": lambda thing: (thing if group else thing.group).secondary,
                "status": lambda thing: () if group else (thing.status,),
                "date": lambda thing: (thing.first_date if group else thing.date,),
            },
            defaults={name: 2.0, "artistname": 1.0},
            finders={field: _finder(find) for field, find in own.items()},
        )


_RECORDING_EXACT: dict[str, Any] = {
    "rid": lambda r: (r.mbid,),
    "isrc": lambda r: (r.isrc,) if r.isrc else (),
    "arid": lambda r: [name.artist.mbid for name in r.credit],
    "reid": lambda r: [release.mbid for release in r.releases],
    "rgid": lambda r: [release.group.mbid for release in r.releases],
    "dur": lambda r: (str(r.length),) if r.length else (),
    "qdur": lambda r: (str(r.length // 2000),) if r.length else (),
    "date": lambda r: [release.date for release in r.releases if release.date],
    "firstreleasedate": lambda r: (r.first_date,) if r.first_date else (),
    "country": lambda r: [release.country for release in r.releases if release.country],
    "status": lambda r: [release.status for release in r.releases],
    "format": lambda r: [release.format for release in r.releases],
    "primarytype": lambda r: [release.group.primary for release in r.releases],
    "secondarytype": lambda r: [kind for release in r.releases for kind in release.group.secondary],
    "type": lambda r: [kind for e in r.releases for kind in (e.group.primary, *e.group.secondary)],
    "tracksrelease": lambda r: [str(len(release.tracks)) for release in r.releases],
    "video": lambda _: ("false",),
}


def _each_artist(credit: entities.Credit) -> list[str]:
    return [text for name in credit for text in artist_names(name.artist)]


def _one(thing: Any) -> list[Any]:
    return [thing] if thing else []


def _finder(find: Any) -> Any:
    return lambda mbid: _one(find(mbid))


def _tracks(release: entities.Release | None) -> list[entities.Recording]:
    return release.tracks if release else []


def _group_tracks(group: entities.Group | None) -> list[entities.Recording]:
    return [track for release in group.releases for track in release.tracks] if group else []


def _fields(node: lucene.Node) -> Iterable[str]:
    if isinstance(node, lucene.Query):
        for each in (*node.must, *node.may, *node.never):
            yield from _fields(each)
    else:
        yield node.field


def _commented(node: lucene.Node) -> set[str]:
    """Return the words asked for in disambiguations."""
    if isinstance(node, lucene.Query):
        return {word for each in (*node.must, *node.may, *node.never) for word in _commented(each)}
    return set(node.tokens) if isinstance(node, lucene.Term) and node.field == "comment" else set()


def _check_fields(node: lucene.Node, searched: index.Index[Any]) -> None:
    for field in _fields(node):
        if field and not searched.has(field):
            raise lucene.QueryError(f"undefined field {field}")


def _page(found: list[_Hit], offset: int, limit: int, make: Any) -> Hits:
    best = max((score for score, _, _ in found), default=1.0) or 1.0
    top = heapq.nsmallest(offset + limit, found, key=lambda hit: (-round(100 * hit[0] / best), hit[1]))
    return Hits(len(found), [(round(100 * score / best), make(thing)) for score, _, thing in top[offset:]])
