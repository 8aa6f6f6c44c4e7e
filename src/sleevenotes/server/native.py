"""The native API, version 1: submit scrobbles, list them with a cursor, read and delete one.

Writing takes a token; reading a token or a session. Everybody sees their own scrobbles only.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import msgspec
from litestar import Request, Response, Router, delete, get, post
from litestar.exceptions import NotFoundException
from litestar.openapi.spec import OpenAPIMediaType, Operation, Reference, RequestBody, Schema
from litestar.openapi.spec.enums import OpenAPIType
from litestar.params import FromPath, FromQuery

from sleevenotes import errors
from sleevenotes.model import Band
from sleevenotes.pipeline.entering import Stored
from sleevenotes.server import album_art, answered, auth, native_edits, ops, problems, scrobble_json, services
from sleevenotes.server.problems import ItemProblem
from sleevenotes.server.scrobble_json import ScrobbleAnswer
from sleevenotes.store import deletions, played
from sleevenotes.store.accounts import Scope

WINDOW_S = 30  # the same track within this many seconds is the same play
DEFAULT_LIMIT = 20
MAX_LIMIT = 100

Asked = Request[Any, Any, Any]


class SubmittedScrobble(ScrobbleAnswer, frozen=True, kw_only=True):
    """A scrobble of this submit; `index` is its place in it, `duplicate` says that it was stored before."""

    index: int
    duplicate: bool


class SubmitAnswer(msgspec.Struct, frozen=True):
    """What became of a submit; duplicates count as accepted."""

    accepted: int
    rejected: int
    scrobbles: list[SubmittedScrobble]
    errors: list[ItemProblem]


class ScrobblePage(msgspec.Struct, frozen=True):
    """Scrobbles, newest first; `next_cursor` leads to the older ones, null at the end."""

    scrobbles: list[ScrobbleAnswer]
    next_cursor: str | None


class RecentAnswer(msgspec.Struct, frozen=True):
    """What plays now (null for nothing; its id is 0), and the newest scrobbles."""

    now_playing: ScrobbleAnswer | None
    scrobbles: list[ScrobbleAnswer]


def _properties() -> dict[str, Reference | Schema]:
    text, whole = OpenAPIType.STRING, OpenAPIType.INTEGER
    form = scrobble_json
    return {
        "artist_name": Schema(type=text, max_length=form.MAX_NAME),
        "track_name": Schema(type=text, max_length=form.MAX_NAME),
        "played_at": Schema(type=text, description="ISO 8601 with its zone, or UNIX seconds. Up to an hour ahead."),
        "source_app": Schema(type=text, max_length=form.MAX_NAME),
        "album_name": Schema(type=text, max_length=form.MAX_NAME),
        "album_artist": Schema(type=text, max_length=form.MAX_NAME),
        "source_device": Schema(type=text, max_length=form.MAX_NAME),
        "genre": Schema(type=text, max_length=form.MAX_GENRE),
        "year": Schema(type=whole, minimum=form.YEARS[0], maximum=form.YEARS[1]),
        "duration_ms": Schema(type=whole, minimum=form.DURATIONS_MS[0], maximum=form.DURATIONS_MS[1]),
        "artwork_uri": Schema(
            type=text, max_length=form.MAX_URI, description="An http or https address; fetched, and shown from here."
        ),
        "recording_mbid": Schema(type=text),
        "release_mbid": Schema(type=text),
        "release_group_mbid": Schema(type=text),
        "artist_mbids": Schema(type=OpenAPIType.ARRAY, items=Schema(type=text)),
        "isrc": Schema(type=text),
        "track_number": Schema(type=whole),
    }


@dataclass
class _SubmitOperation(Operation):
    """Describes the body that `submit` reads raw, so that one bad item spoils no other.

    As a form, the same document is the field `scrobbles`, and `album_art[0]` is the picture of its first item.
    """

    def __post_init__(self) -> None:
        text = OpenAPIType.STRING
        item = Schema(
            type=OpenAPIType.OBJECT,
            description="Further fields are kept as they are.",
            required=["artist_name", "track_name", "played_at", "source_app"],
            properties=_properties(),
        )
        items = Schema(type=OpenAPIType.ARRAY, items=item, max_items=scrobble_json.MAX_SCROBBLES, min_items=1)
        body = Schema(type=OpenAPIType.OBJECT, required=["scrobbles"], properties={"scrobbles": items})
        file = Schema(type=text, description="JPEG, PNG or WebP of at most 5 MB.")
        parts: dict[str, Reference | Schema] = {
            "scrobbles": Schema(type=text, description="The same, as JSON."),
            "album_art[0]": file,
        }
        form = Schema(type=OpenAPIType.OBJECT, required=["scrobbles"], properties=parts)
        kinds = {"application/json": body, "multipart/form-data": form}
        self.request_body = RequestBody(
            content={kind: OpenAPIMediaType(schema=schema) for kind, schema in kinds.items()}, required=True
        )


# ---------------------------------------------------------------- writing


@post("/scrobbles", opt={"token_only": True}, operation_class=_SubmitOperation)
async def submit(request: Asked) -> Response[SubmitAnswer]:
    """Store up to 50 scrobbles; each valid one is stored whatever the others are.

    The same track within 30 seconds is the same play: accepted, and stored once. 422 when none is valid. With pictures,
    send a form: the document as `scrobbles`, the picture of its first item as the file `album_art[0]`.
    """
    account = await auth.by_token(request, Scope.SUBMIT)
    parts = services.of(request)
    document, files = await album_art.split(request)
    batch = scrobble_json.read(document, parts.clock.now())
    pictures = await album_art.read(parts, batch, files)
    noticed, token = request.app.state.noticed, auth.token_in_header(request)
    if not batch.valid:
        noticed.note(token, "native", "refused", problem=_first(batch.problems))
        raise problems.Invalid("None of these scrobbles is valid.", batch.problems)
    sent = [scrobble for _, scrobble in batch.valid]
    noticed.note(token, "native", "scrobble", artist=sent[-1].artist, track=sent[-1].track)
    stored = await parts.submitter.submit(account.id, sent, band=Band.DEFAULT, window_s=WINDOW_S)
    if pictures:
        ids = {index: one.id for (index, _), one in zip(batch.valid, stored, strict=True)}
        async with parts.database.transaction() as conn:
            await album_art.keep(conn, account.id, {ids[index]: picture for index, picture in pictures.items()}, parts)
    return await submitted(request, account.id, batch, stored)


async def submitted(
    request: Asked, account_id: int, batch: scrobble_json.Batch, stored: Sequence[Stored]
) -> Response[SubmitAnswer]:
    """Answer what became of a submit, and count it."""
    async with services.of(request).database.connection() as conn:
        found = await played.by_ids(conn, account_id, [one.id for one in stored])
        plays = {answer.id: answer for answer in await answered.all_of(conn, found)}
    answers = [
        SubmittedScrobble(**_facts(plays[one.id]), index=index, duplicate=one.duplicate)
        for (index, _), one in zip(batch.valid, stored, strict=True)
        if one.id in plays  # else deleted in this very moment
    ]
    duplicates = sum(one.duplicate for one in stored)
    ops.count_listens(
        "native", "batch", stored=len(stored) - duplicates, duplicate=duplicates, rejected=len(batch.problems)
    )
    return Response(SubmitAnswer(len(stored), len(batch.problems), answers, batch.problems), status_code=201)


def _first(found: Sequence[ItemProblem]) -> str:
    """Say the first thing that is wrong with the first item."""
    return f"{found[0].errors[0].field} {found[0].errors[0].message}" if found else ""


def _facts(answer: ScrobbleAnswer) -> dict[str, Any]:
    return {name: getattr(answer, name) for name in answer.__struct_fields__}


@delete("/scrobbles/{scrobble_id:int}", opt={"token_only": True})
async def delete_one(request: Asked, scrobble_id: FromPath[int]) -> None:
    """Delete a scrobble; `/api/v1/deletions` brings it back for 24 hours."""
    account = await auth.by_token(request)
    parts = services.of(request)
    async with parts.database.connection() as conn:
        gone = await deletions.delete(conn, account.id, _ids(scrobble_id), parts.clock.now())
    if not gone.scrobble_ids:
        raise NotFoundException(_NO_SUCH)


# ---------------------------------------------------------------- reading


@get("/scrobbles")
async def list_page(
    request: Asked,
    limit: FromQuery[int] = DEFAULT_LIMIT,
    cursor: FromQuery[str | None] = None,
    since: FromQuery[str | None] = None,
    until: FromQuery[str | None] = None,
) -> ScrobblePage:
    """Give a page of scrobbles, newest first.

    `limit` is 20, at most 100; `cursor` is the page before's next_cursor; `since` (inclusive) and `until`
    (exclusive) are ISO 8601 or UNIX seconds.
    """
    account = await auth.reader(request)
    limit = _limit(limit)
    async with services.of(request).database.connection() as conn:
        plays = await played.feed(
            conn,
            account.id,
            before=scrobble_json.read_cursor(cursor) if cursor else None,
            since=_moment("since", since),
            until=_moment("until", until),
            limit=limit + 1,  # one more tells whether there is a next page; it is not given
        )
        page = plays[:limit]
        answers = await answered.all_of(conn, page)
    return ScrobblePage(answers, scrobble_json.cursor_after(page[-1]) if len(plays) > limit else None)


@get("/scrobbles/recent")
async def recent(request: Asked, limit: FromQuery[int] = DEFAULT_LIMIT) -> RecentAnswer:
    """Give what plays now and the newest scrobbles; a scrobble is here as soon as its submit is answered."""
    account = await auth.reader(request)
    parts = services.of(request)
    async with parts.database.connection() as conn:
        now = await played.now_playing(conn, account.id, parts.clock.now())
        plays = await played.feed(conn, account.id, limit=_limit(limit))
        playing = await answered.one(conn, now) if now else None
        return RecentAnswer(playing, await answered.all_of(conn, plays))


@get("/scrobbles/{scrobble_id:int}")
async def show(request: Asked, scrobble_id: FromPath[int]) -> ScrobbleAnswer:
    """Give one scrobble."""
    account = await auth.reader(request)
    async with services.of(request).database.connection() as conn:
        plays = await played.by_ids(conn, account.id, _ids(scrobble_id))
        if not plays:
            raise NotFoundException(_NO_SUCH)
        return await answered.one(conn, plays[0])


# ---------------------------------------------------------------- inside

_NO_SUCH = "There is no such scrobble of yours."


def _ids(scrobble_id: int) -> list[int]:
    return [scrobble_id] if 0 < scrobble_id < 2**63 else []


def _limit(limit: int) -> int:
    if limit < 1:
        raise errors.Refused("limit must be 1 or more.", field="limit")
    return min(limit, MAX_LIMIT)


def _moment(field: str, text: str | None) -> datetime | None:
    if not text:
        return None
    at = scrobble_json.moment(text)
    if at is None:
        raise errors.Refused(f"{field} must be an ISO 8601 time or UNIX seconds, not {text!r}.", field=field)
    return at


router = Router(
    "/api/v1",
    route_handlers=[submit, delete_one, list_page, recent, show, *native_edits.handlers],
    tags=["Scrobbles"],
    include_in_schema=True,
)
