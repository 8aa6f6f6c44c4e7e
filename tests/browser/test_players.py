"""Players in a browser: a heart that is seen everywhere at once, a player set up, an application let in."""

from __future__ import annotations

import re

import httpx
from playwright.async_api import Page, expect

from tests.browser.conftest import Site, log_in
from tests.browser.sample import SLEEVES


async def test_a_player_is_set_up_and_what_it_loves_is_seen_without_reloading(site: Site, page: Page) -> None:
    listener = site.listener
    await listener.arrive()
    await log_in(page, site)
    await page.goto(f"{site.url}/players")
    await page.locator("#lastfm summary").click()
    await page.locator("#lastfm").get_by_role("button", name="Make a token and fill it in").click()
    password = page.locator("#lastfm .copy code").nth(3)
    await expect(password).to_have_text(re.compile(r"^[0-9a-f-]{36}$"))  # the player's own configuration stays open
    token = await password.inner_text()

    stored = await listener.play(SLEEVES[0], "Kelp", listener.clock.now())
    await page.goto(site.url)
    await page.evaluate("window.stayed = true")
    heart = page.locator(f"#p{stored.id}").get_by_role("button", name="Love Kelp")
    await expect(heart).to_have_attribute("aria-pressed", "false")
    names = {"artist": SLEEVES[0].artist, "track": "kelp", "sk": token.replace("-", "")}
    async with httpx.AsyncClient() as player:  # its heart, far from this browser
        answer = await player.post(f"{site.url}/2.0/", data={"method": "track.love", **names})
    assert answer.status_code == 200, answer.text
    await expect(heart).to_have_attribute("aria-pressed", "true")
    await heart.click()
    await expect(heart).to_have_attribute("aria-pressed", "false")
    await expect(page.locator(f"#p{stored.id}[data-state^='0 ']")).to_be_visible()  # as the server has it, too
    assert await page.evaluate("window.stayed")


async def test_an_application_is_let_in_by_the_listener(site: Site, page: Page) -> None:
    await site.listener.arrive()
    call = {"api_key": "k" * 32, "format": "json"}
    async with httpx.AsyncClient(base_url=site.url, headers={"User-Agent": "cmusfm/0.4"}) as program:
        token = (await program.get("/2.0/", params={"method": "auth.getToken", **call})).json()["token"]
        await log_in(page, site)
        await page.goto(f"{site.url}/api/auth/?api_key={call['api_key']}&token={token}")
        await expect(page.get_by_text("calls itself cmusfm")).to_be_visible()
        await page.get_by_role("button", name="Yes, let it in").click()
        await expect(page.get_by_role("heading", name="It is let in")).to_be_visible()
        session = (await program.get("/2.0/", params={"method": "auth.getSession", "token": token, **call})).json()
    assert session["session"]["name"] == "nora"
    await page.goto(f"{site.url}/players")
    await expect(page.locator(".tokens li", has_text="cmusfm")).to_contain_text("may submit, read")
