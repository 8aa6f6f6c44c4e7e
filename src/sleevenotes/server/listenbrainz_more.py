"""The ListenBrainz API beyond listens: what one loves and hates, and what one plays most.

Feedback holds for a track by its names. A recording is named by the recording_msid that a listen was given back with,
by the MBID of a recording that one has played, or (ours alone) by `artist_name` and `track_name`.
"""

from __future__ import annotations

from typing import Any

import msgspec
from litestar import Request, Response, Router, get, post
from litestar.exceptions import NotFoundException
from litestar.params import FromPath
from litestar.types import ASGIApp

from sleevenotes import errors, names
from sleevenotes.server import answers, api_periods, auth, inputs, listenbrainz_stats, listens, services
from sleevenotes.store import charts, feedback, recordings_named
from sleevenotes.store.accounts import Account, Scope
from sleevenotes.store.recordings_named import Named

MAX_COUNT = 1_000
DEFAULT_COUNT = 25

Asked = Request[Any, Any, Any]

_OK = answers.Json(b'{"status":"ok"}')


class _Given(msgspec.Struct):
    score: int
    recording_msid: str = ""
    recording_mbid: str = ""
    artist_name: str = ""
    track_name: str = ""


@post("/feedback/recording-feedback", status_code=200, opt={"token_only": True})
async def give(request: Asked) -> ASGIApp:
    """Love (1), hate (-1) or neither (0): holds for every play of the track."""
    account = await auth.by_token(request, Scope.SUBMIT)
    given = _read(await request.body())
    if given.score not in (-1, 0, 1):
        raise errors.Refused("Feedback can have a value of 1, 0 or -1.", field="score")
    parts = services.of(request)
    async with parts.database.transaction() as conn:
        tracks = await _meant(conn, account, given)
        for track in tracks:
            await feedback.give(conn, account.id, track.artist, track.track, given.score, parts.clock.now())
    return _OK


async def _meant(conn: Any, account: Account, given: _Given) -> list[Named]:
    for field in ("artist_name", "track_name"):
        if "\0" in getattr(given, field):
            raise errors.Refused(f"{field} contains a unicode null character", field=field)
    if given.artist_name.strip() and given.track_name.strip():
        return [Named(given.artist_name.strip(), given.track_name.strip())]
    found: list[Named] = []
    if given.recording_msid:
        _checked("recording_msid", given.recording_msid)
        found = await recordings_named.by_identities(conn, account.id, listens.identities(given.recording_msid))
    if not found and given.recording_mbid:
        _checked("recording_mbid", given.recording_mbid)
        found = await recordings_named.by_mbid(conn, account.id, given.recording_mbid.lower())
    if not (given.recording_msid or given.recording_mbid):
        raise errors.Refused("JSON document must contain recording_mbid or recording_msid.", field="recording_mbid")
    if not found:
        raise NotFoundException("No play of yours is of this recording: feedback is kept by the names you play.")
    return found


def _checked(field: str, value: str) -> None:
    if not inputs.is_mbid(value):
        raise errors.Refused(f"{field} MBID format invalid.", field=field)


@get("/feedback/user/{user_name:str}/get-feedback")
async def get_feedback(request: Asked, user_name: FromPath[str]) -> ASGIApp:
    """Give what one loves or hates, the latest first; `score` 1 or -1, else both."""
    account = await _own(request, user_name)
    score = _score(request)
    count, offset = _number(request, "count", DEFAULT_COUNT), _number(request, "offset", 0)
    wanted = (feedback.LOVED, feedback.HATED) if score is None else (score,)
    async with services.of(request).database.connection() as conn:
        total = sum([await feedback.count(conn, account.id, one) for one in wanted])
        rows = await feedback.latest(conn, account.id, wanted, limit=min(count, MAX_COUNT), offset=offset)
        known = await recordings_named.mbids(conn, account.id, [Named(row.artist, row.track) for row in rows])
    with_names = request.query_params.get("metadata", "").lower() in ("true", "1")
    told = [_told(row, account, known, with_names=with_names) for row in rows]
    return answers.json({"feedback": told, "count": len(told), "total_count": total, "offset": offset})


@get("/feedback/user/{user_name:str}/get-feedback-for-recordings")
async def get_feedback_for_recordings(request: Asked, user_name: FromPath[str]) -> ASGIApp:
    """Give one's feedback for recordings: `recording_msids` and `recording_mbids`, comma-separated, 0 for neither."""
    account = await _own(request, user_name)
    return await _for_recordings(
        request,
        account,
        _listed(request.query_params.get("recording_msids", "") or request.query_params.get("recordings", "")),
        _listed(request.query_params.get("recording_mbids", "")),
    )


