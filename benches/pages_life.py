"""One listener's many years, as a finished enrichment would leave them: plays, names, matches, albums, covers."""

from __future__ import annotations

import csv
import hashlib
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

from benches import common
from sleevenotes import names
from sleevenotes.store import postgres

HISTORIES = ("public_domain_2005_2012.tsv.gz", "mit_2012_2024.tsv.gz", "mit_2019_2021.tsv.gz")
SHIFT = timedelta(hours=31)  # between two times through the histories
CHUNK = 20_000


async def write(database: postgres.Database, account_id: int, plays: int) -> int:
    """Write it all; return how many names there are."""
    rows = sorted(row for name in HISTORIES for row in common.history(common.shared_data() / "histories" / name))
    async with database.transaction() as conn:
        await _catalogue(conn)
        ids = await _lookups(conn, rows)
        await _match(conn)
    seen: set[tuple[datetime, bytes]] = set()
    chunk: list[tuple[Any, ...]] = []
    for record in _plays(account_id, rows, ids, seen, plays):
        chunk.append(record)
        if len(chunk) == CHUNK:
            await _store(database, chunk)
            chunk.clear()
    await _store(database, chunk)
    return len(ids)


def _plays(
    account_id: int,
    rows: list[common.Row],
    ids: dict[tuple[str, str, str], int],
    seen: set[tuple[datetime, bytes]],
    plays: int,
) -> Iterator[tuple[Any, ...]]:
    time_through = 0
    until_now = datetime.now(UTC) - datetime.fromtimestamp(rows[-1].ts, UTC) - timedelta(days=12)
    while True:
        for row in rows:
            at = datetime.fromtimestamp(row.ts, UTC) + until_now + time_through * SHIFT
            key = at, names.digest(row.artist, row.track)
            if key in seen:
                continue
            if len(seen) == plays:
                return
            seen.add(key)
            lookup_id = ids[row.artist, row.track, row.release]
            yield account_id, at, key[1], lookup_id, row.artist, row.track, row.release, "import", at
        time_through += 1


async def _store(database: postgres.Database, chunk: list[tuple[Any, ...]]) -> None:
    columns = (
        "account_id",
        "listened_at",
        "identity",
        "lookup_id",
        "artist",
        "track",
        "release",
        "origin",
    )
    async with database.transaction() as conn:
        await conn.copy_records_to_table("scrobbles", records=chunk, columns=(*columns, "inserted_at"))


async def _lookups(conn: postgres.Connection, rows: list[common.Row]) -> dict[tuple[str, str, str], int]:
    by_identity: dict[bytes, tuple[str, str, str]] = {}
    identities: dict[tuple[str, str, str], bytes] = {}
    for row in rows:
        name = row.artist, row.track, row.release
        identities[name] = names.digest(*name)
        by_identity.setdefault(identities[name], name)
    now = datetime.now(UTC)
    records = [(identity, *name, *map(names.key, name), 1, "not_found", now) for identity, name in by_identity.items()]
    columns = ("identity", "artist", "track", "release", "artist_key", "track_key", "release_key", "key_version")
    await conn.copy_records_to_table("lookups", records=records, columns=(*columns, "status", "created_at"))
    ids = {row["identity"]: row["id"] for row in await conn.fetch("SELECT identity, id FROM lookups")}
    return {name: ids[identity] for name, identity in identities.items()}


