"""The system that the product is measured against: its algorithm over the same simulated services.

    python -m benches.baseline [--history F] [--rows N] [--world F] [--catalogue F] [--day calm]

One job per play, one after another:

    answered within the cache's hours under the lower-cased (artist, track)   nothing is asked
    else MusicBrainz: search, first hit; the recording; its artist
    else TheAudioDB: track, album, artist
    else Discogs: search, and masters until one lists the track, five at most
    then the album's cover, unless it has one: Cover Art Archive, TheAudioDB, Discogs, the first that gives one

It waits so long after a service's last answer as the world's "baseline" says, has a Discogs token, keeps no score
threshold, does not use the album's name, and takes every fault for "no result". Nothing but it runs, so its clock
jumps over each wait: a run of many simulated hours costs its computing only.

    all_s             until the last play is settled; of these image_s were spent on the bytes of covers
    settled_95_s      until 95 % of the names MusicBrainz or ListenBrainz know had some answer, right, wrong or none
    matched_95_s      until 95 % of them had the true recording; null where that was never so
    requests          at the simulator; metadata_requests without images
"""

from __future__ import annotations

import argparse
import asyncio
import time
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import quote, urlencode, urljoin, urlsplit

import msgspec

from benches import common, counts, facts, outcomes, plays
from sleevenotes.simulator import core, sleeves, wire, world

BEGAN = datetime(2026, 1, 1, tzinfo=UTC)
HEADERS = {"user-agent": "GoodSongs/1.0 ( https://goodsongs.example/contact )"}
DISCOGS = HEADERS | {"authorization": "Discogs token=earliersystemstoken"}
MUSICBRAINZ = "https://musicbrainz.org/ws/2"
THEAUDIODB = "https://www.theaudiodb.com/api/v1/json/123"
MASTERS = 5
HOPS = 5
SPACING = {"musicbrainz": 1.1, "theaudiodb": 0.5, "discogs": 1.0}
FINDERS = frozenset({"musicbrainz", "theaudiodb", "discogs"})
ART = frozenset({world.ARCHIVE, "theaudiodb", "discogs"})

Json = dict[str, Any]


class Pace(msgspec.Struct, frozen=True):
    """What the world says of the earlier system."""

    workers: int = 1
    spacing_seconds_after_the_previous_answer: dict[str, float] = msgspec.field(default_factory=lambda: dict(SPACING))
    cache_hours: float = 24


class _Document(msgspec.Struct):
    baseline: Pace = Pace()


def pace(conditions: Path) -> Pace:
    """Read the pace. Raises ValueError for more than one worker: the clock only jumps for one."""
    found = msgspec.json.decode(conditions.read_bytes(), type=_Document).baseline
    if found.workers != 1:
        raise ValueError(f"baseline: workers is {found.workers}; only 1 is played")
    return found


class JumpClock:
    """Time for one task alone: a sleep is over at once, and so much later."""

    def __init__(self) -> None:
        self._now = BEGAN

    def now(self) -> datetime:
        """Return the present."""
        return self._now

    async def sleep(self, seconds: float) -> None:
        """Jump."""
        self._now += timedelta(seconds=max(0.0, seconds))


class Found(NamedTuple):
    """What a job found out of a name."""

    recording_mbid: str
    title: str
    artist: str
    album: str
    release_mbid: str = ""
    image: str = ""  # an address that came along
    owner: str = ""  # of the cover it ended with: a release group, "" for none


class Wire:
    """Asks the simulator, keeping the distance from the service's previous answer; a fault is no answer (None)."""

    def __init__(self, simulator: core.Simulator, clock: JumpClock, spacing: Mapping[str, float]) -> None:
        self._simulator = simulator
        self._clock = clock
        self._spacing = spacing
        self._answered: dict[str, datetime] = {}
        self.image_s = 0.0

    async def json(self, service: str, url: str, headers: Mapping[str, str] = HEADERS) -> Json:
        """Fetch a document; {} for a fault, an absence or what is none."""
        last = self._answered.get(service)
        if last is not None:
            passed = (self._clock.now() - last).total_seconds()
            await self._clock.sleep(self._spacing.get(service, 0.0) - passed)
        reply, _ = await self._get(url, headers)
        self._answered[service] = self._clock.now()
        if reply is None or reply.status != 200:
            return {}
        try:
            document = msgspec.json.decode(reply.body)
        except msgspec.DecodeError:
            return {}
        return document if isinstance(document, dict) else {}

    async def cover(self, url: str) -> str:
        """Fetch an image; return whose front it is, "" for none."""
        began = self._clock.now()
        reply, mark = await self._get(url, HEADERS)
        self.image_s += (self._clock.now() - began).total_seconds()
        side, _, mbid = mark.partition(" ")
        return mbid if reply is not None and reply.status == 200 and side == "front" else ""

    async def _get(self, url: str, headers: Mapping[str, str]) -> tuple[wire.Reply | None, str]:
        for _ in range(HOPS):
            try:
                planned = self._simulator.plan(wire.Request("GET", url, headers))
                await self._clock.sleep(planned.delay)
                reply = core.whole(planned)  # an image stays undrawn: its mark says whose it would be
            except ConnectionError:
                return None, ""
            if reply.status not in (301, 302, 307):
                mark = reply.drawing.picture.mark if reply.drawing else sleeves.read_mark(reply.body)
                return reply, mark
            url = urljoin(url, reply.headers["location"])
            if not urlsplit(url).scheme:
                return None, ""
        return None, ""


