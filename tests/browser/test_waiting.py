from __future__ import annotations

import re

from playwright.async_api import Page, expect

from sleevenotes import model
from sleevenotes.sources import contract
from sleevenotes.store import wants
from tests.browser.conftest import Site, log_in, picture
from tests.browser.sample import SLEEVES


async def keep_pictures(page: Page, name: str) -> None:
    """Keep screenshots, wide and light, narrow and dark, where they are asked for (see `picture`)."""
    for side, scheme in ((1280, "light"), (360, "dark")):
        if path := picture(f"{name}-{side}"):
            await page.set_viewport_size({"width": side, "height": 800})
            await page.emulate_media(color_scheme="dark" if scheme == "dark" else "light")
            await page.screenshot(path=path)


async def test_what_waits_says_whom_for_and_how_long_and_stops_when_it_is_done(site: Site, page: Page) -> None:
    listener, sleeve = site.listener, SLEEVES[0]
    await listener.arrive()
    stored = await listener.play(sleeve, sleeve.tracks[0], listener.clock.now())
    async with listener.database.transaction() as conn:
        for number in range(31):
            question = contract.FindRecording("Low", f"track {number}")
            key, kind = contract.key(question), contract.kind(question)
            plays, subject = (1, stored.lookup_id) if number == 30 else (2, 10**6 + number)
            new = wants.New("musicbrainz", key, kind, question, subject, plays)
            await wants.want(conn, "match", [new], model.Band.CRITICAL, listener.clock.now())
    asked: list[str] = []
    page.on("request", lambda sent: asked.append(sent.url) if "/fragments/waiting" in sent.url else None)
    await log_in(page, site)

    row = page.locator(f"#p{stored.id}")
    await expect(row.locator(".state")).to_have_text(re.compile(r"^Looking it up · \d+ s$"))
    words = re.compile(r"^Asking MusicBrainz, 30 names ahead, about \d+ s$")
    await expect(row.locator(".state")).to_have_attribute("title", words)

    await keep_pictures(page, "waiting-feed")

    await page.goto(f"{site.url}/scrobbles/{stored.id}")
    await expect(page.locator("[data-waits]")).to_have_text(
        re.compile(r"^Asking MusicBrainz, 30 names ahead, about \d+ s\.$")
    )
    await keep_pictures(page, "waiting-scrobble")
    group = await listener.match(stored.lookup_id, sleeve, sleeve.tracks[0])
    await listener.find_cover(group, sleeve)
    await expect(page.locator("[data-waits]")).to_have_count(0)
    assert len(asked) <= 4  # two pages, and what was told on the live line
