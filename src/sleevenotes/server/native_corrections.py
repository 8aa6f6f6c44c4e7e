"""The native API of corrections: what deserves a look, what a name may be, and saying what it is.

Writing takes a token; reading a token or a session. A name is a lookup's id (`lookup_id`); what the account has not
played is not there.
"""

from __future__ import annotations

from typing import Any

import msgspec
from litestar import Request, Response, Router, delete, get, post, put
from litestar.exceptions import NotFoundException
from litestar.params import FromPath, FromQuery

from sleevenotes import errors
from sleevenotes.pipeline import corrections as correcting
from sleevenotes.pipeline import search
from sleevenotes.server import auth, bodies, corrections_json, reviews, services
from sleevenotes.server.corrections_json import (
    CorrectionAnswer,
    CorrectionsAnswer,
    OpenedAnswer,
    ReviewAnswer,
    SearchAnswer,
    UndoneAnswer,
)
from sleevenotes.store import corrections, searches
from sleevenotes.store.accounts import Account, Scope

Asked = Request[Any, Any, Any]
DEFAULT_LIMIT = 20
MAX_LIMIT = 200


class Correcting(msgspec.Struct, forbid_unknown_fields=True):
    """What a name is: exactly one of a candidate, nothing of what was found, or right as it is."""

    candidate: str = ""
    search_id: int | None = None
    none: bool = False
    confirm: bool = False
    everybody: bool = False


class Several(msgspec.Struct, forbid_unknown_fields=True):
    """Names that are right as they are."""

    lookups: list[int]
    everybody: bool = False


class WholeAlbum(msgspec.Struct, forbid_unknown_fields=True):
    """The search that found the album."""

    search_id: int
    everybody: bool = False


class Searching(msgspec.Struct, forbid_unknown_fields=True):
    """What to ask for: a link, or an artist and a track."""

    link: str = ""
    artist_name: str = ""
    track_name: str = ""
    whole_album: bool = False


# ---------------------------------------------------------------- reading


@get("/review")
async def review(request: Asked, limit: FromQuery[int] = DEFAULT_LIMIT) -> ReviewAnswer:
    """List the names that deserve a look: undecided ones with candidates, and matches that may be wrong.

    `limit` is 20, at most 200.
    """
    account = await auth.reader(request)
    if limit < 1:
        raise errors.Refused("limit must be 1 or more.", field="limit")
    async with services.of(request).database.connection() as conn:
        queue, more = await reviews.queue(conn, account.id)
    page = queue[: min(limit, MAX_LIMIT)]
    return ReviewAnswer(len(queue), more, [corrections_json.case(each) for each in page])


@get("/lookups/{lookup_id:int}")
async def show(request: Asked, lookup_id: FromPath[int]) -> OpenedAnswer:
    """Give a name of yours: what it is shown as, and what it may be."""
    account = await auth.reader(request)
    async with services.of(request).database.connection() as conn:
        opened = await reviews.opened(conn, account.id, _id(lookup_id))
    offers = [*opened.offers, *(offer for found in opened.found.values() for offer in found)]
    return OpenedAnswer(
        corrections_json.case(opened.doubted),
        [corrections_json.candidate(each) for each in offers],
        opened.correction_id,
    )


@get("/searches/{search_id:int}")
async def show_search(request: Asked, search_id: FromPath[int]) -> SearchAnswer:
    """Give a search of yours, and what it found."""
    account = await auth.reader(request)
    async with services.of(request).database.connection() as conn:
        return await _search(conn, account.id, _id(search_id))


@get("/corrections")
async def list_lately(request: Asked, limit: FromQuery[int] = DEFAULT_LIMIT) -> CorrectionsAnswer:
    """List your newest corrections. `limit` is 20, at most 200."""
    account = await auth.reader(request)
    if limit < 1:
        raise errors.Refused("limit must be 1 or more.", field="limit")
    async with services.of(request).database.connection() as conn:
        found = await corrections.recent(conn, account.id, min(limit, MAX_LIMIT))
    return CorrectionsAnswer([corrections_json.correction(each) for each in found])


# ---------------------------------------------------------------- writing


@put(
    "/lookups/{lookup_id:int}/correction",
    opt={"token_only": True},
    operation_class=bodies.documented(
        candidate=bodies.TEXT, search_id=bodies.WHOLE, none=bodies.FLAG, confirm=bodies.FLAG, everybody=bodies.FLAG
    ),
)
async def correct(request: Asked, lookup_id: FromPath[int]) -> CorrectionAnswer:
    """Say what a name is: a `candidate` (with the `search_id` that found it, if any), `none`, or `confirm`.

    It holds for every play of the name, past and to come; `everybody` is for the owner.
    """
    account = await auth.by_token(request)
    parts, said, name = services.of(request), bodies.read(await request.body(), Correcting), _id(lookup_id)
    _for_all(account, everybody=said.everybody)
    if bool(said.candidate) + said.none + said.confirm != 1:
        raise errors.Refused("candidate: say exactly one of candidate, none and confirm.", field="candidate")
    async with parts.database.transaction() as conn:
        now = parts.clock.now()
        if said.none:
            done = await correcting.none(conn, account, name, everybody=said.everybody, now=now)
        elif said.confirm:
            done = await correcting.confirm(conn, account, [name], everybody=said.everybody, now=now)
        else:
            done = await correcting.accept(
                conn, account, name, said.candidate, search_id=said.search_id, everybody=said.everybody, now=now
            )
        return await _written(conn, account.id, done)


