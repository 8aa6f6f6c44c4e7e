"""How long the server takes for the pages of a listener with a million plays.

    python -m benches.pages [--plays 1000000] [--rounds 40] [--keep]

The plays are those of the three real histories, again and again some hours apart, until there are enough: twenty
years of one listener. Names, matches, albums and covers are written as a finished enrichment would leave them: 95 %
of the names matched, 90 % of the albums with a cover. A new play is stored before every round, as while somebody
listens, so no page is the same twice and this month's counts are never finished. Pages are asked for in-process, one
after another, cookies and all; what is timed is the whole answer, drawn. Figures, in milliseconds:

    feed_p95_ms, history_p95_ms, charts_p95_ms   the slowest of the pages of that kind at its 95th percentile
    albums_p95_ms, artist_p95_ms, search_p95_ms  the same
    pages                                        p50 and p95 of every address
    plays, names, fold_s                         what there is; seconds to count all months at first
"""

from __future__ import annotations

import argparse
import shutil
import tempfile
import time
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, cast

import httpx

from benches import common, pages_life
from sleevenotes import app
from sleevenotes.artwork.files import Files
from sleevenotes.clock import SystemClock
from sleevenotes.model import Band, Scrobble
from sleevenotes.pipeline import tally
from sleevenotes.pipeline.submit import Submitter
from sleevenotes.server import live, web
from sleevenotes.server.services import Services
from sleevenotes.settings import Settings
from sleevenotes.store import accounts, postgres

PASSWORD = "a million plays"  # noqa: S105 - of an account that lives as long as the benchmark
KINDS = {
    "feed": ("/", "/?before={middle}"),
    "history": ("/history", "/history/{year}", "/history/{year}-05", "/history/{day}"),
    "charts": tuple(
        f"/charts{what}?{period}"
        for what in ("", "/artists", "/albums", "/tracks", "/genres", "/hours")
        for period in ("period=365d", "period={year}", "from={day}&to=2021-09-09", "period=all")
    ),
    "albums": ("/albums", "/albums?period={year}", "/albums/gaps"),
    "artist": ("/artists/{artist}", "/albums/{album}", "/tracks/{track}"),
    "search": ("/history/search?q=love", "/history/search?q=beatles help", "/history/search?q=a"),
}


async def bench(options: argparse.Namespace) -> dict[str, object]:
    """Run it and return the figures."""
    place = _directory()
    settings = Settings(data_dir=str(place))
    database = await postgres.Database.open(settings)
    try:
        return await _measure(database, settings, options)
    finally:
        await database.close()
        if not options.keep:
            shutil.rmtree(place)


def _directory() -> Path:
    """Make a directory that the database's own user may enter."""
    place = Path(tempfile.mkdtemp(prefix="sleevenotes-bench-"))
    place.chmod(0o755)
    return place


async def _measure(database: postgres.Database, settings: Settings, options: argparse.Namespace) -> dict[str, object]:
    clock = SystemClock()
    async with database.transaction() as conn:
        account = await accounts.create(conn, "bench", PASSWORD, is_owner=True, now=clock.now())
        await conn.execute("UPDATE accounts SET time_zone = 'Europe/Vienna'")
    names = await pages_life.write(database, account.id, options.plays)
    common.say(f"{options.plays} plays of {names} names are stored")
    began = time.perf_counter()
    await tally.fold(database)
    fold_s = time.perf_counter() - began
    common.say(f"all months are counted, {fold_s:.1f} s")
    async with database.connection() as conn:
        await conn.execute("VACUUM ANALYZE")
    submitter = Submitter(database, clock)
    hub = live.Hub(database, clock)
    application = web.create(Services(settings, clock, database, submitter, Files(settings.data_path), hub))
    transport = httpx.ASGITransport(cast("Any", application))
    async with httpx.AsyncClient(transport=transport, base_url="http://bench.example") as client:
        await _log_in(client)
        app.settle()
        took = await _rounds(client, submitter, account.id, await _places(database), options.rounds)
    await hub.close()
    return {"bench": "pages", **_figures(took), "plays": options.plays, "names": names, "fold_s": round(fold_s, 1)}


async def _log_in(client: httpx.AsyncClient) -> None:
    form = await client.get("/login")
    token = form.text.partition('name="csrf_token" value="')[2].partition('"')[0]
    answer = await client.post("/login", data={"name": "bench", "password": PASSWORD, "csrf_token": token})
    assert answer.status_code == 303, answer.text


async def _places(database: postgres.Database) -> dict[str, object]:
    """Return what stands in the addresses: the most played artist, album and track; year, day and place midway."""
    async with database.connection() as conn:
        at, place = await conn.fetchrow(
            """
            SELECT listened_at, id FROM scrobbles ORDER BY listened_at
            OFFSET (SELECT count(*) / 2 FROM scrobbles) LIMIT 1
            """
        )
        most = """
            SELECT {} FROM scrobbles s JOIN matches m USING (lookup_id) JOIN recordings r ON r.id = m.recording_id
            JOIN artist_credit_names n USING (artist_credit_id) GROUP BY 1 ORDER BY count(*) DESC LIMIT 1
        """
        ids = [await conn.fetchval(most.format(column)) for column in ("artist_id", "release_group_id", "recording_id")]
    microseconds = (at - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(microseconds=1)
    places = dict(zip(("artist", "album", "track"), ids, strict=True))
    return {**places, "year": at.year, "day": at.date(), "middle": f"{microseconds}-{place}"}


async def _rounds(
    client: httpx.AsyncClient, submitter: Submitter, account_id: int, places: dict[str, object], rounds: int
) -> dict[str, dict[str, list[float]]]:
    took: dict[str, dict[str, list[float]]] = {}
    for at in range(rounds + 2):
        played = Scrobble("A listener", f"Round {at}", listened_at=datetime.now(UTC) - timedelta(hours=1, seconds=at))
        await submitter.submit(account_id, [played], band=Band.DEFAULT)
        for kind, addresses in KINDS.items():
            for address in addresses:
                way = address.format(**places)
                began = time.perf_counter()
                answer = await client.get(way)
                seconds = time.perf_counter() - began
                assert answer.status_code == 200, (way, answer.status_code)
                if at > 1:  # the first two warm up
                    took.setdefault(kind, {}).setdefault(way, []).append(seconds)
    return took


def _figures(took: dict[str, dict[str, list[float]]]) -> dict[str, object]:
    each = {
        kind: {way: [_ms(seconds, 0.5), _ms(seconds, 0.95)] for way, seconds in ways.items()}
        for kind, ways in took.items()
    }
    slowest = {f"{kind}_p95_ms": max(p95 for _, p95 in ways.values()) for kind, ways in each.items()}
    return {**slowest, "pages": {way: figures for ways in each.values() for way, figures in ways.items()}}


def _ms(seconds: Sequence[float], share: float) -> float:
    return round(common.percentile(seconds, share) * 1000, 1)


if __name__ == "__main__":
    parser = common.arguments(str(__doc__), history="mit_2012_2024.tsv.gz", rows=0, scale=1)
    parser.add_argument("--plays", type=int, default=1_000_000)
    parser.add_argument("--rounds", type=int, default=40)
    common.run(bench(parser.parse_args()))
