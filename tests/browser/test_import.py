"""A history of 25,000 plays, dropped into the browser: watched, used beside, reported, and imported again."""

from __future__ import annotations

import asyncio
import contextlib
import csv
import random
import time
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from playwright.async_api import Locator, Page, expect

from sleevenotes.artwork.files import Files
from sleevenotes.pipeline import importing, jobs
from sleevenotes.pipeline.uploads import Uploads
from sleevenotes.settings import Settings
from tests.browser.conftest import Site, log_in, watched
from tests.browser.test_pages import CONTRASTS, keep_picture

PLAYS = 25_000
BAD = {7: "", 9_000: "yesterday", 24_999: "0"}  # row -> what stands where its time should
FEED_S = 5.0  # seconds in which a page is there while an import runs, on a machine that runs other tests as well
PATIENCE = 30_000  # ms for what the same machine has to do first


@contextlib.asynccontextmanager
async def working(site: Site, settings: Settings) -> AsyncIterator[None]:
    """Run a worker that imports, as a server has it."""
    listener = site.listener
    histories = importing.Importing(
        listener.database, listener.clock, listener.submitter, Uploads(settings.data_path), Files(settings.data_path)
    )
    stage = jobs.Stage(importing.STAGE, histories.run, histories.give_up)
    worker = jobs.Worker(listener.database, [stage], listener.clock, 4)
    running = asyncio.create_task(worker.run())
    try:
        yield
    finally:
        worker.stop()
        await running


def write_history(path: Path) -> None:
    """Write a table of PLAYS plays and the BAD rows among them, with names that repeat as real ones do."""
    chance = random.Random(25)  # noqa: S311
    with path.open("w", encoding="utf-8", newline="") as file:
        table = csv.writer(file)
        table.writerow(("uts", "artist", "album", "track"))
        for at in range(PLAYS + len(BAD)):
            artist = int(chance.paretovariate(0.6)) % 400
            names = (f"Artist {artist}", f"Album {artist % 7}", f"Track {chance.randrange(12)}")
            table.writerow((BAD.get(at, 1_400_000_000 + at * 240), *names))


@pytest.fixture
def history(tmp_path: Path) -> Path:
    path = tmp_path / "lastfm-maria.csv"
    write_history(path)
    return path


async def test_a_history_of_25_000_plays_is_imported_while_the_pages_stay_usable(
    site: Site, page: Page, settings: Settings, history: Path
) -> None:
    await site.listener.arrive()
    await log_in(page, site)
    await page.goto(f"{site.url}/imports")
    await keep_picture(page, "imports-empty")
    async with working(site, settings):
        await offer(page, history)
        await expect(page.get_by_text("Last.fm, as CSV")).to_be_visible()
        await keep_picture(page, "import-offer")
        await page.add_init_script(NOTE_PROGRESS)
        await page.get_by_role("button", name="Import", exact=True).click()
        seen, slowest = await watch(site, page)
        assert len(seen) > 2, seen  # it moved
        assert seen == sorted(seen)
        assert slowest < FEED_S
        await expect(figure(page, "New plays")).to_have_text("25 000", timeout=PATIENCE)
        await expect(figure(page, "Left out")).to_have_text("3")
        reasons = page.locator(".left tbody tr")
        await expect(reasons).to_have_count(3)
        await expect(reasons.nth(1)).to_contain_text("line 9002")
        await keep_picture(page, "import-report")
        async with page.expect_download() as download:
            await page.get_by_role("link", name="Download all 3 rows").click()
        report = (await (await download.value).path()).read_text("utf-8")
        assert [row["place"] for row in csv.DictReader(report.splitlines())] == ["9", "9002", "25001"]

        await page.goto(f"{site.url}/imports")
        await offer(page, history)
        await page.get_by_role("button", name="Import", exact=True).click()
        await expect(figure(page, "Here already")).to_have_text("25 000", timeout=4 * PATIENCE)
        await expect(figure(page, "New plays")).to_have_text("0")
        await legible(page)
        await page.goto(f"{site.url}/imports")
        await expect(page.locator(".imports li")).to_have_count(2)
        await legible(page)
        await keep_picture(page, "imports")


async def offer(page: Page, history: Path) -> None:
    """Choose a file and send it, as a listener does."""
    await page.get_by_label("A history, as it came").set_input_files(history)
    await page.get_by_role("button", name="Upload").click()
    await expect(page.get_by_role("button", name="Import", exact=True)).to_be_enabled(timeout=PATIENCE)


# Notes in the page every value that its progress shows.
NOTE_PROGRESS = """
window.seen = [];
new MutationObserver(() => {
  const value = document.querySelector("[data-follow] > progress")?.value;
  if (value !== undefined && value !== window.seen.at(-1)) window.seen.push(value);
}).observe(document, { childList: true, subtree: true });
"""


async def watch(site: Site, page: Page) -> tuple[list[float], float]:
    """Follow the progress to its end, loading the feed beside it; return what it showed, and the slowest feed."""
    beside = await watched(page.context)
    slowest = 0.0
    while not await page.get_by_role("button", name="Undo this import").count():
        began = time.monotonic()
        await beside.goto(f"{site.url}/", wait_until="domcontentloaded")
        slowest = max(slowest, time.monotonic() - began)
    await beside.close()
    return await page.evaluate("window.seen"), slowest


def figure(page: Page, name: str) -> Locator:
    """Return the number under this heading."""
    return page.locator(".figures div").filter(has_text=name).locator("dd")


async def legible(page: Page) -> None:
    """See that a page fits a narrow screen, and that its text stands out from its ground, in both themes."""
    for scheme in ("light", "dark"):
        await page.emulate_media(color_scheme="light" if scheme == "light" else "dark")
        assert await page.evaluate(CONTRASTS) == []
    await page.set_viewport_size({"width": 320, "height": 800})
    assert await page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    await page.set_viewport_size({"width": 1120, "height": 900})
    await page.emulate_media(color_scheme="light")
