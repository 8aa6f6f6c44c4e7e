"""The hosts of other services' covers: the same pictures as the Cover Art Archive's, in other sizes and bytes.

An address is made with `address` and leads back to its album; what it shows is decided by the conditions:

    theaudiodb  https://r2.theaudiodb.com/images/media/album/thumb/ID.jpg            700 px; …/preview, /small, /medium
    discogs     https://i.discogs.com/SIGNATURE/rs:fit/g:sm/q:90/h:600/w:600/BASE64.jpeg
    deezer      https://cdn-images.dzcdn.net/images/cover/ID/1000x1000-000000-80-0-0.jpg
    itunes      https://is3-ssl.mzstatic.com/image/thumb/Music115/v4/ab/cd/ef/ID/source.jpg/600x600bb.jpg
    lastfm      https://lastfm.freetls.fastly.net/i/u/300x300/ID.jpg                 34s, 64s, 174s; none: original

IDs are not MusicBrainz's: they are mixed with the seed and the service's name. A namesake is another artist's album
under the same title: it has an ID and a picture of its own.
"""

from __future__ import annotations

import base64
import binascii
import functools
import hashlib
import io
import re
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Final, NamedTuple

from PIL import Image, ImageDraw

from sleevenotes.simulator import draw, entities, ids, invent, limits, sleeves, wire
from sleevenotes.simulator.world import World

STAR: Final = "2a96cbd8b46e442fc41c2b86b821562f"  # Last.fm's image of no image
SPACER: Final = "https://st.discogs.com/3b0d1a6b3a4c0f9a/images/spacer.gif"  # Discogs'
_NAMESAKES: Final = 0.1  # share of albums
_PORTRAYED: Final = 0.8  # share of TheAudioDB's artists who have a picture
_SPACER_GIF: Final = base64.b64decode("R0lGODlhAQABAIAAAAAAAP///yH5BAEAAAAALAAAAAABAAEAAAIBRAA7")


class _Asked(NamedTuple):
    """What a path asks for: an album's id, the edge in pixels (0: the original) and the JPEG's quality."""

    token: str
    size: int
    quality: int


# ---------------------------------------------------------------- whose image


def namesake(world: World, group: entities.Group) -> entities.Group | None:
    """Return the album of the same title by somebody else, which one in ten has; none is in MusicBrainz."""
    if draw.number(world.seed, "namesake", group.mbid) >= _NAMESAKES:
        return None
    dice = draw.Dice(world.seed, "namesake of", group.mbid)
    name = invent.artist(dice)
    other = entities.Artist(ids.plain("namesake artist", name), name, name)
    return entities.Group(ids.plain("namesake", group.mbid), group.title, (entities.Name(other, name),))


def address(world: World, source: str, group: entities.Group, *, of_namesake: bool = False, edge: int = 0) -> str:
    """Return where a source's image of a release group lies, "" where it has none.

    `edge` is one the service offers, in pixels; 0 is what its API tells. With `of_namesake`, it is the image of the
    group's namesake.
    """
    shown = namesake(world, group) if of_namesake else group
    if shown is None or not world.shown(source, shown):
        return ""
    return _WRITERS[source](world.seed, _token(world.seed, source, group.mbid, of_namesake=of_namesake), edge)


def portrait(world: World, artist: entities.Artist) -> str:
    """Return where TheAudioDB's picture of an artist lies, "" where it has none."""
    if draw.number(world.seed, "portrait", artist.mbid) >= _PORTRAYED:
        return ""
    return f"https://r2.theaudiodb.com/images/media/artist/thumb/{artist.mbid.replace('-', '')}.jpg"


def _portrayed(world: World, path: str) -> wire.Drawing | None:
    """Return what is drawn at the address of an artist's picture."""
    found = _PORTRAIT.fullmatch(path)
    mbid = re.sub(r"(.{8})(.{4})(.{4})(.{4})(.{12})", r"\1-\2-\3-\4-\5", found["token"]) if found else ""
    artist = world.catalogue.artists_by_mbid.get(mbid)
    if artist is None or not portrait(world, artist):
        return None
    return wire.Drawing(sleeves.Picture(f"portrait {mbid}", artist.name, artist.disambiguation), 700, "jpg", 85)


