"""Importing a history, and undoing it: the stage `import`, in pieces.

What is stored, what was there already and what is left out is counted in the transaction that stores a batch, together
with how many items of the file are dealt with. So a worker that dies loses nothing and doubles nothing: the next one
reads the file again up to there, and goes on. A piece ends after PIECE batches and names the next; the file stays open
between two pieces of one process. Reading happens in a thread, so that requests are answered meanwhile.
"""

from __future__ import annotations

import asyncio
import contextlib
import itertools
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, NamedTuple

import msgspec
import structlog

from sleevenotes import errors, model, names
from sleevenotes.artwork.files import Files
from sleevenotes.clock import Clock
from sleevenotes.importers import acts as act_lines
from sleevenotes.importers import contract, registry
from sleevenotes.importers.files import Place, Upload
from sleevenotes.pipeline import acts, entering
from sleevenotes.pipeline.entering import Stored
from sleevenotes.pipeline.submit import MAX_ROWS, Submitter
from sleevenotes.pipeline.uploads import Uploads
from sleevenotes.store import deletions, feedback, imports, jobs, postgres, scrobbles
from sleevenotes.store.imports import Import, Skip, Step
from sleevenotes.store.postgres import Connection, Database

STAGE = "import"
BAND = model.Band.DEFAULT  # a listener watches; behind the names of an earlier import it would stand still
PIECE = 20  # batches of MAX_ROWS
MOST_BYTES = 20_000_000  # of images and corrections in one batch, which are in memory together
AHEAD = timedelta(hours=1)  # a player's clock may be this much ahead
DELETED = "You deleted it here."

Play = model.Scrobble | contract.Hidden

log = structlog.get_logger(__name__)


@contextlib.contextmanager
def looked_at(path: Path, name: str, options: contract.Options) -> Iterator[registry.Plan]:
    """Open an upload, and say who would read it. Raises errors.Refused where nobody would."""
    with opened(path, name) as upload:
        yield registry.plan(upload, options)


def opened(path: Path, name: str) -> Upload:
    """Open an upload, whatever it is. Raises errors.Refused where it is gone: a backup does not bring it back."""
    try:
        return Upload(path, name)
    except FileNotFoundError:
        raise errors.Refused("The uploaded file is gone. Upload it again: nothing is doubled.") from None


def kept(options: contract.Options) -> dict[str, Any]:
    """Return options as an import keeps them."""
    return dict(msgspec.to_builtins(msgspec.structs.replace(options, until=None)))


class Taken(NamedTuple):
    """An item of an upload: its number among all of them, from 0 on, and where it stands."""

    number: int
    item: contract.Item
    place: Place

    def left_out(self, kind: str, reason: str) -> Skip:
        """Return what a report says of it."""
        return Skip(self.number, self.place.file, self.place.unit, self.place.line, kind, reason)


class Reading:
    """An upload being read: how many items of it have been taken, and the next ones. Its methods block."""

    def __init__(self, path: Path, name: str, options: contract.Options) -> None:
        self.position = 0
        self._broken: Exception | None = None
        self._upload = opened(path, name)
        try:
            self.plan = registry.plan(self._upload, options)
            self._items = registry.read(self.plan, options)
        except BaseException:
            self._upload.close()
            raise

    @property
    def share(self) -> float:
        """Return the part of the file that is read, 0 … 1."""
        return self._upload.meter.share

    def skip_to(self, position: int) -> None:
        """Leave out what has been dealt with before."""
        for _ in itertools.islice(self._items, position - self.position):
            self.position += 1

    def take(self, count: int = MAX_ROWS) -> list[Taken]:
        """Return the next items, none at the end. Raises errors.Refused where the file cannot be read on.

        What was read before that place is returned first, also where a defect of ours is what stops it.
        """
        if self._broken is not None:
            raise self._broken
        batch: list[Taken] = []
        weight = 0
        try:
            for item in itertools.islice(self._items, count):
                number = self.position + len(batch)
                batch.append(Taken(number, item, self._upload.meter.place or Place("", "item", number + 1)))
                weight += act_lines.weight(item.act) if isinstance(item, contract.Acted) else 0
                if weight > MOST_BYTES:
                    break
        except Exception as why:
            self._broken = why
            if not batch:
                raise
        self.position += len(batch)
        return batch

    def close(self) -> None:
        """Close the file."""
        self._items.close()
        self._upload.close()