class Baseline:
    """The earlier system."""

    def __init__(self, simulator: core.Simulator, clock: JumpClock, given: Pace) -> None:
        self._clock = clock
        self._keep = timedelta(hours=given.cache_hours)
        self.wire = Wire(simulator, clock, given.spacing_seconds_after_the_previous_answer)
        self._cache: dict[plays.Name, datetime] = {}
        self._covers: dict[plays.Name, str] = {}  # of albums that have one
        self.results: dict[plays.Name, tuple[datetime, Found | None]] = {}  # first answers, by folded name

    async def job(self, row: common.Row) -> None:
        """Enrich one play."""
        key = (row.artist.lower(), row.track.lower())
        if key in self._cache and self._clock.now() - self._cache[key] < self._keep:
            return
        found = await self._look_up(row.artist, row.track)
        settled = self._clock.now()
        if found is not None:
            found = found._replace(owner=await self._artwork(found))
        self._cache[key] = self._clock.now()
        name = (common.same(row.artist), common.same(row.track))
        before = self.results.get(name)
        self.results[name] = (before[0], found or before[1]) if before else (settled, found)

    async def _look_up(self, artist: str, track: str) -> Found | None:
        return (
            await self._musicbrainz(artist, track)
            or await self._theaudiodb(artist, track)
            or await self._discogs(artist, track)
        )

    async def _musicbrainz(self, artist: str, track: str) -> Found | None:
        query = f"recording:{_quoted(track)} AND artist:{_quoted(artist)}"
        asked = urlencode({"query": query, "limit": 1, "fmt": "json"})
        hits = (await self.wire.json("musicbrainz", f"{MUSICBRAINZ}/recording?{asked}")).get("recordings") or []
        if not hits:
            return None
        include = "artist-credits+releases+isrcs"  # and not release-groups: the release type never arrived
        url = f"{MUSICBRAINZ}/recording/{hits[0]['id']}?inc={include}&fmt=json"
        recording = await self.wire.json("musicbrainz", url)
        if not recording:
            return None
        credit = recording["artist-credit"]
        await self.wire.json("musicbrainz", f"{MUSICBRAINZ}/artist/{credit[0]['artist']['id']}?fmt=json")
        release = _earliest(recording.get("releases") or [])
        printed = "".join(name["name"] + name.get("joinphrase", "") for name in credit)
        return Found(recording["id"], recording["title"], printed, release.get("title", ""), release.get("id", ""))

    async def _theaudiodb(self, artist: str, track: str) -> Found | None:
        asked = urlencode({"s": artist, "t": track})
        hits = (await self.wire.json("theaudiodb", f"{THEAUDIODB}/searchtrack.php?{asked}")).get("track") or []
        if not hits:
            return None
        hit = hits[0]
        albums = await self.wire.json("theaudiodb", f"{THEAUDIODB}/album.php?m={hit.get('idAlbum')}")
        await self.wire.json("theaudiodb", f"{THEAUDIODB}/artist.php?i={hit.get('idArtist')}")
        image = ((albums.get("album") or [{}])[0]).get("strAlbumThumb") or ""
        mbid, title = hit.get("strMusicBrainzID") or "", hit.get("strTrack") or ""
        return Found(mbid, title, hit.get("strArtist") or "", hit.get("strAlbum") or "", image=image)

    async def _discogs(self, artist: str, track: str) -> Found | None:
        for hit in (await self._discogs_search(artist=artist, track=track))[:MASTERS]:
            master = await self.wire.json("discogs", f"https://api.discogs.com/masters/{hit['id']}", DISCOGS)
            titles = [song["title"] for song in master.get("tracklist") or []]
            if any(title.lower() == track.lower() for title in titles):
                return Found("", track, artist, master.get("title", ""), image=hit.get("cover_image") or "")
        return None

    async def _discogs_search(self, **fields: str) -> list[Json]:
        asked = urlencode({"type": "master", **fields, "per_page": MASTERS})
        found = await self.wire.json("discogs", f"https://api.discogs.com/database/search?{asked}", DISCOGS)
        results: list[Json] = found.get("results") or []
        return results

    # ------------------------------------------------------------ artwork

    async def _artwork(self, found: Found) -> str:
        """Return whose cover the album got; an album that has one is not looked for again."""
        album = (found.artist.lower(), found.album.lower())
        if album not in self._covers:
            owner = await self._cover(found)
            if owner:
                self._covers[album] = owner
        return self._covers.get(album, "")

    async def _cover(self, found: Found) -> str:
        if found.release_mbid:
            front = f"https://coverartarchive.org/release/{quote(found.release_mbid)}/front-500"
            if owner := await self.wire.cover(front):
                return owner
        if not found.album:
            return ""
        image = found.image
        if not image:
            asked = urlencode({"s": found.artist, "a": found.album})
            albums = (await self.wire.json("theaudiodb", f"{THEAUDIODB}/searchalbum.php?{asked}")).get("album") or [{}]
            image = albums[0].get("strAlbumThumb") or ""
        if image and (owner := await self.wire.cover(image)):
            return owner
        hits = await self._discogs_search(artist=found.artist, release_title=found.album)
        image = hits[0].get("cover_image") or "" if hits else ""
        return await self.wire.cover(image) if image and not image.endswith("spacer.gif") else ""


