"""The review, by keyboard and without a script."""

from __future__ import annotations

import itertools
import re

import pytest
from playwright.async_api import Browser, Page, expect

from sleevenotes.store import played
from tests.browser import reviewing
from tests.browser.conftest import Site, log_in, watched
from tests.browser.sample import SLEEVES
from tests.browser.test_pages import CONTRASTS, keep_picture


async def test_the_whole_review_is_done_by_keyboard(site: Site, page: Page) -> None:
    await site.listener.arrive()
    pile = await reviewing.a_pile(site.listener)
    await log_in(page, site)
    await page.goto(f"{site.url}/review")
    heading = page.locator("#case")
    await expect(heading).to_have_text("Kelp")  # 9 plays, of which nothing is shown, before 12 on another album
    await keep_picture(page, "review")
    await expect(page.get_by_text("0 names looked at, 3 left; this is number 1")).to_be_visible()

    await page.keyboard.press("1")
    notice = page.locator(".notice")
    await expect(notice).to_contain_text("“Kelp” by Marrow is now Kelp by Marrow & Tide.")
    await expect(heading).to_have_text("Ninth Street")
    await page.keyboard.press("n")
    await expect(heading).to_have_text("Ninth Stret")
    await page.keyboard.press("x")
    await expect(notice).to_contain_text("“Ninth Stret” by Ilsa Varge stays silent.")
    await page.keyboard.press("u")
    await expect(heading).to_have_text("Ninth Stret")
    await expect(page.get_by_text("1 name looked at, 2 left")).to_be_visible()
    await page.goto(f"{site.url}/review")
    await expect(heading).to_have_text("Ninth Street")
    await page.keyboard.press("a")
    await expect(notice).to_contain_text("“Ninth Street” by Ilse Varga confirmed as Ninth Street.")
    assert await shown(site, pile["left alone"]) == "Kelp"
    assert await shown(site, pile["other album"]) == SLEEVES[1].tracks[0]


async def shown(site: Site, lookup_id: int) -> str:
    async with site.listener.database.connection() as conn:
        plays = await played.by_lookups(conn, site.listener.account.id, [lookup_id], 1)
    assert plays[0].led_by == "correction"
    return plays[0].recording_title


async def test_a_search_shows_its_answer_when_it_comes_and_letters_typed_into_a_field_are_letters(
    site: Site, page: Page
) -> None:
    await site.listener.arrive()
    await reviewing.a_pile(site.listener)
    await log_in(page, site)
    await page.goto(f"{site.url}/review")
    await page.keyboard.press("s")
    field = page.get_by_label("Track")
    await expect(field).to_be_focused()
    await page.keyboard.type("max nu")  # none of which is a command here
    await expect(field).to_have_value("max nu")
    await page.keyboard.press("Enter")
    await expect(page.get_by_text("Asking MusicBrainz…")).to_be_visible()
    await page.wait_for_load_state()  # the answer is a new page: a key pressed before its script has run says nothing
    await keep_picture(page, "review-asking")
    await page.keyboard.press("l")
    await expect(page.get_by_label(re.compile("link"))).to_be_focused()
    await page.keyboard.type("half a link")
    await reviewing.answer(site.listener, (SLEEVES[2], SLEEVES[2].tracks[0]))
    await expect(page.get_by_text("MusicBrainz answered.")).to_be_visible()
    link = page.get_by_label(re.compile("link"))
    await expect(link).to_have_value("half a link")  # what was typed meanwhile stays
    await expect(link).to_be_focused()
    await page.keyboard.press("Escape")
    await page.keyboard.press("1")
    await expect(page.locator(".notice")).to_contain_text(f"is now {SLEEVES[2].tracks[0]} by {SLEEVES[2].artist}")


async def test_a_link_that_cannot_be_asked_is_refused_beside_its_field(site: Site, page: Page) -> None:
    await site.listener.arrive()
    await reviewing.a_pile(site.listener)
    await log_in(page, site)
    await page.goto(f"{site.url}/review")
    await page.keyboard.press("l")
    await page.keyboard.type("https://example.com/recording/1")
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("alert")).to_contain_text("does not lead to MusicBrainz or Discogs")
    await expect(page.get_by_label(re.compile("link"))).to_have_value("https://example.com/recording/1")
    told = page.problems  # type: ignore[attr-defined] # hung on by `watched`
    assert [each for each in told if "422" not in each] == []
    told.clear()  # the browser's own note that the form was refused


