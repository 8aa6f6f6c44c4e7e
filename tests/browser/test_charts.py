"""History, charts and walls: no accessibility fault on any page, nothing sideways, nothing heavy."""

from __future__ import annotations

from datetime import timedelta

import pytest
from axe_playwright_python.async_playwright import Axe
from playwright.async_api import Browser, Page, Response, expect

from sleevenotes.pipeline import tally
from tests.browser.conftest import Site, log_in, picture, watched
from tests.browser.sample import SLEEVES, an_evening

PAGES = (
    "/",
    "/history",
    "/history/{day:%Y-%m}",
    "/history/{day}",
    "/history/search?q=marrow",
    "/albums",
    "/albums/gaps",
    "/albums/{album}",
    "/artists/{artist}",
    "/tracks/{track}",
    "/scrobbles/{play}",
    "/scrobbles/{play}/cover",
    "/albums/{album}/cover",
    "/settings/covers",
    "/charts",
    "/charts/artists",
    "/charts/hours",
    "/charts/genres",
    "/status",
    "/figures?period=all",
    "/review",
    "/settings",
    "/players",
)
BUDGET = 100_000  # bytes of a page before its images, nothing packed


@pytest.mark.parametrize("theme", ["light", "dark"])
async def test_no_page_has_an_accessibility_fault_or_scrolls_sideways_on_the_narrowest_phone(
    site: Site, browser: Browser, theme: str
) -> None:
    ways = await a_life(site)
    shape = {"width": 320, "height": 800}
    context = await browser.new_context(viewport=shape, color_scheme=theme, reduced_motion="reduce")  # type: ignore[arg-type]
    page = await watched(context)
    await log_in(page, site)
    faults: list[str] = []
    for way in ways:
        await page.goto(site.url + way)
        wide = await page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
        faults += [f"{way} scrolls sideways by {wide} px"] if wide > 0 else []
        found = (await Axe().run(page)).response["violations"]
        faults += [f"{way}: {each['id']}: {each['nodes'][0]['html'][:200]}" for each in found if serious(each)]
        if kept := picture(f"{way.strip('/').replace('/', '-').partition('?')[0] or 'feed'}-narrow-{theme}"):
            await page.screenshot(path=kept, full_page=True)
    assert not faults, "\n".join(faults)
    assert not page.problems  # type: ignore[attr-defined] # hung on by `watched`
    await context.close()


def serious(violation: dict[str, str]) -> bool:
    return violation["impact"] in ("serious", "critical")


async def test_a_page_is_light_before_its_images(site: Site, page: Page) -> None:
    ways = await a_life(site)
    await log_in(page, site)
    for way in ways:
        answers: list[Response] = []

        def note(answer: Response, into: list[Response] = answers) -> None:
            into.append(answer)

        page.on("response", note)
        await page.goto(site.url + way)
        page.remove_listener("response", note)
        bodies = [answer for answer in answers if answer.request.resource_type in ("document", "stylesheet", "script")]
        weight = sum([len(await answer.body()) for answer in bodies])
        assert weight < BUDGET, f"{way}: {weight} bytes"


async def test_one_finds_a_day_by_the_year_and_a_year_by_the_charts(site: Site, page: Page) -> None:
    await a_life(site)
    await log_in(page, site)
    await page.get_by_role("link", name="History").click()
    await page.locator(".months a").last.click()
    await page.locator("table.month a").last.click()
    await expect(page.locator(".of-day .play").first).to_be_visible()
    await page.get_by_role("link", name="Charts").click()
    await expect(page.get_by_role("heading", name="The last 12 months")).to_be_visible()
    await page.get_by_role("link", name="All time").click()
    await expect(page.get_by_role("img", name="Plays by hour of the day")).to_be_visible()
    await page.get_by_role("link", name="All artists").click()
    await expect(page.locator("ol.tops li")).to_have_count(10)


async def a_life(site: Site) -> list[str]:
    """Fill three days, and return the addresses of all pages."""
    await site.listener.arrive()
    await an_evening(site.listener)
    await tally.fold(site.listener.database)
    async with site.listener.database.connection() as conn:
        album, track, play = await conn.fetchrow(
            """
            SELECT release_group_id, recording_id, s.id FROM artworks w JOIN matches m USING (release_group_id)
            JOIN scrobbles s USING (lookup_id) WHERE w.status = 'found' ORDER BY s.id DESC LIMIT 1
            """
        )
        day = await conn.fetchval("SELECT max(listened_at)::date FROM scrobbles")
        artist = await conn.fetchval("SELECT min(artist_id) FROM artist_credit_names")
    facts = {"album": album, "track": track, "play": play, "day": day, "artist": artist}
    return [way.format(**facts) for way in PAGES]


async def test_plays_to_select_are_ticked_all_at_once_where_there_are_any(site: Site, page: Page) -> None:
    listener = site.listener
    await listener.arrive()
    for hours in (1, 2):
        await listener.play(SLEEVES[0], SLEEVES[0].tracks[0], listener.clock.now() - timedelta(hours=hours))
    await log_in(page, site)
    await page.goto(f"{site.url}/plays/select?q=nowhere")  # the fixture fails on any error in a script
    await expect(page.get_by_text("You have played nothing with")).to_be_visible()
    await page.goto(f"{site.url}/plays/select")
    await page.get_by_role("button", name="Tick all of this page").click()
    await expect(page.locator(".picks input:checked")).to_have_count(2)
    await page.get_by_role("button", name="Tick none").click()
    await expect(page.locator(".picks input:checked")).to_have_count(0)
