"""Questions to TheAudioDB, Discogs, Deezer and iTunes, as a history brings them up, and their traces in a database.

A name comes up where neither ListenBrainz nor MusicBrainz know it, an album where the Cover Art Archive has no front
of it. Who would serve it is the world's truth. Whom the product asks is the product's own order (asking.py).
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

from benches import common, plays
from sleevenotes import model, names
from sleevenotes.pipeline import asking, trails
from sleevenotes.prediction.order import Outlook
from sleevenotes.simulator import world
from sleevenotes.sources import contract, registry
from sleevenotes.store import lookups, predictions, traces
from sleevenotes.store.postgres import Connection, Database

FOUR = frozenset({"theaudiodb", "discogs", "deezer", "itunes"})
SOURCES = [each for each in registry.usable(contract.Keys(discogs_token="a-token")) if each.name in FOUR]  # noqa: S106
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class Item(NamedTuple):
    """A question that comes up; `track` is "" where it is for an album's cover. `known_to`: who would serve it."""

    artist: str
    track: str
    release: str
    group_mbid: str
    plays: int
    known_to: frozenset[str]

    @property
    def kind(self) -> str:
        return contract.tag(contract.FindRecording if self.track else contract.FindImages)

    @property
    def named(self) -> tuple[str, str, str]:
        return self.artist, self.track, self.release

    @property
    def artist_key(self) -> str:
        return names.key(self.artist)

    @property
    def questions(self) -> dict[str, contract.Question]:
        if self.track:
            return {each.name: contract.FindRecording(self.artist, self.track) for each in SOURCES}
        album = trails.ByName(self.artist, self.release, release_group_mbid=self.group_mbid)
        return {each.name: trails.search(album, each) for each in SOURCES}


class Ask(NamedTuple):
    """A question put to a source, and whether the answer served."""

    item: Item
    source: str
    served: bool


def items(sent: plays.Plays, true: world.World, *, every: bool = False) -> Iterator[Item]:
    """Yield what comes up, once, in the order of the plays; `every`: also what the first sources would answer."""
    played: dict[object, int] = {}
    for row in sent.rows:
        truth = sent.truth(true, row.artist, row.track, row.release)
        if truth is None:
            continue
        name, album = (common.same(row.artist), common.same(row.track)), truth.release_group_mbid
        for of in (name, album):
            played[of] = played.get(of, 0) + 1
        if played[name] == 1 and (every or "musicbrainz" not in truth.known_to):
            yield Item(row.artist, row.track, row.release, "", 1, truth.known_to & FOUR)
        if played[album] == 1 and (every or world.ARCHIVE not in truth.has_art):
            title = true.catalogue.groups[album].title
            yield Item(row.artist, "", title, album, 1, truth.has_art & FOUR)


# ---------------------------------------------------------------- whom the product asks


def in_order(item: Item, outlook: Outlook | None = None) -> list[str]:
    """Return whom the product asks, one after another: for a name, at the recheck's look."""
    if not item.track:
        return [source.name for source in asking.for_covers(SOURCES, outlook)]
    pending = lookups.Pending(0, item.artist, item.track, item.release, item.plays, tries=1, created_at=EPOCH)
    waves = asking.waves(SOURCES, pending, model.Band.LOW_PRIORITY, outlook)
    return [source.name for wave in waves for source in wave.sources]


def in_declared_order(item: Item) -> Iterator[tuple[str, bool]]:
    """Yield whom the product asks without a predictor, until one serves, and whether each does."""
    for source in in_order(item):
        yield source, source in item.known_to
        if source in item.known_to:
            return


# ---------------------------------------------------------------- as lanes and stages write it

_GROUP = """
    WITH credit AS (
        INSERT INTO artist_credits (digest, name) VALUES ($1, $2)
        ON CONFLICT (digest) DO UPDATE SET name = excluded.name RETURNING id
    )
    INSERT INTO release_groups (mbid, title, artist_credit_id, fetched_at)
    SELECT $3::uuid, $4, id, $5 FROM credit
    ON CONFLICT (mbid) DO UPDATE SET title = excluded.title RETURNING id
"""


async def write(database: Database, asks: Iterator[Ask], at: datetime, together: int = 500) -> None:
    """Write asks as their traces, a few seconds apart and each judged, in transactions of so many."""
    subjects: dict[tuple[str, str, str], tuple[str, int]] = {}
    while some := list(itertools.islice(asks, together)):
        async with database.transaction() as conn:
            for each in some:
                await _write(conn, each, subjects, at)
                at += timedelta(seconds=3)
            await predictions.judge(conn, [judged(each) for each in some])
            await conn.execute("UPDATE lookups SET status = 'not_found' WHERE status = 'pending'")


def judged(each: Ask) -> predictions.Answered:
    key = contract.key(each.item.questions[each.source])
    return predictions.Answered(each.source, key, each.item.kind, each.item.artist_key, each.item.plays, each.served)


async def _write(
    conn: Connection, each: Ask, subjects: dict[tuple[str, str, str], tuple[str, int]], at: datetime
) -> None:
    if each.item.named not in subjects:
        subjects[each.item.named] = await _subject(conn, each.item, at)
    key = contract.key(each.item.questions[each.source])
    await conn.execute(
        "INSERT INTO inquiries VALUES ($1, $2, $3) ON CONFLICT DO NOTHING", *subjects[each.item.named], key
    )
    outcome = "answered" if each.served else "absent"
    new = traces.New(key, each.item.kind, int(model.Band.LOW_PRIORITY), at, outcome, int(each.served))
    await traces.keep(conn, each.source, [new], asked_at=at, took_ms=400, status=200)


async def _subject(conn: Connection, item: Item, at: datetime) -> tuple[str, int]:
    if not item.track:
        digest = names.digest("credit", item.artist)
        return "artwork", await conn.fetchval(_GROUP, digest, item.artist, item.group_mbid or None, item.release, at)
    identity = names.digest(*item.named)
    new = lookups.New(*item.named, model.Band.LOW_PRIORITY)
    return "match", (await lookups.meet(conn, {identity: new}, at))[identity].id
