"""What became of each submitted name, read from the product's database and judged by the world.

A match counts only with the true recording's MBID. A source without MBIDs can only say texts: such a match is held
against the true names instead, counts as matched, and is wrong where its artist or title is another.
An album counts once, under its true release group; its image counts only when it is that album's own front.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import NamedTuple

import asyncpg

from benches import common, plays
from sleevenotes.simulator import entities, world

EVERYWHERE = frozenset({world.ARCHIVE, "theaudiodb", "discogs", "deezer", "itunes", "lastfm"})


class Outcome(NamedTuple):
    """A lookup: what was sent, what it was matched to, and the cover of its album ("" or None where there is none)."""

    artist: str
    track: str
    release: str
    status: str
    decided_at: datetime | None
    recording_mbid: str
    recording_title: str
    recording_artist: str
    digest: str  # of the image, hex
    image_source: str
    shown_at: datetime | None
    lookup_id: int = 0
    release_group_id: int | None = None


class Judged(NamedTuple):
    """A lookup beside the truth."""

    outcome: Outcome
    truth: world.Truth | None
    correct: bool  # the true recording's MBID
    wrong: bool
    right_image: bool  # the album's own front


_OUTCOMES = """
    SELECT lookups.artist, lookups.track, lookups.release, lookups.status, lookups.decided_at,
           coalesce(recordings.mbid::text, ''), coalesce(recordings.title, ''), coalesce(artist_credits.name, ''),
           coalesce(encode(images.digest, 'hex'), ''), coalesce(images.source, ''),
           CASE WHEN images.id IS NOT NULL THEN artworks.decided_at END,
           lookups.id, matches.release_group_id
    FROM lookups
    LEFT JOIN matches ON matches.id = lookups.match_id
    LEFT JOIN recordings ON recordings.id = matches.recording_id
    LEFT JOIN artist_credits ON artist_credits.id = recordings.artist_credit_id
    LEFT JOIN artworks ON artworks.release_group_id = matches.release_group_id
    LEFT JOIN images ON images.id = artworks.image_id
"""


async def read(conn: asyncpg.Connection) -> list[Outcome]:
    """Read what became of every lookup."""
    return [Outcome(*row.values()) for row in await conn.fetch(_OUTCOMES)]


def judge(found: list[Outcome], whose: Callable[[str], str], sent: plays.Plays, true: world.World) -> list[Judged]:
    """Hold every lookup against the world; `whose` tells whose front an image is, by its digest."""
    return [hold(each, whose(each.digest) if each.digest else "", sent, true) for each in found]


def owners(originals: Path, true: world.World) -> Callable[[str], str]:
    """Return what tells whose front an image file is, by the layout that docs/reference/artwork.md promises."""

    @functools.cache
    def whose(digest: str) -> str:
        path = originals / digest[:2] / digest
        return true.cover_truth(path.read_bytes()) if path.exists() else ""  # a stop-gap may have been purged

    return whose


def hold(outcome: Outcome, image_owner: str, sent: plays.Plays, true: world.World) -> Judged:
    """Hold one outcome against the world; `image_owner` is the release group whose front its image is, or ""."""
    truth = sent.truth(true, outcome.artist, outcome.track, outcome.release)
    correct = truth is not None and outcome.recording_mbid == truth.recording_mbid
    matched = outcome.status == "enriched"
    by_text = not outcome.recording_mbid and truth is not None and _same_texts(outcome, truth, true)
    right = truth is not None and image_owner == truth.release_group_mbid
    return Judged(outcome, truth, correct, matched and not correct and not by_text, right)


def _same_texts(outcome: Outcome, truth: world.Truth, true: world.World) -> bool:
    recording = true.catalogue.recordings[true.catalogue.recording_rows[truth.recording_mbid]]
    artist = common.same(outcome.recording_artist)
    return common.same(outcome.recording_title) == common.same(recording.title) and artist in (
        common.same(entities.printed(recording.credit)),
        common.same(recording.credit[0].artist.name),
    )


# ---------------------------------------------------------------- figures


def shares(judged: list[Judged], finders: frozenset[str], art: frozenset[str]) -> dict[str, object]:
    """Return the shares of the issue; `finders` and `art` name the sources in play."""
    known = [each for each in judged if each.truth and each.truth.known_to & finders]
    identified = [each for each in judged if each.truth and each.truth.known_to & plays.IDENTIFIED]
    matched = [each for each in judged if each.outcome.status == "enriched"]
    albums, anywhere = with_art(judged, art), with_art(judged, EVERYWHERE)
    shown = {_album(each) for each in judged if each.right_image}
    pictured = [each for each in judged if each.outcome.digest]
    return {
        "names": len(judged),
        "decided_share": common.share(
            sum(each.outcome.status in ("enriched", "not_found") for each in judged), len(judged)
        ),
        "matched_share": common.share(len(matched), len(judged)),
        "known_share": common.share(len(known), len(judged)),  # what the sources in play know
        "correct_share": common.share(sum(each.correct for each in identified), len(identified)),
        "wrong_share": common.share(sum(each.wrong for each in matched), len(matched)),
        "albums_with_art": len(albums),
        "artwork_share": common.share(len(shown & albums), len(albums)),
        "artwork_anywhere_share": common.share(len(shown & anywhere), len(anywhere)),
        "wrong_artwork_share": common.share(sum(not each.right_image for each in pictured), len(pictured)),
    }


def with_art(judged: list[Judged], art: frozenset[str]) -> set[str]:
    """Return the true albums of which a source in play has a front."""
    return {each.truth.release_group_mbid for each in judged if each.truth and each.truth.has_art & art}


def _album(judged: Judged) -> str:
    return judged.truth.release_group_mbid if judged.truth else ""


async def ended(conn: asyncpg.Connection) -> datetime:
    """Return when the last name or cover was decided."""
    found: datetime = await conn.fetchval(
        "SELECT greatest((SELECT max(decided_at) FROM lookups), (SELECT max(decided_at) FROM artworks))"
    )
    return found


def matched_95(judged: list[Judged], began: datetime) -> float | None:
    """Return the seconds until 95 % of the names that MusicBrainz or ListenBrainz know were rightly matched."""
    known = [each for each in judged if each.truth and each.truth.known_to & plays.IDENTIFIED]
    times = [_seconds(each.outcome.decided_at, began) for each in known if each.correct]
    return reached(times, 0.95, len(known))


def archive_95(judged: list[Judged], began: datetime) -> float | None:
    """Return the seconds until 95 % of the albums that show the Cover Art Archive's image showed it."""
    shown: dict[str, float] = {}
    for each in judged:
        if each.right_image and each.outcome.image_source == world.ARCHIVE:
            shown[_album(each)] = _seconds(each.outcome.shown_at, began)
    return reached(list(shown.values()), 0.95, len(shown))


def reached(times: list[float], part: float, whole: int) -> float | None:
    """Return when `part` of `whole` had happened, given when each that did happen did; None where it never was."""
    needed = max(1, -(-int(part * 10_000) * whole // 10_000))  # rounded up, without a float's dust
    return round(sorted(times)[needed - 1], 1) if len(times) >= needed else None


def _seconds(at: datetime | None, began: datetime) -> float:
    if at is None:
        raise ValueError("a decided row has no time")
    return (at - began).total_seconds()
