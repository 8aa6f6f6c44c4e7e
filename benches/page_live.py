"""Play with a page open, in real time, and see how soon the play and its pictures are on it.

    python -m benches.page_live [--history F] [--rows 30] [--world F] [--catalogue F] [--day bad_day]

One process serves and works, as `sleevenotes serve` does; a headless Chromium has the feed open. A player submits one
play at a time (POST /api/v1/scrobbles) with Last.fm's image of its album in the row, each of an album that nobody has
played; what the page shows is looked at in every frame. Milliseconds from the first byte of the submit:

    row_p50_ms, row_p95_ms              until the play stands in the feed
    temporary_p50_ms, temporary_p95_ms  until a picture of it is drawn
    wanted_p50_ms, asked_p50_ms, host_p50_ms, shown_p50_ms   of these: from stored to the image being wanted, to its
                                        being asked for, what its host took, and from there to the page being told
    own_p50_ms, own_p95_ms              until a picture of it is drawn, less what its host took: our own part of it
    known_p50_ms, known_p95_ms          the same as temporary of a second play of each album, whose image we have
    replaced_share                      of the plays, those whose picture then gave way to another one, by itself
    replaced_p50_s                      seconds until it did
    never                               plays without a picture after --patience seconds
    reloads                             times that the page was loaded again; it must be none
    violations
"""

from __future__ import annotations

import argparse
import asyncio
import json
import shutil
import sys
import time
from collections.abc import Sequence
from typing import NamedTuple

import msgspec
from playwright.async_api import Page, async_playwright

from benches import common, facts, first_artwork, plays, stand, wire
from sleevenotes.simulator import imagehosts, world

BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
REST = 1.0  # seconds between two plays, so that every budget is whole again
AGAIN = 300.0  # seconds ahead: a play of its own, whenever the first was
PASSWORD = "of the bench"  # noqa: S105 - of an account that lives for minutes

# Looks in every frame: when each row came, and when each picture in it was drawn. Keyed by the title.
_WATCH = """
() => {
  const seen = window.seen = {};
  const look = () => {
    for (const row of document.querySelectorAll(".play")) {
      const title = row.querySelector(".title").textContent;
      const mine = seen[row.id] ??= { title, came: Date.now(), drawn: [] };
      const front = row.querySelector("img.front");
      if (front?.complete && front.naturalWidth && mine.drawn.at(-1)?.[0] !== front.getAttribute("src").split("/")[2])
        mine.drawn.push([front.getAttribute("src").split("/")[2], Date.now()]);
    }
    requestAnimationFrame(look);
  };
  look();
}
"""


# By the product's own rows; plays come one by one, so what comes first after a play is its own.
_STEPS = """
    SELECT percentile_cont(0.5) WITHIN GROUP (ORDER BY 1000 * extract(epoch FROM wanted_at - inserted_at))
               AS wanted_p50_ms,
           percentile_cont(0.5) WITHIN GROUP (ORDER BY 1000 * extract(epoch FROM asked_at - wanted_at)) AS asked_p50_ms,
           percentile_cont(0.5) WITHIN GROUP (ORDER BY took_ms) AS host_p50_ms,
           percentile_cont(0.5) WITHIN GROUP (ORDER BY 1000 * extract(epoch FROM created_at - asked_at) - took_ms)
               AS shown_p50_ms
    FROM scrobbles CROSS JOIN LATERAL (
        SELECT wanted_at, asked_at, took_ms FROM traces
        WHERE source = 'lastfm_images' AND wanted_at >= inserted_at ORDER BY asked_at LIMIT 1
    ) AS asked CROSS JOIN LATERAL (
        SELECT created_at FROM events WHERE kind = 'previews_shown' AND created_at > asked_at ORDER BY id LIMIT 1
    ) AS told
    WHERE scrobbles.id = ANY($1::bigint[])
"""


_TOOK = """
    SELECT scrobbles.id, took_ms FROM scrobbles CROSS JOIN LATERAL (
        SELECT took_ms FROM traces
        WHERE source = 'lastfm_images' AND wanted_at >= inserted_at ORDER BY asked_at LIMIT 1
    ) AS asked WHERE scrobbles.id = ANY($1::bigint[])
"""


class Seen(NamedTuple):
    """One play: milliseconds until its row and its first picture, seconds until another took its place."""

    row_ms: float
    temporary_ms: float | None
    replaced_s: float | None


