"""The drip: which few of many rows that are due are taken up in one round.

Half are those that are due the longest, so that each row's turn comes; the other half are the most played of those that
are due the longest, so that what many plays wait for comes sooner. Among a million due rows a round looks at AMONG.
Rows that another process is taking up are passed over.
"""

from __future__ import annotations

AMONG = 1_000
"""Rows whose plays are counted in one round."""


def choose(table: str, key: str, date: str, *, plays: str, of: str = "true") -> str:
    """Write the query that chooses at most $2 keys of the rows due at $1, and locks them.

    `plays` is a query that counts the plays of the row `due`; `of` says which rows may be taken.
    """
    return f"""
        SELECT {key} FROM {table} WHERE {key} = ANY(ARRAY(
            WITH due AS MATERIALIZED (
                SELECT {key}, row_number() OVER (ORDER BY {date}, {key}) AS turn FROM {table}
                WHERE {date} <= $1 AND {of} ORDER BY {date}, {key} LIMIT {AMONG}
            ), counted AS (
                SELECT {key}, turn, ({plays}) AS plays FROM due
            )
            (SELECT {key} FROM counted ORDER BY turn LIMIT ($2::int + 1) / 2)
            UNION
            (SELECT {key} FROM counted WHERE turn > ($2::int + 1) / 2 ORDER BY plays DESC, turn LIMIT $2::int / 2)
        )) AND {date} <= $1 AND {of} FOR NO KEY UPDATE SKIP LOCKED
    """
