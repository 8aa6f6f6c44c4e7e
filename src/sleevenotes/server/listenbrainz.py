"""The ListenBrainz API, as players speak it (upstreams §3.1): submit, read back, delete.

Served at /1/… and, for players that expect Maloja's layout, at /apis/listenbrainz/1/…. Reading takes a token or
a session and shows one's own listens only, unlike ListenBrainz, where they are public.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any, TypeVar

import msgspec
from litestar import Request, Router, asgi, get, post
from litestar.exceptions import ClientException, HTTPException, MethodNotAllowedException, NotFoundException
from litestar.params import FromPath
from litestar.types import ASGIApp, Receive, Send
from litestar.types import Scope as ASGIScope

from sleevenotes import errors
from sleevenotes.model import Band
from sleevenotes.server import answers, auth, listens, ops, problems, services
from sleevenotes.store import deletions, latest_imports, played
from sleevenotes.store.accounts import Account, Scope
from sleevenotes.store.played import Play

DEFAULT_COUNT = 25
MAX_COUNT = 1000
MAX_SERVICE = 100
_BODY_ROOM = 1_000_000  # beyond the limit, so that our own message tells of it

Asked = Request[Any, Any, Any]

T = TypeVar("T")

_OK = answers.Json(b'{"status":"ok"}')


# ---------------------------------------------------------------- submitting


@asgi("/submit-listens", opt={"token_only": True}, copy_scope=False)
async def submit_listens(scope: ASGIScope, receive: Receive, send: Send) -> None:
    """Store a single listen or an import, or note what plays now.

    Every valid listen is stored whatever the others are; an import's answer names those that were rejected. A bare
    ASGI application: every play comes through here, and Litestar's way to a handler costs as much as the rest.
    """
    request: Asked = Request(scope, receive, send)
    if request.method != "POST":
        raise MethodNotAllowedException(headers={"Allow": "POST"})
    account = await auth.by_token(request, Scope.SUBMIT)
    token = auth.token_in_header(request)
    try:
        answer = await _submit(request, account, await _body(receive), token)
    except errors.Refused as error:
        request.app.state.noticed.note(token, "listenbrainz", "refused", problem=str(error))
        raise
    await answer(scope, receive, send)


async def _body(receive: Receive) -> bytes:
    """Read a request's body, as far as `listens.read` needs it to say that it is too large."""
    parts: list[bytes] = []
    left = listens.MAX_PAYLOAD_BYTES + 1
    while left > 0:
        message = await receive()
        if message["type"] != "http.request":
            raise ClientException("The request broke off.")
        parts.append(message["body"])
        left -= len(parts[-1])
        if not message["more_body"]:
            break
    return b"".join(parts)


async def _submit(request: Asked, account: Account, body: bytes, token: str) -> ASGIApp:
    batch = listens.read(body, services.of(request).clock.now())
    if not batch.sent and batch.rejected:
        told = batch.rejected if batch.listen_type == "import" else None
        raise problems.Invalid(batch.rejected[0].error, told)
    if batch.sent:
        kind = "playing_now" if batch.listen_type == "playing_now" else "scrobble"
        last = batch.sent[-1]
        request.app.state.noticed.note(token, "listenbrainz", kind, artist=last.artist, track=last.track)
    if batch.listen_type == "playing_now":
        return await _play_now(request, account, batch)
    band = Band.LOW_PRIORITY if batch.listen_type == "import" else Band.DEFAULT
    stored = await services.of(request).submitter.submit(account.id, batch.sent, band=band)
    duplicates = sum(one.duplicate for one in stored)
    ops.count_listens(
        "listenbrainz",
        batch.listen_type,
        stored=len(stored) - duplicates,
        duplicate=duplicates,
        rejected=len(batch.rejected),
    )
    if not batch.rejected:
        return _OK
    return answers.json({"status": "ok", "rejected": batch.rejected})


async def _play_now(request: Asked, account: Account, batch: listens.Batch) -> ASGIApp:
    (playing,) = batch.sent
    await services.of(request).submitter.play_now(account.id, playing)
    ops.count_listens("listenbrainz", "playing_now", stored=0, duplicate=0, rejected=0)
    answer = {"status": "ok"}
    if request.query_params.get("return_msid", "").lower() in ("true", "1"):
        answer["recording_msid"] = listens.recording_msid(playing.artist, playing.track, playing.release)
    return answers.json(answer)


class _ToDelete(msgspec.Struct):
    listened_at: int
    recording_msid: str


@post("/delete-listen", status_code=200, opt={"token_only": True})
async def delete_listen(request: Asked) -> ASGIApp:
    """Delete the listen of that second and recording_msid; one that is not there counts as deleted."""
    account = await auth.by_token(request)
    gone = _read(await request.body(), _ToDelete)
    parts = services.of(request)
    async with parts.database.transaction() as conn:
        there = await played.at(conn, account.id, _moment(gone.listened_at, "listened_at"))
        same = [play.id for play in there if _msid(play) == gone.recording_msid.lower()]
        await deletions.delete(conn, account.id, same, parts.clock.now())
    return _OK


def _msid(play: Play) -> str:
    return listens.recording_msid(play.artist, play.track, play.release)


# ---------------------------------------------------------------- reading


