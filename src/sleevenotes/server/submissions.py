"""The Audioscrobbler Submissions protocol, 1.2 and 1.2.1: old players' way of scrobbling (upstreams §4b).

A handshake proves that the player knows the password and is given a session and two addresses; it then posts what plays
now to the one and what was played to the other. Answers are lines of text. The password must be a token that was made
for such a player: the proof is md5(md5(password) + time), which cannot be checked against an account's own password.

The handshake is answered at /submissions and, for players that know only a host, at / (when it has hs=true). All
words of the protocol come with status 200, as from the original: mpdscribble reads the body of no other. A player that
is told FAILED keeps its plays and sends the same again, so that word is never the answer to plays that will not become
fit: it would send them for ever, and nothing that was played later.
"""

from __future__ import annotations

import hmac
import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any
from urllib.parse import parse_qsl

from litestar import Request, Response, Router, get, post

from sleevenotes import errors
from sleevenotes.model import Band
from sleevenotes.server import audioscrobbler_call, audioscrobbler_plays, guesses, home, ops, services
from sleevenotes.server.audioscrobbler_plays import Item
from sleevenotes.store import player_logins
from sleevenotes.store.accounts import Account, Scope
from sleevenotes.store.player_logins import Handshake

CLOSE_S = 3_600  # a proof is good this long around its time: players' clocks differ, and no later replay works
MAX_FIELDS = 1_000
DIALECT = "submissions"

Asked = Request[Any, Any, Any]

# Last.fm's old documentation of the protocol: letter -> the field of track.scrobble
_LETTERS = {
    "a": "artist",
    "t": "track",
    "i": "timestamp",
    "l": "duration",
    "b": "album",
    "n": "tracknumber",
    "m": "mbid",
}
_PLAY = re.compile(r"([a-z])\[(\d{1,9})\]")


@get("/", opt={"token_only": True})
async def handshake(request: Asked) -> Response[str]:
    """Check who a player is, and tell it its session and where to send what."""
    return await _shake(request, request.query_params)


@post(["/", "/protocol_1.2"], status_code=200, opt={"token_only": True})
async def submit(request: Asked) -> Response[str]:
    """Store up to 50 plays; each that is fit is stored whatever the others are, and those that are not are dropped."""
    fields = await _form(request)
    if fields is None:
        return _failed(
            f"The submission has more than {MAX_FIELDS} fields or {audioscrobbler_call.MAX_BODY_BYTES} bytes"
        )
    account = await _account(request, fields)
    if account is None:
        return _line("BADSESSION")
    parts = services.of(request)
    items = read_plays(fields, parts.clock.now(), _player(request))
    sent = [item.scrobble for item in items if item.scrobble]
    if not 0 < len(items) <= audioscrobbler_plays.MAX_PLAYS:
        return _failed(f"A submission holds 1 to {audioscrobbler_plays.MAX_PLAYS} plays, not {len(items)}")
    _notice(request, fields, items[-1], "scrobble")
    stored = await parts.submitter.submit(account.id, sent, band=Band.DEFAULT) if sent else []
    doubles = sum(one.duplicate for one in stored)
    rejected = len(items) - len(sent)
    ops.count_listens(DIALECT, "batch", stored=len(stored) - doubles, duplicate=doubles, rejected=rejected)
    return _line("OK")


@post(["/now-playing", "/np_1.2"], status_code=200, opt={"token_only": True})
async def now_playing(request: Asked) -> Response[str]:
    """Note what plays now."""
    fields = await _form(request)
    if fields is None:
        return _failed("The notification is too large")
    account = await _account(request, fields)
    if account is None:
        return _line("BADSESSION")
    parts = services.of(request)
    item = audioscrobbler_plays.read(_named(fields), parts.clock.now(), _player(request), playing=True)
    _notice(request, fields, item, "playing_now")
    if item.scrobble:  # else the same as for plays that are unfit: it would be said again and again
        await parts.submitter.play_now(account.id, item.scrobble)
    ops.count_listens(DIALECT, "playing_now", stored=0, duplicate=0, rejected=item.scrobble is None)
    return _line("OK")


async def at_the_root(request: Asked) -> Response[str] | None:
    """Answer a handshake that was sent to the first page; None for everybody who wants that page."""
    if request.query_params.get("hs", "").lower() != "true":
        return None
    return await _shake(request, request.query_params)


# ---------------------------------------------------------------- the handshake