def md5(world: World, source: str, group: entities.Group, *, of_namesake: bool = False) -> str:
    """Return the 32 hex digits that stand for an image within its address, "" where the source has none."""
    shown = namesake(world, group) if of_namesake else group
    if shown is None or not world.shown(source, shown):
        return ""
    return _token(world.seed, source, group.mbid, of_namesake=of_namesake)


def _mask(seed: int, source: str, of_namesake: bool) -> int:
    return int.from_bytes(hashlib.md5(f"{seed} {source} {of_namesake}".encode(), usedforsecurity=False).digest(), "big")


def _token(seed: int, source: str, mbid: str, *, of_namesake: bool) -> str:
    return f"{int(mbid.replace('-', ''), 16) ^ _mask(seed, source, of_namesake):032x}"


def _group(world: World, source: str, token: str) -> entities.Group | None:
    """Return the album, or the namesake, that a token stands for."""
    for of_namesake in (False, True):
        text = f"{int(token, 16) ^ _mask(world.seed, source, of_namesake):032x}"
        mbid = f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"
        group = world.catalogue.groups.get(mbid) or _extra(world, mbid)
        if group is not None:
            return namesake(world, group) if of_namesake else group
    return None


def _extra(world: World, mbid: str) -> entities.Group | None:
    """Return the album of a decoy or of another version; a shop may have what MusicBrainz has not."""
    found = ids.read(world.seed, mbid)
    if found is None or found[0] != ids.RELEASE_GROUP or not world.extras.exists(*found[1:]):
        return None
    return world.extras.recording(*found[1:]).releases[0].group


# ---------------------------------------------------------------- addresses


def _write_theaudiodb(_: int, token: str, edge: int) -> str:
    suffix = {200: "/preview", 250: "/small", 500: "/medium"}.get(edge, "")
    return f"https://r2.theaudiodb.com/images/media/album/thumb/{token}.jpg{suffix}"


def _write_discogs(seed: int, token: str, edge: int) -> str:
    edge = edge or 600
    told = base64.urlsafe_b64encode(f"s3://discogs-database-images/R-{token}.jpeg".encode()).decode().rstrip("=")
    cut = "/".join(told[start : start + 16] for start in range(0, len(told), 16))
    rest = f"rs:fit/g:sm/q:{40 if edge <= 150 else 90}/h:{edge}/w:{edge}/{cut}.jpeg"
    return f"https://i.discogs.com/{_signature(seed, rest)}/{rest}"


def _signature(seed: int, rest: str) -> str:
    digest = hashlib.sha256(f"{seed} {rest}".encode()).digest()
    return base64.urlsafe_b64encode(digest).decode().rstrip("=")


def _write_deezer(_: int, token: str, edge: int) -> str:
    edge = edge or 1000
    return f"https://cdn-images.dzcdn.net/images/cover/{token}/{edge}x{edge}-000000-80-0-0.jpg"


def _write_itunes(_: int, token: str, edge: int) -> str:
    edge, server = edge or 100, int(token[0], 16) % 5 + 1
    uuid = f"{token[:8]}-{token[8:12]}-{token[12:16]}-{token[16:20]}-{token[20:]}"
    shelf = f"{token[:2]}/{token[2:4]}/{token[4:6]}/{uuid}"
    return f"https://is{server}-ssl.mzstatic.com/image/thumb/Music115/v4/{shelf}/source.jpg/{edge}x{edge}bb.jpg"


def _write_lastfm(_: int, token: str, edge: int) -> str:
    size = {34: "34s/", 64: "64s/", 174: "174s/", 300: "300x300/"}.get(edge, "300x300/" if not edge else "")
    return f"https://lastfm.freetls.fastly.net/i/u/{size}{token}.jpg"


