"""Under a sub-path, behind a proxy that passes it on or strips it: every address leads back to us."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from html import unescape
from typing import Any

import httpx
import msgspec
import pytest
import pytest_asyncio
from tests.serving import Listener, listening

from sleevenotes.clock import HandClock
from sleevenotes.server import home, running, templating, web
from sleevenotes.settings import Settings
from sleevenotes.store.postgres import Database

BASE = "https://home.example/music"
PASSWORD = "correct horse battery"
PAGES = (
    *("/", "/history", "/charts", "/albums", "/status", "/review", "/api/docs", "/plays/select", "/user/nora"),
    *("/settings", "/players", "/settings/account", "/settings/people", "/settings/lastfm", "/settings/listenbrainz"),
    *("/settings/covers", "/settings/forwarding", "/settings/same-plays", "/imports", "/export", "/plays/deleted"),
)


@pytest_asyncio.fixture
async def maria(settings: Settings, clock: HandClock, database: Database) -> AsyncIterator[Listener]:
    async with listening(msgspec.structs.replace(settings, base_url=BASE + "/"), clock, database) as listener:
        yield listener


class StrippingProxy:
    """A proxy as nginx is with a slash at the end of proxy_pass: what comes under the sub-path arrives without it."""

    def __init__(self, inside: Any) -> None:
        self._inside = inside

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        assert scope["path"].startswith("/music/")
        stripped = scope["path"].removeprefix("/music")
        await self._inside({**scope, "path": stripped, "raw_path": stripped.encode()}, receive, send)


def browser(maria: Listener, *, strips: bool) -> httpx.AsyncClient:
    app: Any = StrippingProxy(maria.app) if strips else maria.app
    return httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="https://home.example")


@pytest.mark.parametrize("strips", [True, False], ids=["a proxy that strips", "a proxy that passes on"])
async def test_a_browser_finds_its_way_under_a_sub_path(maria: Listener, strips: bool) -> None:
    async with maria.services.database.connection() as conn:
        await conn.execute("DELETE FROM accounts")
    async with browser(maria, strips=strips) as client:
        first = await client.get("/music/")
        assert (first.status_code, first.headers["location"]) == (302, "/music/setup")
        form = await client.get("/music/setup")
        assert 'action="/music/setup"' in form.text
        assert client.cookies.get("sleevenotes_csrf", path="/music")
        secret = re.findall(r'name="csrf_token" value="([^"]+)"', form.text)[0]
        made = await client.post(
            "/music/setup", data={"csrf_token": secret, "name": "nora", "password": PASSWORD, "time_zone": "UTC"}
        )
        assert "https://home.example/music/1/" in made.text
        assert made.headers["set-cookie"].count("Secure") == made.headers["set-cookie"].count("sleevenotes_")
        static = set()
        for page in PAGES:
            drawn = await client.get(f"/music{page}")
            assert drawn.status_code == 200, page
            ours = [unescape(way) for way in addresses(drawn.text)]
            assert ours
            assert [way for way in ours if not way.startswith("/music/")] == [], page
            static |= {way for way in ours if "/static/" in way}
        for way in static:
            assert (await client.get(way)).status_code == 200
        assert 'data-home="/music"' in (await client.get("/music/")).text
        document = (await client.get("/music/api/openapi.json")).json()
        assert document["servers"] == [{"url": BASE}]
        out = await client.post("/music/logout", data={"csrf_token": secret})
        assert out.headers["location"] == "/music/login"
        lost = await client.post(
            "/music/plays/edit", data={"csrf_token": secret}, headers={"Referer": f"{BASE}/scrobbles/980/edit"}
        )
        assert lost.headers["location"] == "/music/login?next=%2Fscrobbles%2F980%2Fedit&ended=1"


def addresses(page: str) -> list[str]:
    found = re.findall(r'(?:href|src|action|formaction)="(/[^"]*)"', page)
    return found + [part.split()[0] for each in re.findall(r'srcset="([^"]+)"', page) for part in each.split(",")]


def test_no_template_writes_an_address_where_the_sub_path_is_not_put_before_it() -> None:
    """What `home.outward_source` cannot see: addresses inside statements, and in attributes of other names."""
    for path in sorted((templating.HERE / "templates").glob("*.html")):
        text = path.read_text("utf-8")
        assert not re.findall(r'(?:href|src|action|formaction)="\{%', text), path.name
        assert not re.findall(r'\bdata-[a-z-]+="/[a-z]', text), path.name
    for path in sorted(templating.STATIC.glob("*.js")):
        assert not re.findall(r"""(?:fetch|EventSource|WebSocket|drawn|assign)\(["'`]/""", path.read_text("utf-8")), (
            path.name
        )


def test_addresses_in_a_template_get_the_sub_path_and_others_do_not() -> None:
    environment = templating.environment("/music")
    written = home.outward_source(
        '<a href="/albums/{{ id }}"><img src="/images/{{ x }}/64" srcset="/images/{{ x }}/64 64w, /images/a/250 250w">'
        '<a href="{{ way }}?a=b"><a href="//elsewhere/x"><a href="https://elsewhere/">',
        environment,
    )
    assert written == (
        '<a href="/music/albums/{{ id }}"><img src="/music/images/{{ x }}/64" srcset="/music/images/{{ x }}/64 64w, '
        '/music/images/a/250 250w"><a href="{{ (way)|outward }}?a=b"><a href="//elsewhere/x"><a href="https://elsewhere/">'
    )


async def test_cookies_travel_by_https_only_where_that_is_how_we_are_reached(
    settings: Settings, clock: HandClock, database: Database
) -> None:
    async with listening(settings, clock, database) as plain:
        for scheme, secure in (("http", False), ("https", True)):
            app: Any = web.create(plain.services)
            async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url=f"{scheme}://x.test") as client:
                assert ("Secure" in (await client.get("/login")).headers["set-cookie"]) is secure


async def test_only_a_trusted_proxy_says_how_and_from_where_somebody_asks(
    settings: Settings, clock: HandClock, database: Database
) -> None:
    async with listening(settings, clock, database) as plain:
        for trusted, secure in (("127.0.0.1,::1", True), ("10.0.0.0/8", False), ("", False)):
            told = msgspec.structs.replace(settings, trusted_proxies=trusted)
            server = running.Server(plain.app, told, plain.services.hub)
            server.config.load()
            transport = httpx.ASGITransport(server.config.loaded_app, client=("127.0.0.1", 4000))
            async with httpx.AsyncClient(transport=transport, base_url="http://x.test") as client:
                answer = await client.get("/login", headers={"X-Forwarded-Proto": "https"})
                assert ("Secure" in answer.headers["set-cookie"]) is secure, trusted
