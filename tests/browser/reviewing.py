"""What there is to review: names left alone with near misses, and matches that are doubtful."""

from __future__ import annotations

from datetime import timedelta

from sleevenotes import events, model
from sleevenotes.matching import decide, distance
from sleevenotes.store import artworks, catalog, matches, searches
from sleevenotes.store import events as event_rows
from tests.browser import sample
from tests.browser.sample import SLEEVES, Listener, Sleeve


def weighed(name: distance.Asked, sleeve: Sleeve, track: str) -> decide.Weighed:
    """Weigh a sleeve's track for a name, as the match stage does."""
    option = decide.Option(sample.recording(sleeve, track), (sample.release(sleeve),), "musicbrainz")
    measured = distance.measure(name, option.recording, option.releases)
    return decide.Weighed(option, measured.total, measured.penalties)


async def undecided(listener: Listener, artist: str, track: str, plays: int, *near: tuple[Sleeve, str]) -> int:
    """Play a name that is left alone between these; return its lookup."""
    odd = Sleeve(artist, "", "", (track,), ("#000",), "sun")
    now = listener.clock.now()
    for at in range(plays):
        stored = await listener.play(odd, track, now - timedelta(hours=at + 1))
    name = distance.Asked(artist, track)
    outcome = matches.Outcome(
        stored.lookup_id,
        model.Status.NOT_FOUND,
        "two artists go by the same name, and nothing tells which is meant",
        candidates=[weighed(name, *each) for each in near],
        recheck_at=now + timedelta(days=1),
    )
    async with listener.database.transaction() as conn:
        await matches.settle(conn, [outcome], now)
        await event_rows.tell(conn, [listener.account.id], events.LookupsDecided((stored.lookup_id,)), now)
    return stored.lookup_id


async def doubtful(listener: Listener, artist: str, track: str, release: str, plays: int, match: Sleeve) -> int:
    """Play a name that is matched to another sleeve's first track; return its lookup."""
    odd = Sleeve(artist, release, "", (track,), ("#000",), "sun")
    now = listener.clock.now()
    for at in range(plays):
        stored = await listener.play(odd, track, now - timedelta(days=1, hours=at))
    found = weighed(distance.Asked(artist, track, release), match, match.tracks[0])
    async with listener.database.transaction() as conn:
        [kept] = await catalog.keep(conn, [(found.option.recording, found.option.releases[0])], now)
        assert kept.release_id
        assert kept.release_group_id
        identity = matches.Identity(
            *kept, source="musicbrainz", distance=found.distance, reason="nearly", penalties=found.penalties
        )
        await matches.settle(conn, [matches.matched(stored.lookup_id, identity)], now)
        await artworks.want(conn, {kept.release_group_id: kept.release_id}, now)
    await listener.find_cover(kept.release_group_id, match)
    return stored.lookup_id


async def answer(listener: Listener, *found: tuple[Sleeve, str], status: searches.Status = "answered") -> None:
    """Answer the newest search with these tracks, and tell the page, as the search stage does."""
    now = listener.clock.now()
    async with listener.database.transaction() as conn:
        search_id = await conn.fetchval("SELECT max(id) FROM searches")
        row = await conn.fetchrow(
            "SELECT artist, track FROM searches JOIN lookups ON lookups.id = lookup_id WHERE searches.id = $1",
            search_id,
        )
        name = distance.Asked(row["artist"], row["track"])
        await searches.settle(conn, search_id, status, [weighed(name, *each) for each in found], now)
        await event_rows.tell(conn, [listener.account.id], events.SearchesAnswered((search_id,)), now)


async def a_pile(listener: Listener) -> dict[str, int]:
    """Leave a few things to look at; return their lookups by the name of what is doubtful."""
    return {
        "left alone": await undecided(listener, "Marrow", "Kelp", 9, (SLEEVES[0], "Kelp"), (SLEEVES[1], "Small Hours")),
        "other album": await doubtful(
            listener, SLEEVES[1].artist, SLEEVES[1].tracks[0], "Tin Lanterns", 12, SLEEVES[1]
        ),
        "misspelt": await doubtful(listener, "Ilsa Varge", "Ninth Stret", "", 3, SLEEVES[1]),
    }
