"""MusicBrainz' JSON of lookups and browsing: nulls and empty texts are there, lists are called "tracks"."""

from __future__ import annotations

from typing import Any

from sleevenotes.simulator import entities, ids, search, shapes
from sleevenotes.simulator.world import World

Json = dict[str, Any]
MOST_LINKED = 25  # a lookup's linked lists are cut there, with no mark
TRACK_LIMIT = 500  # a browsed page with recordings ends where it has reached so many tracks


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


_COMMON = _words(
    "aliases annotation tags genres ratings user-tags user-genres user-ratings artist-credits artists "
    "area-rels artist-rels event-rels instrument-rels label-rels place-rels recording-rels release-rels "
    "release-group-rels series-rels url-rels work-rels"
)
INCS = {
    "recording": _COMMON | _words("releases release-groups media isrcs discids work-level-rels"),
    "release": _COMMON
    | _words("recordings release-groups media isrcs discids labels collections user-collections")
    | _words("recording-level-rels release-group-level-rels work-level-rels"),
    "release-group": _COMMON | _words("releases media discids"),
    "artist": _COMMON | _words("recordings releases release-groups works media isrcs discids various-artists"),
    "isrc": _COMMON | _words("releases isrcs"),
}


def credit(names: entities.Credit, incs: set[str]) -> list[Json]:
    """Return a credit: the join phrase is there on the last name too."""
    return [{"name": name.credited, "joinphrase": name.join, "artist": _credited(name.artist, incs)} for name in names]


def _credited(artist: entities.Artist, incs: set[str]) -> Json:
    document: Json = {
        "id": artist.mbid,
        "name": artist.name,
        "sort-name": artist.sort_name,
        "disambiguation": artist.disambiguation,
        "type": artist.kind,
        "type-id": shapes.type_id(artist.kind),
    }
    if "aliases" in incs:
        document["aliases"] = [_alias(alias) for alias in search.aliases(artist)]
    return document


def _alias(name: str) -> Json:
    return {
        "name": name,
        "sort-name": name,
        "locale": None,
        "primary": None,
        "type": None,
        "type-id": None,
        "begin": None,
        "end": None,
        "ended": False,
    }


def _asked(document: Json, incs: set[str], names: entities.Credit | None = None) -> Json:
    """Add what any entity may be asked to include; the world has no tags, ratings, notes or relations."""
    if names is not None and incs & {"artist-credits", "artists"}:
        document["artist-credit"] = credit(names, incs)
    for name in ("tags", "genres", "aliases"):
        if name in incs:
            document[name] = []
    if "ratings" in incs:
        document["rating"] = {"value": None, "votes-count": 0}
    if "annotation" in incs:
        document["annotation"] = None
    if any(inc.endswith("-rels") for inc in incs):
        document["relations"] = []
    return document


def recording(thing: entities.Recording, incs: set[str]) -> Json:
    """Return a recording."""
    document: Json = {
        "id": thing.mbid,
        "title": thing.title,
        "disambiguation": thing.disambiguation,
        "length": thing.length,
        "video": False,
    }
    if thing.first_date:
        document["first-release-date"] = thing.first_date
    if "isrcs" in incs:
        document["isrcs"] = [thing.isrc] if thing.isrc else []
    if "releases" in incs:
        document["releases"] = [
            _edition(each, incs) | ({"media": _media_of(each, thing)} if "media" in incs else {})
            for each in thing.releases[:MOST_LINKED]
        ]
    return _asked(document, incs, thing.credit)


def _edition(thing: entities.Release, incs: set[str]) -> Json:
    """Return a release as it stands within other things."""
    document: Json = {
        "id": thing.mbid,
        "title": thing.title,
        "disambiguation": thing.disambiguation,
        "status": thing.status,
        "status-id": shapes.type_id(thing.status),
        "packaging": "None",
        "packaging-id": shapes.type_id("None"),
        "quality": "normal",
        "text-representation": {"language": "eng", "script": "Latn"},
        "barcode": None,
    }
    if thing.date:
        document["date"] = thing.date
        document["country"] = thing.country
        document["release-events"] = [{"date": thing.date, "area": shapes.area(thing.country)}]
    if "release-groups" in incs:
        document["release-group"] = group(thing.group, incs & {"artist-credits", "aliases"})
    if incs & {"artist-credits", "artists"}:
        document["artist-credit"] = credit(thing.credit, incs)
    return document


