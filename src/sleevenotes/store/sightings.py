"""What was sent last with each token, for the listener who wonders whether a player is set up well."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

import msgspec

from sleevenotes.store.postgres import Connection


class Sighting(msgspec.Struct, frozen=True):
    """What came with a token: `kind` is "scrobble", "playing_now", or "refused" with the problem in our words."""

    dialect: str
    kind: str
    seen_at: datetime
    artist: str = ""
    track: str = ""
    problem: str = ""


async def write(conn: Connection, seen: Mapping[bytes, Sighting]) -> None:
    """Keep the last sighting of each token or session key, by its digest; what is no token's is left out."""
    rows = [(digest, one) for digest, one in seen.items()]
    await conn.execute(
        """
        INSERT INTO sightings (token_id, dialect, kind, artist, track, problem, seen_at)
        SELECT DISTINCT ON (k.token_id) k.token_id, n.dialect, n.kind, n.artist, n.track, n.problem, n.seen_at
        FROM unnest($1::bytea[], $2::text[], $3::text[], $4::text[], $5::text[], $6::text[], $7::timestamptz[])
             AS n (digest, dialect, kind, artist, track, problem, seen_at)
        JOIN (SELECT id AS token_id, digest FROM tokens UNION ALL
              SELECT token_id, session_digest FROM handshakes) k ON k.digest = n.digest
        ORDER BY k.token_id, n.seen_at DESC
        ON CONFLICT (token_id) DO UPDATE
        SET dialect = excluded.dialect, kind = excluded.kind, artist = excluded.artist, track = excluded.track,
            problem = excluded.problem, seen_at = excluded.seen_at
        WHERE sightings.seen_at <= excluded.seen_at
        """,
        [digest for digest, _ in rows],
        [one.dialect for _, one in rows],
        [one.kind for _, one in rows],
        [one.artist for _, one in rows],
        [one.track for _, one in rows],
        [one.problem for _, one in rows],
        [one.seen_at for _, one in rows],
    )


async def of_account(conn: Connection, account_id: int) -> dict[int, Sighting]:
    """Return the last sighting of each of the account's tokens that has one, by the token's id."""
    rows = await conn.fetch(
        """
        SELECT s.* FROM sightings s JOIN tokens t ON t.id = s.token_id WHERE t.account_id = $1
        """,
        account_id,
    )
    return {
        row["token_id"]: Sighting(**{name: value for name, value in row.items() if name != "token_id"}) for row in rows
    }
