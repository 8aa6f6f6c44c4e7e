"""A listener sees what two services recorded, takes it apart, and has all of it compared again."""

from __future__ import annotations

from datetime import timedelta

import pytest
from axe_playwright_python.async_playwright import Axe
from playwright.async_api import Browser, Page, expect

from sleevenotes.model import Band, Scrobble
from sleevenotes.pipeline import comparing
from tests.browser.conftest import Site, log_in, picture, watched
from tests.browser.test_charts import serious

TRACKS = ("Ruins", "Kelp", "Brine")


async def recorded_twice(site: Site) -> None:
    """Play three tracks, and have Last.fm and Spotify record them, one of them by another name."""
    await site.listener.arrive()
    start = site.listener.clock.now() - timedelta(hours=3)
    for number, track in enumerate(TRACKS):
        at = start + timedelta(minutes=20 * number)
        ended = at + timedelta(seconds=200)
        both = [
            Scrobble("Nile", track, "Shrines", at, origin="lastfm"),
            Scrobble("NILE", f"{track} - Remastered", "", ended, duration_ms=200_000, origin="spotify"),
        ]
        await site.listener.submitter.submit(site.listener.account.id, both, band=Band.DEFAULT)


async def to_same_plays(page: Page, site: Site) -> None:
    await page.goto(f"{site.url}/settings")
    await page.get_by_role("link", name="Same plays").click()
    await expect(page.get_by_role("heading", name="Same plays")).to_be_visible()


async def shown(page: Page, site: Site) -> int:
    await page.goto(site.url)
    return await page.locator(".feed .play").count()


async def compare(site: Site) -> None:
    """Do what a worker does."""
    await comparing.run(site.listener, [site.listener.account.id], Band.DEFAULT)


async def test_a_listener_takes_one_play_apart_and_puts_it_back(site: Site, page: Page) -> None:
    await recorded_twice(site)
    await log_in(page, site)
    assert await shown(page, site) == 3
    await to_same_plays(page, site)
    await expect(page.get_by_text("3 plays recorded by both, shown once.")).to_be_visible()
    await page.get_by_role("button", name="Show Kelp - Remastered").focus()
    await page.keyboard.press("Enter")
    await expect(page.get_by_text("2 plays recorded by both, shown once.")).to_be_visible()
    assert await shown(page, site) == 4
    await page.get_by_role("link", name="Kelp - Remastered").first.click()
    await page.get_by_role("button", name="Compare it again").click()
    await expect(page.get_by_text("Shown instead of this")).to_be_visible()
    assert await shown(page, site) == 3


async def test_a_listener_keeps_two_services_apart_brings_them_together_and_has_all_compared(
    site: Site, page: Page
) -> None:
    await recorded_twice(site)
    await log_in(page, site)
    await to_same_plays(page, site)
    await page.get_by_role("button", name="Show all of them").click()
    await expect(page.get_by_text("Kept apart, as you said: nothing is hidden.")).to_be_visible()
    assert await shown(page, site) == 6
    await to_same_plays(page, site)
    await page.get_by_role("button", name="Show once again").click()
    await expect(page.get_by_text("Your plays are being compared")).to_be_visible()
    await compare(site)
    await page.reload()
    await expect(page.get_by_text("3 plays recorded by both, shown once.")).to_be_visible()
    async with site.listener.database.connection() as conn:
        await conn.execute("UPDATE scrobbles SET same_as = NULL")  # as before there was such a thing
    assert await shown(page, site) == 6
    await to_same_plays(page, site)
    await page.get_by_role("button", name="Compare everything again").click()
    await expect(page.get_by_text("Your plays are being compared")).to_be_visible()
    await compare(site)
    assert await shown(page, site) == 3


@pytest.mark.parametrize("theme", ["light", "dark"])
async def test_the_page_has_no_accessibility_fault_and_fits_the_narrowest_phone(
    site: Site, browser: Browser, theme: str
) -> None:
    await recorded_twice(site)
    context = await browser.new_context(viewport={"width": 320, "height": 800}, color_scheme=theme)  # type: ignore[arg-type]
    page = await watched(context)
    await log_in(page, site)
    await to_same_plays(page, site)
    for says, button in (
        ("3 plays recorded by both", "Compare everything again"),
        ("Your plays are being compared", "Show all of them"),
        ("Kept apart, as you said", ""),
    ):
        await expect(page.get_by_text(says)).to_be_visible()
        wide = await page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
        assert wide <= 0, says
        found = (await Axe().run(page)).response["violations"]
        assert not [f"{says}: {each['id']}" for each in found if serious(each)]
        if kept := picture(f"same-plays-{says.split()[0].lower()}-{theme}"):
            await page.screenshot(path=kept, full_page=True)
        if button:
            await page.get_by_role("button", name=button).click()
    assert not page.problems  # type: ignore[attr-defined] # hung on by `watched`
    await context.close()