class Importing:
    """The stage of imports; one of a process, for it keeps files open between pieces."""

    def __init__(self, database: Database, clock: Clock, submitter: Submitter, uploads: Uploads, files: Files) -> None:
        self._files = files
        self._database = database
        self._clock = clock
        self._submitter = submitter
        self._uploads = uploads
        self._open: dict[int, Reading] = {}

    async def run(self, import_ids: Sequence[int], _band: model.Band) -> None:
        """Do the next piece of these imports; a stage of pipeline.jobs."""
        for import_id in import_ids:
            async with self._database.connection() as conn:
                told = await imports.by_id(conn, import_id)
            if told.status == imports.UNDOING:
                await self._undo(told)
            elif told.status == imports.RUNNING:
                await self._piece(told)

    async def give_up(self, import_ids: Sequence[int], why: str) -> None:
        """Note that these imports stopped; their listeners may have them go on."""
        for import_id in import_ids:
            async with self._database.connection() as conn:
                told = await imports.by_id(conn, import_id)
            await self._end(told, imports.FAILED, why)

    async def through(self, told: Import, path: Path, seen: Callable[[Import], None]) -> Import:
        """Do a whole import of a file in place; `seen` is told how far it is. For the command line."""
        try:
            reading = await asyncio.to_thread(Reading, path, told.file_name, self._options(told))
            with contextlib.closing(reading):
                while batch := await asyncio.to_thread(reading.take):
                    await self._keep(told, batch, reading.position - len(batch), reading.share)
                    async with self._database.connection() as conn:
                        seen(await imports.by_id(conn, told.id))
        except (Exception, asyncio.CancelledError) as why:  # nobody else goes on with it
            await self._end(told, imports.FAILED, _stopped(why))
            raise
        await self._end(told, imports.DONE)
        async with self._database.connection() as conn:
            return await imports.by_id(conn, told.id)

    # ------------------------------------------------------------ a piece

    async def _piece(self, told: Import) -> None:
        try:
            reading = await self._resumed(told)
        except errors.Refused as why:
            await self._end(told, imports.FAILED, str(why))
            return
        ended = True
        try:
            ended = await self._batches(told, reading)
        except errors.Refused as why:
            await self._end(told, imports.FAILED, str(why))
            return
        finally:
            if ended:
                reading.close()
        if ended:
            await self._end(told, imports.DONE)
            return
        self._let_go(told.id)
        self._open[told.id] = reading
        async with self._database.transaction() as conn:
            await jobs.enqueue(conn, STAGE, [told.id], BAND)

    async def _resumed(self, told: Import) -> Reading:
        """Return the upload, read as far as the import is. While it is read, nobody else can get at it."""
        reading = self._open.pop(told.id, None)
        if reading is not None and reading.position == told.position:
            return reading
        if reading is not None:
            reading.close()
        path = self._uploads.path(told.upload)
        reading = await asyncio.to_thread(Reading, path, told.file_name, self._options(told))
        await asyncio.to_thread(reading.skip_to, told.position)
        return reading

    async def _batches(self, told: Import, reading: Reading) -> bool:
        """Store some batches; True at the end of the file."""
        for _ in range(PIECE):
            batch = await asyncio.to_thread(reading.take)
            if not batch:
                return True
            await self._keep(told, batch, reading.position - len(batch), reading.share)
        return False

    def _let_go(self, import_id: int) -> None:
        """Close a file that is kept open for the next piece."""
        reading = self._open.pop(import_id, None)
        if reading is not None:
            reading.close()

    def _options(self, told: Import) -> contract.Options:
        options = msgspec.convert(told.options, contract.Options)
        return msgspec.structs.replace(options, until=self._clock.now() + AHEAD)

    # ------------------------------------------------------------ a batch

    async def _keep(self, told: Import, batch: Sequence[Taken], first: int, share: float) -> None:
        """Store a batch whose first item has this place; where that fails, its halves: one bad row spoils no other."""
        try:
            await self._bring(told, batch, first, share)
        except (errors.Gone, errors.Fault):
            raise
        except Exception as error:
            if postgres.is_passing(error):
                raise
            log.warning("import: a batch was not stored", first=first, rows=len(batch), error=repr(error))
            if len(batch) == 1:
                file, unit, line = batch[0].place
                skipped = contract.Skipped(line, _not_stored(error), file, unit=unit)
                await self._bring(told, [batch[0]._replace(item=skipped)], first, share)
                return
            half = len(batch) // 2
            await self._keep(told, batch[:half], first, share)
            await self._keep(told, batch[half:], first + half, share)

    async def _bring(self, told: Import, batch: Sequence[Taken], first: int, share: float) -> None:
        plays, skips = await self._wanted(told, batch)
        words = [each.item for each in batch if isinstance(each.item, contract.Feedback)]
        said = [(each.number, each.item) for each in batch if isinstance(each.item, contract.Acted)]
        pictures = await acts.kept(self._files, [item.act for _, item in said])

        async def noted(conn: Connection, stored: Sequence[Stored]) -> None:
            now = self._clock.now()
            doubles = sum(one.duplicate for one in stored)
            bringing = acts.Bringing(conn, told, pictures, now)
            refused = await bringing.apply([item.act for _, item in said])
            left = [
                *skips,
                *(_not_applied(at, item, why) for (at, item), why in zip(said, refused, strict=True) if why),
            ]
            step = Step(len(batch), share, len(stored) - doubles, doubles, len(words), bringing.applied, left)
            await imports.advance(conn, told.id, first, step)
            await imports.link_later(conn, told.id, _links(plays, stored))
            await feedback.bring(conn, told.account_id, [_word(word) for word in words], now, told.id)
            await imports.tell(conn, told.account_id, told.id, now)

        await self._submitter.bring(told.account_id, [_sent(play) for play in plays], told.id, noted)

    async def _wanted(self, told: Import, batch: Sequence[Taken]) -> tuple[list[Play], list[Skip]]:
        """Return the plays of a batch that are to be stored, the shown ones first, and what is left out of it.

        Where records say the same, what is stored first is shown: as where the export was made.
        """
        skips = [_skip(each.number, each.item) for each in batch if isinstance(each.item, contract.Skipped)]
        plays = [(each, each.item) for each in batch if isinstance(each.item, (model.Scrobble, contract.Hidden))]
        plays.sort(key=lambda play: isinstance(play[1], contract.Hidden))
        gone = await self._deleted(told, [play for _, play in plays])
        skips += [each.left_out(contract.DELETED, DELETED) for at, (each, _) in enumerate(plays) if at in gone]
        return [play for at, (_, play) in enumerate(plays) if at not in gone], skips

    async def _deleted(self, told: Import, plays: Sequence[Play]) -> set[int]:
        """Return which of these their listener has deleted here and does not want back: their places in the list."""
        if not plays or self._options(told).include_deleted:
            return set()
        async with self._database.connection() as conn:
            return await deletions.dismissed(conn, told.account_id, _keys(told, plays))

    async def _end(self, told: Import, status: str, problem: str = "") -> None:
        now = self._clock.now()
        async with self._database.transaction() as conn:
            if status == imports.DONE:
                await scrobbles.lock_accounts(conn, [told.account_id])
                await imports.link(conn, told.account_id, told.id, now)
            await imports.finish(conn, told.id, status, now, problem)
            await imports.tell(conn, told.account_id, told.id, now)
        if status != imports.FAILED:
            await asyncio.to_thread(self._uploads.remove, told.upload)

    # ------------------------------------------------------------ undoing

    async def undone(self, import_id: int) -> int:
        """Undo an import to its end, and return how many plays that deleted. For the command line.

        One that was interrupted while it was undone goes on. Raises errors.Gone, and nothing is deleted, where there is
        nothing to undo.
        """
        async with self._database.connection() as conn:
            told = await imports.by_id(conn, import_id)
            if told.status != imports.UNDOING and not await imports.undo(conn, told.account_id, import_id):
                raise errors.Gone(f"The import {import_id} has brought nothing that could be undone.")
        await self._take_back(told)
        while await self._remove(told):
            pass
        await self._end(told, imports.UNDONE)
        async with self._database.connection() as conn:
            return (await imports.by_id(conn, import_id)).removed

    async def _undo(self, told: Import) -> None:
        """Delete some of the plays an import brought, and go on with the rest in the next piece."""
        self._let_go(told.id)
        await self._take_back(told)
        for _ in range(PIECE):
            if not await self._remove(told):
                await self._end(told, imports.UNDONE)
                return
        async with self._database.transaction() as conn:
            await jobs.enqueue(conn, STAGE, [told.id], BAND)

    async def _take_back(self, told: Import) -> None:
        """Take back corrections, covers and marks, while the plays they speak of are there."""
        async with self._database.transaction() as conn:
            await acts.take_back(conn, told, self._clock.now())

    async def _remove(self, told: Import) -> bool:
        """Delete up to MAX_ROWS of the plays; False when there are no more."""
        now = self._clock.now()
        async with self._database.transaction() as conn:
            ids = await imports.plays_of(conn, told.account_id, told.id, MAX_ROWS)
            gone = await scrobbles.delete(conn, told.account_id, ids, now)
            await imports.note_removed(conn, told.id, len(gone))
            await imports.tell(conn, told.account_id, told.id, now)
        return len(ids) == MAX_ROWS


