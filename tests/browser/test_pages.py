from __future__ import annotations

import itertools
import re
from collections.abc import Awaitable, Callable
from datetime import timedelta

import pytest
from playwright.async_api import Browser, Page, Route, expect

from sleevenotes import model
from sleevenotes.server import feeds
from sleevenotes.store import scrobbles
from tests.browser.conftest import Site, log_in, picture, watched
from tests.browser.sample import PASSWORD, SLEEVES, an_evening

ALMANAC, LANTERNS = SLEEVES[0], SLEEVES[1]


async def keep_picture(page: Page, name: str) -> None:
    """Keep a screenshot where one is asked for (see `picture`)."""
    path = picture(name)
    if path:
        await page.screenshot(path=path)


async def test_the_first_run_ends_with_a_token_to_copy(site: Site, page: Page) -> None:
    await page.goto(site.url)
    await expect(page.get_by_role("heading", name="Welcome to Sleevenotes")).to_be_visible()
    await page.get_by_label("Name").fill("nora")
    await page.get_by_label("Password").fill(PASSWORD)
    await page.get_by_label("Time zone").fill("Europe/Vienna")
    await page.get_by_role("button", name="Create the account").click()
    token = page.locator(".token code")
    await expect(token).to_have_text(re.compile(r"^[0-9a-f-]{36}$"))
    await keep_picture(page, "setup-token")
    copy = page.get_by_role("button", name="Copy the token")
    await copy.click()
    await expect(copy).to_have_text(re.compile("Copied|Selected"))
    await page.get_by_role("link", name="To your plays").click()
    await expect(page.get_by_role("heading", name="Nothing played yet")).to_be_visible()


async def test_a_play_its_name_and_its_cover_appear_without_reloading(site: Site, page: Page) -> None:
    listener = site.listener
    await listener.arrive()
    await log_in(page, site)
    await page.evaluate("window.stayed = true")

    stored = await listener.play(ALMANAC, "Kelp", listener.clock.now(), sent="kelp (Remastered 2011)")
    row = page.locator(f"#p{stored.id}")
    await expect(row).to_contain_text("kelp (Remastered 2011)")
    await expect(row).to_contain_text("Looking it up")
    await expect(page.get_by_text("Nothing played yet")).to_be_hidden()

    group = await listener.match(stored.lookup_id, ALMANAC, "Kelp")
    await expect(row.locator("a.title")).to_have_text("Kelp")
    await expect(row.get_by_role("link", name="Salt Almanac")).to_have_attribute("href", f"/albums/{group}")

    height = await row.evaluate("row => row.getBoundingClientRect().height")
    await listener.find_cover(group, ALMANAC)
    cover = row.locator("img.front")
    await expect(cover).to_be_visible()
    await expect(cover).to_have_js_property("complete", True)  # Playwright's own order
    assert await cover.evaluate("img => img.naturalWidth") > 0
    assert await row.evaluate("row => row.getBoundingClientRect().height") == height
    assert await page.evaluate("window.stayed") is True


async def test_a_cover_that_comes_right_behind_its_match_is_not_missed(site: Site, page: Page) -> None:
    listener = site.listener
    await listener.arrive()
    stored = [
        await listener.play(sleeve, sleeve.tracks[0], listener.clock.now() - timedelta(minutes=n))
        for n, sleeve in enumerate(SLEEVES)
    ]
    await log_in(page, site)
    for sleeve, one in zip(SLEEVES, stored, strict=True):
        group = await listener.match(one.lookup_id, sleeve, sleeve.tracks[0])
        await listener.find_cover(group, sleeve)
    await expect(page.locator(".play img.front")).to_have_count(len(SLEEVES))
    await expect(page.get_by_text("Looking it up")).to_have_count(0)


async def test_what_plays_now_comes_changes_and_gets_its_cover(site: Site, page: Page) -> None:
    listener = site.listener
    await listener.arrive()
    await log_in(page, site)
    await listener.play_now(ALMANAC, "Kelp")
    now = page.locator("#now")
    await expect(now.get_by_role("heading")).to_have_text("Kelp")
    async with site.listener.database.connection() as conn:
        lookup_id = await conn.fetchval("SELECT lookup_id FROM now_playing")
    group = await listener.match(lookup_id, ALMANAC, "Kelp")
    await listener.find_cover(group, ALMANAC)
    await expect(now.locator("img.front")).to_be_visible()
    await expect(now.locator("svg.wash")).to_have_count(1)
    await listener.play_now(LANTERNS, "Ash")
    await expect(now.get_by_role("heading")).to_have_text("Ash")


