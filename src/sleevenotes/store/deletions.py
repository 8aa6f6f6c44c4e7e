"""Plays that a listener has deleted: kept apart for KEPT, so that a slip of the hand can be undone.

A play goes with its hidden copies (scrobbles.same_as), else one of them would have to take its place. Kept with it is
what hangs on it alone: the covers that were chosen for it, and that its listener said that it is a play of its own.

For good is kept under which keys they were here (`dismissed_plays`), so that neither a connected service nor a file
brings them back: see decision 37.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

import msgspec

from sleevenotes import events, model
from sleevenotes.store import events as event_rows
from sleevenotes.store import jobs
from sleevenotes.store.postgres import Connection

KEPT = timedelta(hours=24)

HERE = """(
    EXISTS (SELECT FROM scrobbles s WHERE s.account_id = $1
            AND (s.listened_at, s.identity) = (d.listened_at, d.identity))
    OR EXISTS (SELECT FROM former_plays f JOIN scrobbles s ON s.id = f.scrobble_id WHERE f.account_id = $1
               AND (f.listened_at, f.identity) = (d.listened_at, d.identity)))
"""
"""Whether the play `d` is an account's ($1), by the key that it has or had."""


class Deletion(msgspec.Struct, frozen=True):
    """One act of deleting: how many plays went, and one of them to know it by."""

    id: int
    deleted_at: datetime
    plays: int
    artist: str
    track: str


class Done(msgspec.Struct, frozen=True):
    """What was deleted; `id` is 0 where nothing was."""

    id: int
    scrobble_ids: tuple[int, ...]


async def delete(conn: Connection, account_id: int, ids: Sequence[int], now: datetime) -> Done:
    """Delete those of these scrobbles that are this account's, and tell its pages; can be undone for KEPT."""
    async with conn.transaction():
        deletion_id: int = await conn.fetchval(
            "INSERT INTO deletions (account_id, deleted_at) VALUES ($1, $2) RETURNING id", account_id, now
        )
        rows = await conn.fetch(
            """
            WITH gone AS (
                DELETE FROM scrobbles WHERE account_id = $1 AND (id = ANY($2) OR same_as = ANY($2)) RETURNING *
            ), dismissed AS (
                INSERT INTO dismissed_plays (account_id, listened_at, identity)
                SELECT account_id, listened_at, identity FROM gone
                UNION
                SELECT f.account_id, f.listened_at, f.identity FROM former_plays f JOIN gone ON gone.id = f.scrobble_id
                ON CONFLICT (account_id, listened_at, identity) DO UPDATE SET import_id = NULL
            )
            INSERT INTO deleted_scrobbles (deletion_id, scrobble_id, scrobble, own_since, preferences)
            SELECT $3, id, to_jsonb(gone), (SELECT decided_at FROM own_plays WHERE scrobble_id = gone.id),
                   (SELECT coalesce(jsonb_agg(to_jsonb(p) ORDER BY p.id), '[]')
                    FROM artwork_preferences p WHERE p.scrobble_id = gone.id)
            FROM gone RETURNING scrobble_id
            """,
            account_id,
            list(ids),
            deletion_id,
        )
        if not rows:
            await conn.execute("DELETE FROM deletions WHERE id = $1", deletion_id)
            return Done(0, ())
        gone = tuple(sorted(row["scrobble_id"] for row in rows))
        await event_rows.tell(conn, [account_id], events.ScrobblesDeleted(gone), now)
        named = set(ids)  # the others are hidden copies
        return Done(deletion_id, tuple(one for one in gone if one in named))


async def recent(conn: Connection, account_id: int, now: datetime) -> list[Deletion]:
    """Return what the account can still bring back, the latest first."""
    rows = await conn.fetch(
        """
        SELECT d.id, d.deleted_at, count(*) FILTER (WHERE s.scrobble->>'same_as' IS NULL) AS plays,
               (array_agg(s.scrobble->>'artist' ORDER BY s.scrobble_id))[1] AS artist,
               (array_agg(s.scrobble->>'track' ORDER BY s.scrobble_id))[1] AS track
        FROM deletions d JOIN deleted_scrobbles s ON s.deletion_id = d.id
        WHERE d.account_id = $1 AND d.deleted_at > $2
        GROUP BY d.id ORDER BY d.id DESC
        """,
        account_id,
        now - KEPT,
    )
    return [Deletion(**row) for row in rows]


async def undo(conn: Connection, account_id: int, deletion_id: int, now: datetime) -> list[int] | None:
    """Bring back what one act deleted and return the ids, in order; None when there is nothing to undo.

    A play that was stored again meanwhile stays as it is, and what was hidden behind it comes back as not hidden: it is
    the caller's to compare it (`pipeline.deletions`), who has locked the account, and to tell pages.
    """
    found = await conn.fetchval(
        "SELECT id FROM deletions WHERE id = $1 AND account_id = $2 AND deleted_at > $3 FOR UPDATE",
        deletion_id,
        account_id,
        now - KEPT,
    )
    if found is None:
        return None
    # what was matched for such a play alone went with it, and is looked for again
    rows = await conn.fetch(
        """
        INSERT INTO scrobbles OVERRIDING SYSTEM VALUE
        SELECT (jsonb_populate_record(NULL::scrobbles, scrobble || '{"match_id": null}')).*
        FROM deleted_scrobbles WHERE deletion_id = $1 ORDER BY scrobble_id
        ON CONFLICT DO NOTHING RETURNING id
        """,
        deletion_id,
    )
    back = sorted(row["id"] for row in rows)
    await conn.execute(
        """
        UPDATE scrobbles s SET same_as = NULL WHERE id = ANY($1::bigint[]) AND same_as IS NOT NULL
          AND NOT EXISTS (SELECT FROM scrobbles shown WHERE shown.id = s.same_as AND shown.same_as IS NULL)
        """,
        back,
    )
    await _bring_back(conn, deletion_id, back)
    await _no_longer_dismissed(conn, account_id, deletion_id)
    await conn.execute("DELETE FROM deletions WHERE id = $1", deletion_id)
    await jobs.enqueue(conn, "evidence", back, model.Band.DEFAULT)
    return back


