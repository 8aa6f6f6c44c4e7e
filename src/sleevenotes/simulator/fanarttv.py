"""fanart.tv: covers of release groups by MBID, with likes; who has no key gets nothing.

Who is known and which albums have a cover is `fanarttv` and `fanarttv_if_known` in the conditions; worlds that do not
state them have none here. Without a key it answers 401; that is not recorded, and told nowhere.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any

import msgspec

from sleevenotes.simulator import draw, entities, limits, sleeves, wire
from sleevenotes.simulator.world import World

_HEADERS = {"content-type": "application/json; charset=utf-8", "server": "nginx", "access-control-allow-origin": "*"}
_MBID = "[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}"
_ALBUM = re.compile(rf"/v3/music/albums/(?P<group>{_MBID})")
_IMAGE = re.compile(rf"/fanart/music/{_MBID}/albumcover/(?P<group>{_MBID})-(?P<number>\d)\.jpg")


class FanartTv:
    """webservice.fanart.tv, and assets.fanart.tv for the images."""

    name = "fanarttv"
    host = "webservice.fanart.tv"
    limit: limits.Limit | None = None

    def __init__(self, world: World) -> None:
        self._world = world

    def serves(self, host: str) -> bool:
        """Tell whether a host is ours."""
        return host in (self.host, "assets.fanart.tv")

    def warm(self) -> None:
        """Nothing to build."""

    def refuse(self, request: wire.Request) -> wire.Reply:
        """Answer 429; only on order, since no limit is stated."""
        return _said(429, "Too Many Requests", _kind(request))

    def fail(self, _: wire.Request, __: Mapping[str, float], ___: float) -> wire.Reply | None:
        """Return none: no bad day of it is known."""
        return None

    def answer(self, request: wire.Request, _: datetime) -> wire.Reply:
        """Answer a request."""
        if image := _IMAGE.fullmatch(request.path):
            return self._drawn(image["group"])
        key = request.headers.get("api-key") or request.query.get("api_key", [""])[0]
        if not key:
            return _said(401, "Api Key Missing", _kind(request))
        asked = _ALBUM.fullmatch(request.path)
        group = self._shown(asked["group"]) if asked else None
        if group is None:
            return _said(404, "Not found", _kind(request))
        return wire.Reply(200, _HEADERS, msgspec.json.encode(_document(group)), _kind(request))

    def _shown(self, mbid: str) -> entities.Group | None:
        group = self._world.catalogue.groups.get(mbid)
        known = group and group.credit[0].artist.index in self._world.known.by(self.name)
        return group if group and known and self._world.shown(self.name, group) else None

    def _drawn(self, mbid: str) -> wire.Reply:
        group = self._shown(mbid)
        if group is None:
            return wire.Reply(404, {"content-type": "text/html"}, b"<h1>404 Not Found</h1>\n", "image")
        picture = sleeves.Picture(f"front {group.mbid}", group.title, entities.printed(group.credit))
        headers = {"content-type": "image/jpeg", "cache-control": "public, max-age=31536000"}
        return wire.Reply(200, headers, b"", "image", wire.Drawing(picture, sleeves.ORIGINAL, "jpg", 92))


def _document(group: entities.Group) -> dict[str, Any]:
    artist = group.credit[0].artist
    dice = draw.Dice(0, "fanart", group.mbid)
    covers = [
        {
            "id": str(dice.between(10_000, 400_000)),
            "url": f"https://assets.fanart.tv/fanart/music/{artist.mbid}/albumcover/{group.mbid}-{number}.jpg",
            "likes": str(dice.between(0, 12)),
        }
        for number in range(dice.between(1, 4))
    ]
    return {"name": artist.name, "mbid_id": artist.mbid, "albums": {group.mbid: {"albumcover": covers}}}


def _said(status: int, message: str, kind: str) -> wire.Reply:
    body = msgspec.json.encode({"status": "error", "error message": message})
    return wire.Reply(status, _HEADERS, body, kind, quick=status != 404)


def _kind(request: wire.Request) -> str:
    return "album" if _ALBUM.fullmatch(request.path) else "image" if request.path.startswith("/fanart/") else "other"
