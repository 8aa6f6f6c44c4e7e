"""The native API of covers: choosing and giving up, looking anew, and asking which there are.

Writing takes a token; reading a token or a session. What the account has not played is not there.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

import msgspec
from litestar import Request, Router, delete, get, patch, post
from litestar.datastructures import UploadFile
from litestar.exceptions import NotFoundException
from litestar.openapi.spec import OpenAPIMediaType, Operation, Reference, RequestBody, Schema
from litestar.openapi.spec.enums import OpenAPIType
from litestar.params import FromPath, FromQuery

from sleevenotes import errors
from sleevenotes.pipeline import preferences as choosing
from sleevenotes.pipeline import refresh
from sleevenotes.server import answered, art_search, artworks, auth, home, services
from sleevenotes.server.art_search import SearchAnswer
from sleevenotes.server.scrobble_json import ScrobbleAnswer
from sleevenotes.store import own_albums, played, preferences
from sleevenotes.store.played import Play
from sleevenotes.store.postgres import Connection

Asked = Request[Any, Any, Any]
MOST_TEXT = 500

_NO_SUCH = "There is no such scrobble of yours."


class Choosing(msgspec.Struct, forbid_unknown_fields=True):
    """Which image, and whether for the whole album."""

    preferred_artwork_url: str = ""
    remember: bool = True


class PreferenceAnswer(msgspec.Struct, frozen=True):
    """A cover that the account chose: for an album's names, or for one scrobble alone (`scrobble_id`).

    `preferred_artwork_url` is on this server; `address` where it was taken from, "" for a candidate or an upload.
    """

    id: int
    artist_name: str
    album_name: str
    scrobble_id: int | None
    album_id: int | None
    preferred_artwork_url: str
    address: str
    chosen_at: datetime


class PreferencesAnswer(msgspec.Struct, frozen=True):
    """The covers that are chosen now, newest first."""

    preferences: list[PreferenceAnswer]


class RefreshAnswer(msgspec.Struct, frozen=True):
    """What is looked for anew: the covers of these albums, and what shows at these scrobbles, at most 100 of them."""

    status: str
    album_ids: list[int]
    scrobble_ids: list[int]


@dataclass
class _ChooseOperation(Operation):
    """Describes the body that `choose` reads raw: JSON, or a form with a file."""

    def __post_init__(self) -> None:
        text, flag = Schema(type=OpenAPIType.STRING), Schema(type=OpenAPIType.BOOLEAN)
        file = Schema(type=OpenAPIType.STRING, description="JPEG, PNG or WebP of at most 5 MB.")
        given: dict[str, Reference | Schema] = {"preferred_artwork_url": text, "remember": flag}
        shapes = {"application/json": given, "multipart/form-data": given | {artworks.UPLOAD_FIELD: file}}
        self.request_body = RequestBody(
            content={
                kind: OpenAPIMediaType(schema=Schema(type=OpenAPIType.OBJECT, properties=fields))
                for kind, fields in shapes.items()
            },
            required=True,
        )


# ---------------------------------------------------------------- choosing


@patch("/scrobbles/{scrobble_id:int}/artwork", opt={"token_only": True}, operation_class=_ChooseOperation)
async def choose(request: Asked, scrobble_id: FromPath[int]) -> ScrobbleAnswer:
    """Choose a cover: `preferred_artwork_url` is an address, which is fetched and checked, or an image of this server.

    Or send a file, as `album_art` of a form. It is remembered for the scrobble's artist and album, past and to come;
    with `"remember": false` it holds for this scrobble alone.
    """
    account = await auth.by_token(request)
    parts = services.of(request)
    async with parts.database.connection() as conn:
        await _own(conn, account.id, scrobble_id)
    asked, file = await _read(request)
    image = await artworks.brought(parts, asked.preferred_artwork_url, file)
    async with parts.database.transaction() as conn:
        play = await _own(conn, account.id, scrobble_id)
        subject = choosing.of_play(play, remember=asked.remember)
        await choosing.choose(
            conn, account.id, subject, image.digest, parts.clock.now(), address=image.address, play_id=play.id
        )
        return await answered.one(conn, await _own(conn, account.id, scrobble_id))


@delete("/scrobbles/{scrobble_id:int}/artwork", opt={"token_only": True}, status_code=200)
async def clear(request: Asked, scrobble_id: FromPath[int]) -> ScrobbleAnswer:
    """Give up what was chosen for this scrobble, and the preference that the choice made."""
    account = await auth.by_token(request)
    parts = services.of(request)
    async with parts.database.transaction() as conn:
        play = await _own(conn, account.id, scrobble_id)
        await choosing.forget(conn, account.id, play, parts.clock.now())
        return await answered.one(conn, await _own(conn, account.id, scrobble_id))


@get("/artwork/preferences")
async def list_chosen(request: Asked, limit: FromQuery[int] = 100) -> PreferencesAnswer:
    """List the covers you chose, newest first. `limit` is 100, at most 1,000."""
    account = await auth.reader(request)
    if limit < 1:
        raise errors.Refused("limit must be 1 or more.", field="limit")
    async with services.of(request).database.connection() as conn:
        found = await preferences.in_force(conn, account.id, min(limit, 1000))
    return PreferencesAnswer([_written(each) for each in found])


@post("/artwork/preferences/{preference_id:int}/undo", opt={"token_only": True}, status_code=204)
async def undo(request: Asked, preference_id: FromPath[int]) -> None:
    """Undo a choice: what was before is shown again."""
    account = await auth.by_token(request)
    parts = services.of(request)
    async with parts.database.transaction() as conn:
        await choosing.undo(conn, account.id, preference_id, parts.clock.now())


def _written(each: preferences.Preference) -> PreferenceAnswer:
    return PreferenceAnswer(
        each.id,
        each.artist,
        each.release,
        each.scrobble_id,
        each.release_group_id,
        home.outward(f"/images/{each.digest}/500"),
        each.address,
        each.chosen_at,
    )


async def _read(request: Asked) -> tuple[Choosing, UploadFile | None]:
    """Read the body, JSON or a form. Raises errors.Refused that names the field."""
    if request.content_type[0] in ("multipart/form-data", "application/x-www-form-urlencoded"):
        form = await request.form()
        file = form.get(artworks.UPLOAD_FIELD)
        remember = str(form.get("remember", "true")).lower() not in ("", "0", "false", "no")
        return Choosing(str(form.get("preferred_artwork_url", "")), remember), (
            file if isinstance(file, UploadFile) else None
        )
    try:
        return msgspec.json.decode(await request.body(), type=Choosing), None
    except msgspec.ValidationError as error:
        said, _, path = str(error).partition(" - at `$.")
        field = path.strip("`") or choosing.FIELD
        raise errors.Refused(f"{field}: {said}", field=field) from None
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise errors.Refused(f"The document is no JSON: {error}") from None


# ---------------------------------------------------------------- looking anew


@post("/scrobbles/{scrobble_id:int}/refresh_artwork", opt={"token_only": True}, status_code=202)
async def refresh_scrobble(request: Asked, scrobble_id: FromPath[int]) -> RefreshAnswer:
    """Look anew for the cover of a scrobble, before everything else that waits; pages show what comes."""
    return await _refresh_scrobble(request, scrobble_id)


@post("/artwork/refresh/{kind:str}/{subject_id:int}", opt={"token_only": True}, status_code=202)
async def refresh_any(request: Asked, kind: FromPath[str], subject_id: FromPath[int]) -> RefreshAnswer:
    """Look anew for the cover of a `track`, an `album` or a `scrobble` of yours, whatever is known of it."""
    if kind == "scrobble":
        return await _refresh_scrobble(request, subject_id)
    account = await auth.by_token(request)
    if kind not in ("track", "album"):
        raise NotFoundException("Covers are refreshed of a track, an album or a scrobble.")
    parts = services.of(request)
    if not 0 < subject_id < 2**63:
        raise NotFoundException(f"There is no such {kind} among your plays.")
    async with parts.database.transaction() as conn:
        of = own_albums.of_album if kind == "album" else own_albums.of_recording
        albums = await of(conn, account.id, subject_id)
        if albums is None:
            raise NotFoundException(f"There is no such {kind} among your plays.")
        await refresh.albums(conn, albums, parts.clock.now())
    return RefreshAnswer("pending", albums, [])


async def _refresh_scrobble(request: Asked, scrobble_id: int) -> RefreshAnswer:
    account = await auth.by_token(request)
    parts = services.of(request)
    async with parts.database.transaction() as conn:
        play = await _own(conn, account.id, scrobble_id)
        await refresh.plays(conn, [play], parts.clock.now())
    albums = [play.release_group_id] if play.release_group_id is not None else []
    return RefreshAnswer("pending", albums, [play.id])


# ---------------------------------------------------------------- which there are


@get("/artwork/search")
async def search(
    request: Asked, artist: FromQuery[str] = "", album: FromQuery[str] = "", track: FromQuery[str] = ""
) -> SearchAnswer:
    """Ask which covers there are, by names: those of the album (`exact`) and of the artist's others (`artist_catalog`).

    `track` finds the album where you played it. `complete` is false where not everybody answered within four seconds:
    ask again.
    """
    account = await auth.reader(request)
    texts = {"artist": artist.strip(), "album": album.strip(), "track": track.strip()}
    for field, text in texts.items():
        if len(text) > MOST_TEXT or "\0" in text:
            raise errors.Refused(f"{field}: has more than {MOST_TEXT} characters, or a NUL.", field=field)
    if not texts["artist"]:
        raise errors.Refused("artist: is required.", field="artist")
    return await art_search.search(services.of(request), account.id, **texts)


async def _own(conn: Connection, account_id: int, scrobble_id: int) -> Play:
    plays = await played.by_ids(conn, account_id, [scrobble_id] if 0 < scrobble_id < 2**63 else [])
    if not plays:
        raise NotFoundException(_NO_SUCH)
    return plays[0]


_anywhere = [search, refresh_any]
routers = [
    Router(
        "/api/v1",
        route_handlers=[choose, clear, list_chosen, undo, refresh_scrobble, *_anywhere],
        tags=["Covers"],
        include_in_schema=True,
    ),
    Router("/", route_handlers=_anywhere, include_in_schema=False),  # where the first clients expect them
]