@post(
    "/feedback/user/{user_name:str}/get-feedback-for-recordings",
    status_code=200,
    opt={"token_only": True},
)
async def post_feedback_for_recordings(request: Asked, user_name: FromPath[str]) -> ASGIApp:
    """Give one's feedback for recordings, which are lists in the body."""
    account = await _own(request, user_name)
    try:
        asked = msgspec.json.decode(await request.body(), type=dict[str, list[str]])
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        raise errors.Refused("Invalid JSON document submitted.") from None
    return await _for_recordings(request, account, asked.get("recording_msids", []), asked.get("recording_mbids", []))


async def _for_recordings(request: Asked, account: Account, msids: list[str], mbids: list[str]) -> ASGIApp:
    for field, values in (("recording_msids", msids), ("recording_mbids", mbids)):
        if len(values) > MAX_COUNT:
            raise errors.Refused(f"{field}: at most {MAX_COUNT}.", field=field)
        for value in values:
            _checked(field, value)
    if not (msids or mbids):
        raise errors.Refused("No valid recording_msids or recording_mbids in the request.", field="recording_mbids")
    told: list[dict[str, object]] = []
    async with services.of(request).database.connection() as conn:
        for msid in msids:
            found = await recordings_named.by_identities(conn, account.id, listens.identities(msid))
            told.append(await _scored(conn, account, found, msid=msid))
        for mbid in mbids:
            found = await recordings_named.by_mbid(conn, account.id, mbid.lower())
            told.append(await _scored(conn, account, found, mbid=mbid))
    return answers.json({"feedback": told})


async def _scored(
    conn: Any, account: Account, found: list[Named], *, msid: str | None = None, mbid: str | None = None
) -> dict[str, object]:
    scores = await feedback.scores(conn, account.id, [names.digest(one.artist, one.track) for one in found])
    score = next(iter(scores.values()), 0)
    return {"recording_msid": msid, "recording_mbid": mbid, "score": score, "user_id": account.name}


def _told(row: feedback.Feedback, account: Account, known: dict[bytes, str], *, with_names: bool) -> dict[str, object]:
    told: dict[str, object] = {
        "user_id": account.name,
        "recording_msid": listens.recording_msid(row.artist, row.track, ""),
        "recording_mbid": known.get(names.digest(row.artist, row.track)),
        "score": row.score,
        "created": int(row.given_at.timestamp()),
        "track_metadata": None,
    }
    if with_names:
        told["track_metadata"] = {"artist_name": row.artist, "track_name": row.track, "release_name": ""}
    return told


# ---------------------------------------------------------------- statistics


@get("/stats/user/{user_name:str}/{entity:str}")
async def stats(request: Asked, user_name: FromPath[str], entity: FromPath[str]) -> Response[Any]:
    """Give what one plays most: artists, releases, release-groups or recordings, by range; 204 for nothing."""
    account = await _own(request, user_name)
    asked = listenbrainz_stats.ENTITIES.get(entity)
    if asked is None:
        raise NotFoundException(f"There are no statistics of {entity[:40]!r} here.")
    name = request.query_params.get("range", "all_time")
    parts = services.of(request)
    period = api_periods.listenbrainz(name, parts.clock.now())
    if period is None:
        raise errors.Refused(f"Invalid range: {name}", field="range")
    count = min(_number(request, "count", DEFAULT_COUNT), MAX_COUNT)
    offset = _number(request, "offset", 0)
    ask = {"artists": charts.artists, "albums": charts.albums, "tracks": charts.tracks}[asked.kind]
    async with parts.database.connection() as conn:
        found = await ask(conn, account.id, period, count, offset)
    if not found.entries:
        return Response(None, status_code=204)
    return Response(listenbrainz_stats.written(asked, found, account.name, name, period, parts.clock.now(), offset))


# ---------------------------------------------------------------- inside


async def _own(request: Asked, user_name: str) -> Account:
    account = await auth.reader(request)
    if account.name.lower() != user_name.lower():
        raise NotFoundException(f"Cannot find user: {user_name}")
    return account


def _read(body: bytes) -> _Given:
    try:
        return msgspec.json.decode(body, type=_Given)
    except msgspec.ValidationError as error:
        raise errors.Refused(f"Invalid JSON document submitted: {error}") from None
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        raise errors.Refused("Invalid JSON document submitted.") from None


def _score(request: Asked) -> int | None:
    told = request.query_params.get("score", "")
    if told not in ("", "None", "1", "-1"):
        raise errors.Refused("Score can have a value of 1 or -1.", field="score")
    return int(told) if told in ("1", "-1") else None


def _number(request: Asked, name: str, default: int) -> int:
    told = request.query_params.get(name, "")
    if not told:
        return default
    if not told.isdecimal() or len(told) > 9:
        raise errors.Refused(f"'{name}' should be a non-negative integer.", field=name)
    return int(told)


def _listed(told: str) -> list[str]:
    return [part.strip() for part in told.split(",") if part.strip()]


_HANDLERS = [give, get_feedback, get_feedback_for_recordings, post_feedback_for_recordings, stats]

routers = [Router(path, route_handlers=_HANDLERS, include_in_schema=False) for path in ("/1", "/apis/listenbrainz/1")]
