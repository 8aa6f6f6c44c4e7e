"""What one plays most, as ListenBrainz' statistics write it. Pure."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any, NamedTuple

from sleevenotes.store.charts import Period, Top, Tops


class Entity(NamedTuple):
    """One kind of statistics: which chart it is, its name in the answer, and how one of them is written."""

    kind: str
    name: str
    total: str
    write: Callable[[Top], dict[str, Any]]


def _artist(top: Top) -> dict[str, Any]:
    return {"artist_mbid": top.mbid or None, "artist_name": top.name, "listen_count": top.plays}


def _release_group(top: Top) -> dict[str, Any]:
    return {
        "artist_name": top.artist,
        "artist_mbids": [],
        "release_group_mbid": top.mbid or None,
        "release_group_name": top.name,
        "listen_count": top.plays,
    }


def _release(top: Top) -> dict[str, Any]:
    # counted by release group, which is what listeners mean; so there is no release MBID
    return {
        "artist_name": top.artist,
        "artist_mbids": [],
        "release_mbid": None,
        "release_name": top.name,
        "listen_count": top.plays,
    }


def _recording(top: Top) -> dict[str, Any]:
    return {
        "artist_name": top.artist,
        "artist_mbids": [],
        "recording_mbid": top.mbid or None,
        "track_name": top.name,
        "release_name": "",
        "listen_count": top.plays,
    }


ENTITIES = {
    "artists": Entity("artists", "artists", "total_artist_count", _artist),
    "releases": Entity("albums", "releases", "total_release_count", _release),
    "release-groups": Entity("albums", "release_groups", "total_release_group_count", _release_group),
    "recordings": Entity("tracks", "recordings", "total_recording_count", _recording),
}


def written(
    entity: Entity, found: Tops, user: str, range_name: str, period: Period, now: datetime, offset: int
) -> dict[str, Any]:
    """Write a page of statistics."""
    rows = [entity.write(top) for top in found.entries]
    return {
        "payload": {
            entity.name: rows,
            "count": len(rows),
            entity.total: found.different,
            "offset": offset,
            "range": range_name,
            "from_ts": int(period.first.timestamp()) if period.first else 0,
            "to_ts": int((period.past or now).timestamp()),
            "last_updated": int(now.timestamp()),
            "user_id": user,
        }
    }
