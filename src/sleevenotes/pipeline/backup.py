"""Backup and restore: one file with all rows and all images of an installation.

The file is a zip, so that anybody can look into it:

    sleevenotes.json         what made it, when, and the migrations its tables are of
    tables/scrobbles.copy    a table's rows, as PostgreSQL's COPY writes text
    jobs.json                what waited to be done
    images/3f/3fa9…e1        originals, named by the sha256 of their bytes; thumbnails are made again when asked for
    contents.json            what must be in it: of each table columns, rows and sha256; which images

It holds secrets: hashes of passwords, tokens and sessions, and the keys of connected services as they are. It appears
under its name when it is whole, readable by its owner alone. Settings (sleevenotes.toml, the environment) and the
offline catalogue are not in it, nor uploads of imports under way: an import whose upload is gone says so, and what it
has stored is not stored twice.

A restore reads the file from end to end first: what is damaged or cut short is refused before anything is touched.
"""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import os
import tempfile
import zipfile
import zlib
from collections.abc import AsyncIterator, Callable, Iterator
from datetime import datetime
from pathlib import Path
from typing import IO, Any

import msgspec

from sleevenotes import errors
from sleevenotes.artwork.files import Files, is_digest
from sleevenotes.settings import Settings
from sleevenotes.store import backups, migrate, postgres
from sleevenotes.store.backups import Job, Table

FORMAT = 1
PIECE = 1 << 20  # bytes read or written at once

Progress = Callable[[str, int, int], None]  # what is done, how much of it, of how much


class Header(msgspec.Struct, frozen=True):
    """What made a backup; `schema` names the migrations, in order."""

    format: int
    made_at: datetime
    schema: list[str]


class Kept(msgspec.Struct, frozen=True):
    """A table in the file."""

    table: Table
    sha256: str


class Contents(msgspec.Struct, frozen=True):
    """What must be in a backup; `missing` counts images whose files were lost before."""

    tables: list[Kept]
    images: list[str]
    missing: int


class Report(msgspec.Struct, frozen=True):
    """What a backup holds, or what was restored."""

    made_at: datetime
    plays: int
    rows: int
    images: int
    missing: int
    bytes: int


def quiet(_what: str, _done: int, _total: int) -> None:
    """Show no progress."""


# ---------------------------------------------------------------- backup


async def make(settings: Settings, target: Path, now: datetime, progress: Progress = quiet) -> Report:
    """Write a backup of the running or resting installation to `target`; it appears whole or not at all.

    Raises errors.Unusable where the database cannot be reached, or the file not be written.
    """
    async with postgres.bare(settings) as conn:
        if not await conn.fetchval("SELECT to_regclass('accounts') IS NOT NULL"):
            raise errors.Unusable("There is nothing to back up: this installation has never been started.")
        with _appearing(target) as draft:
            async with backups.snapshot(conn):
                contents = await _write(conn, draft, Files(settings.data_path), now, progress)
    return _report(contents, now, target)


@contextlib.contextmanager
def _appearing(target: Path) -> Iterator[Path]:
    """Give a temporary path beside the target, which becomes the target at the end."""
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        descriptor, name = tempfile.mkstemp(dir=target.parent, prefix=f".{target.name}-")  # readable by nobody else
        os.close(descriptor)
        draft = Path(name)
        try:
            yield draft
            with draft.open("rb") as file:
                os.fsync(file.fileno())
            draft.replace(target)
        finally:
            draft.unlink(missing_ok=True)
    except OSError as error:
        raise errors.Unusable(f"{target}: {error.strerror or error}") from error