async def test_an_import_of_hundreds_is_shown_in_a_few_fetches(site: Site, page: Page) -> None:
    listener = site.listener
    await listener.arrive()
    await log_in(page, site)
    fetched: list[str] = []
    page.on("request", lambda sent: fetched.append(sent.url) if "/fragments/" in sent.url else None)
    now = listener.clock.now()
    for n in range(60):
        played = [
            model.Scrobble("Ann", f"Track {n}/{m}", listened_at=now - timedelta(minutes=n * 10 + m)) for m in range(10)
        ]
        await listener.submitter.submit(listener.account.id, played, band=model.Band.LOW_PRIORITY)
    await expect(page.locator(".play")).to_have_count(feeds.PAGE)
    await expect(page.locator(".play").first).to_contain_text("Track 0/0")
    await expect(page.get_by_role("link", name="Older plays")).to_be_visible()
    assert len(fetched) < 20


def fail_once(routes: list[str], how: str) -> Callable[[Route], Awaitable[None]]:
    """Answer a route's first request by a fault, note its address, and let all others through."""

    async def answer(route: Route) -> None:
        routes.append(route.request.url)
        if len(routes) > 1:
            await route.continue_()
        elif how == "offline":
            await route.abort("internetdisconnected")
        else:
            await route.fulfill(status=502, body="Bad Gateway")

    return answer


@pytest.mark.parametrize("how", ["troubled", "offline"])
async def test_a_fragment_that_was_not_to_be_had_is_fetched_again(site: Site, browser: Browser, how: str) -> None:
    listener = site.listener
    await listener.arrive()
    context = await browser.new_context()
    page = await context.new_page()  # not watched: the browser itself reports the fault as an error
    await log_in(page, site)
    feeds_asked: list[str] = []
    rows_asked: list[str] = []
    await page.route("**/fragments/feed", fail_once(feeds_asked, how))
    await page.route("**/fragments/plays?*", fail_once(rows_asked, how))

    stored = await listener.play(ALMANAC, "Kelp", listener.clock.now(), sent="kelp (Remastered 2011)")
    row = page.locator(f"#p{stored.id}")
    await expect(row).to_contain_text("kelp (Remastered 2011)", timeout=15_000)
    await listener.match(stored.lookup_id, ALMANAC, "Kelp")
    await expect(row.locator("a.title")).to_have_text("Kelp", timeout=15_000)
    assert (len(feeds_asked), len(rows_asked)) == (2, 2)
    await context.close()


async def test_a_play_that_is_gone_is_not_asked_for_again_and_again(site: Site, browser: Browser) -> None:
    listener = site.listener
    await listener.arrive()
    stored = await listener.play(ALMANAC, "Kelp", listener.clock.now())
    context = await browser.new_context()
    page = await context.new_page()
    await log_in(page, site)
    await page.clock.install()
    await page.goto(f"{site.url}/scrobbles/{stored.id}")
    async with listener.database.transaction() as conn:
        await scrobbles.delete(conn, listener.account.id, [stored.id], listener.clock.now())
    asked: list[str] = []
    page.on("response", lambda got: asked.append(got.url) if got.status == 404 else None)
    async with page.expect_response(lambda got: got.status == 404):
        await listener.match(stored.lookup_id, ALMANAC, "Kelp")
    await page.evaluate("new Promise(done => setTimeout(done, 0))")
    await page.clock.run_for(20_000)
    assert len(asked) == 1
    await context.close()


async def test_a_deleted_play_goes_by_itself(site: Site, page: Page) -> None:
    listener = site.listener
    await listener.arrive()
    stored = await listener.play(ALMANAC, "Kelp", listener.clock.now())
    await log_in(page, site)
    await expect(page.locator(f"#p{stored.id}")).to_be_visible()
    async with listener.database.connection() as conn:
        await scrobbles.delete(conn, listener.account.id, [stored.id], listener.clock.now())
    await expect(page.locator(f"#p{stored.id}")).to_have_count(0)


