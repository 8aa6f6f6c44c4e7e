"""Choosing a cover: all that is offered side by side, an upload, an address; and the settings page of what was chosen.

Forms work without a script. Opening the choice of an album has everybody asked who was not yet; what comes appears by
itself.
"""

from __future__ import annotations

import re
from urllib.parse import urlencode

import msgspec
from litestar import get, post
from litestar.datastructures import FormMultiDict, UploadFile
from litestar.exceptions import NotFoundException
from litestar.params import FromPath, FromQuery
from litestar.response import Redirect, Template

from sleevenotes import errors, model
from sleevenotes.pipeline import preferences as choosing
from sleevenotes.pipeline import refresh
from sleevenotes.server import artworks, cover_offers, feeds, pages_account, services, templating
from sleevenotes.server.strangers import SignedIn
from sleevenotes.server.templating import Asking
from sleevenotes.store import events, jobs, own_albums, played, preferences, sleeves
from sleevenotes.store.accounts import Account
from sleevenotes.store.played import Play
from sleevenotes.store.postgres import Connection

LISTED = 500


class Subject(msgspec.Struct, frozen=True):
    """What a cover is chosen for: a play, or an album; `way` is its page, and the choice's is below it."""

    way: str
    play: Play | None
    group: sleeves.ReleaseGroup | None

    @property
    def named(self) -> preferences.Subject:
        """Return what a choice that is remembered is for."""
        if self.play is not None:
            return choosing.of_play(self.play, remember=True)
        if self.group is None:
            raise ValueError("a choice for nothing")
        return preferences.Subject(self.group.credit.name, self.group.title, self.group.id)

    @property
    def is_bare(self) -> bool:
        """Tell whether it is a play that came without an album, so that remembering is about all the artist's such."""
        return self.play is not None and not self.play.release


# ---------------------------------------------------------------- the choice


@get("/scrobbles/{scrobble_id:int}/cover")
async def of_play(request: Asking, account: SignedIn, scrobble_id: FromPath[int], done: FromQuery[int] = 0) -> Template:
    """Show what a play's cover may be."""
    return await _choice(request, account, f"/scrobbles/{scrobble_id}", done=done)


@get("/albums/{release_group_id:int}/cover")
async def of_album(
    request: Asking, account: SignedIn, release_group_id: FromPath[int], done: FromQuery[int] = 0
) -> Template:
    """Show what an album's cover may be."""
    return await _choice(request, account, f"/albums/{release_group_id}", done=done)


async def _choice(
    request: Asking,
    account: Account,
    way: str,
    *,
    done: int = 0,
    given: FormMultiDict | None = None,
    problem: errors.Refused | None = None,
) -> Template:
    parts = services.of(request)
    now = parts.clock.now()
    async with parts.database.transaction() as conn:
        heard = (await events.read(conn, account.id, "")).cursor
        subject = await _subject(conn, account.id, way)
        if subject.group is not None:
            await jobs.enqueue(conn, "offers", [subject.group.id], model.Band.CRITICAL)
        if subject.play is not None:
            await feeds.hurry(conn, [subject.play], now)
        offers = await cover_offers.load(conn, account.id, subject.play, subject.group)
        if subject.play is not None:
            group_id = subject.play.release_group_id
            chosen = await preferences.of_play(conn, account.id, subject.play.id, group_id)
        else:
            chosen = await preferences.of_album(conn, account.id, subject.named.release_group_id or 0)
        told = await preferences.by_id(conn, account.id, done) if done else None
    return templating.page(
        request,
        "cover.html",
        account,
        cursor=heard,
        subject=subject,
        offers=offers,
        chosen=chosen,
        done=told,
        given=given or {},
        problem=problem,
        tell=feeds.dater(account, now),
        status_code=422 if problem else 200,
    )


async def _subject(conn: Connection, account_id: int, way: str) -> Subject:
    """Read which play or album of the account's own is meant."""
    found = re.fullmatch(r"/(scrobbles|albums)/([0-9]{1,18})", way)
    if found is None:
        raise NotFoundException
    if found[1] == "albums":
        own = await own_albums.of_album(conn, account_id, int(found[2]))
        group = await sleeves.release_group(conn, int(found[2])) if own else None
        if group is None:
            raise NotFoundException
        return Subject(way, None, group)
    plays = await played.by_ids(conn, account_id, [int(found[2])])
    if not plays:
        raise NotFoundException
    group_id = plays[0].release_group_id
    return Subject(way, plays[0], await sleeves.release_group(conn, group_id) if group_id else None)