async def _write(conn: Any, draft: Path, files: Files, now: datetime, progress: Progress) -> Contents:
    with zipfile.ZipFile(draft, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        header = Header(FORMAT, now, await backups.schema(conn))
        archive.writestr("sleevenotes.json", msgspec.json.encode(header))
        kept = await _write_tables(conn, archive, progress)
        archive.writestr("jobs.json", msgspec.json.encode(await backups.waiting_jobs(conn)))
        digests = await backups.image_digests(conn)
        images = await asyncio.to_thread(_write_images, archive, files, digests, progress)
        contents = Contents(kept, images, len(digests) - len(images))
        archive.writestr("contents.json", msgspec.json.encode(contents))
    return contents


async def _write_tables(conn: Any, archive: zipfile.ZipFile, progress: Progress) -> list[Kept]:
    tables = await backups.tables(conn)
    total, done = sum(table.rows for table in tables), 0
    kept = []
    for table in tables:
        progress("rows", done, total)
        digest = hashlib.sha256()
        with archive.open(_member(table), "w", force_zip64=True) as member:

            async def write(data: bytes, member: IO[bytes] = member, digest: Any = digest) -> None:
                await asyncio.to_thread(member.write, data)
                digest.update(data)

            rows = await backups.copy_out(conn, table, write)
        done += rows
        kept.append(Kept(msgspec.structs.replace(table, rows=rows), digest.hexdigest()))
    progress("rows", total, total)
    return kept


def _write_images(archive: zipfile.ZipFile, files: Files, digests: list[str], progress: Progress) -> list[str]:
    there = []
    for number, digest in enumerate(digests):
        progress("images", number, len(digests))
        data = files.original(digest)
        if data is not None and hashlib.sha256(data).hexdigest() == digest:
            archive.writestr(zipfile.ZipInfo(_image(digest)), data, zipfile.ZIP_STORED)  # compressed already
            there.append(digest)
    progress("images", len(digests), len(digests))
    return there


# ---------------------------------------------------------------- restore


def check(source: Path, progress: Progress = quiet) -> Report:
    """Read a backup from end to end and say what it holds.

    Raises errors.Refused where it is no backup of ours, is damaged, or was made by a newer version.
    """
    with _opened(source) as archive:
        header = _header(archive)
        backups.known(header.schema)
        contents = _contents(archive)
        _check_members(archive, contents, progress)
        return _report(contents, header.made_at, source)


async def restore(settings: Settings, source: Path, now: datetime, progress: Progress = quiet) -> Report:
    """Put a backup into an empty installation, brought to the schema of this version.

    Images that root restores belong to whom the data directory belongs to. Raises errors.Refused, with nothing
    changed, as `check` does, and where the installation is not empty or in use.
    """
    _refuse_for_others(settings)
    async with postgres.bare(settings) as conn:
        await backups.require_empty(conn)  # soon, and once more inside
        report = await asyncio.to_thread(check, source, progress)
        with _opened(source) as archive:
            header, contents = _header(archive), _contents(archive)
            async with conn.transaction():
                await backups.require_empty(conn)
                await _fill(conn, archive, header, contents, now, progress)
                await asyncio.to_thread(_restore_images, archive, contents, Files(settings.data_path), progress)
            await migrate.run(conn, now)  # the queue's own tables
            waiting = msgspec.json.decode(archive.read("jobs.json"), type=list[Job])
            async with conn.transaction():
                await backups.take_up(conn, waiting, now)
    return report


def _refuse_for_others(settings: Settings) -> None:
    """Keep root from making, in somebody's data directory, a database that they could not open."""
    data, made = settings.data_path, settings.data_path / "postgres" / "cluster"
    if settings.database_url or os.name == "nt" or os.geteuid() != 0 or not data.exists() or made.exists():
        return
    if owner := data.stat().st_uid:
        raise errors.Unusable(f"data_dir: {data} belongs to user {owner}, its database would not: restore as that user")


async def _fill(
    conn: Any, archive: zipfile.ZipFile, header: Header, contents: Contents, now: datetime, progress: Progress
) -> None:
    then = backups.known(header.schema)
    await backups.make_schema(conn, then, now)
    undo = await backups.put_aside(conn)
    total, done = sum(kept.table.rows for kept in contents.tables), 0
    for kept in contents.tables:
        progress("rows", done, total)
        with archive.open(_member(kept.table)) as member:
            await backups.copy_in(conn, kept.table, _pieces(member))
        done += kept.table.rows
    progress("rows", total, total)
    for statement in undo:
        await conn.execute(statement)
    await migrate.apply(conn, migrate.read()[len(then) :], now)


async def _pieces(member: IO[bytes]) -> AsyncIterator[bytes]:
    while piece := await asyncio.to_thread(member.read, PIECE):
        yield piece


def _restore_images(archive: zipfile.ZipFile, contents: Contents, files: Files, progress: Progress) -> None:
    try:
        for number, digest in enumerate(contents.images):
            progress("images", number, len(contents.images))
            files.keep(archive.read(_image(digest)))
    finally:
        files.hand_over()  # a directory of root's would keep the server from storing any other image, too
    progress("images", len(contents.images), len(contents.images))


# ---------------------------------------------------------------- reading the file


@contextlib.contextmanager
def _opened(source: Path) -> Iterator[zipfile.ZipFile]:
    try:
        with zipfile.ZipFile(source) as archive:
            yield archive
    except OSError as error:
        raise errors.Refused(f"{source}: {error.strerror or error}") from error
    except (zipfile.BadZipFile, EOFError, KeyError, ValueError, msgspec.MsgspecError) as error:
        raise errors.Refused(
            f"{source} is no whole backup: {str(error).strip(chr(39))}. Nothing was changed."
        ) from error


def _header(archive: zipfile.ZipFile) -> Header:
    header = msgspec.json.decode(archive.read("sleevenotes.json"), type=Header)
    if header.format != FORMAT:
        raise errors.Refused(f"The backup is of format {header.format}, this version reads {FORMAT}.")
    return header


def _contents(archive: zipfile.ZipFile) -> Contents:
    contents = msgspec.json.decode(archive.read("contents.json"), type=Contents)
    if not all(map(is_digest, contents.images)):
        raise ValueError("it names images that cannot be")
    return contents


def _check_members(archive: zipfile.ZipFile, contents: Contents, progress: Progress) -> None:
    """Read every member and compare it with what the contents tell."""
    told = {_member(kept.table): kept.sha256 for kept in contents.tables}
    told |= {_image(digest): digest for digest in contents.images}
    archive.read("jobs.json")
    for number, (name, sha256) in enumerate(told.items()):
        progress("checked", number, len(told))
        digest = hashlib.sha256()
        try:
            with archive.open(name) as member:
                while piece := member.read(PIECE):
                    digest.update(piece)
        except (zipfile.BadZipFile, EOFError, OSError, RuntimeError, zlib.error) as error:
            raise ValueError(f"{name} is damaged ({error})") from error
        if digest.hexdigest() != sha256:
            raise ValueError(f"{name} is not what was written")
    progress("checked", len(told), len(told))


def _member(table: Table) -> str:
    return f"tables/{table.name}.copy"


def _image(digest: str) -> str:
    return f"images/{digest[:2]}/{digest}"


def _report(contents: Contents, made_at: datetime, file: Path) -> Report:
    rows = {kept.table.name: kept.table.rows for kept in contents.tables}
    return Report(
        made_at=made_at,
        plays=rows.get("scrobbles", 0),
        rows=sum(rows.values()),
        images=len(contents.images),
        missing=contents.missing,
        bytes=file.stat().st_size,
    )
