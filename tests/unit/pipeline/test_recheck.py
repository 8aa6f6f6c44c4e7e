"""What terms forbid to keep goes in time: images, files, answers and candidates; the albums are looked for again."""

from __future__ import annotations

import os
from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path

import msgspec

from sleevenotes.artwork.files import Files
from sleevenotes.clock import HandClock
from sleevenotes.pipeline import recheck
from sleevenotes.pipeline.alarms import Alarms
from sleevenotes.pipeline.tools import Tools
from sleevenotes.sources import contract
from sleevenotes.store import artwork_candidates, artworks, images, replies
from sleevenotes.store.postgres import Database
from tests.unit.store.test_images import COVER, album, stand

KEEP_S = 6 * 3600.0


class Source:
    """A source of this name whose answers may be kept so long; nobody asks it here."""

    def __init__(self, name: str, keep_s: float | None) -> None:
        self.name = name
        self.policy = contract.Policy(name, name, 1, 1.0, 1, 1, 1.0, (contract.FindImages,), keep_s=keep_s)

    def request(self, questions: Sequence[contract.Question]) -> contract.Request:
        raise AssertionError(questions)

    def read(self, questions: Sequence[contract.Question], reply: contract.Reply) -> list[contract.Answer]:
        raise AssertionError(questions, reply)


async def test_an_expired_stop_gap_goes_with_its_files_and_its_album_is_looked_for_again(
    database: Database, clock: HandClock, tmp_path: Path
) -> None:
    files = Files(tmp_path)
    digest = files.keep(b"stop-gap")
    os.utime(files.original_path(digest), (0, 0))  # fetched hours ago
    expires_at = clock.now() + timedelta(seconds=KEEP_S)
    async with database.transaction() as conn:
        group_id = await album(conn, "Blue", clock)
        gap = msgspec.structs.replace(COVER, digest=digest)
        image_id = await images.keep(conn, gap, clock.now(), expires_at=expires_at)
        await stand(conn, group_id, image_id, clock)
        await artworks.found(conn, group_id, image_id, "For now.", clock.now(), expires_at=expires_at)
    tools = Tools(database, clock, files, (Source("discogs", KEEP_S),), Alarms(database, clock))
    clock.turn(KEEP_S - 1)
    await recheck.purge_stop_gaps(tools)
    assert files.original(digest) is not None
    clock.turn(1)
    await recheck.purge_stop_gaps(tools)
    assert files.original(digest) is None
    async with database.connection() as conn:
        (row,) = await artworks.load(conn, [group_id])
        jobs = await conn.fetch("SELECT entrypoint, payload FROM pgqueuer")
    assert (row.status, row.image_id) == ("pending", None)
    assert [(job["entrypoint"], msgspec.json.decode(job["payload"])) for job in jobs] == [("artwork", [group_id])]


async def test_answers_are_forgotten_as_the_terms_say_and_others_kept(
    database: Database, clock: HandClock, tmp_path: Path
) -> None:
    sources = (Source("discogs", KEEP_S), Source("deezer", None))
    tools = Tools(database, clock, Files(tmp_path), sources, Alarms(database, clock))
    async with database.transaction() as conn:
        group_id = await album(conn, "Blue", clock)
        for source in ("discogs", "deezer"):
            new = artwork_candidates.New(source, f"https://{source}/1.jpg", clock.now())
            await artwork_candidates.put(conn, group_id, [new])
            answer = (source, b"1", replies.Outcome.ABSENT, contract.ABSENT)
            await replies.keep(conn, [answer], clock.now())
    clock.turn(KEEP_S)
    await recheck.purge_stop_gaps(tools)
    async with database.connection() as conn:
        assert set(await replies.load(conn, [b"1"])) == {("deezer", b"1")}
        assert [each.source for each in await artwork_candidates.load(conn, group_id)] == ["deezer"]
