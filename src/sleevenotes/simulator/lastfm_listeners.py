"""Last.fm's listeners: user.getRecentTracks, user.getLovedTracks, and who logs in (auth.…, www.last.fm/api/auth).

As recorded and as its clients know it: all numbers are texts; a page with one row has an object for a list; what plays
now is one row more, without a date, on every page; an empty history has 0 pages; error 17 for who hides it. Only this
one key has a secret, by which requests are signed.
"""

from __future__ import annotations

import hashlib
import operator
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any, Final, NamedTuple
from urllib.parse import parse_qs, quote_plus, urlencode

from sleevenotes.simulator import draw, entities, imagehosts, lastfm_submit, people, wire
from sleevenotes.simulator.world import World

Json = dict[str, Any]
_Take = Callable[[Mapping[str, str], people.Person, datetime], Json]

KEY: Final = "simulated"
SECRET: Final = "simulated secret"  # noqa: S105 - of the simulated key, for whoever tries it out
WHO: Final = "listener"  # who is logged in at the simulated www.last.fm
_TOKEN_S: Final = 3600  # how long a token lives
_USUAL, _MOST = 50, 1000  # rows of a page: documented are 200 at most, a thousand are given
_HOST: Final = "https://lastfm.freetls.fastly.net/i/u"
_SIZES: Final = (("small", 34), ("medium", 64), ("large", 174), ("extralarge", 300))


class Failed(Exception):
    """A request that ends with an error of Last.fm's."""

    def __init__(self, code: int) -> None:
        super().__init__(code)
        self.code = code


class _Token(NamedTuple):
    since: datetime
    name: str  # who has confirmed it, "" while nobody has


class Listeners:
    """What Last.fm knows of its listeners."""

    def __init__(self, world: World, everybody: people.People) -> None:
        self._world = world
        self._people = everybody
        self._tokens: dict[str, _Token] = {}
        self.sessions: dict[str, str] = {}  # session key -> name
        self.taking = lastfm_submit.Taking(world)
        self.methods: dict[str, Callable[[Mapping[str, str], datetime], Json]] = {
            "user.getrecenttracks": self._recent,
            "user.getlovedtracks": self._loved,
            "auth.gettoken": self._token,
            "auth.getsession": self._session,
            "track.scrobble": self._scrobble,
            "track.updatenowplaying": self._update_playing,
        }

    # ------------------------------------------------------------ giving

    def _scrobble(self, given: Mapping[str, str], now: datetime) -> Json:
        return self._taken(self.taking.scrobble, given, now)

    def _update_playing(self, given: Mapping[str, str], now: datetime) -> Json:
        return self._taken(self.taking.playing, given, now)

    def _taken(self, take: _Take, given: Mapping[str, str], now: datetime) -> Json:
        """Take what a listener gives by a session's key. Raises Failed where the session or the plays are unfit."""
        _check_signature(given)
        person = self._people.find(self.sessions.get(given.get("sk", ""), ""), now)
        if person is None:
            raise Failed(9)
        try:
            return take(given, person, now)
        except lastfm_submit.Unfit:
            raise Failed(6) from None

    # ------------------------------------------------------------ histories

    def _recent(self, given: Mapping[str, str], now: datetime) -> Json:
        person = self._open(given, now)
        since, before = _whole(given, "from"), _whole(given, "to")
        rows = [self._row(play) for play in person.between(since, before)]
        page, attributes = _paged(given, person.name, rows)
        if person.playing is not None:
            page.insert(0, {**self._row(person.playing, dated=False), "@attr": {"nowplaying": "true"}})
        return {"recenttracks": {"track": page[0] if len(page) == 1 else page, "@attr": attributes}}

    def _loved(self, given: Mapping[str, str], now: datetime) -> Json:
        person = self._open(given, now)
        rows = []
        for play in sorted(person.loved, key=operator.attrgetter("at"), reverse=True):
            row = self._row(play)
            name = row["artist"]["#text"]
            row["artist"] = {"url": _page(name), "name": name, "mbid": row["artist"]["mbid"]}
            row["image"] = [{"size": size, "#text": _star(edge)} for size, edge in _SIZES]
            row["streamable"] = {"fulltrack": "0", "#text": "0"}
            del row["album"]
            rows.append(row)
        page, attributes = _paged(given, person.name, rows)
        return {"lovedtracks": {"track": page[0] if len(page) == 1 else page, "@attr": attributes}}

    def _open(self, given: Mapping[str, str], now: datetime) -> people.Person:
        """Return whose history it is. Raises Failed where there is nobody, or where it is hidden from who asks."""
        reader = ""
        if "sk" in given:
            _check_signature(given)
            reader = self.sessions.get(given["sk"], "")
            if not reader:
                raise Failed(9)
        person = self._people.find(given.get("user") or reader, now)
        if person is None:
            raise Failed(6)
        if person.private and reader.casefold() != person.name.casefold():
            raise Failed(17)
        return person

    def _row(self, play: people.Played, *, dated: bool = True) -> Json:
        recording, dice = play.recording, draw.Dice(self._world.seed, "lastfm row", play.recording.mbid)
        artist = entities.printed(recording.credit)
        lead = recording.credit[0].artist
        known = recording.mbid in self._world.catalogue.recording_rows  # else it goes by names that were sent here
        row: Json = {
            "artist": {"mbid": lead.mbid if known and len(recording.credit) == 1 else "", "#text": artist},
            "streamable": "0",
            "image": self._images(play.release.group),
            "mbid": self._world.merged_recording(recording.mbid) if known and not dice.chance(0.5) else "",
            "album": {"mbid": "" if dice.chance(0.5) or not known else play.release.mbid, "#text": play.release.title},
            "name": recording.title,
            "url": _page(artist, "_", recording.title),
        }
        if dated and play.at:
            text = datetime.fromtimestamp(play.at, UTC).strftime("%d %b %Y, %H:%M")
            row["date"] = {"uts": str(play.at), "#text": text}
        return row

    def _images(self, group: entities.Group) -> list[Json]:
        bare = draw.number(self._world.seed, "lastfm bare", group.mbid) < 0.5
        found = []
        for size, edge in _SIZES:
            address = imagehosts.address(self._world, "lastfm", group, edge=edge)
            found.append({"size": size, "#text": address or ("" if bare else _star(edge))})
        return found

    # ------------------------------------------------------------ who logs in

    def _token(self, given: Mapping[str, str], now: datetime) -> Json:
        _check_signature(given)
        return {"token": self._new_token(now, "")}

    def _session(self, given: Mapping[str, str], now: datetime) -> Json:
        _check_signature(given)
        token = self._tokens.pop(given.get("token", ""), None)
        if token is None:
            raise Failed(4)
        if (now - token.since).total_seconds() > _TOKEN_S:
            raise Failed(15)
        if not token.name:
            self._tokens[given["token"]] = token
            raise Failed(14)
        key = hashlib.md5(f"session {token.name}".encode(), usedforsecurity=False).hexdigest()
        self.sessions[key] = token.name
        return {"session": {"subscriber": 0, "name": token.name, "key": key}}

    def _new_token(self, now: datetime, name: str) -> str:
        text = f"token {self._world.seed} {now.timestamp()} {len(self._tokens)}"
        token = hashlib.md5(text.encode(), usedforsecurity=False).hexdigest()
        self._tokens[token] = _Token(now, name)
        return token

    def confirm(self, request: wire.Request, now: datetime) -> wire.Reply:
        """Be the page on which a listener lets an application in, who always does."""
        given = {name: values[0] for name, values in request.query.items()}
        if not given.get("api_key"):
            return wire.Reply(400, {"content-type": "text/html"}, b"<h1>Invalid API key</h1>\n", "auth")
        if back := given.get("cb"):
            joint = "&" if "?" in back else "?"
            location = f"{back}{joint}{urlencode({'token': self._new_token(now, WHO)})}"
            return wire.Reply(302, {"location": location, "content-type": "text/html"}, b"", "auth")
        if given.get("token") in self._tokens:
            self._tokens[given["token"]] = self._tokens[given["token"]]._replace(name=WHO)
        return wire.Reply(200, {"content-type": "text/html"}, b"<h1>Application authenticated</h1>\n", "auth")


