"""Sleevenotes as a library: names in, what they are out.

    import asyncio
    from sleevenotes import Name, enrich

    [song] = asyncio.run(enrich([Name("Massive Attack", "Teardrop", "Mezzanine")], data_dir="data"))
    song.recording_mbid, song.release_group_mbid, song.artwork

It works in a data directory like the server's: what is known there is reused, what is learnt is kept. docs/reference/
library.md documents all of it; what is not in `__all__` may change.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from pathlib import Path

import msgspec

from sleevenotes import app, errors, settings
from sleevenotes.pipeline import enrich as stage
from sleevenotes.pipeline import enriched_file
from sleevenotes.pipeline.enrich import Name
from sleevenotes.store import enriched
from sleevenotes.upstream import client

__all__ = ["Enriched", "Name", "Report", "enrich", "enrich_file"]

Heard = Callable[[str, int, int], None]
"""Told how far it is: what ("known", "names", "covers"), how many are done, of how many."""


class Enriched(msgspec.Struct, frozen=True):
    """What a name was found to be. What is not known is "", () or None.

    `status` is enriched, not_found, failed (some source could not be reached) or pending (nobody was asked); `reason`
    is a sentence. An MBID is "" where only a source without them knows the name. `artwork` is the cover's address at
    its source, `image` the file of it in the data directory; `artwork_status` is found, absent, failed or pending.
    `distance` is 0 for identical, 1 at most.
    """

    name: Name
    status: str
    reason: str = ""
    recording_mbid: str = ""
    recording: str = ""
    artist_mbids: tuple[str, ...] = ()
    artist_credit: str = ""
    release_mbid: str = ""
    release: str = ""
    release_group_mbid: str = ""
    release_group: str = ""
    first_release_date: str = ""
    artwork: str = ""
    artwork_status: str = ""
    image: Path | None = None
    source: str = ""
    distance: float | None = None


class Report(msgspec.Struct, frozen=True):
    """What became of a file: names are different ones, plays are rows with a name. `requests` are counted by source."""

    rows: int
    invalid: list[enriched_file.Invalid]
    names: int
    names_matched: int
    plays: int
    plays_matched: int
    albums: int
    albums_with_artwork: int
    requests: dict[str, int]
    seconds: float


class How(msgspec.Struct, frozen=True):
    """How names are enriched: `ask` the internet for what is not known; look for `covers`, too."""

    ask: bool = True
    covers: bool = True


class Found(msgspec.Struct, frozen=True):
    """What became of names, without those that nobody was asked for, and how many different ones there were."""

    rows: dict[Name, enriched.Row]
    different: int


async def enrich(
    names: Iterable[Name], *, offline: bool = False, artwork: bool = True, **overrides: object
) -> list[Enriched]:
    """Find out what these names are; return it in their order.

    `offline` asks nobody: only the database and the offline catalogue answer. Without `artwork`, no cover is looked
    for; those that are known are told. `overrides` are settings, first of all data_dir="…".

    Takes as long as the services' limits do: about a second a name that nobody knows yet. What was found is kept, so a
    call that was cancelled may simply be repeated. Raises errors.SleevenotesError with a sentence where a name is
    empty, a setting is wrong or the database cannot be had.
    """
    given = list(names)
    for place, name in enumerate(given):
        if not (name.artist.strip() and name.track.strip()):
            raise errors.Refused(f"name {place} ({name!r}) needs an artist and a track")
    async with app.open(settings.load(None, **overrides)) as parts:
        found = await through(parts, Counter(given), How(not offline, artwork))
        return [_enriched(parts, name, found.rows.get(name)) for name in given]


async def enrich_file(
    path: Path,
    out: Path,
    *,
    artist: str = "",
    track: str = "",
    album: str = "",
    kind: str = "",
    prefix: str = "sn_",
    offline: bool = False,
    artwork: bool = True,
    images: Path | None = None,
    heard: Heard | None = None,
    given: settings.Settings | None = None,
    **overrides: object,
) -> Report:
    """Write a file (CSV, TSV, JSONL, Parquet) again with columns that say what each row's name is.

    `artist`, `track` and `album` name the columns, else they are guessed; `kind` is the format to write (else `out`'s
    ending says it, else it is the one read); `prefix` stands before the names of the added columns; covers are copied
    to the directory `images`; `heard` is told how far it is; `given` takes the place of settings from the environment.
    The rest is as for `enrich`. A call that was stopped goes on where it was when repeated.

    Raises errors.Refused, naming the line or the column, for a file that cannot be read or written so.
    """
    source = await asyncio.to_thread(enriched_file.read, path, artist, track, album)
    kind = enriched_file.check(source, path, out, kind, prefix)
    counted = await asyncio.to_thread(enriched_file.count, source)
    loop = asyncio.get_running_loop()
    began = loop.time()
    async with app.open(given or settings.load(None, **overrides)) as parts:
        since = parts.clock.now()
        found = await through(parts, counted.names, How(not offline, artwork), heard)
        told = await asyncio.to_thread(_cells, parts, counted.names, found.rows, images)
        await asyncio.to_thread(enriched_file.write, source, out, kind, prefix, told)
        asked = await _requests(parts, found.rows, since) if not offline else {}
    return _report(counted, found, asked, loop.time() - began)


async def through(
    parts: app.Parts,
    counted: Mapping[Name, int],
    how: How,
    heard: Heard | None = None,
    transport: client.Transport | None = None,
) -> Found:
    """Enrich names, with how often each occurs. `transport` takes the place of the internet."""
    tell = heard or _unheard
    met = await stage.meet(
        parts.database,
        parts.clock,
        counted,
        answering=stage.from_catalogue(
            parts.catalogue, fetch_covers=how.ask and how.covers, in_any_writing=not how.ask
        ),
        ask=how.ask,
        heard=lambda done, total: tell("known", done, total),
    )
    ids = list(dict.fromkeys(met.ids.values()))
    if how.ask:
        await _ask(parts, ids, how, tell, transport)
    rows = await stage.read(parts.database, ids)
    return Found({name: rows[lookup_id] for name, lookup_id in met.ids.items()}, met.different)


async def _ask(parts: app.Parts, ids: Sequence[int], how: How, tell: Heard, transport: client.Transport | None) -> None:
    """Let the stages and lanes work until names and covers are decided; not at all where they are."""
    if how.covers:
        await stage.want_covers(parts.database, ids)
    if await stage.is_settled(parts.database, ids, covers=how.covers):
        return
    async with app.working(parts, transport, leaving=() if how.covers else ("artwork",)):
        await stage.decided(parts.database, parts.clock, ids, lambda done, total: tell("names", done, total))
        if how.covers:
            await stage.want_covers(parts.database, ids)
            await stage.covered(parts.database, parts.clock, ids, lambda done, total: tell("covers", done, total))


def _unheard(_what: str, _done: int, _total: int) -> None:
    pass


def _enriched(parts: app.Parts, name: Name, row: enriched.Row | None) -> Enriched:
    if row is None:
        return Enriched(name, "pending", enriched_file.UNKNOWN)
    image = parts.files.original_path(row.image_digest) if row.image_digest else None
    same = {each: getattr(row, each) for each in Enriched.__struct_fields__ if hasattr(row, each)}
    return Enriched(name=name, artwork=row.image_url, image=image, **same)


def _cells(
    parts: app.Parts, names: Iterable[Name], found: Mapping[Name, enriched.Row], images: Path | None
) -> dict[Name, tuple[str | float | None, ...]]:
    copied = enriched_file.copy_images(parts.files, list(found.values()), images) if images else {}
    told: dict[Name, tuple[str | float | None, ...]] = {}
    for name in names:
        row = found.get(name)
        told[name] = enriched_file.cells(row, copied.get(row.image_digest, "") if row else "")
    return told


async def _requests(parts: app.Parts, found: Mapping[Name, enriched.Row], since: datetime) -> dict[str, int]:
    async with parts.database.connection() as conn:
        return await enriched.requests(conn, [row.id for row in found.values()], since)


def _report(counted: enriched_file.Counted, found: Found, asked: dict[str, int], seconds: float) -> Report:
    matched = {name: row for name, row in found.rows.items() if row.status == "enriched"}
    covers = {row.release_group_id: row.image_url for row in matched.values() if row.release_group_id is not None}
    return Report(
        rows=counted.rows,
        invalid=counted.invalid,
        names=found.different,
        names_matched=len({row.id for row in matched.values()}),
        plays=counted.names.total(),
        plays_matched=sum(counted.names[name] for name in matched),
        albums=len(covers),
        albums_with_artwork=sum(bool(url) for url in covers.values()),
        requests=asked,
        seconds=round(seconds, 1),
    )
