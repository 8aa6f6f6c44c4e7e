"""A listener has plays sent on to ListenBrainz, sees what went and what was refused, and stops it."""

from __future__ import annotations

import msgspec
import pytest
from axe_playwright_python.async_playwright import Axe
from playwright.async_api import Browser, Page, expect

from sleevenotes import app
from sleevenotes.model import Band, Scrobble
from sleevenotes.settings import Settings
from sleevenotes.simulator import core
from sleevenotes.simulator.world import World
from sleevenotes.store import connections
from tests.browser.conftest import Site, log_in, picture, watched
from tests.browser.test_charts import serious
from tests.browser.test_connections import parts_of


@pytest.fixture
def settings(settings: Settings) -> Settings:
    """Let only histories be asked for."""
    return msgspec.structs.replace(settings, sources="listenbrainz_history")


async def connect(site: Site) -> None:
    async with site.listener.database.transaction() as conn:
        await connections.connect(
            conn,
            site.listener.account.id,
            "listenbrainz",
            user_name="maria",
            secret="token-maria",
            now=site.listener.clock.now(),
        )


async def play(site: Site, track: str) -> int:
    at = site.listener.clock.now()
    [stored] = await site.listener.submitter.submit(
        site.listener.account.id, [Scrobble("Nile", track, "Shrines", at, origin="api")], band=Band.DEFAULT
    )
    return stored.id


async def figure(page: Page, site: Site, name: str, value: str) -> None:
    """Look at the page until a figure is this."""
    place = page.locator(f"dl.figures div:has(dt:text-is('{name}')) dd")
    for _ in range(60):
        await page.goto(f"{site.url}/settings/forwarding")
        if await place.count() and await place.inner_text() == value:
            return
        await page.wait_for_timeout(500)
    await expect(place).to_have_text(value)


async def test_a_listener_has_plays_sent_on_and_stops_it(site: Site, page: Page, settings: Settings) -> None:
    await site.listener.arrive()
    simulator = core.Simulator(World.invented(artists=10), site.listener.clock, latency=False)
    simulator.people.add("maria")
    await log_in(page, site)
    await page.goto(f"{site.url}/settings")
    await page.get_by_role("link", name="Forwarding").click()
    section = page.get_by_role("region", name="ListenBrainz")
    await expect(section).to_contain_text("Connect ListenBrainz by its token first")
    await expect(section.get_by_role("link", name="To ListenBrainz")).to_be_visible()
    await connect(site)
    async with app.working(parts_of(site.listener, settings), core.Mounted(simulator)):
        await page.reload()
        await section.get_by_role("button", name="Also send my plays there").focus()
        await page.keyboard.press("Enter")
        await expect(section.get_by_role("button", name="Stop sending")).to_be_visible()
        await play(site, "Ruins")
        await figure(page, site, "Sent", "1")
        await figure(page, site, "Waiting", "0")
        await section.get_by_role("button", name="Stop sending").click()
        await expect(section.get_by_role("button", name="Also send my plays there")).to_be_visible()
        await play(site, "Kelp")
    there = simulator.people.find("maria", site.listener.clock.now())
    assert there is not None
    assert [one.recording.title for one in there.plays] == ["Ruins"]


@pytest.mark.parametrize("theme", ["light", "dark"])
async def test_the_page_has_no_accessibility_fault_and_fits_the_narrowest_phone(
    site: Site, browser: Browser, theme: str
) -> None:
    await site.listener.arrive()
    context = await browser.new_context(viewport={"width": 320, "height": 800}, color_scheme=theme)  # type: ignore[arg-type]
    page = await watched(context)
    await log_in(page, site)
    await connect(site)
    await page.goto(f"{site.url}/settings/forwarding")
    await page.get_by_role("button", name="Also send my plays there").click()
    number = await play(site, "Ruins")
    async with site.listener.database.connection() as conn:
        await conn.execute(
            "UPDATE forwards SET status = 'refused', reason = 'It is too loud.' WHERE scrobble_id = $1", number
        )
    await page.reload()
    await expect(page.get_by_role("link", name="Ruins")).to_be_visible()
    await expect(page.get_by_text("It is too loud.")).to_be_visible()
    wide = await page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
    assert wide <= 0
    found = (await Axe().run(page)).response["violations"]
    assert not [each["id"] for each in found if serious(each)]
    if kept := picture(f"forwarding-{theme}"):
        await page.screenshot(path=kept, full_page=True)
    await page.get_by_role("button", name="Try again now").click()
    await expect(page.get_by_text("It is too loud.")).to_be_hidden()
    assert not page.problems  # type: ignore[attr-defined] # hung on by `watched`
    await context.close()
