"""The public list of popular names: kept until the drip comes to each, and makes it a lookup without plays."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

import msgspec

from sleevenotes import names
from sleevenotes.store.postgres import Connection

AT_ONCE = 5_000


class Seed(msgspec.Struct, frozen=True):
    """A name of the list; `plays` orders it, 0 where the list does not say."""

    artist: str
    track: str
    release: str = ""
    plays: int = 0

    @property
    def identity(self) -> bytes:
        """Return the identity of the lookup that it is."""
        return names.digest(self.artist, self.track, self.release)


async def put(conn: Connection, seeds: Sequence[Seed]) -> int:
    """Keep a list's names by its order of popularity, after what was kept before; return how many are new.

    Needs a transaction. Names that an earlier list had stay as far as they have come.
    """
    ordered = sorted(seeds, key=lambda seed: -seed.plays)  # stable: without plays, the list's own order
    once = list({seed.identity: seed for seed in reversed(ordered)}.items())[::-1]
    added = 0
    for at in range(0, len(once), AT_ONCE):
        part = once[at : at + AT_ONCE]
        rows = await conn.fetch(
            """
            INSERT INTO popular_seeds (identity, artist, track, release, place)
            SELECT * FROM unnest($1::bytea[], $2::text[], $3::text[], $4::text[], $5::int[]) ON CONFLICT DO NOTHING
            RETURNING 1
            """,
            [identity for identity, _ in part],
            [seed.artist for _, seed in part],
            [seed.track for _, seed in part],
            [seed.release for _, seed in part],
            list(range(at + 1, at + 1 + len(part))),
        )
        added += len(rows)
    return added


async def take(conn: Connection, limit: int, now: datetime) -> list[Seed]:
    """Take the next names of the list, the most popular first."""
    rows = await conn.fetch(
        """
        UPDATE popular_seeds SET met_at = $2 WHERE identity IN (
            SELECT identity FROM popular_seeds WHERE met_at IS NULL ORDER BY place, identity LIMIT $1 FOR UPDATE)
        RETURNING artist, track, release, place
        """,
        limit,
        now,
    )
    return [Seed(row["artist"], row["track"], row["release"]) for row in sorted(rows, key=lambda row: row["place"])]


async def met(conn: Connection, lookup_ids: Sequence[int]) -> None:
    """Have the drip complete these lookups, which come from the list."""
    await conn.execute(
        """
        INSERT INTO popular (lookup_id, seeded) SELECT id, true FROM unnest($1::bigint[]) AS id ORDER BY id
        ON CONFLICT (lookup_id) DO UPDATE SET seeded = true
        """,
        list(lookup_ids),
    )
