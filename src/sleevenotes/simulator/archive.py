"""The Cover Art Archive, a redirector, and archive.org behind it: 307, 302, 200.

coverartarchive.org/release/MBID/front-500
  307 //archive.org/download/mbid-MBID/mbid-MBID-ID_thumb500.jpg
archive.org/download/…
  302 https://ia801234.us.archive.org/12/items/mbid-MBID/…
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any

import msgspec

from sleevenotes.simulator import draw, entities, limits, wire
from sleevenotes.simulator.world import Cover, World, chosen

_MBID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")  # lower case only, as the service
_THUMBNAIL = re.compile(r"-(250|500|1200)(?:\.jpg)?$")
_FILE = re.compile(r"mbid-(?P<mbid>[0-9a-f-]{36})-(?P<id>\d+)(?:_thumb(?P<size>250|500|1200))?\.(?P<ext>\w+)")
# 170 bytes of HTML, as the data nodes give on a bad day
_SORRY = b"<html>\n<head><title>500 Internal Server Error</title></head>\n<body>\n<center><h1>500 Internal Server Error</h1></center>\n<hr><center>nginx/1.25.1</center>\n</body>\n</html>\n"  # noqa: E501
_CORS = {"access-control-allow-origin": "*"}


class CoverArtArchive:
    """coverartarchive.org: which image, and where."""

    name = "coverartarchive"
    host = "coverartarchive.org"
    limit: limits.Limit | None = None

    def __init__(self, world: World) -> None:
        self._world = world

    def serves(self, host: str) -> bool:
        """Tell whether a host is ours."""
        return host in (self.host, "www.coverartarchive.org")

    def warm(self) -> None:
        """Nothing to build."""

    def refuse(self, request: wire.Request) -> wire.Reply:
        """Answer 503, which is documented and was not seen."""
        return _page(503, "Service Unavailable", "rate limit exceeded", _kind(request.path))

    def fail(self, _: wire.Request, __: Mapping[str, float], ___: float) -> wire.Reply | None:
        """Return none: this hop is steady, those behind it are not."""
        return None

    def answer(self, request: wire.Request, _: datetime) -> wire.Reply:
        """Answer a request."""
        kind = _kind(request.path)
        if request.method == "OPTIONS":
            return wire.Reply(200, {**_CORS, "allow": "GET, HEAD, OPTIONS"}, b"", "options")
        if request.method not in ("GET", "HEAD"):
            return _page(405, "Method Not Allowed", "only GET and HEAD are supported", kind)
        parts = request.path.strip("/").split("/")
        if parts[0] not in ("release", "release-group") or len(parts) > 3:
            return _page(400, "Bad Request", f"unknown entity {parts[0]}", kind)
        entity, mbid, which = parts[0], *([*parts[1:], "", ""][:2])
        if not mbid:
            return _page(400, "Bad Request", "no MBID specified", kind)
        if not _MBID.fullmatch(mbid):
            return _page(400, "Bad Request", "invalid MBID specified", kind)
        if entity == "release-group" and which and not which.startswith("front"):
            return _page(400, "Bad Request", f"{which} not supported for release groups.", kind)
        return self._redirect(entity, mbid, which, kind)

    def _redirect(self, entity: str, mbid: str, which: str, kind: str) -> wire.Reply:
        release = self._release(entity, mbid)
        images = self._world.covers(release) if release else []
        if release is None or not images:
            label = entity.replace("-", " ")
            return _page(404, "Not Found", f"No cover art found for {label} {mbid}", kind)
        folder = f"//archive.org/download/mbid-{release.mbid}/"
        if not which:
            return _see(folder + "index.json", kind)
        thumbnail = _THUMBNAIL.search(which)
        wanted = re.split(r"[-.]", which)[0]
        image = _select(images, wanted)
        if image is None and wanted in ("front", "back"):
            return _page(404, "Not Found", f"No {wanted} cover image found for {entity} with identifier {mbid}", kind)
        if image is None:
            return _page(400 if not wanted.isdigit() else 404, "Bad Request", "invalid image id specified", kind)
        suffix = f"_thumb{thumbnail[1]}.jpg" if thumbnail else f".{image.extension}"
        return _see(f"{folder}mbid-{release.mbid}-{image.id}{suffix}", kind)

    def _release(self, entity: str, mbid: str) -> entities.Release | None:
        """Return the release itself; of a group, the one that stands for it where the group has a front."""
        if entity == "release":
            return self._world.release(mbid)
        group = self._world.group(mbid)
        return chosen(group) if group and self._world.has_art(group) else None


class Download:
    """archive.org/download: on which node a file lies."""

    name = "archive_redirect"
    host = "archive.org"
    limit: limits.Limit | None = None

    def __init__(self, world: World) -> None:
        self._world = world

    def serves(self, host: str) -> bool:
        """Tell whether a host is ours."""
        return host in (self.host, "www.archive.org")

    def warm(self) -> None:
        """Nothing to build."""

    def refuse(self, request: wire.Request) -> wire.Reply:
        """Answer 503, as archive.org may."""
        return wire.Reply(503, {"content-type": "text/html"}, _SORRY, _kind(request.path), quick=True)

    def fail(self, request: wire.Request, share: Mapping[str, float], chance: float) -> wire.Reply | None:
        """Fail quickly, at the day's rate."""
        return _sorry(request, chance < share.get("archive_500", 0.0), chance)

    def answer(self, request: wire.Request, _: datetime) -> wire.Reply:
        """Redirect to the node that holds the item."""
        kind = _kind(request.path)
        parts = request.path.strip("/").split("/")
        if len(parts) != 3 or parts[0] != "download" or not parts[1].startswith("mbid-"):
            return wire.Reply(404, {"content-type": "text/html; charset=UTF-8"}, b"Item not found", kind)
        place = int(600_000 + 300_000 * draw.number("node", parts[1]))
        shelf = int(36 * draw.number("shelf", parts[1]))
        headers = {
            **_CORS,
            "server": "nginx/1.25.1",
            "content-type": "text/html; charset=UTF-8",
            "accept-ranges": "bytes",
            "location": f"https://ia{place}.us.archive.org/{shelf}/items/{parts[1]}/{parts[2]}",
            "strict-transport-security": "max-age=15724800",
            "referrer-policy": "no-referrer-when-downgrade",
        }
        return wire.Reply(302, headers, b"", kind)


