"""Three services' records of the same evening, to be imported, exported and deleted."""

from __future__ import annotations

import json

from sleevenotes.pipeline import exporting
from sleevenotes.store import accounts, deletions
from tests.unit.pipeline.importing_house import House

LASTFM = """\
uts,utc_time,artist,artist_mbid,album,album_mbid,track,track_mbid
1600000000,"x",Alpha,,Al,,One,
1600000300,"x",Alpha,,Al,,Two,
1600000600,"x",Beta,,Be,,Three,
1600000900,"x",Beta,,Be,,Four,
1600001200,"x",Beta,,Be,,Four,
"""


def stream(ended: str, track: str) -> dict[str, object]:
    names = {"track_name": track, "album_artist_name": "Alpha", "album_album_name": "Al"}
    told = {f"master_metadata_{name}": value for name, value in names.items()}
    return {"ts": ended, "ms_played": 201_234, **told, "reason_end": "trackdone"}


SPOTIFY = json.dumps([stream("2020-09-13T12:30:00Z", "One"), stream("2020-09-13T12:35:00Z", "Two")])
LISTENBRAINZ = "".join(
    json.dumps(
        {"listened_at": at, "track_metadata": {"artist_name": "Alpha", "track_name": track, "release_name": "Al"}}
    )
    + "\n"
    for at, track in ((1600000001, "One"), (1600000301, "Two"))
)


async def bring(house: House, data: str | bytes, name: str, **options: object) -> int:
    number = await house.offered(data, name, **options)
    told = await house.finish(number)
    assert (told.status, told.problem) == ("done", "")
    return number


async def exported(house: House, kind: str = "jsonl") -> bytes:
    chunks = exporting.stream(house.database, house.files, house.account_id, exporting.writer(kind))
    return b"".join([chunk async for chunk in chunks])


async def shown(house: House) -> list[tuple[str, str]]:
    """Return origin and track of the plays that pages show, by time."""
    async with house.database.connection() as conn:
        rows = await conn.fetch(
            "SELECT origin, track FROM scrobbles WHERE account_id = $1 AND same_as IS NULL ORDER BY listened_at",
            house.account_id,
        )
    return [tuple(row) for row in rows]


async def another(house: House, name: str = "other") -> House:
    async with house.database.connection() as conn:
        account = await accounts.create(conn, name, "", is_owner=False, now=house.clock.now())
    return house._replace(account_id=account.id)


async def moved(house: House, kind: str = "jsonl", name: str = "other") -> House:
    """Return another account into which an export of this one was read."""
    there = await another(house, name)
    await bring(there, await exported(house, kind), f"plays.{kind}")
    return there


async def delete(house: House, track: str) -> int:
    """Delete the plays of this track, and return the deletion."""
    async with house.database.connection() as conn:
        found = await conn.fetch(
            "SELECT id FROM scrobbles WHERE account_id = $1 AND track = $2 AND same_as IS NULL", house.account_id, track
        )
        return (await deletions.delete(conn, house.account_id, [row["id"] for row in found], house.clock.now())).id
