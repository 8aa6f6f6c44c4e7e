"""Claims: which wants go next, and which go together in one request.

Somebody waits before nobody does; then what is played more goes first. Of an import:

    who the artists are of whom many names wait, which their releases answer at once
    those releases, of the most played artist first
    what a cut reply left out, once it fills a pack: its rows are few, and such a pack tells more than a first one
    what was not asked yet, and of that first what brings an album's cover
    the rest of what was left out
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime, timedelta

from sleevenotes import model
from sleevenotes.store import wants
from sleevenotes.store.postgres import Connection

_LOW = int(model.Band.LOW_PRIORITY)

FILLED = 8
"""What a reply left out goes before what was not asked yet once it fills a pack of its own, if larger than this."""

_OPENS = f"band DESC, opens AND band = {_LOW} DESC, opens AND band = {_LOW} AND kind <> 'find_recording'"
"""Who an artist is, then the artist's releases."""

MOST_WANTED = f"""
    {_OPENS}, leads AND pack_limit IS NULL AND band = {_LOW} DESC,
    CASE WHEN band = {_LOW} THEN pack_limit END DESC NULLS FIRST, plays DESC, wants.id
"""
"""The order of questions, as an ORDER BY over `wants`; the packs that fill themselves aside."""

# Of an import's, as in `claim`: $1 are the sources, $2 is now.
_FILLS_A_PACK = f"""
    (band = {_LOW} AND pack_limit IN (
        SELECT pack_limit FROM wants
        WHERE source = ANY($1) AND band = {_LOW} AND pack_limit > {FILLED} AND due_at <= $2
          AND (leased_until IS NULL OR leased_until <= $2)
        GROUP BY source, pack_limit HAVING count(*) >= pack_limit
    )) IS TRUE
"""

# Beside the head, $6, of a pack of $4: of an import what goes in packs as large ($8), then what goes in larger ones,
# then the others, as many as their own packs bear.
_BESIDE = f"""
    wants.id <> $6, band > {_LOW} OR coalesce(pack_limit, 0) = $8 DESC, least(coalesce(pack_limit, 32767), $4) DESC,
    {MOST_WANTED}
"""


async def next_due(
    conn: Connection, sources: Sequence[str], now: datetime, band: model.Band = model.Band.LOW_PRIORITY
) -> datetime | None:
    """Say when these sources' next want of this band or a more urgent one may be claimed (a moment not after now: at
    once); None when none waits.
    """
    due: datetime | None = await conn.fetchval(
        "SELECT min(greatest(due_at, leased_until)) FROM wants WHERE source = ANY($1) AND band >= $2",
        list(sources),
        int(band),
    )
    return due and max(due, now)


_NONE: Mapping[str, int] = {}


async def claim(
    conn: Connection,
    together: Mapping[str, int],
    now: datetime,
    lease: float,
    *,
    singly: Collection[tuple[str, str]] = (),
    awaited: Mapping[str, int] = _NONE,
    band: model.Band = model.Band.LOW_PRIORITY,
) -> list[wants.Want]:
    """Lease the most wanted pack of these sources, each with its size; of one source and kind, [] when none is due.

    Call it in a transaction of its own. `lease` in seconds: after that, a lane that died is not waited for. `singly`
    are the (source, kind) that go one in a request, whatever the source's size; `awaited` are the sources whose packs,
    where somebody waits, are of that size and of such questions alone. Nobody waits for an import: there, sources that
    take many questions go before those that take one, which would use up their slots. Where nothing of `band` or more
    urgent is due, there is no pack; where there is, less urgent questions may fill it. No pack is larger than what any
    of its questions bears (`pack_limit`).
    """
    head = await conn.fetchrow(
        f"""
        SELECT id, source, kind, band, pack_limit FROM wants
        WHERE source = ANY($1) AND band >= $4 AND due_at <= $2 AND (leased_until IS NULL OR leased_until <= $2)
        ORDER BY band DESC, source = ANY($3) AND band = {_LOW}, {_OPENS}, {_FILLS_A_PACK} DESC, {MOST_WANTED}
        LIMIT 1 FOR UPDATE SKIP LOCKED
        """,
        list(together),
        now,
        [source for source, size in together.items() if size == 1],
        int(band),
    )
    if head is None:
        return []
    most = 1 if (head["source"], head["kind"]) in singly else together[head["source"]]
    apart = head["source"] in awaited and head["band"] > model.Band.LOW_PRIORITY
    limit = min(awaited[head["source"]] if apart else most, most, head["pack_limit"] or 32767)
    rows = await conn.fetch(
        f"""
        WITH mates AS (
            SELECT * FROM wants
            WHERE source = $1 AND kind = $2 AND due_at <= $3 AND (leased_until IS NULL OR leased_until <= $3)
              AND band >= $7
            ORDER BY {_BESIDE} LIMIT $4 FOR UPDATE SKIP LOCKED
        ), placed AS (
            SELECT id, pack_limit, row_number() OVER (ORDER BY {_BESIDE}) AS place FROM mates AS wants
        )
        UPDATE wants SET leased_until = $5
        WHERE id IN (SELECT id FROM placed WHERE place <= coalesce(pack_limit, $4)) RETURNING *
        """,
        head["source"],
        head["kind"],
        now,
        limit,
        now + timedelta(seconds=lease),
        head["id"],
        int(model.Band.DEFAULT if apart else model.Band.LOW_PRIORITY),
        head["pack_limit"] or 0,
    )
    return [wants.read(row) for row in rows]