async def test_the_scrobble_page_follows_its_own_story(site: Site, page: Page) -> None:
    listener = site.listener
    await listener.arrive()
    stored = await listener.play(ALMANAC, "Kelp", listener.clock.now(), sent="kelp")
    await log_in(page, site)
    await page.goto(f"{site.url}/scrobbles/{stored.id}")
    await expect(page.get_by_role("heading", name="Looking it up")).to_be_visible()
    group = await listener.match(stored.lookup_id, ALMANAC, "Kelp")
    await expect(page.get_by_role("heading", name="Matched from MusicBrainz")).to_be_visible()
    await listener.find_cover(group, ALMANAC)
    await expect(page.get_by_role("heading", name="Cover chosen")).to_be_visible()
    await expect(page.locator("main img.front")).to_be_visible()


@pytest.mark.parametrize("theme", ["light", "dark"])
async def test_everything_fits_the_narrowest_phone_in_both_themes(site: Site, browser: Browser, theme: str) -> None:
    await site.listener.arrive()
    await an_evening(site.listener)
    shape = {"width": 320, "height": 640}
    context = await browser.new_context(viewport=shape, color_scheme=theme, has_touch=True)  # type: ignore[arg-type]
    page = await watched(context)
    await log_in(page, site)
    for name, way in await ways(site):
        await page.goto(site.url + way)
        wide = await page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
        assert wide <= 0, f"{name} scrolls sideways by {wide} px"
        await keep_picture(page, f"{name}-phone-{theme}")
    assert not page.problems  # type: ignore[attr-defined] # hung on by `watched`
    await context.close()


@pytest.mark.parametrize("theme", ["light", "dark"])
async def test_both_themes_can_be_read(site: Site, browser: Browser, theme: str) -> None:
    await site.listener.arrive()
    await an_evening(site.listener)
    context = await browser.new_context(
        viewport={"width": 1120, "height": 900},
        color_scheme=theme,  # type: ignore[arg-type]
        reduced_motion="reduce",
    )
    page = await watched(context)
    await log_in(page, site)
    for name, way in await ways(site):
        await page.goto(site.url + way)
        await page.wait_for_load_state("networkidle") if name == "album" else None
        faint = await page.evaluate(CONTRASTS)
        assert not faint, f"{name}, {theme}: {faint}"
        await keep_picture(page, f"{name}-{theme}")
    await context.close()


async def test_the_theme_switch_overrules_the_system(site: Site, page: Page) -> None:
    await site.listener.arrive()
    await log_in(page, site)
    ground = "getComputedStyle(document.body).backgroundColor"
    light = await page.evaluate(ground)
    await page.get_by_role("button", name="Dark").click()
    await expect(page.get_by_role("button", name="Dark")).to_have_attribute("aria-pressed", "true")
    assert await page.evaluate(ground) != light


async def test_everything_can_be_reached_by_keyboard_and_focus_shows(site: Site, page: Page) -> None:
    listener = site.listener
    await listener.arrive()
    stored = await listener.play(ALMANAC, "Kelp", listener.clock.now())
    await listener.match(stored.lookup_id, ALMANAC, "Kelp")
    await log_in(page, site)
    await page.locator("body").press("Tab")
    await expect(page.get_by_role("link", name="Skip to the content")).to_be_focused()
    reached = []
    for _ in range(20):
        await page.keyboard.press("Tab")
        reached.append(await page.evaluate("document.activeElement.textContent.trim()"))
        if reached[-1] == "Kelp":
            break
    assert await page.evaluate("getComputedStyle(document.activeElement).outlineStyle") == "solid"
    await page.keyboard.press("Enter")
    await page.wait_for_url(f"**/scrobbles/{stored.id}")


async def test_headings_stand_in_order_and_landmarks_are_there(site: Site, page: Page) -> None:
    await site.listener.arrive()
    await an_evening(site.listener, days=1)
    await log_in(page, site)
    for name, way in await ways(site):
        await page.goto(site.url + way)
        levels = await page.evaluate("[...document.querySelectorAll('h1,h2,h3,h4')].map(h => +h.tagName[1])")
        assert levels[0] == 1, name
        assert levels.count(1) == 1, name
        assert all(after <= before + 1 for before, after in itertools.pairwise(levels)), (name, levels)
        for landmark in ("banner", "navigation", "main", "contentinfo"):
            assert await page.get_by_role(landmark).count(), (name, landmark)
        nameless = "[...document.querySelectorAll('input:not([type=hidden])')].filter(i => !i.labels.length).length"
        assert await page.evaluate(nameless) == 0, name


