"""MusicBrainz' JSON, of search and of lookup. They differ in what is absent, null or empty, and in many names.

Search documents leave out what is unknown and call a medium's list "track"; lookups say null or "" and "tracks".
"""

from __future__ import annotations

import functools
from typing import Any

from sleevenotes.simulator import entities, ids, search

Json = dict[str, Any]

TYPE_IDS = {  # constants of MusicBrainz' database
    "Album": "f529b476-6e62-324f-b0aa-1f3e33d313fc",
    "Single": "d6038452-8ee0-3f68-affc-2de9a1ede0b9",
    "EP": "6d0c5bf6-7a33-3420-a519-44fc63eedebf",
    "Compilation": "dd2a21e1-0c00-3729-a7a0-de60b84eb5d1",
    "Soundtrack": "22a628ad-c082-3c4f-b1b6-d41665107b88",
    "Live": "6fd474e2-6b58-3102-9d17-d6f7eb7da0a0",
    "Remix": "0c60f497-ff81-3818-befd-abfc84a4858b",
    "Demo": "81598169-0d6c-3bce-b4be-866fa658eda3",
    "Official": "4e304316-386d-3409-af2e-78857eec5cfe",
    "Promotion": "518ffc83-5cde-34df-8627-81bff5093d92",
    "Bootleg": "1156806e-d06a-38bd-83f0-cf2284a808b9",
    "Person": "b6e035f4-3ce9-331c-97df-83397230b0df",
    "Group": "e431f5f6-b5d2-343d-8b36-72607fffb74b",
    "Other": "ac897045-5043-3294-969b-187360e45d86",
    "CD": "9712d52a-4509-3d4b-a1a2-67c88c643e31",
    "None": "119eba76-b343-3e02-a292-f0f00644bb9b",
}
_AREAS = {
    "US": "United States", "GB": "United Kingdom", "DE": "Germany", "JP": "Japan", "CA": "Canada",
    "FR": "France", "AU": "Australia", "XE": "Europe", "XW": "[Worldwide]",
}  # fmt: skip
PER_MEDIUM = 20  # tracks at most on one medium


def type_id(name: str) -> str:
    """Return the id of a type, status or format."""
    return TYPE_IDS.get(name) or ids.plain("type", name)


# ---------------------------------------------------------------- search documents


@functools.lru_cache(maxsize=20_000)
def found_credit(credit: entities.Credit) -> tuple[Json, ...]:
    """Return a credit as in search: no join phrase on the last name, no disambiguation where there is none."""
    return tuple(
        {"name": name.credited}
        | ({"joinphrase": name.join} if name.join else {})
        | {"artist": _found_credited(name.artist)}
        for name in credit
    )


def _found_credited(artist: entities.Artist) -> Json:
    document: Json = {"id": artist.mbid, "name": artist.name, "sort-name": artist.sort_name}
    if artist.disambiguation:
        document["disambiguation"] = artist.disambiguation
    if search.aliases(artist):
        document["aliases"] = [found_alias(alias) for alias in search.aliases(artist)]
    return document


def found_alias(alias: str) -> Json:
    """Return an artist's alias as in search."""
    return {
        "sort-name": alias,
        "name": alias,
        "locale": None,
        "type": None,
        "primary": None,
        "begin-date": None,
        "end-date": None,
    }


def found_recording(recording: entities.Recording, score: int) -> Json:
    """Return a recording of a search; `video` is null, and no ISRCs are shown."""
    document: Json = {
        "id": recording.mbid,
        "score": score,
        "artist-credit-id": ids.plain("credit", entities.printed(recording.credit)),
        "title": recording.title,
    }
    if recording.length is not None:
        document["length"] = recording.length
    if recording.disambiguation:
        document["disambiguation"] = recording.disambiguation
    document["video"] = None
    document["artist-credit"] = found_credit(recording.credit)
    if recording.first_date:
        document["first-release-date"] = recording.first_date
    if recording.releases:
        document["releases"] = [_found_appearance(release, recording) for release in recording.releases]
    return document


def _found_appearance(release: entities.Release, recording: entities.Recording) -> Json:
    place = release.tracks.index(recording)
    medium, position = divmod(place, PER_MEDIUM)
    on_medium = min(PER_MEDIUM, len(release.tracks) - medium * PER_MEDIUM)
    track: Json = {
        "id": ids.plain("track", release.mbid, place),
        "number": number(release, position, on_medium),
        "title": recording.title,
    }
    if recording.length is not None:
        track["length"] = recording.length
    part: Json = {
        "id": ids.plain("medium", release.mbid, medium),
        "position": medium + 1,
        "format": release.format,
        "track": [track],
        "track-count": on_medium,
        "track-offset": position,
    }
    return {**_found_edition(release, recording.credit == release.credit), "media": [part]}


