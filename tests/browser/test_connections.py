"""A listener connects Last.fm, by name, over the simulated service; the page follows the reading by itself."""

from __future__ import annotations

import msgspec
import pytest
from playwright.async_api import Page, expect

from sleevenotes import app, catalogue
from sleevenotes.settings import Settings
from sleevenotes.simulator import core, lastfm_listeners
from sleevenotes.simulator.world import World
from tests.browser.conftest import Site, log_in
from tests.browser.sample import Listener
from tests.browser.test_pages import keep_picture


@pytest.fixture
def settings(settings: Settings) -> Settings:
    """Let only histories be asked for."""
    return msgspec.structs.replace(settings, lastfm_key=lastfm_listeners.KEY, sources="lastfm_history")


def parts_of(listener: Listener, settings: Settings) -> app.Parts:
    return app.Parts(settings, listener.clock, listener.database, listener.files, listener.submitter, catalogue.EMPTY)


async def test_a_listener_connects_lastfm_by_name_looks_and_parts(site: Site, page: Page, settings: Settings) -> None:
    await site.listener.arrive()
    simulator = core.Simulator(World.invented(artists=40), site.listener.clock, latency=False)
    everybody = simulator.people
    end = int(site.listener.clock.now().timestamp()) - 600
    everybody.add("maria", *everybody.dated(everybody.choose(450), end))
    async with app.working(parts_of(site.listener, settings), core.Mounted(simulator)):
        await log_in(page, site)
        await page.goto(f"{site.url}/settings")
        await page.get_by_role("link", name="Last.fm").click()
        await page.get_by_label("Your name at Last.fm").fill("nobody")
        await page.get_by_role("button", name="Connect").click()
        await expect(page.get_by_role("alert")).to_contain_text(
            "Last.fm knows no listener of this name.", timeout=20_000
        )
        await page.get_by_label("Your name at Last.fm").fill("maria")
        await page.get_by_role("button", name="Connect", exact=True).click()
        await expect(page.get_by_role("heading", name="Connected as maria")).to_be_visible()
        await expect(page.get_by_text("All 450 plays read.")).to_be_visible(timeout=40_000)
        await page.get_by_role("button", name="Look now").click()
        await expect(page.get_by_role("heading", name="Seen just now")).to_be_visible()
        await expect(page.locator(".seen li")).to_have_count(3)
        await keep_picture(page, "lastfm")
        await page.get_by_label("are removed").check()
        await page.get_by_role("button", name="Disconnect").click()
        await expect(page.get_by_role("heading", name="Connect", exact=True)).to_be_visible()
    async with site.listener.database.connection() as conn:
        assert await conn.fetchval("SELECT count(*) FROM scrobbles") == 0
