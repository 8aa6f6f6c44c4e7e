"""What is submitted, which jobs it leaves, and what a name is matched to."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from sleevenotes.model import Band, Scrobble
from sleevenotes.store import catalog, jobs, matches
from sleevenotes.store.postgres import Connection, Database
from tests.unit.store import given

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)


def play(track: str = "Roygbiv", seconds: float = 0, artist: str = "Boards of Canada", **more: object) -> Scrobble:
    return Scrobble(artist=artist, track=track, listened_at=NOON + timedelta(seconds=seconds), **more)  # type: ignore[arg-type] # passed on


async def queued(database: Database, stage: str) -> list[tuple[int, Band]]:
    """Read the subjects that jobs of this stage name, each with its job's band."""
    async with database.connection() as conn:
        rows = await conn.fetch("SELECT payload, priority FROM pgqueuer WHERE entrypoint = $1 ORDER BY id", stage)
    return [(subject, Band(row["priority"])) for row in rows for subject in jobs.subjects(row["payload"])]


async def match_with_album(conn: Connection, lookup_id: int, now: datetime) -> int:
    """Match a lookup to an album as the match stage would; return the release group's id."""
    recording = given.recording("Roygbiv", "Boards of Canada", length_ms=151_000)
    (kept,) = await catalog.keep(conn, [(recording, given.release("Music Has the Right to Children"))], now)
    identity = matches.Identity(*kept, source="musicbrainz", distance=0.0, reason="The same words.")
    await matches.settle(conn, [matches.matched(lookup_id, identity)], now)
    assert kept.release_group_id is not None
    return kept.release_group_id
