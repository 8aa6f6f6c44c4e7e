"""Importing a history in the browser: upload, look at it, begin, watch, read what was left out, undo; and export."""

from __future__ import annotations

import asyncio
import csv
import io
import itertools
from collections import Counter
from collections.abc import AsyncIterator
from pathlib import Path
from typing import NamedTuple

import msgspec
from litestar import get, post
from litestar.params import FromPath, URLEncodedBody
from litestar.response import Redirect, Stream, Template

from sleevenotes import errors, model
from sleevenotes.importers import contract, registry, table, times
from sleevenotes.importers.contract import Options
from sleevenotes.pipeline import exporting, importing
from sleevenotes.pipeline.uploads import Uploads
from sleevenotes.server import feeds, services, templating, uploading, views
from sleevenotes.server.strangers import SignedIn
from sleevenotes.server.templating import Asking
from sleevenotes.store import deletions, events, imports, jobs
from sleevenotes.store.accounts import Account
from sleevenotes.store.imports import Import

LOOKED_AT = 1000  # items of a file that a look reads
SHOWN = 8  # plays of them that it shows
MB = 1_000_000  # bytes
COUNTED = 20_000  # rows left out that are counted by their reason while an import runs
LEFT_OUT = 20  # rows of a report on its page
ZONED = ("table", "rockbox")  # importers whose times may be of any zone, which the form asks for

ORIGINS = {
    "": "I do not know",
    "lastfm": "Last.fm",
    "lastfm_minutes": "Last.fm, with times to the minute only",
    "listenbrainz": "ListenBrainz",
    "spotify": "Spotify",
    "maloja": "Maloja",
    "rockbox": "a portable player",
}


class Chosen(msgspec.Struct, frozen=True):
    """The form of how to read a file; see importers.contract.Options."""

    raw: str = "1"
    artist: str = ""
    track: str = ""
    album: str = ""
    time: str = ""
    zone: str = ""
    origin: str = ""
    min_played_s: str = "30"
    private: str = ""
    include_deleted: str = ""
    asked: str = ""  # that this form was sent, for what is not checked is not sent

    def options(self) -> Options:
        """Return the options. Raises errors.Refused naming the field that is unfit."""
        if not (self.min_played_s.isascii() and self.min_played_s.isdigit() and len(self.min_played_s) < 6):
            raise errors.Refused(f"Seconds: {self.min_played_s[:20]!r} is not a number of them.", field="min_played_s")
        if self.origin not in ORIGINS:
            raise errors.Refused(f"{self.origin[:20]!r} is no service we know.", field="origin")
        times.zone(self.zone)
        return Options(
            raw=self.raw == "1",
            artist=self.artist,
            track=self.track,
            album=self.album,
            time=self.time,
            zone=self.zone,
            origin=self.origin,
            min_played_s=int(self.min_played_s),
            private=self.private == "1" if self.asked else True,
            include_deleted=self.include_deleted == "1",
        )


class Look(NamedTuple):
    """The beginning of a file, read: what would come of it."""

    called: str
    importer: str
    plays: list[model.Scrobble]
    counted: int
    left_out: list[tuple[str, int]]
    more: bool
    columns: list[str]
    guessed: dict[str, str]  # of a table: artist, track, album, time -> column
    problem: str
    files: int


class Shown(NamedTuple):
    """An import on its page."""

    one: Import
    called: str
    kinds: list[tuple[str, int]]
    skips: list[imports.Skip]

    @property
    def deleted(self) -> bool:
        """Tell whether plays were left out since their listener has deleted them."""
        return any(kind == contract.DELETED for kind, _ in self.kinds)


# ---------------------------------------------------------------- pages


@get("/imports")
async def every(request: Asking, account: SignedIn) -> Template:
    """Show the imports there were, and where to drop a file."""
    parts = services.of(request)
    async with parts.database.connection() as conn:
        heard = (await events.read(conn, account.id, "")).cursor
        mine = await imports.newest(conn, account.id)
    return templating.page(
        request,
        "imports.html",
        account,
        cursor=heard,
        mine=[Shown(one, _called(one.format), [], []) for one in mine],
        formats=[importer.called for importer in registry.ALL],
        limit_mb=parts.settings.upload_limit_mb,
        tell=feeds.dater(account, parts.clock.now()),
    )