# ---------------------------------------------------------------- requests


def given(request: wire.Request) -> dict[str, str]:
    """Return the parameters of a request, of its address and of its form."""
    form = parse_qs(request.body.decode("utf-8", "replace"), keep_blank_values=True) if request.method == "POST" else {}
    return {name: values[0] for name, values in {**request.query, **form}.items()}


def _check_signature(given: Mapping[str, str]) -> None:
    names = sorted(name for name in given if name not in ("format", "callback", "api_sig"))
    text = "".join(name + given[name] for name in names) + SECRET
    if given.get("api_sig", "").lower() != hashlib.md5(text.encode(), usedforsecurity=False).hexdigest():
        raise Failed(13)


def _whole(given: Mapping[str, str], name: str, default: int = 0) -> int:
    text = given.get(name, "")
    return int(text) if text.isdecimal() else default


def _paged(given: Mapping[str, str], name: str, rows: list[Json]) -> tuple[list[Json], Json]:
    """Return one page of rows, and what is said of all."""
    size = min(_whole(given, "limit", _USUAL) or _USUAL, _MOST)
    page = max(_whole(given, "page", 1), 1)
    attributes = {
        "user": name,
        "totalPages": str(-(-len(rows) // size)),
        "page": str(page),
        "perPage": str(size),
        "total": str(len(rows)),
    }
    return rows[(page - 1) * size : page * size], attributes


def _page(*parts: str) -> str:
    return "https://www.last.fm/music/" + "/".join(quote_plus(part, safe="()") for part in parts)


def _star(edge: int) -> str:
    return f"{_HOST}/{'300x300' if edge == 300 else f'{edge}s'}/{imagehosts.STAR}.png"
