"""ListenBrainz: names to ids by two indexes, exact and fuzzy, what recordings are, and what its listeners played.

Lookups need a token, metadata none. One malformed name or id has the whole pack refused.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any, Final

import msgspec

from sleevenotes.simulator import (
    draw,
    entities,
    ids,
    limits,
    listenbrainz_index,
    listenbrainz_listeners,
    listenbrainz_submit,
    people,
    wire,
)
from sleevenotes.simulator.world import World, chosen

Json = dict[str, Any]

REFUSED_TOKEN: Final = "invalid"  # noqa: S105 - the one token that is not accepted
_WINDOW: Final = 10
_MOST_NAMES, _MOST_IDS, _MOST_CHARACTERS = 50, 1000, 250
_INCS: Final = ("artist", "tag", "release", "recording", "release_group")
_TOO_FAST: Final = "You have exceeded your rate limit. See the X-RateLimit-* response headers for more information on your current rate limit."  # noqa: E501 - the service's own words
_MBID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)


class _Error(Exception):
    def __init__(self, status: int, error: str) -> None:
        super().__init__(error)
        self.status = status


class ListenBrainz:
    """api.listenbrainz.org, as far as it is asked for metadata and for histories."""

    name = "listenbrainz"
    host = "api.listenbrainz.org"
    limit: limits.Limit | None = limits.Limit(30, float(_WINDOW))

    def __init__(self, world: World, everybody: people.People) -> None:
        self._world = world
        self._index = listenbrainz_index.Index(world)
        self._listeners = listenbrainz_listeners.Listeners(world, everybody)
        self.taking = listenbrainz_submit.Taking(world, everybody)

    def serves(self, host: str) -> bool:
        """Tell whether a host is ours."""
        return host == self.host

    def warm(self) -> None:
        """Build the indexes."""
        self._index.warm()

    def limit_of(self, _: wire.Request) -> limits.Limit:
        """Return the rate: one for all, whoever asks."""
        return limits.Limit(30, float(_WINDOW))

    def told(self, reply: wire.Reply, limit: limits.Limit, used: int) -> wire.Reply:
        """Say on every reply how much of the window is left."""
        headers = {"x-ratelimit-limit": str(limit.requests), "x-ratelimit-remaining": str(limit.requests - used)}
        return reply._replace(headers={**reply.headers, **headers})

    def refuse(self, request: wire.Request) -> wire.Reply:
        """Answer 429, with the seconds to wait in the service's own headers and in no other."""
        headers = {"x-ratelimit-limit": "30", "x-ratelimit-remaining": "0", "x-ratelimit-reset-in": str(_WINDOW)}
        reply = _answer(429, {"code": 429, "error": _TOO_FAST}, _kind(request))
        return reply._replace(headers={**reply.headers, **headers}, quick=True)

    def fail(self, request: wire.Request, share: Mapping[str, float], chance: float) -> wire.Reply | None:
        """Answer 500 at the day's rate, in the words of a lookup that failed; or refuse the token, on order."""
        if chance < share.get("listenbrainz_401", 0.0):
            return _answer(401, {"code": 401, "error": "Invalid authorization token."}, _kind(request))
        if chance >= share.get("listenbrainz_500", 0.0):
            return None
        return _answer(500, {"code": 500, "error": "Server failed to lookup recording"}, _kind(request))

    def answer(self, request: wire.Request, now: datetime) -> wire.Reply:
        """Answer a request."""
        try:
            told = self.taking.answer(request, now) or self._listeners.answer(request, now)
            status, document = 200, told or self._route(request)
        except (_Error, listenbrainz_listeners.Refused) as error:
            status, document = error.status, {"code": error.status, "error": str(error)}
        reply = _answer(status, document, _kind(request))
        reset = (int(now.timestamp()) // _WINDOW + 1) * _WINDOW
        left = {"x-ratelimit-reset": str(reset), "x-ratelimit-reset-in": str(reset - int(now.timestamp()))}
        return reply._replace(headers={**reply.headers, **left})

    def _route(self, request: wire.Request) -> Any:
        routes: dict[tuple[str, str], Callable[[wire.Request], Any]] = {
            ("GET", "/1/metadata/lookup/"): self._look_up,
            ("POST", "/1/metadata/lookup/"): self._look_up_many,
            ("GET", "/1/metadata/recording/"): self._recordings,
            ("POST", "/1/metadata/recording/"): self._recordings,
        }
        if (request.method, request.path) in routes:
            return routes[request.method, request.path](request)
        if any(path == request.path for _, path in routes):
            raise _Error(405, "The method is not allowed for the requested URL.")
        raise _Error(404, "The requested URL was not found on the server.")

    # ------------------------------------------------------------ lookups

    def _look_up(self, request: wire.Request) -> Json:
        _check_token(request)
        given = {name: values[0] for name, values in request.query.items()}
        artist, track = given.get("artist_name", ""), given.get("recording_name", "")
        for name, text in (("artist_name", artist), ("recording_name", track)):
            if not text:
                raise _Error(400, f"{name} is invalid or not present in arguments")
        if len(artist) + len(track) + len(given.get("release_name", "")) > _MOST_CHARACTERS:
            raise _Error(400, f"{_ALL_THREE} arguments must be less than {_MOST_CHARACTERS}")
        wants_more = given.get("metadata", "").lower() in ("true", "t", "1")
        incs = _incs(given.get("inc", "")) if wants_more else []
        found = self._index.exact(artist, track, listenbrainz_index.FUZZY) or self._index.fuzzy(artist, track)
        if found is None:
            return {}
        document = _match(self._world, found)
        del document["artist_credit_id"]  # a single lookup does not tell it
        return document | ({"metadata": self._describe(found, incs)} if wants_more else {})

    def _look_up_many(self, request: wire.Request) -> list[Json]:
        _check_token(request)
        names = _body(request).get("recordings") or []
        if not names:
            raise _Error(400, "recordings is invalid or not present in body")
        if len(names) > _MOST_NAMES:
            raise _Error(400, f"Number of recordings in request body exceeds maximum permitted. ({_MOST_NAMES})")
        rows = [_row(place, each) for place, each in enumerate(names)]
        # As the server does: by key, so that of equal keys the last one only is answered.
        places = {
            listenbrainz_index.key(each["artist_name_arg"], each["recording_name_arg"]): each["index"] for each in rows
        }
        for place in places.values():
            row = rows[place]
            found = self._index.exact(row["artist_name_arg"], row["recording_name_arg"], listenbrainz_index.EXACT)
            if found:
                row |= _match(self._world, found)
        return rows

    # ------------------------------------------------------------ metadata

    def _recordings(self, request: wire.Request) -> Json:
        if request.method == "POST":
            given = _body(request)
            mbids, incs = given.get("recording_mbids"), _incs(given.get("inc", ""))
            if mbids is None:
                raise _Error(400, "recording_mbids JSON element must be present and contain a list of recording_mbids")
        else:
            incs = _incs(request.query.get("inc", [""])[0])
            mbids = [mbid.strip() for mbid in request.query.get("recording_mbids", [""])[0].split(",")]
        for mbid in mbids:
            if not isinstance(mbid, str) or not _MBID.fullmatch(mbid):
                raise _Error(400, f"recording_mbid {mbid} is not valid.")
        if not mbids:
            raise _Error(400, "At least one valid recording_mbid must be present.")
        if len(mbids) > _MOST_IDS:
            raise _Error(400, f"Maximum number of recordings_mbids that can be fetched at once is {_MOST_IDS}")
        found = [self._world.recording(mbid.lower()) for mbid in mbids]
        # A merged id finds its survivor at MusicBrainz; here it is unknown.
        held = [each for each, mbid in zip(found, mbids, strict=True) if each and each.mbid == mbid.lower()]
        return {each.mbid: self._describe(each, incs) for each in held}

    def _describe(self, recording: entities.Recording, incs: Sequence[str]) -> Json:
        facts: Json = {"name": recording.title, "rels": []}
        if recording.length:
            facts["length"] = recording.length
        if recording.first_date:
            facts["first_release_date"] = recording.first_date
        document: Json = {"recording": facts}
        if "artist" in incs:
            document["artist"] = _artist(recording.credit)
        if "tag" in incs:
            document["tag"] = self._tags(recording)
        if "release" in incs:
            document["release"] = self._release(recording)
        return document

    def _tags(self, recording: entities.Recording) -> Json:
        """Return what people wrote: genres have an id, an artist's say whose they are, and some are no genre."""
        group = _canonical(self._world, recording).group.mbid
        artists = [(name.artist.mbid, tag) for name in recording.credit for tag in _tagged(name.artist.mbid)]
        return {
            "recording": [],
            "artist": [tag | {"artist_mbid": mbid} for mbid, tag in artists],
            "release_group": [tag | {"release_group_mbid": group} for tag in _tagged(group)],
        }

    def _release(self, recording: entities.Recording) -> Json:
        """Return the canonical release, and the front cover of it or else of its group."""
        release = _canonical(self._world, recording)
        document: Json = {
            "mbid": release.mbid,
            "name": release.title,
            "album_artist_name": entities.printed(release.credit),
            "release_group_mbid": release.group.mbid,
        }
        if release.date:
            document["year"] = int(release.date[:4])
        for each in (release, chosen(release.group)):
            front = next((cover for cover in self._world.covers(each) if cover.front), None)
            if front:
                return document | {"caa_id": front.id, "caa_release_mbid": each.mbid}
        return document


# ---------------------------------------------------------------- requests


_ALL_THREE = "total number of characters in artist_name, recording_name and release_name"


def _check_token(request: wire.Request) -> None:
    given = request.headers.get("authorization", "")
    if not given:
        raise _Error(401, "You need to provide an Authorization header.")
    scheme, _, token = given.partition(" ")
    if scheme not in ("Token", "Bearer") or not token:
        raise _Error(401, "Provided Authorization header is invalid.")
    if token == REFUSED_TOKEN:
        raise _Error(401, "Invalid authorization token.")


def _body(request: wire.Request) -> Json:
    if "json" not in request.headers.get("content-type", ""):
        raise _Error(
            415, "Did not attempt to load JSON data because the request Content-Type was not 'application/json'."
        )
    try:
        return msgspec.json.decode(request.body, type=Json)
    except msgspec.DecodeError:
        raise _Error(400, "The browser (or proxy) sent a request that this server could not understand.") from None


def _incs(text: str) -> list[str]:
    for inc in text.split():
        if inc not in _INCS:
            raise _Error(400, f"invalid inc argument '{inc}'. Must be one of {', '.join(_INCS)}.")
    return text.split()


def _row(place: int, given: Json) -> Json:
    """Return a row without a match."""
    artist, track, release = (given.get(name) for name in ("artist_name", "recording_name", "release_name"))
    for name, text in (("artist_name", artist), ("recording_name", track)):
        if not text or not isinstance(text, str):
            raise _Error(400, f"Recording {place} {name} is invalid or not present")
    if len(artist or "") + len(track or "") + len(release or "") > _MOST_CHARACTERS:
        raise _Error(400, f"Recording {place} {_ALL_THREE} arguments must be less than {_MOST_CHARACTERS}")
    return {
        "artist_name_arg": artist,
        "recording_name_arg": track,
        "release_name_arg": release,
        "index": place,
    }


# ---------------------------------------------------------------- replies


def _match(world: World, recording: entities.Recording) -> Json:
    release = _canonical(world, recording)
    return {
        "artist_credit_name": entities.printed(recording.credit),
        "artist_credit_id": _credit_id(recording.credit),
        "artist_mbids": [name.artist.mbid for name in recording.credit],
        "recording_mbid": recording.mbid,
        "recording_name": recording.title,
        "release_mbid": release.mbid,
        "release_name": release.title,
    }


def _canonical(world: World, recording: entities.Recording) -> entities.Release:
    return recording.releases[0] if recording.member >= 0 else world.catalogue.home(recording.row)


def _credit_id(credit: entities.Credit) -> int:
    return 1 + int(3_000_000 * draw.number("artist credit", *(name.artist.mbid for name in credit)))


_GENRES = ("ambient", "art rock", "electronic", "folk", "hip hop", "house", "indie pop", "jazz", "rock", "soul")


def _tagged(mbid: str) -> list[Json]:
    dice = draw.Dice("tags", mbid)
    if dice.chance(0.2):
        return []
    genres = sorted({dice.pick(_GENRES) for _ in range(dice.between(1, 3))})
    tags = [{"tag": each, "count": dice.between(1, 12), "genre_mbid": ids.plain("genre", each)} for each in genres]
    return [*tags, {"tag": "seen live", "count": 1}] if dice.chance(0.3) else tags


def _artist(credit: entities.Credit) -> Json:
    artists = [
        {
            "artist_mbid": name.artist.mbid,
            "name": name.credited,
            "join_phrase": name.join,
            "area": name.artist.country,
            "begin_year": name.artist.begin,
            "type": name.artist.kind,
            "rels": {},
        }
        for name in credit
    ]
    return {"artist_credit_id": _credit_id(credit), "name": entities.printed(credit), "artists": artists}


def _answer(status: int, document: Any, kind: str) -> wire.Reply:
    headers = {
        "content-type": "application/json",
        "server": "nginx",
        "access-control-allow-origin": "*",
    }
    return wire.Reply(status, headers, msgspec.json.encode(document), kind)


def _kind(request: wire.Request) -> str:
    """Name what is asked: "lookup", "lookup_many", "recordings", "user"."""
    if request.path.startswith(("/1/user/", "/1/validate-token")):
        return "user"
    if request.path == "/1/submit-listens":
        return "submit"
    if request.path.startswith("/1/metadata/lookup"):
        return "lookup_many" if request.method == "POST" else "lookup"
    return "recordings" if request.path.startswith("/1/metadata/recording") else "other"
