"""A browser at the pages: what it sends, and what it finds in them."""

from __future__ import annotations

import re

import httpx

from tests.browser.sample import SLEEVES

Client = httpx.AsyncClient
ALMANAC = SLEEVES[0]


async def send(client: Client, path: str, **fields: str | list[str]) -> httpx.Response:
    """Load a page with a form and send the form as a browser does."""
    form = await client.get("/login" if path in ("/login", "/theme") else "/setup" if path == "/setup" else "/players")
    token = re.search(r'name="csrf_token" value="([^"]+)"', form.text)
    if token:
        fields["csrf_token"] = token[1]
    else:  # logged in already: the pages have it in their footer
        shown = await client.get("/players")
        found = re.search(r'name="csrf_token" value="([^"]+)"', shown.text)
        assert found
        fields["csrf_token"] = found[1]
    return await client.post(path, data=fields)


def row_of(page: str, play_id: int) -> str:
    found = re.search(rf'<li class="play" id="p{play_id}".*?</li>', page, re.DOTALL)
    assert found
    return found[0]
