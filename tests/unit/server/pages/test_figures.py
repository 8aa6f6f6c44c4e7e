"""The owner's page of success figures."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest

from sleevenotes.server import pages_figures
from sleevenotes.store import accounts, backlog
from tests.browser.sample import PASSWORD, SLEEVES, Listener
from tests.unit.server.pages.asking import Client, send

ALMANAC = SLEEVES[0]


def figure(page: str, name: str) -> tuple[str, str]:
    """Return a target's value, and whether it is met."""
    found = re.search(rf'<li class="(\w+)"><h3>{name}</h3><p class="value">([^<]+)</p>', page)
    assert found
    return found[2], found[1]


async def test_the_page_tells_the_targets_and_everything_behind_them(client: Client, listener: Listener) -> None:
    nothing = (await client.get("/figures")).text
    assert figure(nothing, "To the first picture") == ("\u2013", "open")
    assert "Nobody was asked." in nothing
    stored = await listener.play(ALMANAC, "Kelp", listener.clock.now())
    group = await listener.match(stored.lookup_id, ALMANAC, "Kelp")
    listener.clock.turn(12)  # type: ignore[attr-defined] # turned by hand
    await listener.find_cover(group, ALMANAC)
    async with listener.database.connection() as conn:
        for _ in range(5):
            listener.clock.turn(60)  # type: ignore[attr-defined] # as above
            await backlog.sample(conn, listener.clock.now())
    page = (await client.get("/figures?period=hour")).text
    assert "<h1>The last hour</h1>" in page
    assert "1 live play, 1 of them the first of its name" in page
    assert figure(page, "To the first picture") == ("12 s", "missed")
    assert figure(page, "Within a minute") == ("100 %", "met")
    assert figure(page, "Enriched") == ("100 %", "met")
    assert figure(page, "Backlog") == ("steady", "met")
    assert "Names and covers pending, 0 at the most" in page


@pytest.mark.parametrize(
    ("growth", "told"),
    [
        (None, "\u2013"),
        (0.04, "steady"),
        (2.46, "+2.5 an hour"),
        (-0.5, "\u22120.5 an hour"),
        (-1897.7, "\u22121\u202f898 an hour"),
    ],
)
def test_growth_is_told_as_exactly_as_it_is_worth(growth: float | None, told: str) -> None:
    assert pages_figures.grown(growth) == told


@pytest.mark.parametrize(
    ("query", "title"),
    [
        ("", "The last 24 hours"),
        ("?period=week", "The last 7 days"),
        ("?period=month", "The last 30 days"),
        ("?period=all", "All time"),
        ("?from=2025-12-30&to=2025-12-31", "2025-12-30 to 2025-12-31"),
        ("?from=2025-12-31&to=2025-12-30", "2025-12-30 to 2025-12-31"),
    ],
)
async def test_any_period_can_be_chosen(client: Client, listener: Listener, query: str, title: str) -> None:
    await listener.play(ALMANAC, "Kelp", listener.clock.now() - timedelta(days=400))
    page = (await client.get(f"/figures{query}")).text
    assert f"<h1>{title}</h1>" in page
    assert ("1 live play" in page) == ("from" not in query)


async def test_what_is_no_period_is_refused(client: Client) -> None:
    assert (await client.get("/figures?period=fortnight")).status_code == 422
    assert (await client.get("/figures?from=2026-01-02T10:00&to=2026-01-01T10:00")).status_code == 422


async def test_owners_alone_see_it(client: Client, stranger: Client, listener: Listener) -> None:
    lanes = (await client.get("/status")).text
    assert 'href="/figures"' in lanes
    assert "0 scrobbles; " in lanes
    async with listener.database.transaction() as conn:
        await accounts.create(conn, "otto", PASSWORD, is_owner=False, now=listener.clock.now())
    await send(client, "/logout")
    shut = await stranger.get("/figures")
    assert (shut.status_code, shut.headers["location"]) == (302, "/login?next=%2Ffigures")
    assert (await send(stranger, "/login", name="otto", password=PASSWORD)).status_code == 303
    lanes = (await stranger.get("/status")).text
    assert 'href="/figures"' not in lanes
    assert "scrobbles; " not in lanes
    assert (await stranger.get("/figures")).status_code == 404
