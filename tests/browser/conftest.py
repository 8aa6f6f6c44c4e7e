"""A real server on a loopback port and the system's Chromium."""

from __future__ import annotations

import asyncio
import os
import shutil
import socket
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import pytest_asyncio
import uvicorn
from playwright.async_api import Browser, BrowserContext, Page, async_playwright

from sleevenotes.artwork.files import Files
from sleevenotes.clock import SystemClock
from sleevenotes.server import live, web
from sleevenotes.server.services import Services
from sleevenotes.settings import Settings
from sleevenotes.store import postgres
from tests.browser.sample import PASSWORD, Listener

BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
QUIET = (
    *("--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking"),
    *("--disable-component-update", "--disable-sync", "--disable-dev-shm-usage"),
)


@dataclass(frozen=True)
class Site:
    """A running server, and the listener whose plays it shows."""

    url: str
    listener: Listener


@pytest_asyncio.fixture
async def site(database: postgres.Database, settings: Settings) -> AsyncIterator[Site]:
    """Serve this test's database; no worker runs: the listener decides."""
    time = SystemClock()
    files = Files(settings.data_path)
    listener = Listener(database, time, files)
    hub = live.Hub(database, time)
    services = Services(settings, time, database, listener.submitter, files, hub)
    with socket.create_server(("127.0.0.1", 0)) as taken:
        config = uvicorn.Config(web.create(services), log_level="warning", timeout_graceful_shutdown=5)
        server = uvicorn.Server(config)
        serving = asyncio.create_task(server.serve(sockets=[taken]))
        while not server.started:  # noqa: ASYNC110 # uvicorn has no event for it
            await asyncio.sleep(0.02)
        yield Site(f"http://127.0.0.1:{taken.getsockname()[1]}", listener)
        await hub.close()
        server.should_exit = True
        await serving


@pytest_asyncio.fixture
async def browser() -> AsyncIterator[Browser]:
    """Start the system's Chromium; skips, visibly, where there is none."""
    path = next(filter(None, map(shutil.which, BROWSERS)), None)
    if path is None:
        pytest.skip("no Chromium on this machine: install the package `chromium`")
    async with async_playwright() as playwright:
        started = await playwright.chromium.launch(executable_path=path, args=list(QUIET))
        yield started
        await started.close()


@pytest_asyncio.fixture
async def page(browser: Browser) -> AsyncIterator[Page]:
    """Open a page that fails the test on any error in a script or any request to another host."""
    context = await browser.new_context(viewport={"width": 1120, "height": 900}, locale="en-GB")
    opened = await watched(context)
    yield opened
    await context.close()
    problems: list[str] = opened.problems  # type: ignore[attr-defined] # hung on by `watched`
    assert not problems


async def watched(context: BrowserContext) -> Page:
    """Open a page and note what must not happen on it."""
    page = await context.new_page()
    problems: list[str] = []
    page.problems = problems  # type: ignore[attr-defined]
    page.on("pageerror", lambda error: problems.append(str(error)))
    page.on("console", lambda line: problems.append(line.text) if line.type == "error" else None)
    page.on("request", lambda sent: problems.append(sent.url) if not _ours(sent.url) else None)
    return page


def _ours(url: str) -> bool:
    return url.startswith(("http://127.0.0.1:", "data:"))


async def log_in(page: Page, site: Site) -> None:
    """Log in as the site's listener."""
    await page.goto(f"{site.url}/login")
    await page.get_by_label("Name").fill(site.listener.account.name)
    await page.get_by_label("Password").fill(PASSWORD)
    await page.get_by_role("button", name="Log in").click()
    await page.wait_for_url(f"{site.url}/")


def picture(name: str) -> Path | None:
    """Return where to keep a screenshot: only where SLEEVENOTES_SCREENSHOTS names a directory."""
    wanted = os.environ.get("SLEEVENOTES_SCREENSHOTS")
    return Path(wanted) / f"{name}.png" if wanted else None
