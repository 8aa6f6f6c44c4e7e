"""The native API of plays that several services recorded: what was taken for one play, and saying that it is two.

Writing takes a token; reading a token or a session.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

import msgspec
from litestar import Request, Router, delete, get, post, put
from litestar.exceptions import NotFoundException
from litestar.params import FromPath, FromQuery

from sleevenotes import errors
from sleevenotes.pipeline import sameplay
from sleevenotes.server import auth, services
from sleevenotes.store import comparisons, linked_plays

Asked = Request[Any, Any, Any]
DEFAULT_LIMIT = 20
MAX_LIMIT = 200


class RecordAnswer(msgspec.Struct, frozen=True):
    """One service's record of a play; `shown` says that it is the one that stands in the feed."""

    id: int
    played_at: datetime
    origin: str
    source_app: str
    artist_name: str
    track_name: str
    album_name: str
    shown: bool


class RecordsAnswer(msgspec.Struct, frozen=True):
    """All records of one play, the shown one first; `own` says that you keep this scrobble as a play of its own."""

    own: bool
    records: list[RecordAnswer]


class PairAnswer(msgspec.Struct, frozen=True):
    """Two origins, how many plays of one are hidden behind plays of the other, and whether you keep them apart."""

    origins: tuple[str, str]
    plays: int
    apart: bool


class LinkedAnswer(msgspec.Struct, frozen=True):
    """A hidden record, and the one that is shown instead."""

    hidden: RecordAnswer
    shown: RecordAnswer


class OverviewAnswer(msgspec.Struct, frozen=True):
    """What was taken for the same play: counts, and the newest; `next_cursor` leads to the older ones.

    `comparing` says that all of your plays are being compared over again.
    """

    pairs: list[PairAnswer]
    linked: list[LinkedAnswer]
    next_cursor: int | None
    comparing: bool


class ApartAnswer(msgspec.Struct, frozen=True):
    """How many plays came forward."""

    shown: int


@get("/same_plays")
async def overview(request: Asked, limit: FromQuery[int] = DEFAULT_LIMIT, cursor: FromQuery[int] = 0) -> OverviewAnswer:
    """Tell what was taken for the same play. `limit` is 20, at most 200; `cursor` is the page before's next_cursor."""
    account = await auth.reader(request)
    if limit < 1:
        raise errors.Refused("limit must be 1 or more.", field="limit")
    limit = min(limit, MAX_LIMIT)
    async with services.of(request).database.connection() as conn:
        pairs = await linked_plays.pairs(conn, account.id)
        found = await linked_plays.latest(conn, account.id, limit + 1, min(cursor, 2**63 - 1) or None)
        comparing = await comparisons.of_account(conn, account.id)
    return OverviewAnswer(
        [PairAnswer((each.origin, each.other), each.plays, each.apart) for each in pairs],
        [LinkedAnswer(_written(each.hidden), _written(each.shown)) for each in found[:limit]],
        found[limit - 1].hidden.id if len(found) > limit else None,
        comparing is not None,
    )


@post("/same_plays/compare", opt={"token_only": True}, status_code=202)
async def compare(request: Asked) -> None:
    """Have all of your plays compared over again, soon."""
    account = await auth.by_token(request)
    parts = services.of(request)
    async with parts.database.transaction() as conn:
        await sameplay.compare_all(conn, account.id, parts.clock.now())


@put("/same_plays/apart/{origin:str}/{other:str}", opt={"token_only": True})
async def apart(request: Asked, origin: FromPath[str], other: FromPath[str]) -> ApartAnswer:
    """Keep two origins apart: show all plays that are hidden behind each other, and hide none from now on."""
    account = await auth.by_token(request)
    if origin == other:
        raise errors.Refused("Two plays of one origin are never taken for one.", field="other")
    return ApartAnswer(await sameplay.keep_apart(services.of(request), account.id, origin, other))


@delete("/same_plays/apart/{origin:str}/{other:str}", opt={"token_only": True})
async def together(request: Asked, origin: FromPath[str], other: FromPath[str]) -> None:
    """Take that back; all plays of the account are compared again soon."""
    account = await auth.by_token(request)
    if not await sameplay.bring_together(services.of(request), account.id, origin, other):
        raise NotFoundException("These origins are not kept apart.")


@get("/scrobbles/{scrobble_id:int}/same_plays")
async def records(request: Asked, scrobble_id: FromPath[int]) -> RecordsAnswer:
    """Give all records of the play that this scrobble is a record of."""
    account = await auth.reader(request)
    return await _records(request, account.id, scrobble_id)


@put("/scrobbles/{scrobble_id:int}/own", opt={"token_only": True})
async def own(request: Asked, scrobble_id: FromPath[int]) -> RecordsAnswer:
    """Show a scrobble as a play of its own, now and whatever comes in later."""
    account = await auth.by_token(request)
    await _records(request, account.id, scrobble_id)
    await sameplay.show_as_own(services.of(request), account.id, scrobble_id)
    return await _records(request, account.id, scrobble_id)


@delete("/scrobbles/{scrobble_id:int}/own", opt={"token_only": True}, status_code=200)
async def not_own(request: Asked, scrobble_id: FromPath[int]) -> RecordsAnswer:
    """Take that back: it may be the same play as another again."""
    account = await auth.by_token(request)
    await _records(request, account.id, scrobble_id)
    await sameplay.show_as_before(services.of(request), account.id, scrobble_id)
    return await _records(request, account.id, scrobble_id)


async def _records(request: Asked, account_id: int, scrobble_id: int) -> RecordsAnswer:
    async with services.of(request).database.connection() as conn:
        found = await linked_plays.records(conn, account_id, min(scrobble_id, 2**63 - 1))
        is_own = await linked_plays.is_own(conn, scrobble_id) if found else False
    if not found:
        raise NotFoundException("There is no such scrobble of yours.")
    return RecordsAnswer(is_own, [_written(each) for each in found])


def _written(record: linked_plays.Record) -> RecordAnswer:
    return RecordAnswer(*record)


router = Router(
    "/api/v1",
    route_handlers=[overview, compare, apart, together, records, own, not_own],
    tags=["Same plays"],
    include_in_schema=True,
)
