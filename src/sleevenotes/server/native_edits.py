"""The native API, version 1: change and delete scrobbles, one or many, and bring back what was deleted.

All of it takes a token with the scope `manage`.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

import msgspec
from litestar import Request, get, patch, post
from litestar.exceptions import NotFoundException
from litestar.params import FromPath

from sleevenotes import errors
from sleevenotes.pipeline import deletions as undeleting
from sleevenotes.pipeline import edits
from sleevenotes.server import answered, auth, bodies, scrobble_json, services
from sleevenotes.server.scrobble_json import ScrobbleAnswer
from sleevenotes.store import deletions, played
from sleevenotes.store.deletions import Deletion

MOST = edits.MOST

_NAMES = dict.fromkeys(("artist_name", "track_name", "album_name", "album_artist"), bodies.TEXT)

Asked = Request[Any, Any, Any]


class Changing(msgspec.Struct, forbid_unknown_fields=True):
    """What to write anew; a field that is left out stays as it is. An album "" is none."""

    artist_name: str | None = None
    track_name: str | None = None
    album_name: str | None = None
    album_artist: str | None = None
    played_at: str | float | None = None


class ChangingMany(Changing):
    """The same for many; they cannot all have been played at one time."""

    ids: list[int] = []


class Naming(msgspec.Struct, forbid_unknown_fields=True):
    """Which scrobbles."""

    ids: list[int]


class EditedAnswer(msgspec.Struct, frozen=True):
    """The scrobbles that changed; those that were so already are not among them."""

    edited: list[int]


class DeletedAnswer(msgspec.Struct, frozen=True):
    """The scrobbles that are gone, and the deletion to undo (null where none is)."""

    deleted: list[int]
    deletion_id: int | None


class DeletionsAnswer(msgspec.Struct, frozen=True):
    """What can still be brought back, the latest first."""

    deletions: list[Deletion]


class RestoredAnswer(msgspec.Struct, frozen=True):
    """How many scrobbles are back and shown; one that was submitted again meanwhile is not counted."""

    restored: int


@patch(
    "/scrobbles/{scrobble_id:int}",
    opt={"token_only": True},
    operation_class=bodies.documented(**_NAMES, played_at=bodies.TEXT),
)
async def edit_one(request: Asked, scrobble_id: FromPath[int]) -> ScrobbleAnswer:
    """Tell a scrobble anew: it moves to the lookup of its new names, as if it had been submitted so.

    What its client sent besides (MBIDs, ISRC) is forgotten where the names change. 422 where it would become the
    same play as another.
    """
    account = await auth.by_token(request)
    parts, said = services.of(request), bodies.read(await request.body(), Changing)
    await edits.edit(parts.submitter, account.id, checked([scrobble_id]), change(said, parts.clock.now()))
    async with parts.database.connection() as conn:
        plays = await played.by_ids(conn, account.id, [scrobble_id])
        if not plays:
            raise NotFoundException(_NO_SUCH)
        return await answered.one(conn, plays[0])


@post(
    "/scrobbles/edit",
    status_code=200,
    opt={"token_only": True},
    operation_class=bodies.documented(ids=bodies.LIST, **_NAMES),
)
async def edit_many(request: Asked) -> EditedAnswer:
    """Tell up to 1,000 scrobbles (`ids`) anew, all or none; fields as for one, without `played_at`."""
    account = await auth.by_token(request)
    parts, said = services.of(request), bodies.read(await request.body(), ChangingMany)
    done = await edits.edit(parts.submitter, account.id, checked(said.ids), change(said, parts.clock.now()))
    return EditedAnswer(done)


@post(
    "/scrobbles/delete", status_code=200, opt={"token_only": True}, operation_class=bodies.documented(ids=bodies.LIST)
)
async def delete_many(request: Asked) -> DeletedAnswer:
    """Delete up to 1,000 scrobbles (`ids`); those that are not yours, or not there, are passed over."""
    account = await auth.by_token(request)
    parts, said = services.of(request), bodies.read(await request.body(), Naming)
    async with parts.database.connection() as conn:
        done = await deletions.delete(conn, account.id, checked(said.ids), parts.clock.now())
    return DeletedAnswer(list(done.scrobble_ids), done.id or None)


@get("/deletions")
async def list_deletions(request: Asked) -> DeletionsAnswer:
    """Give what was deleted within 24 hours and can be brought back."""
    account = await auth.reader(request)
    parts = services.of(request)
    async with parts.database.connection() as conn:
        return DeletionsAnswer(await deletions.recent(conn, account.id, parts.clock.now()))


@post("/deletions/{deletion_id:int}/undo", status_code=200, opt={"token_only": True})
async def undo(request: Asked, deletion_id: FromPath[int]) -> RestoredAnswer:
    """Bring back what one deletion took."""
    account = await auth.by_token(request)
    parts = services.of(request)
    restored = await undeleting.undo(parts, account.id, checked([deletion_id])[0])
    if restored is None:
        raise NotFoundException("There is no such deletion of yours, or it is older than 24 hours.")
    return RestoredAnswer(restored)


# ---------------------------------------------------------------- what pages check alike


def checked(ids: list[int]) -> list[int]:
    """Return ids that may name rows. Raises errors.Refused for too many or none, errors.Gone for impossible ones."""
    if not 1 <= len(ids) <= MOST:
        raise errors.Refused(f"ids: name 1 to {MOST} scrobbles, not {len(ids)}.", field="ids")
    if not all(0 < one < 2**63 for one in ids):
        raise errors.Gone(_NO_SUCH)
    return ids


def change(said: Changing, now: datetime) -> edits.Change:
    """Read a change. Raises errors.Refused naming the field that is unfit."""
    return edits.Change(
        artist=_name("artist_name", said.artist_name, required=True),
        track=_name("track_name", said.track_name, required=True),
        release=_name("album_name", said.album_name),
        album_artist=_name("album_artist", said.album_artist),
        listened_at=_moment(said.played_at, now),
    )


def _name(field: str, text: str | None, *, required: bool = False) -> str | None:
    if text is None:
        return None
    text = text.strip()
    if required and not text:
        raise errors.Refused(f"{field}: must not be empty.", field=field)
    if len(text) > scrobble_json.MAX_NAME or "\0" in text:
        raise errors.Refused(f"{field}: must be at most {scrobble_json.MAX_NAME} characters.", field=field)
    return text


def _moment(value: str | float | None, now: datetime) -> datetime | None:
    if value is None:
        return None
    at = scrobble_json.moment(value)
    if at is None:
        raise errors.Refused("played_at: must be an ISO 8601 time with its zone, or UNIX seconds.", field="played_at")
    if not scrobble_json.EARLIEST <= at <= now + scrobble_json.SKEW:
        when = "before 1900" if at < now else "in the future"
        raise errors.Refused(f"played_at: lies {when}.", field="played_at")
    return at


_NO_SUCH = "There is no such scrobble of yours."

handlers = [edit_one, edit_many, delete_many, list_deletions, undo]
