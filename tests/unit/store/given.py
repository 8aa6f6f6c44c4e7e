"""What tests of the store start from: nouns of an invented album, and rows that plays would leave."""

from __future__ import annotations

import uuid
from datetime import datetime
from typing import Any

from sleevenotes import model, names


def mbid(text: str) -> str:
    """Return the invented MBID of whatever goes by this text."""
    return str(uuid.uuid5(uuid.NAMESPACE_URL, text))


def credit(*artists: str, join: str = " & ") -> model.ArtistCredit:
    """Return the credit of these artists, joined."""
    last = len(artists) - 1
    return model.ArtistCredit(
        tuple(
            model.ArtistCreditName(mbid(name), name, join if at < last else "", sort_name=f"{name}, The")
            for at, name in enumerate(artists)
        )
    )


def recording(title: str, *artists: str, **facts: Any) -> model.Recording:
    """Return a recording of these artists."""
    return model.Recording(mbid(f"{artists} {title}"), title, credit(*artists), **facts)


def release(title: str, *artists: str, group: str = "", **facts: Any) -> model.Release:
    """Return an edition of the album `group` (its own title if not given), credited to `artists` if any."""
    album = model.ReleaseGroup(mbid(f"group {group or title}"), group or title, "Album")
    return model.Release(mbid(f"release {title}"), title, album, credit(*artists) if artists else None, **facts)


async def account(conn: Any, name: str, now: datetime) -> int:
    """Write an account, return its id."""
    account_id: int = await conn.fetchval(
        "INSERT INTO accounts (name, password_hash, created_at) VALUES ($1, '', $2) RETURNING id", name, now
    )
    return account_id


async def lookup(conn: Any, artist: str, track: str, now: datetime) -> int:
    """Write a pending lookup, return its id."""
    lookup_id: int = await conn.fetchval(
        """
        INSERT INTO lookups (identity, artist, track, artist_key, track_key, release_key, key_version, created_at)
        VALUES ($1, $2, $3, $4, $5, '', 1, $6) RETURNING id
        """,
        names.digest(artist, track, ""),
        artist,
        track,
        names.key(artist),
        names.key(track),
        now,
    )
    return lookup_id


async def play(conn: Any, account_id: int, lookup_id: int, at: datetime) -> int:
    """Write a scrobble, return its id."""
    scrobble_id: int = await conn.fetchval(
        """
        INSERT INTO scrobbles (account_id, listened_at, identity, lookup_id, artist, track, origin, inserted_at)
        SELECT $1, $3, identity, id, artist, track, 'api', $3 FROM lookups WHERE id = $2 RETURNING id
        """,
        account_id,
        lookup_id,
        at,
    )
    return scrobble_id