async def _bring_back(conn: Connection, deletion_id: int, scrobble_ids: Sequence[int]) -> None:
    """Give these plays back what hung on them alone. An act for their album that superseded theirs may be gone."""
    await conn.execute(
        """
        INSERT INTO own_plays (scrobble_id, decided_at) SELECT scrobble_id, own_since FROM deleted_scrobbles
        WHERE deletion_id = $1 AND scrobble_id = ANY($2::bigint[]) AND own_since IS NOT NULL
        """,
        deletion_id,
        list(scrobble_ids),
    )
    await conn.execute(
        """
        WITH kept AS (
            SELECT (jsonb_populate_record(NULL::artwork_preferences, act)).*
            FROM deleted_scrobbles, jsonb_array_elements(preferences) AS act
            WHERE deletion_id = $1 AND scrobble_id = ANY($2::bigint[])
        )
        INSERT INTO artwork_preferences OVERRIDING SYSTEM VALUE
        SELECT (jsonb_populate_record(NULL::artwork_preferences, to_jsonb(kept) || jsonb_build_object(
            'image_id', (SELECT id FROM images WHERE id = kept.image_id),
            'release_group_id', (SELECT id FROM release_groups WHERE id = kept.release_group_id),
            'superseded_by', (SELECT id FROM artwork_preferences WHERE id = kept.superseded_by
                              UNION SELECT id FROM kept AS later WHERE later.id = kept.superseded_by)))).*
        FROM kept
        """,
        deletion_id,
        list(scrobble_ids),
    )


async def _no_longer_dismissed(conn: Connection, account_id: int, deletion_id: int) -> None:
    """Forget that plays were dismissed which are here again, under all the keys by which they are known."""
    await conn.execute(
        """
        WITH back AS (
            SELECT s.id, s.listened_at, s.identity FROM deleted_scrobbles d
            JOIN scrobbles s ON s.account_id = $1 AND s.listened_at = (d.scrobble ->> 'listened_at')::timestamptz
                 AND s.identity = (d.scrobble ->> 'identity')::bytea
            WHERE d.deletion_id = $2
        )
        DELETE FROM dismissed_plays d USING (
            SELECT listened_at, identity FROM back
            UNION SELECT f.listened_at, f.identity FROM former_plays f JOIN back ON back.id = f.scrobble_id
        ) AS known
        WHERE d.account_id = $1 AND (d.listened_at, d.identity) = (known.listened_at, known.identity)
        """,
        account_id,
        deletion_id,
    )


# ---------------------------------------------------------------- what does not come back by itself


Key = tuple[datetime, bytes]  # instant and identity: what is unique among an account's plays


async def dismissed(conn: Connection, account_id: int, plays: Sequence[Key]) -> set[int]:
    """Return which of these the listener has deleted, and that are not here again: their places in the list."""
    rows = await conn.fetch(
        f"""
        SELECT d.position::int - 1 AS place
        FROM unnest($2::timestamptz[], $3::bytea[]) WITH ORDINALITY AS d (listened_at, identity, position)
        WHERE EXISTS (SELECT FROM dismissed_plays w WHERE w.account_id = $1
                      AND (w.listened_at, w.identity) = (d.listened_at, d.identity))
          AND NOT {HERE}
        """,
        account_id,
        [at for at, _ in plays],
        [identity for _, identity in plays],
    )
    return {row["place"] for row in rows}


async def any_dismissed(conn: Connection, account_id: int) -> bool:
    """Tell whether there is any play that the listener has deleted and not had back."""
    found: bool = await conn.fetchval(
        f"SELECT EXISTS (SELECT FROM dismissed_plays d WHERE d.account_id = $1 AND NOT {HERE})", account_id
    )
    return found


async def dismiss(conn: Connection, account_id: int, play: Key, import_id: int) -> bool:
    """Note, as an import tells it, that the listener has deleted a play; False where it is here, or that is known."""
    done: str = await conn.execute(
        f"""
        INSERT INTO dismissed_plays (account_id, listened_at, identity, import_id)
        SELECT $1, d.listened_at, d.identity, $4 FROM (SELECT $2::timestamptz, $3::bytea) AS d (listened_at, identity)
        WHERE NOT {HERE} ON CONFLICT DO NOTHING
        """,
        account_id,
        *play,
        import_id,
    )
    return done.endswith(" 1")


async def purge(conn: Connection, now: datetime) -> None:
    """Forget for good what was deleted longer ago than KEPT, and the former keys of plays that are gone."""
    await conn.execute("DELETE FROM deletions WHERE deleted_at <= $1", now - KEPT)
    await conn.execute(
        """
        DELETE FROM former_plays f WHERE NOT EXISTS (SELECT FROM scrobbles s WHERE s.id = f.scrobble_id)
          AND NOT EXISTS (SELECT FROM deleted_scrobbles d WHERE d.scrobble_id = f.scrobble_id)
        """
    )
