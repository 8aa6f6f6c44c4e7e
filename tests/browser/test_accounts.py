"""Two listeners on one server, at home under a sub-path: from the first run to the second one's plays."""

from __future__ import annotations

import asyncio
import re
import socket
from collections.abc import AsyncIterator

import msgspec
import pytest_asyncio
import uvicorn
from playwright.async_api import Browser, Page, expect

from sleevenotes.artwork.files import Files
from sleevenotes.clock import SystemClock
from sleevenotes.server import live, web
from sleevenotes.server.services import Services
from sleevenotes.settings import Settings
from sleevenotes.store import accounts, postgres
from tests.browser.conftest import Site, watched
from tests.browser.sample import PASSWORD, SLEEVES, Listener

ALMANAC = SLEEVES[0]


@pytest_asyncio.fixture
async def at_home(database: postgres.Database, settings: Settings) -> AsyncIterator[Site]:
    """Serve this test's database under /music, without an account."""
    time = SystemClock()
    files = Files(settings.data_path)
    listener = Listener(database, time, files)
    hub = live.Hub(database, time)
    with socket.create_server(("127.0.0.1", 0)) as taken:
        base = f"http://127.0.0.1:{taken.getsockname()[1]}/music"
        told = msgspec.structs.replace(settings, base_url=base)
        services = Services(told, time, database, listener.submitter, files, hub)
        server = uvicorn.Server(uvicorn.Config(web.create(services), log_level="warning", timeout_graceful_shutdown=5))
        serving = asyncio.create_task(server.serve(sockets=[taken]))
        while not server.started:  # noqa: ASYNC110 # uvicorn has no event for it
            await asyncio.sleep(0.02)
        yield Site(base, listener)
        await hub.close()
        server.should_exit = True
        await serving


async def test_the_first_listener_invites_a_second_whose_plays_are_their_own(
    at_home: Site, page: Page, browser: Browser
) -> None:
    await page.goto(f"{at_home.url}/")
    await page.get_by_label("Name").fill("nora")
    await page.get_by_label("Password").fill(PASSWORD)
    await page.get_by_role("button", name="Create the account").click()
    await page.get_by_role("link", name="Settings").click()
    await page.get_by_role("link", name="People").click()
    await page.get_by_label("For whom").fill("my brother")
    await page.get_by_role("button", name="Make a link").click()
    link = await page.locator(".token code").inner_text()
    assert link.startswith(f"{at_home.url}/invitation/")

    context = await browser.new_context(timezone_id="Asia/Tokyo", locale="en-GB")
    other = await watched(context)
    await other.goto(link)
    await expect(other.get_by_label("Time zone")).to_have_value("Asia/Tokyo")
    await other.get_by_label("Name").fill("otto")
    await other.get_by_label("Password").fill("otto's own password")
    await other.get_by_role("button", name="Create the account").click()
    await other.wait_for_url(f"{at_home.url}/players")
    await other.goto(f"{at_home.url}/")
    await expect(other.get_by_role("heading", name="Nothing played yet")).to_be_visible()

    listener = at_home.listener
    async with listener.database.connection() as conn:
        otto = await accounts.by_name(conn, "otto")
    assert otto is not None
    listener.account = otto
    stored = await listener.play(ALMANAC, "Kelp", listener.clock.now())
    row = other.locator(f"#p{stored.id}")
    await expect(row).to_contain_text("Kelp")  # by the live line, under the sub-path
    group = await listener.match(stored.lookup_id, ALMANAC, "Kelp")
    await listener.find_cover(group, ALMANAC)
    cover = row.locator("img.front")
    await expect(cover).to_be_visible()
    await expect(cover).to_have_js_property("complete", True)  # Playwright's own order
    assert await cover.evaluate("img => img.naturalWidth") > 0

    await other.reload()
    await other.get_by_role("link", name="Change or delete several plays").click()
    await other.get_by_label(re.compile("Kelp")).check()
    await other.get_by_role("button", name="Delete").click()
    await other.get_by_role("button", name=re.compile("Bring back")).click()
    await expect(other.get_by_text("Nothing was deleted within 24 hours")).to_be_visible()

    await page.goto(f"{at_home.url}/")
    await expect(page.get_by_role("heading", name="Nothing played yet")).to_be_visible()
    await page.goto(f"{at_home.url}/settings/people")
    await expect(page.get_by_role("row", name=re.compile("otto"))).to_contain_text("1 play")
    problems: list[str] = other.problems  # type: ignore[attr-defined] # hung on by `watched`
    assert not problems
    await context.close()