@get("/imports/{import_id:int}")
async def one(request: Asking, account: SignedIn, import_id: FromPath[int]) -> Template:
    """Show an import: what it would do, how far it is, or what it did."""
    parts = services.of(request)
    async with parts.database.connection() as conn:
        heard = (await events.read(conn, account.id, "")).cursor
        told = await imports.own(conn, account.id, import_id)
    if told.status == imports.OFFERED:
        return await _offer(request, account, told, Chosen(zone=account.time_zone))
    async with parts.database.connection() as conn:
        kinds = await imports.kinds(conn, import_id) if told.skipped < COUNTED or told.finished_at else []
        skips = await imports.skips(conn, import_id, limit=LEFT_OUT)
    return templating.page(
        request,
        "import.html",
        account,
        cursor=heard,
        shown=Shown(told, _called(told.format), kinds, skips),
        tell=feeds.dater(account, parts.clock.now()),
        going=told.status in (imports.RUNNING, imports.UNDOING),
    )


async def _offer(request: Asking, account: Account, told: Import, chosen: Chosen) -> Template:
    problem, path, where = "", _uploads(request).path(told.upload), views.zone(account.time_zone)
    try:
        options = chosen.options()
    except errors.Refused as why:
        problem, options = str(why), Options()
    options = msgspec.structs.replace(options, until=services.of(request).clock.now() + importing.AHEAD)  # as the run
    look = await asyncio.to_thread(_look, path, told, options)
    async with services.of(request).database.connection() as conn:
        deleted = await deletions.any_dismissed(conn, account.id)
    return templating.page(
        request,
        "import_offer.html",
        account,
        one=told,
        look=look,
        chosen=chosen,
        options=options,
        deleted=deleted,
        problem=problem or look.problem,
        origins=ORIGINS,
        zoned=look.importer in ZONED,
        tell=lambda at: f"{at.astimezone(where):%Y-%m-%d %H:%M}",
        status_code=422 if problem else 200,
    )


def _look(path: Path, offered: Import, options: Options) -> Look:
    """Read the beginning of a file. Blocks."""
    try:
        with importing.looked_at(path, offered.file_name, options) as plan:
            if plan.importer.name not in ZONED:
                options = msgspec.structs.replace(options, zone="")  # as the form will send it
            told = table.layout(plan.files[0], options) if plan.importer.name == table.Table.name else None
            items = list(itertools.islice(registry.read(plan, options), LOOKED_AT))
            files = len(plan.files)
    except errors.Refused as why:
        columns = _columns(path, offered.file_name)
        importer = table.Table.name if columns else ""
        return Look(_called(importer or offered.format), importer, [], 0, [], False, columns, {}, str(why), 1)
    found = [item.scrobble if isinstance(item, contract.Hidden) else item for item in items]
    plays = [item for item in found if isinstance(item, model.Scrobble)]
    left = Counter(item.kind for item in items if isinstance(item, contract.Skipped)).most_common()
    more = len(items) == LOOKED_AT
    columns = list(told.names) if told else []
    guessed = {role: columns[place] for role, place in told.roles.items()} if told else {}
    called, importer = plan.importer.called, plan.importer.name
    return Look(called, importer, plays[:SHOWN], len(plays), left, more, columns, guessed, "", files)


def _columns(path: Path, name: str) -> list[str]:
    """Return the columns of the first file that may be a table of plays, for its listener to say what they are."""
    try:
        with importing.opened(path, name) as upload:
            each = map(table.columns, upload.files)
            return next((columns for columns in each if len(columns) >= len(table.NEEDED)), [])
    except errors.Refused:
        return []


# ---------------------------------------------------------------- deeds


@post("/imports", status_code=303, opt={"checks_form_itself": True}, request_max_body_size=None)
async def upload(request: Asking, account: SignedIn) -> Redirect:
    """Take a file in, and lead to the page that shows what would come of it.

    Raises errors.Refused for a file that is no history.
    """
    parts, uploads = services.of(request), _uploads(request)
    came = await uploading.receive(request, uploads, parts.settings.upload_limit_mb * MB)
    try:
        importer = await asyncio.to_thread(_importer, uploads, came)
    except BaseException:
        await asyncio.to_thread(uploads.remove, came.upload)
        raise
    async with parts.database.connection() as conn:
        number = await imports.offer(
            conn,
            account.id,
            file_name=came.file_name,
            upload=came.upload,
            size=came.size,
            importer=importer,
            now=parts.clock.now(),
        )
    return Redirect(f"/imports/{number}", status_code=303)


