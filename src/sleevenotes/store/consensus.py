"""Consensus: what several listeners say alike of a name is what it shows to whoever has said nothing of it.

    at least so many accounts (`Rule.accounts`, three or more) say the same recording, or all "none of these"
    and no more than a quarter of those who said anything of the name say otherwise

It is derived: each act that changes what is in force for an account has the names anew (`derive`), so an agreement is
gone in the same transaction in which there is none any more. Nobody but this module counts who says what, and what it
keeps names no account and no number: two equal corrections look like none.

Whoever would rather not be counted is not (`accounts.contributes`), nor is an account that is being deleted.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import msgspec

from sleevenotes import errors
from sleevenotes.store.postgres import Connection

FEWEST: Final = 3
"""The smallest number of accounts: of two, each would know what the other said."""

MOST: Final = 1000


class Rule(msgspec.Struct, frozen=True):
    """Whether there is consensus at all, and from how many accounts on."""

    in_force: bool
    accounts: int


class Agreed(msgspec.Struct, frozen=True):
    """A name of which consensus is in force, as first sent, and what it shows: "" for none of what was found."""

    lookup_id: int
    artist: str
    track: str
    release: str
    became: str
    by: str


async def rule(conn: Connection) -> Rule:
    """Return the rule in force."""
    return Rule(**await conn.fetchrow("SELECT in_force, accounts FROM consensus"))


async def set_rule(conn: Connection, *, in_force: bool, accounts: int) -> list[int]:
    """Change the rule and return the names that show something else by that; needs a transaction.

    Raises errors.Refused, of the field "accounts", for fewer than FEWEST or more than MOST.
    """
    if not FEWEST <= accounts <= MOST:
        raise errors.Refused(f"From {FEWEST} to {MOST} listeners can be asked to agree.", field="accounts")
    await conn.execute("UPDATE consensus SET in_force = $1, accounts = $2", in_force, accounts)
    return await derive_all(conn)


async def contributes(conn: Connection, account_id: int) -> bool:
    """Tell whether the account's corrections are counted."""
    return bool(await conn.fetchval("SELECT contributes FROM accounts WHERE id = $1", account_id))


async def set_contributes(conn: Connection, account_id: int, *, contributes: bool) -> list[int]:
    """Have the account's corrections counted, or not; return the names that show something else by that.

    Needs a transaction.
    """
    await conn.execute("UPDATE accounts SET contributes = $2 WHERE id = $1", account_id, contributes)
    return await derive(conn, await spoken_of(conn, account_id))


async def spoken_of(conn: Connection, account_id: int) -> list[int]:
    """Return the names of which the account says something."""
    rows = await conn.fetch("SELECT lookup_id FROM corrected WHERE account_id = $1 AND own", account_id)
    return [row["lookup_id"] for row in rows]


async def derive_all(conn: Connection) -> list[int]:
    """Derive every name that anybody has corrected, or that is agreed on; needs a transaction."""
    rows = await conn.fetch("SELECT lookup_id FROM corrected WHERE own UNION SELECT lookup_id FROM agreements")
    return await derive(conn, [row["lookup_id"] for row in rows])


async def derive(conn: Connection, lookup_ids: Sequence[int]) -> list[int]:
    """Hold these names against what listeners say now; return those that show something else by that.

    Of the releases that those who agree say, the one most said, then the one first said, is shown. Needs a
    transaction, in which it locks the names in the order of their identity, as everywhere.
    """
    if not lookup_ids:
        return []
    ids = list(lookup_ids)
    await conn.execute("SELECT FROM lookups WHERE id = ANY($1::bigint[]) ORDER BY identity FOR NO KEY UPDATE", ids)
    gone = await conn.fetch(
        f"""
        {_AGREED}
        DELETE FROM agreements old WHERE lookup_id = ANY($1::bigint[])
        AND NOT EXISTS (SELECT FROM agreed WHERE agreed.lookup_id = old.lookup_id) RETURNING lookup_id
        """,
        ids,
    )
    rows = await conn.fetch(
        f"""
        {_AGREED}
        INSERT INTO agreements AS old (lookup_id, corrected_id, match_id) SELECT * FROM agreed
        ON CONFLICT (lookup_id) DO UPDATE SET corrected_id = excluded.corrected_id, match_id = excluded.match_id
        WHERE (old.corrected_id, old.match_id) IS DISTINCT FROM (excluded.corrected_id, excluded.match_id)
        RETURNING lookup_id
        """,
        ids,
    )
    return sorted(row["lookup_id"] for row in (*gone, *rows))


_AGREED: Final = """
    WITH said AS (
        SELECT c.lookup_id, c.id, c.match_id, coalesce(m.recording_id, 0) AS recording_id,
               count(*) OVER (PARTITION BY c.lookup_id, m.recording_id, m.release_id) AS so_released
        FROM corrected c JOIN accounts a ON a.id = c.account_id LEFT JOIN matches m ON m.id = c.match_id
        WHERE c.lookup_id = ANY($1::bigint[]) AND c.own AND a.contributes AND a.leaving_at IS NULL
    ), counted AS (
        SELECT lookup_id, recording_id, count(*) AS alike, sum(count(*)) OVER (PARTITION BY lookup_id) AS everybody
        FROM said GROUP BY 1, 2
    ), agreed AS (
        SELECT DISTINCT ON (said.lookup_id) said.lookup_id, said.id AS corrected_id, said.match_id
        FROM counted JOIN consensus ON in_force AND alike >= accounts AND (everybody - alike) * 4 <= everybody
        JOIN said USING (lookup_id, recording_id)
        ORDER BY said.lookup_id, so_released DESC, said.id
    )
"""


async def names(conn: Connection, limit: int, offset: int = 0) -> list[Agreed]:
    """List the names of which consensus is in force, by artist and track: for the owner, who learns no more by it."""
    rows = await conn.fetch(
        """
        SELECT g.lookup_id, l.artist, l.track, l.release, coalesce(r.title, '') AS became, coalesce(a.name, '') AS by
        FROM agreements g JOIN lookups l ON l.id = g.lookup_id
        LEFT JOIN matches m ON m.id = g.match_id LEFT JOIN recordings r ON r.id = m.recording_id
        LEFT JOIN artist_credits a ON a.id = r.artist_credit_id
        ORDER BY lower(l.artist), lower(l.track), g.lookup_id LIMIT $1 OFFSET $2
        """,
        limit,
        offset,
    )
    return [Agreed(**row) for row in rows]


async def count(conn: Connection) -> int:
    """Count the names of which consensus is in force."""
    number: int = await conn.fetchval("SELECT count(*) FROM agreements")
    return number
