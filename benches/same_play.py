"""One history, exported by two services and imported one after the other: what is shown, and what is lost.

    python -m benches.same_play [--history F] [--rows N] [--missing 0.05] [--pair spotify|minutes]

The history is written twice: as Last.fm tells it (when each track began; its corrected names) and as another service
does (the names that the player sent, where the history has them), in three ways:

    began      when each track began, a second or two off
    ended      when each track ended, with its length, as far as it was played
    minutes    when each track began, reckoned from its end in whole minutes and how long it was played

With `--pair spotify` it is written twice by Spotify instead: its extended history, and its account data, whose ends are
whole minutes and which lack what was played before they begin (a third of the history). With `--pair minutes` it is
written by two exporters of Last.fm, one of which tells minutes only.

Each is imported in both orders, whole, and with `--missing` of the plays left out of either, at random. Figures, of
every way and order:

    plays, repeats         of the history, and those of them that follow a play of the same track within its length
    shown                  plays that are shown
    doubles                plays that are shown more than once; must be 0
    lost                   plays that an export has and that are not shown; must be 0
    import_s, second_s     seconds the first and the second import took (25,000 plays must stay fast)
"""

from __future__ import annotations

import argparse
import asyncio
import csv
import hashlib
import random
import tempfile
import time
from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final, NamedTuple

from benches import common
from sleevenotes import app, names
from sleevenotes.model import Band, Scrobble
from sleevenotes.pipeline.submit import Submitter
from sleevenotes.settings import Settings
from sleevenotes.store import accounts
from sleevenotes.store.postgres import Connection

WAYS: Final = ("began", "ended", "minutes")
LASTFM: Final = "lastfm"
OTHER: Final = "spotify"
BRIEF: Final = "spotify_account"
ROUGH: Final = "lastfm_minutes"
MINUTES: Final = "minutes"
COUNTS_S: Final = 30  # a track that was played for less is no play, at either service


class Play(NamedTuple):
    """One play of the true history: when it began, how long the track is and was played, and its two spellings."""

    at: int
    length_s: int
    played_s: int
    artist: str
    track: str
    release: str
    sent_artist: str
    sent_track: str


class Judged(NamedTuple):
    """What is shown of a history."""

    shown: int
    doubles: int
    lost: int


def true_history(path: Path, limit: int) -> list[Play]:
    """Read a history; tracks get lengths of two to seven minutes, always the same, and end where the next begins."""
    with common.text(path) as file:
        delimiter = "\t" if path.name.endswith((".tsv", ".tsv.gz")) else ","
        rows = sorted(csv.DictReader(file, delimiter=delimiter), key=lambda row: int(row["ts"]))
    if limit:
        rows = rows[:limit]
    return played(

            (int(row["ts"]), row["artist"], row["track"], row["album"] or "",
             row.get("raw_artist") or row["artist"], row.get("raw_track") or row["track"])
            for row in rows

    )  # fmt: skip


def played(rows: Iterable[tuple[int, str, str, str, str, str]]) -> list[Play]:
    """Give plays, in the order of time, their lengths; left out are exact doubles, and what both services leave out."""
    distinct = {(row[0], names.fold(row[1]), names.fold(row[2])): row for row in rows}
    ordered = sorted(distinct.values(), key=lambda row: row[0])
    plays: list[Play] = []
    for row, following in zip(ordered, [*ordered[1:], None], strict=True):
        length = length_s(row[1], row[2])
        until = following[0] - row[0] if following else length
        if until < COUNTS_S:
            continue
        plays.append(Play(row[0], length, max(1, min(length, until)), *row[1:]))
    return plays


def length_s(artist: str, track: str) -> int:
    """Give a track a length in seconds, always the same."""
    return 120 + int.from_bytes(hashlib.sha256(f"{artist}/{track}".lower().encode()).digest()[:2]) % 300


def repeats(plays: Sequence[Play]) -> int:
    """Count plays that follow one of the same track within its length and half a minute."""
    last: dict[tuple[str, str], Play] = {}
    count = 0
    for play in plays:
        name = (play.artist.lower(), play.track.lower())
        before = last.get(name)
        count += before is not None and play.at - before.at <= before.length_s + 30
        last[name] = play
    return count