async def test_several_are_marked_as_right_and_all_of_it_works_without_a_script(site: Site, browser: Browser) -> None:
    await site.listener.arrive()
    await reviewing.a_pile(site.listener)
    context = await browser.new_context(java_script_enabled=False)
    page = await watched(context)
    await log_in(page, site)
    await page.get_by_role("link", name="Review").click()
    for box in await page.get_by_role("checkbox").all():
        await box.check()
    await page.get_by_role("button", name="The marked ones are right").click()
    await expect(page.locator(".notice")).to_contain_text("2 names confirmed as right.")
    await page.get_by_role("button", name="This one: Kelp by").click()
    await expect(page.get_by_role("heading", name="Nothing to look at")).to_be_visible()
    await page.locator(".acts").get_by_role("button", name="Undo").nth(1).click()
    await expect(page.get_by_text("1 name looked at, 2 left")).to_be_visible()
    await context.close()


async def test_an_album_is_fixed_from_a_plays_page(site: Site, page: Page) -> None:
    listener = site.listener
    await listener.arrive()
    sleeve = SLEEVES[0]
    wrong = type(sleeve)("Marrow", "Salty Almanach", "", sleeve.tracks, sleeve.colours, sleeve.drawing)
    plays = [await listener.play(wrong, track, listener.clock.now()) for track in (*sleeve.tracks[:3], "Hidden")]
    await log_in(page, site)
    await page.goto(f"{site.url}/scrobbles/{plays[0].id}")
    await keep_picture(page, "scrobble-fix")
    await page.get_by_role("link", name="Fix this album").click()
    await page.wait_for_url(re.compile("/review/album"))
    await page.keyboard.press("l")
    await page.keyboard.type(f"https://musicbrainz.org/release-group/{sleeve.mbid}")
    await page.keyboard.press("Enter")
    await expect(page.get_by_text("Asking MusicBrainz…")).to_be_visible()
    await reviewing.answer(listener, *((sleeve, track) for track in sleeve.tracks))
    await expect(page.get_by_text("Salt Almanac: 3 of 4 names are on it. The others are left")).to_be_visible()
    await expect(page.get_by_role("row", name="Hidden")).to_contain_text("not on it: left")
    await keep_picture(page, "review-album")
    await page.keyboard.press("Escape")
    await page.keyboard.press("a")
    await expect(page.locator(".notice")).to_contain_text("3 names of an album set")
    await page.goto(site.url)
    await expect(page.get_by_role("link", name="Salt Almanac")).to_have_count(3)
    await page.goto(f"{site.url}/scrobbles/{plays[0].id}")
    await expect(page.get_by_text("You said what it is")).to_be_visible()
    await page.get_by_role("button", name="Undo what you said").click()
    await expect(page.get_by_text("You said what it is")).to_have_count(0)


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [320, 1120])
async def test_the_review_fits_its_width_and_is_legible(site: Site, page: Page, scheme: str, width: int) -> None:
    await site.listener.arrive()
    pile = await reviewing.a_pile(site.listener)
    await page.emulate_media(color_scheme="dark" if scheme == "dark" else "light")
    await page.set_viewport_size({"width": width, "height": 900})
    await log_in(page, site)
    ways = ("/review", f"/review?case={pile['other album']}", f"/review/album?name={pile['misspelt']}")
    for number, way in enumerate(ways):
        await page.goto(site.url + way)
        assert await page.evaluate("document.documentElement.scrollWidth <= innerWidth"), way
        assert await page.evaluate(CONTRASTS) == [], way
        levels = await page.evaluate("[...document.querySelectorAll('h1,h2,h3')].map(h => +h.tagName[1])")
        assert levels[0] == 1, way
        assert levels.count(1) == 1, way
        assert all(after <= before + 1 for before, after in itertools.pairwise(levels)), (way, levels)
        await keep_full_picture(page, f"review-{number}-{scheme}-{width}")


async def keep_full_picture(page: Page, name: str) -> None:
    """Keep the whole page where a screenshot is asked for."""
    await page.evaluate("scrollTo(0, 0)")
    await keep_picture(page, name)