async def _catalogue(conn: postgres.Connection) -> None:
    await conn.execute(
        """
        CREATE TEMPORARY TABLE world (artist_mbid uuid, artist text, release_mbid uuid, release text, mbid uuid,
                                      title text, artist_key text, track_key text)
        """
    )
    with common.text(common.shared_data() / "catalogue" / "world.csv.gz") as file:
        records = [
            (
                row["artist_mbids"].strip("{}").split(",")[0],
                row["artist_credit_name"],
                row["release_mbid"],
                row["release_name"],
                row["recording_mbid"],
                row["recording_name"],
                names.key(row["artist_credit_name"]),
                names.key(row["recording_name"]),
            )
            for row in csv.DictReader(file)
        ]
    await conn.copy_records_to_table("world", records=records)
    await conn.execute(_ALBUMS)
    groups = await conn.fetch("SELECT id FROM release_groups WHERE id % 10 <> 3")
    images = [
        (
            hashlib.sha256(b"%d" % row["id"]).digest(),
            "image/jpeg",
            600,
            600,
            1,
            bytes(21),
            "#7a4b2c",
            "bench",
            str(row["id"]),
        )
        for row in groups
    ]
    columns = ("digest", "mime", "width", "height", "size", "thumbhash", "colour", "source", "source_url")
    now = datetime.now(UTC)
    await conn.copy_records_to_table(
        "images", records=[(*image, now) for image in images], columns=(*columns, "created_at")
    )
    await conn.execute(_COVERS)


_ALBUMS = """
    INSERT INTO artists (mbid, name) SELECT artist_mbid, min(artist) FROM world GROUP BY 1;
    INSERT INTO artist_credits (digest, name) SELECT decode(md5(mbid::text), 'hex'), name FROM artists;
    INSERT INTO artist_credit_names
    SELECT c.id, 0, a.id, a.name FROM artists a JOIN artist_credits c ON c.digest = decode(md5(a.mbid::text), 'hex');
    CREATE TEMPORARY TABLE credited AS
    SELECT a.mbid, n.artist_credit_id FROM artists a JOIN artist_credit_names n ON n.artist_id = a.id;
    INSERT INTO release_groups (mbid, title, artist_credit_id, fetched_at, first_release_date)
    SELECT DISTINCT ON (release_mbid) release_mbid, release, artist_credit_id, '2026-01-01', '1999'
    FROM world JOIN credited ON credited.mbid = artist_mbid WHERE release <> '';
    INSERT INTO releases (mbid, release_group_id, title, artist_credit_id, fetched_at)
    SELECT mbid, id, title, artist_credit_id, fetched_at FROM release_groups;
    INSERT INTO recordings (mbid, title, artist_credit_id, length_ms, fetched_at)
    SELECT DISTINCT ON (world.mbid) world.mbid, title, artist_credit_id, 200000, '2026-01-01'
    FROM world JOIN credited ON credited.mbid = artist_mbid;
    INSERT INTO genres (name) SELECT unnest('{rock,metal,pop,jazz,folk,electronic,punk,soul}'::text[]);
    INSERT INTO release_group_genres SELECT id, 1 + (id * 7 + n * 3) % 8, 'bench'
    FROM release_groups, generate_series(0, 2) n WHERE id % 5 <> 0 ON CONFLICT DO NOTHING;
"""
_COVERS = """
    INSERT INTO artworks (release_group_id, release_id, status, image_id, wanted_at)
    SELECT g.id, e.id, CASE WHEN i.id IS NULL THEN 'absent' ELSE 'found' END, i.id, '2026-01-01'
    FROM release_groups g JOIN releases e ON e.release_group_id = g.id
    LEFT JOIN images i ON i.source_url = g.id::text;
"""


async def _match(conn: postgres.Connection) -> None:
    await conn.execute(
        """
        INSERT INTO matches
            (lookup_id, recording_id, release_id, release_group_id, source, distance, reason, decided_at)
        SELECT DISTINCT ON (l.id) l.id, r.id, e.id, e.release_group_id, 'musicbrainz', 0, 'same', '2026-01-01'
        FROM lookups l JOIN world USING (artist_key, track_key)
        JOIN recordings r ON r.mbid = world.mbid LEFT JOIN releases e ON e.mbid = world.release_mbid
        WHERE l.id % 20 <> 7
        """
    )
    await conn.execute(
        "UPDATE lookups SET match_id = m.id, status = 'enriched' FROM matches m WHERE m.lookup_id = lookups.id"
    )
