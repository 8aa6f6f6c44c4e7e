"""pylast, the client that Python players use for Last.fm, is content with every answer of ours that it asks for."""

from __future__ import annotations

import importlib.util
import json
from typing import Any

import pytest
from tests.contract import clients
from tests.serving import Listener
from tests.unit.store import given

from sleevenotes.clock import HandClock
from sleevenotes.store import accounts, catalog, matches, player_logins


async def run(maria: Listener, first: int, *mbids: str) -> Any:
    """Run the player, and return what it saw."""
    if importlib.util.find_spec("pylast") is None:
        pytest.skip("pylast is not installed: pip install -r requirements-clients.txt")
    now = maria.services.clock.now()
    async with maria.services.database.connection() as conn:
        token = await accounts.create_token(conn, maria.account.id, "mopidy", now, scopes=player_logins.SCOPES)
        await player_logins.allow(conn, token)
    async with clients.on_a_port(maria.app) as address:
        host = address.removeprefix("http://")
        return json.loads(await clients.run("pylast_player.py", host, "maria", token, str(first), *mbids))


async def test_pylast_finds_by_mbid_what_was_played(maria: Listener, clock: HandClock) -> None:
    track, release = given.recording("Kelp", "Marrow"), given.release("Salt Almanac", "Marrow")
    async with maria.services.database.transaction() as conn:
        lookup_id = await given.lookup(conn, "marrow", "KELP", clock.now())
        await given.play(conn, maria.account.id, lookup_id, clock.now())
        [kept] = await catalog.keep(conn, [(track, release)], clock.now())
        identity = matches.Identity(*kept, "musicbrainz", 0.0, "so")
        await matches.settle(conn, [matches.matched(lookup_id, identity)], clock.now())
    said = await run(maria, 0, track.mbid, release.mbid, given.mbid("Marrow"))
    assert said == {
        "track": ["Kelp", "Marrow", track.mbid, 1],
        "album": ["Salt Almanac", "Marrow", ["Kelp"]],
        "artist": "Marrow",
        "unknown": ["6", "6", "6"],
    }


async def test_pylast_makes_every_call_that_we_serve(maria: Listener, clock: HandClock) -> None:
    first = int(clock.now().timestamp()) - 1000
    assert await run(maria, first) == {
        "session": 32,
        "me": "maria",
        "playcount": 121,  # one, and 120, and the 120 again
        "registered": True,
        "nothing": [None, False, None, []],
        "recent": [
            ["track 120", "Low", first + 120],
            ["track 119", "Low", first + 119],
            ["track 118", "Low", first + 118],
        ],
        "all": 121,
        "streamed": 100,
        "within": 60,
        "now": ["Four Women", "Nina Simone", "Wild Is the Wind"],
        "loved": [["Sinnerman", "Nina Simone"]],
        "top_artists": [["Low", 120], ["Nina Simone", 1]],
        "top_albums": [["Pastel Blues", "Nina Simone"]],
        "top_tracks": 50,
        "tags": [[], [], []],
        "tagged_albums": [],
        "weeks": True,
        "week_artists": [["Low", 120], ["Nina Simone", 1]],
        "week_albums": ["Pastel Blues"],
        "week_tracks": 121,
        "scrobbles": [first + 7],
        "library": [["Low", 120, 0], ["Nina Simone", 1, 0]],
        "track": ["Sinnerman", 622_000, "Sinnerman"],
        "track_counts": [1, 1, 1],
        "track_loved": True,
        "track_mbid": None,
        "track_album": ["Pastel Blues", "Nina Simone"],
        "track_cover": None,
        "track_tags": [[], [], None],
        "album": ["Pastel Blues", None, None],
        "album_counts": [1, 1, 1],
        "album_tracks": [],  # not matched yet: which tracks it has is not known
        "artist": ["Low", None, None],
        "artist_counts": [120, 120, 1],
        "artist_bio": [None, []],
        "way": "/api/auth/",
        "not_allowed": "14",
        "wrong_password": "4",
        "private": "17",
        "no_such_method": "3",
    }
