"""Listens as players write them, and asking for them, for the tests of the ListenBrainz API."""

from __future__ import annotations

from typing import Any

from tests.serving import Listener

AT = 1_767_000_000  # 2025-12-29; the clock stands at the start of 2026
MBID = "0E7A7C6E-3C4A-4CCB-8C2E-0D5C2F3B9A11"


def listen(track: str = "Roygbiv", at: Any = AT, **metadata: Any) -> dict[str, Any]:
    return {
        "listened_at": at,
        "track_metadata": {"artist_name": "Boards of Canada", "track_name": track, **metadata},
    }


def with_info(**info: Any) -> dict[str, Any]:
    return listen(additional_info=info)


async def submit(maria: Listener, kind: str, *payload: Any) -> Any:
    return await maria.client.post(
        "/1/submit-listens", json={"listen_type": kind, "payload": list(payload)}, headers=maria.header
    )


async def listens(maria: Listener, **query: Any) -> list[dict[str, Any]]:
    reply = await maria.client.get("/1/user/maria/listens", params=query, headers=maria.header)
    assert reply.status_code == 200, reply.text
    return list(reply.json()["payload"]["listens"])