async def _shake(request: Asked, query: Mapping[str, str]) -> Response[str]:
    if query.get("hs", "").lower() != "true":
        return _failed("This is the address of Audioscrobbler's submission protocol: a handshake has hs=true")
    if not query.get("p", "").startswith("1.2"):
        return _failed("Only versions 1.2 and 1.2.1 of the protocol are spoken here")
    told, now = query.get("t", ""), services.of(request).clock.now()
    if not told.isdecimal() or len(told) > 11 or abs(int(told) - now.timestamp()) > CLOSE_S:
        return _line("BADTIME")
    if guesses.left(request) <= 0:
        return _failed("Too many wrong passwords from here: wait a minute")
    key = await _known(request, query)
    if key is None:
        guesses.count(request)
        return _line("BADAUTH")
    base = home.address(request)
    return _line("OK", key, f"{base}/submissions/now-playing", f"{base}/submissions/protocol_1.2")


async def _known(request: Asked, query: Mapping[str, str]) -> str | None:
    """Return the session of the token that this proof was made of; None where there is none."""
    name, told, proof = query.get("u", ""), query.get("t", ""), query.get("a", "").lower()
    if query.get("sk"):  # the variant for web services: the session is there already
        return await _by_session_key(request, name, query["sk"])
    async with services.of(request).database.connection() as conn:
        known = await player_logins.of_account(conn, name)
    return next((one.session_key for one in known if _proves(one, told, proof)), None)


def _proves(handshake: Handshake, told: str, proof: str) -> bool:
    expected = audioscrobbler_call.md5(handshake.password_md5 + told)
    return hmac.compare_digest(expected.encode(), proof.encode())


async def _by_session_key(request: Asked, name: str, key: str) -> str | None:
    account = await request.app.state.known_keys.account(key)
    return key if account and account.name.lower() == name.strip().lower() else None


# ---------------------------------------------------------------- submissions


def read_plays(fields: Mapping[str, str], now: datetime, app: str) -> list[Item]:
    """Read the plays of a submission (a[0], t[0], i[0] …), in the order of their indices. Pure."""
    plays: dict[int, dict[str, str]] = {}
    for name, value in fields.items():
        found = _PLAY.fullmatch(name)
        if found:
            plays.setdefault(int(found[2]), {})[found[1]] = value
    return [audioscrobbler_plays.read(_named(sent), now, app) for _, sent in sorted(plays.items())]


def _named(letters: Mapping[str, str]) -> dict[str, str]:
    named = {_LETTERS[letter]: value.strip() for letter, value in letters.items() if letter in _LETTERS}
    if letters.get("o") in ("R", "E"):  # broadcast, or a recommendation: somebody else chose it
        named["chosenbyuser"] = "0"
    return named


async def _form(request: Asked) -> dict[str, str] | None:
    body = await request.body()
    if len(body) > audioscrobbler_call.MAX_BODY_BYTES:
        return None
    try:
        text = body.decode("utf-8", "replace")
        return dict(parse_qsl(text, keep_blank_values=True, max_num_fields=MAX_FIELDS))
    except ValueError:
        return None


async def _account(request: Asked, fields: Mapping[str, str]) -> Account | None:
    account: Account | None = await request.app.state.known_keys.account(fields.get("s", ""))
    return account if account and Scope.SUBMIT in account.may else None


def _player(request: Asked) -> str:
    return audioscrobbler_call.application(request.headers.get("user-agent", ""))


def _notice(request: Asked, fields: Mapping[str, str], item: Item, kind: str) -> None:
    noticed = request.app.state.noticed
    if item.scrobble:
        noticed.note(fields["s"], DIALECT, kind, artist=item.scrobble.artist, track=item.scrobble.track)
    else:
        noticed.note(fields["s"], DIALECT, "refused", problem=item.problem)


def _failed(reason: str, status: int = 200) -> Response[str]:
    return _line(f"FAILED {' '.join(reason.split())}", status=status)


def _line(word: str, *more: str, status: int = 200) -> Response[str]:
    # some players read up to each line's end, so the last one has one too
    lines = "".join(f"{line}\n" for line in (word, *more))
    return Response(lines, status_code=status, media_type="text/plain", headers={"Cache-Control": "no-store"})


def broken(_request: Asked, error: Exception) -> Response[str]:
    """Answer what went wrong on our side: players keep their plays and try again."""
    if isinstance(error, errors.Fault):
        return _failed("The database does not answer: send the same again shortly", 503)
    status = getattr(error, "status_code", 500)
    return _failed("Too many requests: wait a minute" if status == 429 else "Sleevenotes failed at this", status)


handlers = [
    Router(
        path,
        route_handlers=[handshake, submit, now_playing],
        include_in_schema=False,
        exception_handlers={Exception: broken},
    )
    for path in ("/submissions", "/apis/audioscrobbler_legacy")
]