@functools.lru_cache(maxsize=20_000)
def _found_edition(release: entities.Release, same_credit: bool) -> Json:
    document: Json = {
        "id": release.mbid,
        "status-id": type_id(release.status),
        "count": media_count(release),
        "title": release.title,
        "status": release.status,
    }
    if not same_credit:
        document["artist-credit"] = found_credit(release.credit)
    document["release-group"] = _found_edition_group(release.group)
    return {**document, **_found_events(release), "track-count": len(release.tracks)}


def _found_edition_group(group: entities.Group) -> Json:
    document: Json = {
        "id": group.mbid,
        "type-id": type_id(group.secondary[0] if group.secondary else group.primary),
        "primary-type-id": type_id(group.primary),
        "title": group.title,
        "primary-type": group.primary,
    }
    if group.secondary:
        document["secondary-types"] = list(group.secondary)
        document["secondary-type-ids"] = [type_id(kind) for kind in group.secondary]
    return document


def _found_events(release: entities.Release) -> Json:
    if not release.date:
        return {}
    area = {key: value for key, value in _area(release.country).items() if key in _FOUND_AREA}
    return {
        "date": release.date,
        "country": release.country,
        "release-events": [{"date": release.date, "area": area}],
    }


_FOUND_AREA = ("id", "name", "sort-name", "iso-3166-1-codes")


def found_release(release: entities.Release, score: int) -> Json:
    """Return a release of a search."""
    packaging = "None"
    return {
        "id": release.mbid,
        "score": score,
        "status-id": type_id(release.status),
        "packaging-id": type_id(packaging),
        "count": media_count(release),
        "title": release.title,
        "status": release.status,
        "packaging": packaging,
        "text-representation": {"language": "eng", "script": "Latn"},
        "artist-credit": found_credit(release.credit),
        "release-group": _found_edition_group(release.group),
        **_found_events(release),
        "track-count": len(release.tracks),
        "media": [{"format": release.format, "disc-count": 0, "track-count": count} for count in media_sizes(release)],
    }


def found_group(group: entities.Group, score: int) -> Json:
    """Return a release group of a search."""
    document: Json = {
        "id": group.mbid,
        "type-id": type_id(group.secondary[0] if group.secondary else group.primary),
        "score": score,
        "primary-type-id": type_id(group.primary),
        "count": len(group.releases),
        "title": group.title,
    }
    if group.first_date:
        document["first-release-date"] = group.first_date
    document["primary-type"] = group.primary
    if group.secondary:
        document["secondary-types"] = list(group.secondary)
        document["secondary-type-ids"] = [type_id(kind) for kind in group.secondary]
    document["artist-credit"] = found_credit(group.credit)
    document["releases"] = [
        {"id": each.mbid, "status-id": type_id(each.status), "title": each.title, "status": each.status}
        for each in group.releases
    ]
    return document


def found_artist(artist: entities.Artist, score: int) -> Json:
    """Return an artist of a search."""
    document: Json = {
        "id": artist.mbid,
        "type": artist.kind,
        "type-id": type_id(artist.kind),
        "score": score,
        "name": artist.name,
        "sort-name": artist.sort_name,
    }
    if artist.country:
        area = _area(artist.country)
        document["country"] = artist.country
        document["area"] = {
            "id": area["id"],
            "type": "Country",
            "type-id": type_id("Country"),
            "name": area["name"],
            "sort-name": area["sort-name"],
            "life-span": {"ended": None},
        }
    if artist.disambiguation:
        document["disambiguation"] = artist.disambiguation
    document["life-span"] = {"begin": str(artist.begin), "ended": None}
    if search.aliases(artist):
        document["aliases"] = [found_alias(alias) for alias in search.aliases(artist)]
    return document


# ---------------------------------------------------------------- shared


def media_sizes(release: entities.Release) -> list[int]:
    """Return how many tracks each medium has."""
    count = len(release.tracks)
    return [min(PER_MEDIUM, count - start) for start in range(0, count, PER_MEDIUM)]


def media_count(release: entities.Release) -> int:
    """Return how many media a release has."""
    return len(media_sizes(release))


def number(release: entities.Release, position: int, on_medium: int) -> str:
    """Return a track's number as printed: "3", and on vinyl "A3"."""
    if "Vinyl" not in release.format:
        return str(position + 1)
    side = (on_medium + 1) // 2
    return f"A{position + 1}" if position < side else f"B{position - side + 1}"


def area(country: str) -> Json:
    """Return a country as lookups tell it."""
    return dict(_area(country))


@functools.lru_cache(maxsize=64)
def _area(country: str) -> Json:
    name = _AREAS[country]
    return {
        "id": ids.plain("area", country),
        "name": name,
        "sort-name": name,
        "type": None,
        "type-id": None,
        "disambiguation": "",
        "iso-3166-1-codes": [country],
    }