@get("/validate-token")
async def validate_token(request: Asked) -> ASGIApp:
    """Tell whether a token works, and whose it is."""
    token = auth.token_in_header(request) or request.query_params.get("token", "").strip()
    if not token:
        raise HTTPException(detail="You need to provide an Authorization token.", status_code=400)
    account = await auth.known_account(request, token)
    if account is None:
        return answers.json({"code": 200, "message": "Token invalid.", "valid": False})
    return answers.json({"code": 200, "message": "Token valid.", "valid": True, "user_name": account.name})


@get("/user/{user_name:str}/listens")
async def user_listens(request: Asked, user_name: FromPath[str]) -> ASGIApp:
    """Give the listens between min_ts and max_ts (both exclusive), newest first; at most `count`."""
    account = await auth.readable(request, user_name)
    after, before = _number(request, "min_ts"), _number(request, "max_ts")
    if after is not None and before is not None and after >= before:
        raise errors.Refused("max_ts should be greater than min_ts.")
    count = _number(request, "count")
    async with services.of(request).database.connection() as conn:
        plays = await played.feed(
            conn,
            account.id,
            since=None if after is None else _moment(after + 1, "min_ts"),
            until=None if before is None else _moment(before, "max_ts"),
            limit=DEFAULT_COUNT if count is None else min(count, MAX_COUNT),
            oldest=after is not None and before is None,
        )
        bounds = await played.bounds(conn, account.id)
    oldest, latest = bounds or (datetime.fromtimestamp(0, UTC),) * 2
    return _payload(
        count=len(plays),
        user_id=account.name,
        latest_listen_ts=int(latest.timestamp()),
        oldest_listen_ts=int(oldest.timestamp()),
        listens=[listens.written(play, account.name) for play in plays],
    )


@get("/user/{user_name:str}/listen-count")
async def listen_count(request: Asked, user_name: FromPath[str]) -> ASGIApp:
    """Tell how many listens there are."""
    account = await auth.readable(request, user_name)
    async with services.of(request).database.connection() as conn:
        return _payload(count=await played.count(conn, account.id))


@get("/user/{user_name:str}/playing-now")
async def playing_now(request: Asked, user_name: FromPath[str]) -> ASGIApp:
    """Tell what plays now."""
    account = await auth.readable(request, user_name)
    parts = services.of(request)
    async with parts.database.connection() as conn:
        play = await played.now_playing(conn, account.id, parts.clock.now())
    now = [listens.written(play, account.name)] if play else []
    return _payload(count=len(now), user_id=account.name, playing_now=True, listens=now)


@get("/latest-import")
async def latest_import(request: Asked) -> ASGIApp:
    """Tell up to which listen a client has imported from a service."""
    account = await _own(request, request.query_params.get("user_name", ""))
    service = _service(request.query_params.get("service", "lastfm"))
    async with services.of(request).database.connection() as conn:
        latest = await latest_imports.read(conn, account.id, service)
    return answers.json({"musicbrainz_id": account.name, "latest_import": int(latest.timestamp()) if latest else 0})


class _Imported(msgspec.Struct):
    ts: int
    service: str = "lastfm"


@post("/latest-import", status_code=200, opt={"token_only": True})
async def set_latest_import(request: Asked) -> ASGIApp:
    """Keep up to which listen a client has imported from a service."""
    account = await auth.by_token(request, Scope.SUBMIT)
    told = _read(await request.body(), _Imported)
    async with services.of(request).database.connection() as conn:
        await latest_imports.write(conn, account.id, _service(told.service), _moment(told.ts, "ts"))
    return _OK


# ---------------------------------------------------------------- inside


async def _own(request: Asked, user_name: str) -> Account:
    account = await auth.reader(request)
    if account.name.lower() != user_name.lower():
        raise NotFoundException(f"Cannot find user: {user_name}")
    return account


def _read(body: bytes, kind: type[T]) -> T:
    try:
        return msgspec.json.decode(body, type=kind)
    except msgspec.ValidationError as error:
        raise errors.Refused(f"Invalid JSON document submitted: {error}") from None
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        raise errors.Refused("Invalid JSON document submitted.") from None


def _service(name: str) -> str:
    if not name or "\0" in name or len(name) > MAX_SERVICE:
        raise errors.Refused(f"'service' should be a name of 1 to {MAX_SERVICE} characters.", field="service")
    return name


def _number(request: Asked, name: str) -> int | None:
    text = request.query_params.get(name)
    if text is None or text == "":
        return None
    if not text.isdecimal():
        raise errors.Refused(f"'{name}' should be a non-negative integer.", field=name)
    return int(text)


def _moment(seconds: int, name: str) -> datetime:
    try:
        return datetime.fromtimestamp(seconds, UTC)
    except (ValueError, OverflowError, OSError):
        raise errors.Refused(f"'{name}' is no time.", field=name) from None


def _payload(**payload: object) -> ASGIApp:
    return answers.json({"payload": payload})


_HANDLERS = [
    submit_listens,
    delete_listen,
    validate_token,
    user_listens,
    listen_count,
    playing_now,
    latest_import,
    set_latest_import,
]

routers = [
    Router("/1", route_handlers=_HANDLERS, include_in_schema=False),
    Router("/apis/listenbrainz/1", route_handlers=_HANDLERS, include_in_schema=False),
]
