"""Plays as the native API answers them: with what sources call what they were matched to."""

from __future__ import annotations

from collections.abc import Sequence

from sleevenotes.server import scrobble_json
from sleevenotes.server.scrobble_json import ScrobbleAnswer
from sleevenotes.store import source_ids
from sleevenotes.store.played import Play
from sleevenotes.store.postgres import Connection


async def all_of(conn: Connection, plays: Sequence[Play]) -> list[ScrobbleAnswer]:
    """Write plays, in the same order, by one question to the database, whatever their number."""
    ids = await source_ids.of_all(
        conn,
        recordings=sorted({play.recording_id for play in plays if play.recording_id is not None}),
        release_groups=sorted({play.release_group_id for play in plays if play.release_group_id is not None}),
        artists=sorted({artist_id for play in plays for artist_id, *_ in play.artists}),
    )
    return [scrobble_json.written(play, ids) for play in plays]


async def one(conn: Connection, play: Play) -> ScrobbleAnswer:
    """Write one play."""
    [answer] = await all_of(conn, [play])
    return answer
