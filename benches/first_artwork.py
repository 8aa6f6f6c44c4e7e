"""Send one play at a time to an idle system, in real time, and see how soon it has its cover.

    python -m benches.first_artwork [--history F] [--rows 40] [--world F] [--catalogue F] [--only keyed|keyless]

Each play is of a clean name and an album not seen before, known to MusicBrainz, with a front at the Cover Art Archive.
The play's own page data are asked for as an open page would (GET /api/v1/scrobbles/recent, fifty times a second) from
the moment it is sent. Beside each stands the unavoidable chain: one answer about the name (ListenBrainz where a token
is set and it knows the artist, else MusicBrainz), then the Cover Art Archive, its redirect, and the image. Their times
are those the simulator gives to the very next request of each service, so chain and product see the same draws; the
chain knows no fault. Figures, each with `keyed_` or `keyless_` before it; without, the worse of the runs:

    p50_ratio, p95_ratio  our seconds to the final image over the chain's, percentile over percentile
    p50_s, p95_s, chain_p50_s, chain_p95_s
    provisional_p50_s     until some right image, calm
    p95_s_bad_day         to the final image, on the bad day
    provisional_p95_s     until some right image, on the bad day
    never, never_bad_day  plays without a right image after --patience seconds; such a play counts as infinite
    wrong_shown           plays that showed another album's cover at any time, on either day
    violations
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import math
import time
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import msgspec

from benches import common, facts, outcomes, plays, stand, wire
from benches.history import TOKEN, Material
from sleevenotes.simulator import conditions, draw, world

LOOK = 0.02  # seconds between two looks at the page
BETWEEN = 1.5  # seconds of rest, so that every budget is whole again
SETTLE = 20.0  # seconds
SERVICES = {"musicbrainz": "musicbrainz.org", "listenbrainz": "api.listenbrainz.org"}
CHAIN = {
    "coverartarchive": "coverartarchive.org",
    "archive_redirect": "archive.org",
    "archive_node": "us.archive.org",
}


class Song(NamedTuple):
    """What is played, and the release group it is truly on."""

    row: common.Row
    group: str
    service: str  # that tells of the name with a token


class Shown(NamedTuple):
    """One play: seconds to the first right image and to the final one; infinite where there was none."""

    first: float
    final: float
    chain: float
    wrong: bool


async def bench(options: argparse.Namespace) -> dict[str, object]:
    """Run it and return the figures."""
    conditions_file, catalogue = common.world_files(options)
    true = facts.load_world(conditions_file, catalogue)
    sent = plays.load(options.history, 0, true)
    given = Material(conditions_file, catalogue, true, sent)
    songs = list(chosen(sent, true, options.rows))
    figures: dict[str, object] = {}
    for keys in [options.only] if options.only else ["keyed", "keyless"]:
        calm, violations = await _run(keys, "calm", songs, given, options)
        bad, more = await _run(keys, "bad_day", songs, given, options)
        found = _figures(calm, bad) | {"violations": violations + more}
        common.say(f"{keys}: {found}")
        figures |= {f"{keys}_{name}": value for name, value in found.items()}
    worst = {name: _worst([value for key, value in figures.items() if key.partition("_")[2] == name]) for name in found}
    return {"bench": "first_artwork", "plays": len(songs), **worst, **figures}


def _worst(values: list[Any]) -> object:
    return None if None in values else max(values)


def chosen(sent: plays.Plays, true: world.World, limit: int) -> Iterator[Song]:
    """Yield plays of clean names, each of another album, all with a front at the Cover Art Archive."""
    groups: set[str] = set()
    for row in sent.rows:
        truth = sent.truth(true, row.artist, row.track, row.release)
        name = sent.true_names[common.same(row.artist), common.same(row.track)]
        clean = name == (row.artist, row.track) and truth is not None and "musicbrainz" in truth.known_to
        if not clean or truth is None or world.ARCHIVE not in truth.has_art or truth.release_group_mbid in groups:
            continue
        groups.add(truth.release_group_mbid)
        bulk = "listenbrainz_exact" in truth.known_to
        yield Song(row, truth.release_group_mbid, "listenbrainz" if bulk else "musicbrainz")
        if len(groups) == limit:
            return


async def _run(
    keys: str, day: str, songs: list[Song], given: Material, options: argparse.Namespace
) -> tuple[list[Shown], int]:
    settings = TOKEN if keys == "keyed" else {}
    async with stand.Stand(keep=options.keep, settings=settings) as run:
        await run.simulator(given.conditions, given.catalogue, day)
        await run.server(work=False)
        run.add_account()
        run.start("worker", "work")
        await asyncio.sleep(3)
        whose = outcomes.owners(run.data_dir / "images", given.true)
        found = []
        for number, song in enumerate(songs):
            chain = await _chain(run, song.service if keys == "keyed" else "musicbrainz", given.true)
            found.append(await _watch(run, song, chain, whose, options.patience))
            if number % 10 == 9:
                common.say(f"{keys}, {day}: {number + 1} of {len(songs)} plays")
            await _rest(run)
        violations = (await run.simulated())["violations"]
    return found, int(str(violations))


async def _chain(run: stand.Stand, service: str, true: world.World) -> float:
    """Add up what the next request of each service in the chain will take."""
    hosts: dict[str, Any] = msgspec.convert((await run.simulated())["hosts"], dict[str, Any])
    steps = {service: SERVICES[service], **CHAIN}
    return sum(_next(true, name, int(hosts.get(host, {}).get("requests", 0))) for name, host in steps.items())


def _next(true: world.World, service: str, so_far: int) -> float:
    median = true.given.latency[service]
    return draw.lognormal(median, conditions.SIGMA, true.seed, service, "latency", so_far + 1)


async def _watch(run: stand.Stand, song: Song, chain: float, whose: Callable[[str], str], patience: float) -> Shown:
    """Send a play and look at its page until nothing is pending any more."""
    seen: list[tuple[float, str]] = []
    async with wire.Wire(run.port, run.token) as client:
        row = song.row._replace(ts=int(time.time()))
        began = time.monotonic()
        status, answer = await client.post("/1/submit-listens", wire.submission([row], "single"))
        if status != 200:
            raise RuntimeError(f"a play was answered {status}: {answer[:300]!r}")
        while time.monotonic() - began < patience:
            digest = await _digest(client, row)
            passed = time.monotonic() - began
            if digest and (not seen or seen[-1][1] != digest):
                seen.append((passed, digest))
            if seen and passed - seen[-1][0] > chain + 1 and await _quiet(run):
                break
            await asyncio.sleep(LOOK)
    right = [(at, digest) for at, digest in seen if whose(digest) == song.group]
    final = right[-1][0] if right and seen[-1] == right[-1] else math.inf
    return Shown(right[0][0] if right else math.inf, final, chain, len(right) < len(seen))


async def _rest(run: stand.Stand) -> None:
    """Let the system come to rest; what is still tried again after SETTLE seconds has to share with the next."""
    with contextlib.suppress(TimeoutError):
        await run.until(lambda: _quiet(run), SETTLE, "nothing is pending")
    await asyncio.sleep(BETWEEN)


async def _quiet(run: stand.Stand) -> bool:
    async with run.connection() as conn:
        return not any(dict(await conn.fetchrow(facts.PENDING)).values())


async def _digest(client: wire.Wire, row: common.Row) -> str:
    """Return the digest of the image that the newest play shows, "" for none."""
    status, body = await client.get("/api/v1/scrobbles/recent?limit=1")
    if status != 200:
        raise RuntimeError(f"the page's data were answered {status}: {body[:300]!r}")
    newest = msgspec.json.decode(body)["scrobbles"][0]
    if newest["track_name"] != row.track:
        raise RuntimeError(f"{row.track!r} was sent, and the newest play is {newest['track_name']!r}")
    url: str = newest["effective_artwork_url"] or ""
    return url.split("/")[2] if url.startswith("/images/") else ""


def _figures(calm: list[Shown], bad: list[Shown]) -> dict[str, object]:
    finals, chains = [each.final for each in calm], [each.chain for each in calm]
    return {
        "p50_ratio": _rounded(common.percentile(finals, 0.5) / common.percentile(chains, 0.5)),
        "p95_ratio": _rounded(common.percentile(finals, 0.95) / common.percentile(chains, 0.95)),
        "p50_s": _rounded(common.percentile(finals, 0.5)),
        "p95_s": _rounded(common.percentile(finals, 0.95)),
        "chain_p50_s": _rounded(common.percentile(chains, 0.5)),
        "chain_p95_s": _rounded(common.percentile(chains, 0.95)),
        "provisional_p50_s": _rounded(common.percentile([each.first for each in calm], 0.5)),
        "p95_s_bad_day": _rounded(common.percentile([each.final for each in bad], 0.95)),
        "provisional_p95_s": _rounded(common.percentile([each.first for each in bad], 0.95)),
        "never": sum(math.isinf(each.final) for each in calm),
        "never_bad_day": sum(math.isinf(each.final) for each in bad),
        "wrong_shown": sum(each.wrong for each in (*calm, *bad)),
    }


def _rounded(value: float) -> float | None:
    return round(value, 3) if math.isfinite(value) else None


if __name__ == "__main__":
    parser = common.arguments("Time the first cover.", history="mit_2019_2021.tsv.gz", rows=40, scale=1)
    parser.add_argument("--only", choices=("keyed", "keyless"), help="with or without a ListenBrainz token; both")
    parser.add_argument("--patience", type=float, default=30, help="seconds until a play without a cover is given up")
    common.run(bench(parser.parse_args()))