def _skip(number: int, item: contract.Skipped) -> Skip:
    return Skip(number, item.file, item.unit, item.line, item.kind, item.reason)


def _not_applied(number: int, item: contract.Acted, why: str) -> Skip:
    return Skip(number, item.file, item.unit, item.line, contract.NOT_APPLIED, why)


def _stopped(why: BaseException) -> str:
    if isinstance(why, asyncio.CancelledError):
        return "It was interrupted."
    return str(why) if isinstance(why, errors.SleevenotesError) else repr(why)


def _not_stored(error: Exception) -> str:
    return f"the database refused it: {str(error)[:200]}"


def _sent(play: Play) -> model.Scrobble:
    return play.scrobble if isinstance(play, contract.Hidden) else play


def _keys(told: Import, plays: Sequence[Play]) -> list[deletions.Key]:
    news = [entering.to_row(told.account_id, _sent(play), model.Band.LOW_PRIORITY, 0).play for play in plays]
    return [(new.listened_at, new.identity) for new in news]


def _links(plays: Sequence[Play], stored: Sequence[Stored]) -> list[tuple[int, datetime, bytes]]:
    """Return which new plays are hidden behind which, for when all are there."""
    return [
        (one.id, play.same_as.listened_at, names.digest(play.same_as.artist, play.same_as.track))
        for play, one in zip(plays, stored, strict=True)
        if isinstance(play, contract.Hidden) and not one.duplicate
    ]


def _word(word: contract.Feedback) -> feedback.Word:
    return feedback.Word(word.artist, word.track, word.score, word.given_at)