class Node:
    """ia….us.archive.org: the files."""

    name = "archive_node"
    host = "us.archive.org"
    limit: limits.Limit | None = None

    def __init__(self, world: World) -> None:
        self._world = world

    def serves(self, host: str) -> bool:
        """Tell whether a host is ours."""
        return host.endswith(".us.archive.org")

    def warm(self) -> None:
        """Nothing to build."""

    def refuse(self, request: wire.Request) -> wire.Reply:
        """Answer 503, as archive.org may."""
        return wire.Reply(503, {"content-type": "text/html"}, _SORRY, _kind(request.path), quick=True)

    def fail(self, request: wire.Request, share: Mapping[str, float], chance: float) -> wire.Reply | None:
        """Fail quickly, at the day's rate."""
        return _sorry(request, chance < share.get("archive_500", 0.0), chance)

    def answer(self, request: wire.Request, _: datetime) -> wire.Reply:
        """Serve a file of an item."""
        kind, name = _kind(request.path), request.path.rpartition("/")[2]
        item = re.search(r"/mbid-([0-9a-f-]{36})/", request.path)
        release = self._world.release(item[1]) if item else None
        if release and name == "index.json":
            return _file(msgspec.json.encode(_index(release, self._world.covers(release))), "application/json", kind)
        match = _FILE.fullmatch(name)
        images = self._world.covers(release) if release and match else []
        image = next((image for image in images if match and str(image.id) == match["id"]), None)
        size = int(match["size"] or 0) if match else 0
        if release is None or image is None or (size and self._world.thumbnail_missing(image, size)):
            return wire.Reply(404, {"content-type": "text/html; charset=UTF-8"}, b"<h1>404 Not Found</h1>\n", kind)
        mime = "image/png" if image.extension == "png" and not size else "image/jpeg"
        drawing = wire.Drawing(self._world.picture(release, image), size, image.extension)
        return _file(b"", mime, kind)._replace(drawing=drawing)


def _select(images: list[Cover], wanted: str) -> Cover | None:
    if wanted in ("front", "back"):
        return next((image for image in images if (image.front if wanted == "front" else image.back)), None)
    return next((image for image in images if str(image.id) == wanted), None)


def _index(release: entities.Release, images: list[Cover]) -> dict[str, Any]:
    """Return index.json; ids are numbers in old items, texts in newer ones; addresses are http:// ones."""
    old = draw.number("old item", release.mbid) < 0.3
    documents = []
    for image in images:
        base = f"http://coverartarchive.org/release/{release.mbid}/{image.id}"
        thumbnails = {"small": f"{base}-250.jpg", "large": f"{base}-500.jpg"}
        if not old:
            thumbnails |= {size: f"{base}-{size}.jpg" for size in ("250", "500", "1200")}
        documents.append(
            {
                "id": image.id if old else str(image.id),
                "approved": True,
                "front": image.front,
                "back": image.back,
                "types": ["Front"] if image.front else ["Back"],
                "comment": "",
                "edit": 10_000_000 + image.id % 90_000_000,
                "image": f"{base}.{image.extension}",
                "thumbnails": thumbnails,
            }
        )
    return {"images": documents, "release": f"https://musicbrainz.org/release/{release.mbid}"}


def _kind(path: str) -> str:
    name = path.rstrip("/").rpartition("/")[2]
    if name == "index.json" or _MBID.fullmatch(name):
        return "index"
    return "back" if name.startswith("back") else "image"


def _see(location: str, kind: str) -> wire.Reply:
    headers = {**_CORS, "content-type": "text/plain; charset=utf-8", "location": location}
    return wire.Reply(307, headers, f"See: {location}\n".encode(), kind)


def _page(status: int, title: str, text: str, kind: str) -> wire.Reply:
    body = (
        '<!DOCTYPE HTML PUBLIC "-//W3C//DTD HTML 3.2 Final//EN">\n'
        f"<title>{status} {title}</title>\n<h1>{title}</h1>\n<p>{text}</p>\n"
    )
    return wire.Reply(status, {**_CORS, "content-type": "text/html"}, body.encode(), kind)


def _file(body: bytes, mime: str, kind: str) -> wire.Reply:
    headers = {
        **_CORS,
        "server": "nginx/1.25.1",
        "content-type": mime,
        "cache-control": "max-age=21600",
        "last-modified": "Sat, 04 Jan 2025 10:00:00 GMT",
        "etag": f'"{hashlib.md5(body + mime.encode(), usedforsecurity=False).hexdigest()}"',
    }
    return wire.Reply(200, headers, body, kind)


def _sorry(request: wire.Request, failed: bool, chance: float) -> wire.Reply | None:
    """Return a quick 500; one in ten under an image's content type, as seen."""
    if not failed:
        return None
    mime = "image/jpeg" if int(chance * 1e9) % 10 == 0 else "text/html"
    return wire.Reply(500, {"content-type": mime}, _SORRY, _kind(request.path), quick=True)
