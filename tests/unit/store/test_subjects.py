"""A track's plays are found by its names, whatever the release and however the letters are written."""

from __future__ import annotations

from datetime import timedelta

import pytest

from sleevenotes.clock import HandClock
from sleevenotes.model import Band, Scrobble
from sleevenotes.pipeline.submit import Submitter
from sleevenotes.store import listeners, subjects
from sleevenotes.store.postgres import Database
from tests.unit.store import given

SPELLINGS = [
    ("Björk", "Jóga", "BJÖRK", "jóga"),
    ("!!!", "???", "!!!", "???"),
    ("Straße", "ΟΔΟΣ", "STRASSE", "οδος"),
    ("Ὕμνος", "ᾨδή", "ὕμνος", "ᾨδή"),
]


@pytest.mark.parametrize(("artist", "track", "asked_artist", "asked_track"), SPELLINGS)
async def test_plays_are_found_by_every_spelling_that_is_the_same_folded(
    database: Database, clock: HandClock, artist: str, track: str, asked_artist: str, asked_track: str
) -> None:
    async with database.connection() as conn:
        account_id = await given.account(conn, "maria", clock.now())
        other = await given.account(conn, "anna", clock.now())
    submitter = Submitter(database, clock)
    sent = [
        Scrobble(artist, track, release, clock.now() - timedelta(hours=hours))
        for hours, release in enumerate(("", "An Album", "Another"))
    ]
    stored = await submitter.submit(
        account_id, [*sent, Scrobble(artist, f"{track} 2", "", clock.now())], band=Band.DEFAULT
    )
    await submitter.submit(other, sent, band=Band.DEFAULT)
    async with database.connection() as conn:
        found = await listeners.of_track(conn, account_id, asked_artist, asked_track)
        assert found == [one.id for one in stored[:3]]
        told = await subjects.track(conn, account_id, asked_artist, asked_track)
        assert told == subjects.Found(3, stored[0].id, clock.now())
        assert await listeners.of_track(conn, account_id, asked_artist, "something else") == []