_WRITERS: dict[str, Callable[[int, str, int], str]] = {
    "theaudiodb": _write_theaudiodb,
    "discogs": _write_discogs,
    "deezer": _write_deezer,
    "itunes": _write_itunes,
    "lastfm": _write_lastfm,
}

_THEAUDIODB = re.compile(r"/images/media/album/thumb/(?P<token>[0-9a-f]{32})\.jpg(?:/(?P<size>preview|small|medium))?")
_PORTRAIT = re.compile(r"/images/media/artist/thumb/(?P<token>[0-9a-f]{32})\.jpg")
_DISCOGS = re.compile(
    r"/(?P<signature>[\w-]+)/(?P<rest>rs:fit/g:sm/q:(?P<q>\d+)/h:\d+/w:(?P<size>\d+)/(?P<told>.+)\.jpeg)"
)
_DEEZER = re.compile(r"/images/(?:cover|artist)/(?P<token>[0-9a-f]{32})?/(?P<size>\d+)x\d+-000000-(?P<q>\d+)-0-0\.jpg")
_ITUNES = re.compile(r"/image/thumb/.+/(?P<token>[0-9a-f-]{36})/[^/]+/(?P<size>\d+)x\d+bb\.jpg")
_LASTFM = re.compile(r"/i/u/(?:(?P<size>34s|64s|174s|300x300|770x0)/)?(?P<token>[0-9a-f]{32})\.(?:jpg|png)")


def _read_theaudiodb(_: int, path: str) -> _Asked | None:
    found = _THEAUDIODB.fullmatch(path)
    edges = {"preview": 200, "small": 250, "medium": 500}
    return _Asked(found["token"], edges.get(found["size"] or "", 700), 85) if found else None


def _read_discogs(seed: int, path: str) -> _Asked | None:
    found = _DISCOGS.fullmatch(path)
    if not found or found["signature"] != _signature(seed, found["rest"]):
        return None
    packed = found["told"].replace("/", "")
    try:
        told = base64.urlsafe_b64decode(packed + "=" * (-len(packed) % 4)).decode()
    except (binascii.Error, UnicodeDecodeError):
        return None
    return _Asked(told[-37:-5], min(600, int(found["size"])), int(found["q"]))


def _read_deezer(_: int, path: str) -> _Asked | None:
    found = _DEEZER.fullmatch(path)
    return _Asked(found["token"] or "", min(sleeves.ORIGINAL, int(found["size"])), int(found["q"])) if found else None


def _read_itunes(_: int, path: str) -> _Asked | None:
    found = _ITUNES.fullmatch(path)  # larger than the original is scaled down to it
    return _Asked(found["token"].replace("-", ""), min(sleeves.ORIGINAL, int(found["size"])), 78) if found else None


def _read_lastfm(_: int, path: str) -> _Asked | None:
    found = _LASTFM.fullmatch(path)
    size = re.match(r"\d+", found["size"] or "0") if found else None
    return _Asked(found["token"], int(size[0]), 88) if found and size else None


# ---------------------------------------------------------------- the hosts