@delete("/lookups/{lookup_id:int}/correction", opt={"token_only": True})
async def forget(request: Asked, lookup_id: FromPath[int]) -> None:
    """Undo what you said last of one name; what was before is shown again."""
    account = await auth.by_token(request)
    parts, name = services.of(request), _id(lookup_id)
    async with parts.database.transaction() as conn:
        in_force = await corrections.in_force(conn, account.id, name)
        if in_force is None:
            raise NotFoundException("You have not corrected this name.")
        await correcting.undo(conn, account, in_force, lookup_id=name, now=parts.clock.now())


@post(
    "/corrections",
    opt={"token_only": True},
    operation_class=bodies.documented(lookups=bodies.LIST, everybody=bodies.FLAG),
)
async def confirm(request: Asked) -> CorrectionAnswer:
    """Say of up to 500 names (`lookups`) at once that they are right as they are."""
    account = await auth.by_token(request)
    parts, said = services.of(request), bodies.read(await request.body(), Several)
    _for_all(account, everybody=said.everybody)
    names = [_id(each) for each in said.lookups]
    async with parts.database.transaction() as conn:
        done = await correcting.confirm(conn, account, names, everybody=said.everybody, now=parts.clock.now())
        return await _written(conn, account.id, done)


@put(
    "/lookups/{lookup_id:int}/album/correction",
    opt={"token_only": True},
    operation_class=bodies.documented(search_id=bodies.WHOLE, everybody=bodies.FLAG),
)
async def correct_album(request: Asked, lookup_id: FromPath[int]) -> CorrectionAnswer:
    """Put all your names of this name's album on the album that a search found; those not on it are left."""
    account = await auth.by_token(request)
    parts, said = services.of(request), bodies.read(await request.body(), WholeAlbum)
    _for_all(account, everybody=said.everybody)
    async with parts.database.transaction() as conn:
        done = await correcting.fix_album(
            conn, account, _id(lookup_id), said.search_id, everybody=said.everybody, now=parts.clock.now()
        )
        return await _written(conn, account.id, done)


@post("/corrections/{correction_id:int}/undo", opt={"token_only": True}, status_code=200)
async def undo(request: Asked, correction_id: FromPath[int]) -> UndoneAnswer:
    """Undo a correction, with all the names it speaks of."""
    account = await auth.by_token(request)
    parts = services.of(request)
    async with parts.database.transaction() as conn:
        return UndoneAnswer(await correcting.undo(conn, account, _id(correction_id), now=parts.clock.now()))


@post("/corrections/{correction_id:int}/everybody", opt={"token_only": True}, status_code=200)
async def share(request: Asked, correction_id: FromPath[int]) -> CorrectionAnswer:
    """Make a correction hold for everybody who plays its names; for the owner."""
    account = await auth.by_token(request)
    _for_all(account, everybody=True)
    parts = services.of(request)
    async with parts.database.transaction() as conn:
        await correcting.share(conn, account, _id(correction_id), now=parts.clock.now())
        return await _written(conn, account.id, correction_id)


@post(
    "/lookups/{lookup_id:int}/searches",
    opt={"token_only": True},
    operation_class=bodies.documented(
        link=bodies.TEXT, artist_name=bodies.TEXT, track_name=bodies.TEXT, whole_album=bodies.FLAG
    ),
)
async def begin_search(request: Asked, lookup_id: FromPath[int]) -> Response[SearchAnswer]:
    """Ask what a name may be, by a `link` or by `artist_name` and `track_name`; 202, for nobody waits here.

    With `whole_album`, what the link leads to is an album for all names of this name's.
    """
    account = await auth.by_token(request)
    parts, said, name = services.of(request), bodies.read(await request.body(), Searching), _id(lookup_id)
    async with parts.database.transaction() as conn:
        await corrections.require_played(conn, account.id, [name])
        now = parts.clock.now()
        if said.link.strip():
            begun = await search.by_link(conn, account.id, name, said.link, whole_album=said.whole_album, now=now)
        else:
            begun = await search.by_names(
                conn, account.id, name, said.artist_name, said.track_name, whole_album=said.whole_album, now=now
            )
        return Response(await _search(conn, account.id, begun), status_code=202)


# ---------------------------------------------------------------- inside


def _for_all(account: Account, *, everybody: bool) -> None:
    """Have the owner's own token say that it may speak for everybody; anybody else is told by the pipeline."""
    if everybody and account.is_owner:
        auth.permitted(account, Scope.ADMIN)


def _id(number: int) -> int:
    corrections.require_ids([number])
    return number


async def _written(conn: Any, account_id: int, correction_id: int) -> CorrectionAnswer:
    [found] = await corrections.recent(conn, account_id, 1, correction_id=correction_id)
    return corrections_json.correction(found)


async def _search(conn: Any, account_id: int, search_id: int) -> SearchAnswer:
    found = await searches.by_id(conn, account_id, search_id)
    if found is None:
        raise errors.Gone("There is no such search of yours.")
    offers = reviews.offers(correcting.weighed(found.candidates), "", found.id)
    return SearchAnswer(
        found.id,
        found.lookup_id,
        found.whole_album,
        found.asked,
        found.status,
        [corrections_json.candidate(each) for each in offers],
    )


router = Router(
    "/api/v1",
    route_handlers=[
        review,
        show,
        show_search,
        list_lately,
        correct,
        forget,
        confirm,
        correct_album,
        undo,
        share,
        begin_search,
    ],
    tags=["Corrections"],
    include_in_schema=True,
)