def lastfm(plays: Sequence[Play], origin: str = LASTFM) -> list[Scrobble]:
    """Write a history as Last.fm exports it, to the minute where it is ROUGH."""
    begun = [play.at // 60 * 60 if origin == ROUGH else play.at for play in plays]
    return [
        _scrobble(origin, number, datetime.fromtimestamp(at, UTC), play.artist, play.track, release=play.release)
        for number, (at, play) in enumerate(zip(begun, plays, strict=True))
    ]


def other(plays: Sequence[Play], way: str, *, seed: int = 1) -> list[Scrobble]:
    """Write a history as the other service exports it, in one of WAYS."""
    chance = random.Random(seed)
    written = []
    for number, play in enumerate(plays):
        began = datetime.fromtimestamp(play.at, UTC) + timedelta(seconds=chance.randint(-1, 2))
        ended = began + timedelta(seconds=play.played_s)
        facts: dict[str, Any] = {"extra": {"ms_played": play.played_s * 1000}}
        if way == "ended":
            began, facts = ended, {"duration_ms": play.length_s * 1000}
        elif way == "minutes":
            began = ended.replace(second=0) - timedelta(seconds=play.played_s)
        written.append(_scrobble(OTHER, number, began, play.sent_artist, play.sent_track, **facts))
    return written


def spotifys(plays: Sequence[Play]) -> list[list[Scrobble]]:
    """Write a history as both exports of Spotify tell it."""
    extended, brief = [], []
    for number, play in enumerate(plays):
        ended = datetime.fromtimestamp(play.at + play.played_s, UTC)
        facts: dict[str, Any] = {"extra": {"ms_played": play.played_s * 1000}}
        began = ended - timedelta(seconds=play.played_s)
        length = {"duration_ms": play.played_s * 1000} if play.played_s == play.length_s else {}
        extended.append(
            _scrobble(OTHER, number, began, play.sent_artist, play.sent_track, release="An Album", **facts, **length)
        )
        if number >= len(plays) // 3:
            began = ended.replace(second=0) - timedelta(seconds=play.played_s)
            brief.append(_scrobble(BRIEF, number, began, play.sent_artist, play.sent_track, **facts))
    return [extended, brief]


def exported(plays: Sequence[Play], pair: str, way: str) -> list[list[Scrobble]]:
    """Write a history as both exports of a pair tell it."""
    if pair == OTHER:
        return spotifys(plays)
    return [lastfm(plays), lastfm(plays, ROUGH) if pair == MINUTES else other(plays, way)]


def _scrobble(origin: str, number: int, at: datetime, artist: str, track: str, **facts: Any) -> Scrobble:
    return Scrobble(artist, track, listened_at=at, origin=origin, foreign_id=str(number), **facts)


async def take_in(submitter: Submitter, account_id: int, export: Sequence[Scrobble]) -> float:
    """Import an export; return the seconds it took."""
    began = time.monotonic()
    for start in range(0, len(export), 1000):
        await submitter.submit(account_id, export[start : start + 1000], band=Band.LOW_PRIORITY)
    return time.monotonic() - began


async def judge(
    conn: Connection, account_id: int, plays: Sequence[Play], exports: Iterable[Sequence[Scrobble]]
) -> Judged:
    """Hold what is shown against the history, by the play's number, which every record carries.

    Plays of one track in a row are counted together: which of two records a second apart is whose, nobody can tell.
    """
    rows = await conn.fetch("SELECT foreign_id FROM scrobbles WHERE account_id = $1 AND same_as IS NULL", account_id)
    row_of = _rows(plays)
    shown = Counter(row_of[int(row["foreign_id"])] for row in rows)
    there = Counter(row_of[each] for each in {int(one.foreign_id) for export in exports for one in export})
    return Judged(len(rows), (shown - there).total(), (there - shown).total())


def _rows(plays: Sequence[Play]) -> list[int]:
    """Give plays of one track that follow each other within its length and a minute the same number."""
    last: dict[tuple[str, str], tuple[Play, int]] = {}
    numbers = []
    for number, play in enumerate(plays):
        name = (play.artist.lower(), play.track.lower())
        before, row = last.get(name, (None, number))
        row = row if before is not None and play.at - before.at <= before.length_s + 60 else number
        last[name] = play, row
        numbers.append(row)
    return numbers


def without_some(export: Sequence[Scrobble], share: float, seed: int) -> list[Scrobble]:
    """Leave out plays at random."""
    chance = random.Random(seed)
    return [scrobble for scrobble in export if chance.random() >= share]


async def bench(options: argparse.Namespace) -> dict[str, object]:
    """Run it and return the figures."""
    plays = true_history(options.history, options.rows)
    common.say(f"{len(plays)} plays, {repeats(plays)} repeats")
    figures: dict[str, object] = {"bench": "same_play", "plays": len(plays), "repeats": repeats(plays)}
    with tempfile.TemporaryDirectory() as directory:
        await asyncio.to_thread(Path(directory).chmod, 0o755)  # PostgreSQL may run as another user
        async with app.open(Settings(data_dir=directory, log_level="error")) as parts:
            for way in WAYS if options.pair == LASTFM else (options.pair,):
                for missing in (0.0, options.missing):
                    for turned in (False, True):
                        name = f"{way}_{'partly' if missing else 'whole'}_{'other_first' if turned else 'in_order'}"
                        both = exported(plays, options.pair, way)
                        exports = [without_some(export, missing, 2 + at) for at, export in enumerate(both)]
                        figures[name] = await _one(parts, name, plays, exports[::-1] if turned else exports)
                        common.say(f"{name}: {figures[name]}")
    return figures


async def _one(
    parts: app.Parts, name: str, plays: Sequence[Play], exports: Sequence[Sequence[Scrobble]]
) -> dict[str, object]:
    async with parts.database.connection() as conn:
        account = await accounts.create(conn, name, "", is_owner=False, now=parts.clock.now())
    took = [await take_in(parts.submitter, account.id, export) for export in exports]
    async with parts.database.connection() as conn:
        judged = await judge(conn, account.id, plays, exports)
        await conn.execute("DELETE FROM scrobbles WHERE account_id = $1", account.id)
    return {**judged._asdict(), "import_s": round(took[0], 1), "second_s": round(took[1], 1)}


if __name__ == "__main__":
    parser = common.arguments(
        "Import one history from two services.", history="public_domain_2005_2012.tsv.gz", rows=0, scale=1
    )
    parser.add_argument("--missing", type=float, default=0.05, help="share of the plays left out of either export")
    parser.add_argument("--pair", choices=(LASTFM, OTHER, MINUTES), default=LASTFM, help="whose exports")
    common.run(bench(parser.parse_args()))