class Host:
    """The image host of one service."""

    name = "image_cdn"  # of its latency in the conditions
    limit: limits.Limit | None = None

    def __init__(
        self,
        world: World,
        source: str,
        host: str,
        under: str,
        read: Callable[[int, str], _Asked | None],
    ) -> None:
        self._world = world
        self._source = source
        self.host = host
        self._under = under  # every host below this domain, too
        self._read = read

    def serves(self, host: str) -> bool:
        """Tell whether a host is ours."""
        return host == self.host or bool(self._under and host.endswith(self._under))

    def warm(self) -> None:
        """Nothing to build."""

    def refuse(self, _: wire.Request) -> wire.Reply:
        """Answer 429; only on order, since no limit is stated."""
        return wire.Reply(429, {"content-type": "text/html"}, b"<h1>429 Too Many Requests</h1>\n", "image", quick=True)

    def fail(self, _: wire.Request, __: Mapping[str, float], ___: float) -> wire.Reply | None:
        """Return none: content networks are steady."""
        return None

    def answer(self, request: wire.Request, _: datetime) -> wire.Reply:
        """Serve an image."""
        placeholder = _placeholder(request.path)
        if placeholder is not None:
            return _image(*placeholder)
        portrait = _portrayed(self._world, request.path) if self._source == "theaudiodb" else None
        if portrait is not None:
            return _image("image/jpeg", b"", portrait)
        asked = self._read(self._world.seed, request.path)
        if asked is None and self._source == "discogs":
            return _page(403, "Forbidden")  # a signature that does not fit
        group = _group(self._world, self._source, asked.token) if asked else None
        if asked is None or group is None or not self._world.shown(self._source, group):
            return _page(404, "Not Found")
        picture = sleeves.Picture(f"front {group.mbid}", group.title, entities.printed(group.credit))
        return _image("image/jpeg", b"", wire.Drawing(picture, asked.size, "jpg", asked.quality))


def hosts(world: World) -> tuple[Host, ...]:
    """Return the image hosts of all services that have one of their own."""
    return (
        Host(world, "theaudiodb", "r2.theaudiodb.com", "", _read_theaudiodb),
        Host(world, "discogs", "i.discogs.com", "st.discogs.com", _read_discogs),
        Host(world, "deezer", "cdn-images.dzcdn.net", "images.dzcdn.net", _read_deezer),
        Host(world, "itunes", "mzstatic.com", ".mzstatic.com", _read_itunes),
        Host(world, "lastfm", "lastfm.freetls.fastly.net", "", _read_lastfm),
    )


# ---------------------------------------------------------------- placeholders


def _placeholder(path: str) -> tuple[str, bytes] | None:
    """Return the type and bytes of an image that stands for no image."""
    deezer = _DEEZER.fullmatch(path)
    if deezer and not deezer["token"]:
        return "image/jpeg", silhouette(int(deezer["size"]))
    if STAR in path:
        return "image/png", star()
    if path.endswith("/spacer.gif"):
        return "image/gif", _SPACER_GIF
    return None


@functools.lru_cache(maxsize=8)
def silhouette(edge: int) -> bytes:
    """Return Deezer's generic cover: somebody without a face, grey on grey."""
    canvas = Image.new("RGB", (edge, edge), (232, 232, 236))
    pen = ImageDraw.Draw(canvas)
    pen.ellipse((edge * 0.34, edge * 0.2, edge * 0.66, edge * 0.55), fill=(190, 190, 196))
    pen.ellipse((edge * 0.16, edge * 0.62, edge * 0.84, edge * 1.3), fill=(190, 190, 196))
    out = io.BytesIO()
    canvas.save(out, "JPEG", quality=80)
    return out.getvalue()


@functools.lru_cache(maxsize=1)
def star() -> bytes:
    """Return Last.fm's placeholder: a white star on grey."""
    canvas = Image.new("RGB", (300, 300), (210, 210, 210))
    points = [(150, 60), (172, 120), (236, 122), (186, 161), (203, 222), (150, 187), (97, 222), (114, 161), (64, 122)]
    ImageDraw.Draw(canvas).polygon([*points, (128, 120)], fill=(245, 245, 245))
    out = io.BytesIO()
    canvas.save(out, "PNG")
    return out.getvalue()


def _image(mime: str, body: bytes, drawing: wire.Drawing | None = None) -> wire.Reply:
    headers = {"content-type": mime, "cache-control": "public, max-age=31536000", "access-control-allow-origin": "*"}
    return wire.Reply(200, headers, body, "image", drawing)


def _page(status: int, title: str) -> wire.Reply:
    return wire.Reply(status, {"content-type": "text/html"}, f"<h1>{status} {title}</h1>\n".encode(), "image")
