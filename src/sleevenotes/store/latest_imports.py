"""ListenBrainz' latest-import: the newest listen that an importing client says it has sent, per service."""

from __future__ import annotations

from datetime import datetime

from sleevenotes.store.postgres import Connection


async def read(conn: Connection, account_id: int, service: str) -> datetime | None:
    """Return what the client last said, None where it never did."""
    latest: datetime | None = await conn.fetchval(
        "SELECT latest_at FROM latest_imports WHERE account_id = $1 AND service = $2", account_id, service
    )
    return latest


async def write(conn: Connection, account_id: int, service: str, latest_at: datetime) -> None:
    """Keep what the client says; it may go back, to import anew."""
    await conn.execute(
        """
        INSERT INTO latest_imports (account_id, service, latest_at) VALUES ($1, $2, $3)
        ON CONFLICT (account_id, service) DO UPDATE SET latest_at = excluded.latest_at
        """,
        account_id,
        service,
        latest_at,
    )