def _media_of(thing: entities.Release, only: entities.Recording) -> list[Json]:
    """Return the medium that holds one recording, with that track alone."""
    place = thing.tracks.index(only)
    medium, position = divmod(place, shapes.PER_MEDIUM)
    size = shapes.media_sizes(thing)[medium]
    return [{**_medium(thing, medium, size), "track-offset": position, "tracks": [_track(thing, place, None)]}]


def _medium(thing: entities.Release, medium: int, size: int) -> Json:
    return {
        "position": medium + 1,
        "title": "",
        "format": thing.format,
        "format-id": shapes.type_id(thing.format),
        "track-count": size,
    }


def _track(thing: entities.Release, place: int, incs: set[str] | None) -> Json:
    """Return a track; with its recording where `incs` is given."""
    medium, position = divmod(place, shapes.PER_MEDIUM)
    of = thing.tracks[place]
    document: Json = {
        "id": ids.plain("track", thing.mbid, place),
        "position": position + 1,
        "number": shapes.number(thing, position, shapes.media_sizes(thing)[medium]),
        "title": of.title,
        "length": of.length,
    }
    if incs is not None:
        document["recording"] = recording(of, incs - {"releases"})
        if "artist-credits" in incs:
            document["artist-credit"] = credit(of.credit, incs)
    return document


def release(world: World, thing: entities.Release, incs: set[str]) -> Json:
    """Return a release, with what the Cover Art Archive has of it."""
    images = world.covers(thing)
    document = _edition(thing, incs) | {
        "asin": None,
        "cover-art-archive": {
            "artwork": bool(images),
            "count": len(images),
            "front": any(image.front for image in images),
            "back": any(image.back for image in images),
            "darkened": False,
        },
    }
    if incs & {"media", "recordings", "discids"}:
        document["media"] = _media(thing, incs)
    if "labels" in incs:
        document["label-info"] = []
    return _asked(document, incs)


def _media(thing: entities.Release, incs: set[str]) -> list[Json]:
    """Return all media; their tracks too where recordings are asked for."""
    documents = []
    for medium, size in enumerate(shapes.media_sizes(thing)):
        document = _medium(thing, medium, size)
        if "discids" in incs:
            document["discs"] = []
        if "recordings" in incs:
            start = medium * shapes.PER_MEDIUM
            document["track-offset"] = 0
            document["tracks"] = [_track(thing, place, incs) for place in range(start, start + size)]
        documents.append(document)
    return documents


def group(thing: entities.Group, incs: set[str]) -> Json:
    """Return a release group."""
    document: Json = {
        "id": thing.mbid,
        "title": thing.title,
        "disambiguation": "",
        "primary-type": thing.primary,
        "primary-type-id": shapes.type_id(thing.primary),
        "secondary-types": list(thing.secondary),
        "secondary-type-ids": [shapes.type_id(kind) for kind in thing.secondary],
        "first-release-date": thing.first_date,
    }
    if "releases" in incs:
        document["releases"] = [_edition(each, incs - {"release-groups"}) for each in thing.releases[:MOST_LINKED]]
    return _asked(document, incs, thing.credit)


def artist(thing: entities.Artist, incs: set[str]) -> Json:
    """Return an artist; areas stand there under two spellings, as the service has it."""
    place = shapes.area(thing.country) if thing.country else None
    document: Json = {
        "id": thing.mbid,
        "name": thing.name,
        "sort-name": thing.sort_name,
        "disambiguation": thing.disambiguation,
        "type": thing.kind,
        "type-id": shapes.type_id(thing.kind),
        "gender": None,
        "gender-id": None,
        "country": thing.country or None,
        "area": place,
        "begin-area": None,
        "begin_area": None,
        "end-area": None,
        "end_area": None,
        "ipis": [],
        "isnis": [],
        "life-span": {"begin": str(thing.begin), "end": None, "ended": False},
    }
    _asked(document, incs)
    if "aliases" in incs:
        document["aliases"] = [_alias(alias) for alias in search.aliases(thing)]
    return document