async def bench(options: argparse.Namespace) -> dict[str, object]:
    """Run it and return the figures."""
    chromium = next(filter(None, map(shutil.which, BROWSERS)), None)
    if chromium is None:
        sys.exit("no Chromium on this machine: install the package `chromium`")
    conditions, catalogue = common.world_files(options)
    true = facts.load_world(conditions, catalogue)
    sent = plays.load(options.history, 0, true)
    songs = [each for each in first_artwork.chosen(sent, true, 0) if _address(true, each)][: options.rows]
    async with stand.Stand(keep=options.keep) as run, async_playwright() as playwright:
        await run.simulator(conditions, catalogue, options.day)
        await run.server(work=True)
        added = run.command("user", "add", stand.ACCOUNT, "--json", SLEEVENOTES_PASSWORD=PASSWORD)
        run.token = str(json.loads(added)["token"])
        browser = await playwright.chromium.launch(
            executable_path=chromium, args=["--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"]
        )
        page = await browser.new_page()
        await _open(page, run)
        new, known, ids = [], [], []
        for song in songs:
            seen, scrobble_id = await _play(run, page, song.row, _address(true, song), options.patience)
            new.append(seen)
            ids.append(scrobble_id)
        for song in songs:
            seen, _ = await _play(run, page, song.row, _address(true, song), options.patience, AGAIN)
            known.append(seen)
        reloads = await page.evaluate("performance.getEntriesByType('navigation').length - 1 + (window.stayed ? 0 : 1)")
        async with run.connection() as conn:
            steps = dict(await conn.fetchrow(_STEPS, ids))
            took = {row["id"]: row["took_ms"] for row in await conn.fetch(_TOOK, ids)}
        counted = await run.simulated()
        await browser.close()
    hosts = [took.get(scrobble_id) for scrobble_id in ids]
    return {**figures(new, known, hosts), **steps, "reloads": reloads, "violations": counted["violations"]}


def _address(true: world.World, song: first_artwork.Song) -> str:
    """Return Last.fm's image of the song's album; "" where it has none."""
    truth = true.truth(song.row.artist, song.row.track, song.row.release)
    if truth is None or "lastfm" not in truth.has_art or truth.release_mbid not in true.catalogue.releases:
        return ""
    group = true.catalogue.releases[truth.release_mbid].group
    return imagehosts.address(true, "lastfm", group, edge=300)


async def _open(page: Page, run: stand.Stand) -> None:
    """Log in, and stay at the feed."""
    await page.goto(f"http://127.0.0.1:{run.port}/login")
    await page.get_by_label("Name").fill(stand.ACCOUNT)
    await page.get_by_label("Password").fill(PASSWORD)
    await page.get_by_role("button", name="Log in").click()
    await page.wait_for_url(f"http://127.0.0.1:{run.port}/")
    await page.evaluate("window.stayed = true")
    await page.evaluate(_WATCH)
    await asyncio.sleep(REST)


async def _play(
    run: stand.Stand, page: Page, row: common.Row, address: str, patience: float, ahead: float = 0
) -> tuple[Seen, int]:
    """Submit a play and see what the page makes of it, until its name and cover are done."""
    body = {
        "artist_name": row.artist,
        "track_name": row.track,
        "album_name": row.release,
        "source_app": "a player",
        "artwork_uri": address,
        "played_at": time.time() + ahead,
    }
    async with wire.Wire(run.port, run.token) as client:
        began = time.time() * 1000
        status, answer = await client.post("/api/v1/scrobbles", json.dumps({"scrobbles": [body]}).encode())
        if status != 201:
            raise RuntimeError(f"a play was answered {status}: {answer[:300]!r}")
        scrobble_id = int(msgspec.json.decode(answer)["scrobbles"][0]["id"])
        done, deadline = False, time.monotonic() + patience
        while not done and time.monotonic() < deadline:
            await asyncio.sleep(0.2)
            _, told = await client.get(f"/api/v1/scrobbles/{scrobble_id}/enrichment_status")
            far = msgspec.json.decode(told)
            done = far["status"] != "pending" and far["estimated_completion"] is None
    await asyncio.sleep(REST)
    seen = await page.evaluate(f"window.seen['p{scrobble_id}']")
    if seen is None:
        raise RuntimeError(f"{row.track!r} was played and is not on the page")
    drawn = [at - began for _, at in seen["drawn"]]
    return Seen(
        seen["came"] - began, drawn[0] if drawn else None, drawn[-1] / 1000 if len(drawn) > 1 else None
    ), scrobble_id


def figures(new: Sequence[Seen], known: Sequence[Seen], hosts: Sequence[float | None]) -> dict[str, object]:
    """Sum up; `hosts` are the milliseconds that the image of each of `new` took at its host, None where unknown."""
    own = [
        each.temporary_ms - took
        for each, took in zip(new, hosts, strict=True)
        if each.temporary_ms is not None and took is not None
    ]
    drawn = [each.temporary_ms for each in new if each.temporary_ms is not None]
    again = [each.temporary_ms for each in known if each.temporary_ms is not None]
    replaced = [each.replaced_s for each in new if each.replaced_s is not None]
    return {
        "bench": "page_live",
        "plays": len(new),
        "row_p50_ms": _at([each.row_ms for each in new], 0.5),
        "row_p95_ms": _at([each.row_ms for each in new], 0.95),
        "temporary_p50_ms": _at(drawn, 0.5),
        "temporary_p95_ms": _at(drawn, 0.95),
        "own_p50_ms": _at(own, 0.5),
        "own_p95_ms": _at(own, 0.95),
        "known_p50_ms": _at(again, 0.5),
        "known_p95_ms": _at(again, 0.95),
        "replaced_share": common.share(len(replaced), len(new)),
        "replaced_p50_s": _at(replaced, 0.5),
        "never": len(new) - len(drawn),
    }


def _at(values: list[float], part: float) -> float | None:
    return round(common.percentile(values, part), 2) if values else None


if __name__ == "__main__":
    parser = common.arguments("Play with a page open.", history="mit_2019_2021.tsv.gz", rows=30, scale=1)
    parser.add_argument("--patience", type=float, default=20, help="seconds until a play is no longer watched")
    common.run(bench(parser.parse_args()))