def _importer(uploads: Uploads, came: uploading.Incoming) -> str:
    """Return who reads an upload; a table whose columns have to be named is one, too. Blocks."""
    try:
        with importing.looked_at(uploads.path(came.upload), came.file_name, Options()) as plan:
            return plan.importer.name
    except errors.Refused:
        if not _columns(uploads.path(came.upload), came.file_name):
            raise
        return table.Table.name


@post("/imports/{import_id:int}/look", status_code=200)
async def look_again(
    request: Asking, account: SignedIn, import_id: FromPath[int], data: URLEncodedBody[Chosen]
) -> Template | Redirect:
    """Show what would come of an offered file if it were read so."""
    async with services.of(request).database.connection() as conn:
        told = await imports.own(conn, account.id, import_id)
    if told.status != imports.OFFERED:
        return Redirect(f"/imports/{import_id}", status_code=303)
    return await _offer(request, account, told, data)


@post("/imports/{import_id:int}/start", status_code=303)
async def start(
    request: Asking, account: SignedIn, import_id: FromPath[int], data: URLEncodedBody[Chosen]
) -> Redirect | Template:
    """Begin an import that was offered, or have one go on that failed."""
    parts = services.of(request)
    async with parts.database.connection() as conn:
        told = await imports.own(conn, account.id, import_id)
    options, importer = msgspec.convert(told.options, Options), told.format
    if told.status == imports.OFFERED:
        options = data.options()
        path = _uploads(request).path(told.upload)
        importer = await asyncio.to_thread(_planned, path, told.file_name, options)
    async with parts.database.transaction() as conn:
        now = parts.clock.now()
        if await imports.begin(conn, account.id, import_id, importing.kept(options), importer, now):
            await jobs.enqueue(conn, importing.STAGE, [import_id], importing.BAND)
    return Redirect(f"/imports/{import_id}", status_code=303)


def _planned(path: Path, name: str, options: Options) -> str:
    with importing.looked_at(path, name, options) as plan:
        return plan.importer.name


@post("/imports/{import_id:int}/undo", status_code=303)
async def undo(request: Asking, account: SignedIn, import_id: FromPath[int]) -> Redirect:
    """Delete every play an import brought."""
    async with services.of(request).database.transaction() as conn:
        await imports.own(conn, account.id, import_id)
        if await imports.undo(conn, account.id, import_id):
            await jobs.enqueue(conn, importing.STAGE, [import_id], importing.BAND)
    return Redirect(f"/imports/{import_id}", status_code=303)


@post("/imports/{import_id:int}/discard", status_code=303)
async def discard(request: Asking, account: SignedIn, import_id: FromPath[int]) -> Redirect:
    """Forget a file that was offered, or an import that is undone."""
    async with services.of(request).database.connection() as conn:
        await imports.own(conn, account.id, import_id)
        gone = await imports.discard(conn, account.id, import_id)
    if gone:
        await asyncio.to_thread(_uploads(request).remove, gone)
    return Redirect("/imports", status_code=303)


# ---------------------------------------------------------------- the report, the way out


@get("/imports/{import_id:int}/skipped.csv")
async def skipped(request: Asking, account: SignedIn, import_id: FromPath[int]) -> Stream:
    """Send every row that was left out, and why."""
    parts = services.of(request)
    async with parts.database.connection() as conn:
        told = await imports.own(conn, account.id, import_id)

    async def lines() -> AsyncIterator[bytes]:
        yield b"file,counted_in,place,kind,reason\n"
        after = -1
        while True:
            async with parts.database.connection() as conn:
                page = await imports.skips(conn, told.id, after=after)
            if not page:
                return
            after = page[-1].number
            yield _csv([(skip.file or told.file_name, skip.unit, skip.line, skip.kind, skip.reason) for skip in page])

    headers = {"Content-Disposition": f'attachment; filename="import-{told.id}-skipped.csv"'}
    return Stream(lines(), media_type="text/csv; charset=utf-8", headers=headers)


@get("/export")
async def export(request: Asking, account: SignedIn) -> Template:
    """Show how to take everything out."""
    return templating.page(request, "export.html", account, formats=exporting.FORMATS)


def _csv(rows: list[tuple[object, ...]]) -> bytes:
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows(rows)
    return text.getvalue().encode()


def _uploads(request: Asking) -> Uploads:
    return Uploads(services.of(request).settings.data_path)


def _called(name: str) -> str:
    found = next((importer for importer in registry.ALL if importer.name == name), None)
    return found.called if found else name


handlers = [every, one, upload, look_again, start, undo, discard, skipped, export]