def _quoted(text: str) -> str:
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def _earliest(releases: list[Json]) -> Json:
    """Choose as it did: official, dated, earliest."""
    return min(
        releases,
        key=lambda release: (release.get("status") != "Official", not release.get("date"), release.get("date") or ""),
        default={},
    )


# ---------------------------------------------------------------- a run and its figures


class Run(NamedTuple):
    """What it came to."""

    all_s: float
    settled_95_s: float | None
    figures: dict[str, object]


async def run(sent: plays.Plays, true: world.World, given: Pace, day: str) -> Run:
    """Play the history from its first play to its last."""
    wall, clock = time.monotonic(), JumpClock()
    simulator = core.Simulator(true, clock, day=day)
    simulator.warm()
    system = Baseline(simulator, clock, given)
    for number, row in enumerate(sent.rows):
        if number % 2000 == 0:
            passed = (clock.now() - BEGAN).total_seconds()
            common.say(f"baseline: {number} of {len(sent.rows)} plays, {passed:.0f} s")
            await asyncio.sleep(0)
        await system.job(row)
    all_s = (clock.now() - BEGAN).total_seconds()
    judged = _judged(system, sent, true)
    known = [each for each in judged if each.truth and each.truth.known_to & plays.IDENTIFIED]
    settled = [(each.outcome.decided_at - BEGAN).total_seconds() for each in known if each.outcome.decided_at]
    snapshot = simulator.statistics.snapshot()
    settled_95 = outcomes.reached(settled, 0.95, len(known))
    return Run(
        all_s,
        settled_95,
        {
            "all_s": round(all_s, 1),
            "image_s": round(system.wire.image_s, 1),
            "settled_95_s": settled_95,
            "matched_95_s": outcomes.matched_95(judged, BEGAN),
            **outcomes.shares(judged, FINDERS, ART),
            "requests": snapshot["requests"],
            "metadata_requests": counts.Counts.of(snapshot).metadata,
            "violations": snapshot["violations"],
            "wall_s": round(time.monotonic() - wall, 1),
        },
    )


def _judged(system: Baseline, sent: plays.Plays, true: world.World) -> list[outcomes.Judged]:
    """Judge every distinct (artist, track, release) that was played, as the product's lookups are."""
    found: dict[tuple[str, str, str], outcomes.Judged] = {}
    for row in sent.rows:
        key = (common.same(row.artist), common.same(row.track), common.same(row.release))
        if key not in found:
            at, answer = system.results[key[:2]]
            found[key] = outcomes.hold(_outcome(row, at, answer), answer.owner if answer else "", sent, true)
    return list(found.values())


def _outcome(row: common.Row, at: datetime, found: Found | None) -> outcomes.Outcome:
    return outcomes.Outcome(
        artist=row.artist,
        track=row.track,
        release=row.release,
        status="enriched" if found else "not_found",
        decided_at=at,
        recording_mbid=found.recording_mbid if found else "",
        recording_title=found.title if found else "",
        recording_artist=found.artist if found else "",
        digest=found.owner if found else "",
        image_source="",
        shown_at=at,
    )


async def bench(options: argparse.Namespace) -> dict[str, object]:
    """Run it and return the figures."""
    conditions, catalogue = common.world_files(options)
    true = facts.load_world(conditions, catalogue)
    sent = plays.load(options.history, options.rows, true)
    common.say(f"{len(sent.rows)} plays, {sent.names} names, {sent.raw} raw, {sent.dirty} names spoiled")
    done = await run(sent, true, pace(conditions), options.day)
    return {"bench": "baseline", "rows": len(sent.rows), "day": options.day, **done.figures}


if __name__ == "__main__":
    parser = common.arguments("Play the earlier system.", history="mit_2012_2024.tsv.gz", rows=10_000, scale=1)
    common.run(bench(parser.parse_args()))