@post("/covers/choose", status_code=303)
async def choose(request: Asking, account: SignedIn) -> Redirect | Template:
    """Choose a cover: one of those offered, a file, or an address."""
    parts = services.of(request)
    form = await request.form()
    way = str(form.get("subject", ""))
    async with parts.database.connection() as conn:
        await _subject(conn, account.id, way)
    file = form.get(artworks.UPLOAD_FIELD)
    offered = str(form.get("image", ""))
    try:
        address = f"/images/{offered}" if offered else str(form.get("address", ""))
        image = await artworks.brought(parts, address, file if isinstance(file, UploadFile) and not offered else None)
        async with parts.database.transaction() as conn:
            subject = await _subject(conn, account.id, way)
            alone = subject.play is not None and form.get("scope") == "play"
            named = choosing.of_play(subject.play, remember=False) if alone and subject.play else subject.named
            play_id = subject.play.id if subject.play else None
            done = await choosing.choose(
                conn, account.id, named, image.digest, parts.clock.now(), address=image.address, play_id=play_id
            )
    except errors.Refused as problem:
        return await _choice(request, account, way, given=form, problem=problem)
    return Redirect(f"{way}/cover?{urlencode({'done': done})}", status_code=303)


@post("/covers/give-up", status_code=303)
async def give_up(request: Asking, account: SignedIn) -> Redirect:
    """Give up what was chosen, at a play or an album or in the settings: what is there without is shown again."""
    parts = services.of(request)
    form = await request.form()
    way, number = str(form.get("subject", "")), _number(form.get("preference", ""))
    now = parts.clock.now()
    async with parts.database.transaction() as conn:
        kept = await preferences.by_id(conn, account.id, number) if number else None
        if kept is not None:
            named = preferences.Subject(kept.artist, kept.release, kept.release_group_id, kept.scrobble_id)
            done: int | None = await choosing.give_up(conn, account.id, named, now)
        elif number:
            raise errors.Gone("There is no such choice of yours, or it is undone already.")
        else:
            subject = await _subject(conn, account.id, way)
            if subject.play is not None:
                done = await choosing.forget(conn, account.id, subject.play, now)
            else:
                done = await choosing.give_up(conn, account.id, subject.named, now)
    back = "/settings/covers" if number else f"{way}/cover"
    return Redirect(f"{back}?{urlencode({'done': done or 0})}", status_code=303)


@post("/covers/undo", status_code=303)
async def undo(request: Asking, account: SignedIn) -> Redirect:
    """Undo a choice, or the giving up of one."""
    parts = services.of(request)
    form = await request.form()
    async with parts.database.transaction() as conn:
        await choosing.undo(conn, account.id, _number(form.get("preference", "")), parts.clock.now())
    return Redirect(pages_account.local(str(form.get("back", "/settings/covers"))), status_code=303)


@post("/covers/refresh", status_code=303)
async def look_again(request: Asking, account: SignedIn) -> Redirect:
    """Look anew for the cover of a play or an album; its page shows what comes."""
    parts = services.of(request)
    way = str((await request.form()).get("subject", ""))
    now = parts.clock.now()
    async with parts.database.transaction() as conn:
        subject = await _subject(conn, account.id, way)
        if subject.play is not None:
            await refresh.plays(conn, [subject.play], now)
        elif subject.group is not None:
            await refresh.albums(conn, [subject.group.id], now)
    return Redirect(way, status_code=303)


# ---------------------------------------------------------------- the settings


@get("/settings/covers")
async def chosen_covers(request: Asking, account: SignedIn, done: FromQuery[int] = 0) -> Template:
    """List the covers that the listener chose."""
    parts = services.of(request)
    async with parts.database.connection() as conn:
        found = await preferences.in_force(conn, account.id, LISTED)
        told = await preferences.by_id(conn, account.id, done) if done else None
    return templating.page(
        request,
        "settings_covers.html",
        account,
        chosen=found,
        done=told,
        tell=feeds.dater(account, parts.clock.now()),
    )


def _number(text: object) -> int:
    return int(str(text)) if re.fullmatch("[0-9]{1,18}", str(text)) else 0


handlers = [of_play, of_album, choose, give_up, undo, look_again, chosen_covers]
