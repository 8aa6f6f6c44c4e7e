"""What the product ended up with, read from its database and files, and judged by the world.

Truth comes from the world, never from the product: which names a source covers, which recording and album a name
really is, and whose cover the bytes of an image are.
"""

from __future__ import annotations

import time
from pathlib import Path
from typing import NamedTuple

import asyncpg

from benches import common, stand
from sleevenotes.simulator import conditions, world

PENDING = """
    SELECT (SELECT count(*) FROM lookups WHERE status = 'pending') AS lookups,
           (SELECT count(*) FROM artworks WHERE status = 'pending') AS artworks,
           (SELECT count(*) FROM pgqueuer WHERE status IN ('queued', 'picked')) AS jobs
"""


class Lookup(NamedTuple):
    """A decided name: what it was, and what it became ("" where nothing)."""

    artist: str
    track: str
    release: str
    status: str
    recording_mbid: str
    release_group_mbid: str


class Judgement(NamedTuple):
    """Counts of what is right and wrong."""

    names: int  # lookups
    decided: int  # enriched or not_found
    matched: int  # enriched
    covered: int  # of which the world says that a source in play knows them
    correct: int  # covered, and the recording is the true one
    wrong: int  # matched to another recording than the true one
    right_album: int  # correct, and the release group is the true one
    albums_with_art: int  # true albums of covered names that have a front image at a source in play
    albums_shown: int  # of these: the stored image is that album's cover
    wrong_art: int  # albums shown with another album's cover


async def settled(run: stand.Stand, patience: float) -> None:
    """Wait until no lookup, cover or job is pending; say every 10 s what is left. `patience` in real seconds."""
    said = time.monotonic()

    async def nothing_pending() -> bool:
        nonlocal said
        async with run.connection() as conn:
            left = dict(await conn.fetchrow(PENDING))
        if time.monotonic() - said > 10:
            said = time.monotonic()
            words = ", ".join(f"{count} {what}" for what, count in left.items())
            common.say(f"{run.seconds:.0f} s of its clock: pending are {words}")
        return not any(left.values())

    await run.until(nothing_pending, patience, "nothing is pending")


def load_world(conditions_file: Path, catalogue: Path) -> world.World:
    """Load the world as the simulator process does."""
    return world.World.from_csv(catalogue, conditions.load(conditions_file))


async def lookups(conn: asyncpg.Connection) -> list[Lookup]:
    """Read every lookup and what it was matched to."""
    rows = await conn.fetch(
        """
        SELECT artist, track, release, lookups.status,
               coalesce(recordings.mbid::text, '') AS recording_mbid,
               coalesce(release_groups.mbid::text, '') AS release_group_mbid
        FROM lookups
        LEFT JOIN matches ON matches.id = lookups.match_id
        LEFT JOIN recordings ON recordings.id = matches.recording_id
        LEFT JOIN release_groups ON release_groups.id = matches.release_group_id
        """
    )
    return [Lookup(*row.values()) for row in rows]


async def covers(conn: asyncpg.Connection) -> dict[str, str]:
    """Read which image (digest, hex) each release group (mbid) has."""
    rows = await conn.fetch(
        """
        SELECT release_groups.mbid::text, encode(images.digest, 'hex')
        FROM artworks
        JOIN release_groups ON release_groups.id = artworks.release_group_id
        JOIN images ON images.id = artworks.image_id
        WHERE artworks.status = 'found'
        """
    )
    return {row[0]: row[1] for row in rows}


def judge(
    found: list[Lookup], shown: dict[str, str], originals: Path, true: world.World, *, finders: set[str]
) -> Judgement:
    """Compare with the world; `finders` are the sources in play that find recordings."""
    covered = correct = wrong = right_album = 0
    with_art: set[str] = set()
    for lookup in found:
        truth = true.truth(lookup.artist, lookup.track, lookup.release)
        is_right = truth is not None and lookup.recording_mbid == truth.recording_mbid
        wrong += bool(lookup.recording_mbid) and not is_right
        if truth is None or not truth.known_to & finders:
            continue
        covered += 1
        correct += is_right
        right_album += is_right and lookup.release_group_mbid == truth.release_group_mbid
        if world.ARCHIVE in truth.has_art:
            with_art.add(truth.release_group_mbid)
    owners = {group: true.cover_truth(_original(originals, digest)) for group, digest in shown.items()}
    return Judgement(
        names=len(found),
        decided=sum(lookup.status in ("enriched", "not_found") for lookup in found),
        matched=sum(lookup.status == "enriched" for lookup in found),
        covered=covered,
        correct=correct,
        wrong=wrong,
        right_album=right_album,
        albums_with_art=len(with_art),
        albums_shown=sum(owners.get(group) == group for group in with_art),
        wrong_art=sum(owner != group for group, owner in owners.items()),
    )


def _original(originals: Path, digest: str) -> bytes:
    """Read an image file, by the layout that docs/reference/artwork.md promises."""
    return (originals / digest[:2] / digest).read_bytes()


def shares(judged: Judgement) -> dict[str, object]:
    """Turn counts into the figures the benchmarks print."""
    return {
        "decided_share": common.share(judged.decided, judged.names),
        "matched_share": common.share(judged.matched, judged.names),
        "correct_share": common.share(judged.correct, judged.covered),
        "wrong_share": common.share(judged.wrong, judged.matched),
        "album_share": common.share(judged.right_album, judged.correct),
        "artwork_share": common.share(judged.albums_shown, judged.albums_with_art),
        "wrong_artwork": judged.wrong_art,
        "names": judged.names,
        "names_covered": judged.covered,
        "albums_with_art": judged.albums_with_art,
    }