async def test_the_pages_work_without_a_script(site: Site, browser: Browser) -> None:
    await site.listener.arrive()
    await an_evening(site.listener)
    context = await browser.new_context(java_script_enabled=False)
    page = await watched(context)
    await log_in(page, site)
    await expect(page.locator(".play")).to_have_count(feeds.PAGE)
    await page.get_by_role("link", name="Older plays").click()
    await expect(page.get_by_role("heading", name="Older plays")).to_be_visible()
    await page.get_by_role("link", name="Back to the newest").click()
    await page.get_by_role("button", name="Log out").click()
    await expect(page.get_by_role("heading", name="Log in")).to_be_visible()
    await context.close()


async def test_nothing_moves_while_the_page_loads(site: Site, page: Page) -> None:
    await site.listener.arrive()
    await an_evening(site.listener)
    await page.add_init_script(
        "window.shift = 0; const count = list => { for (const e of list.getEntries()) window.shift += e.value };"
        "new PerformanceObserver(count).observe({ type: 'layout-shift', buffered: true })"
    )
    await log_in(page, site)
    await page.goto(site.url)
    await page.wait_for_function("[...document.querySelectorAll('.now img.front')].every(i => i.complete)")
    await page.locator(".state .left", has_text="s").first.wait_for()  # how long that will take is told by now
    assert await page.evaluate("window.shift") == 0


async def ways(site: Site) -> list[tuple[str, str]]:
    """Return a page of each kind that shows something, by name."""
    async with site.listener.database.connection() as conn:
        row = await conn.fetchrow(
            """
            SELECT release_group_id, s.id, (SELECT min(id) FROM artists) AS artist_id
            FROM artworks w JOIN matches m USING (release_group_id) JOIN scrobbles s USING (lookup_id)
            WHERE w.status = 'found' ORDER BY s.id LIMIT 1
            """
        )
    return [
        ("feed", "/"),
        ("album", f"/albums/{row['release_group_id']}"),
        ("artist", f"/artists/{row['artist_id']}"),
        ("scrobble", f"/scrobbles/{row['id']}"),
        ("status", "/status"),
        ("figures", "/figures"),
        ("players", "/players"),
    ]


# Every text's colour against the nearest ground behind it, as WCAG reckons; the wash is checked where it is mixed.
CONTRASTS = """() => {
  const canvas = document.createElement("canvas").getContext("2d", { willReadFrequently: true });
  const rgba = (colour) => {
    canvas.clearRect(0, 0, 1, 1); canvas.fillStyle = colour; canvas.fillRect(0, 0, 1, 1);
    return [...canvas.getImageData(0, 0, 1, 1).data];
  };
  const light = (colour) => {
    const [r, g, b] = rgba(colour).map((c) => c / 255)
      .map((c) => (c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4));
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const ground = (element) => {
    for (let at = element; at; at = at.parentElement) {
      const wash = at.querySelector(":scope > svg.wash rect:not([display])");
      if (wash) return [...at.querySelectorAll(":scope > svg.wash rect")]
        .find((rect) => getComputedStyle(rect).display !== "none").getAttribute("fill");
      const colour = getComputedStyle(at).backgroundColor;
      if (rgba(colour)[3] === 255) return colour;
    }
    return "white";
  };
  const faint = [];
  for (const element of document.querySelectorAll("body *")) {
    const own = [...element.childNodes].some((node) => node.nodeType === 3 && node.data.trim());
    if (!own || !element.checkVisibility() || element.closest(".unseen, .skip")) continue;
    const [one, other] = [light(getComputedStyle(element).color), light(ground(element))].sort((a, b) => b - a);
    const contrast = (one + 0.05) / (other + 0.05);
    if (contrast < 4.5) faint.push(`${element.className || element.tagName}: ${contrast.toFixed(2)}`);
  }
  return [...new Set(faint)];
}"""
