"""Wants: what we want to know, one row a question and source, claimed in packs by lanes.

A stage writes wants and ends; a lane claims the most wanted pack at the moment it may send (`store.claims`), stores
what came back and wakes the stages that wait.

Locks: `want` and the lanes' settling take wants rows in the order of their key, so that they queue behind each
other. A stage that adds itself to a want holds that row; a lane that settles it then sees the newcomer, or the
stage finds the row gone and writes a new one. No wake-up is lost between them.

A stage decides what it wants by replies that it has read a moment before. What was answered since then, its lane has
taken off the wants; written anew, it would be asked twice. So what `want` has written it holds against the replies once
more, by a statement of its own, which sees all that was committed while the writing waited for the lane.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, NamedTuple

import msgspec

from sleevenotes import events, model
from sleevenotes.store import jobs, replies
from sleevenotes.store.postgres import Connection


class New(msgspec.Struct, frozen=True):
    """One question that a stage's subject waits for; `key` identifies the question (16 bytes).

    `alone`: not in a pack, since a pack's reply told too little of it. `leads`: its answer brings an album's cover, and
    in an import goes before those that bring none. `opens`: it leads to the releases of an artist of whom many names
    wait, and goes before all of an import.
    """

    source: str
    key: bytes
    kind: str
    question: msgspec.Struct
    subject_id: int
    plays: int = 1
    alone: bool = False
    leads: bool = False
    opens: bool = False


class Want(msgspec.Struct, frozen=True):
    """A claimed want; `question` is as JSON decodes it."""

    id: int
    source: str
    key: bytes
    kind: str
    question: dict[str, object]
    band: model.Band
    wanted_at: datetime
    faults: int
    pack_limit: int | None
    opens: bool


class Waiter(NamedTuple):
    """A stage to wake for a subject, and how urgently."""

    stage: str
    subject_id: int
    band: model.Band


async def want(
    conn: Connection,
    stage: str,
    news: Sequence[New],
    band: model.Band,
    now: datetime,
    *,
    delay: float = 0,
    since: datetime | None = None,
) -> None:
    """Write what `stage` wants to know, once per (source, question), and wake the lanes when this commits.

    A question that is wanted already keeps the more urgent band and the higher count of plays, so that a stage
    may repeat itself: what waits already, and as urgently, is left alone. `delay` in seconds holds new questions back.

    What is answered already is not asked: the stage is only woken for it. Whoever wants to ask again forgets the reply
    first, in the same transaction, or says that only what was answered `since` then counts.
    """
    waiting = await _waiting(conn, stage, news, band)
    news = [new for new in news if (new.source, new.key, new.subject_id) not in waiting]
    if not news:
        return
    once = {(new.source, new.key): new for new in sorted(news, key=lambda new: (new.source, new.key))}
    rows = await conn.fetch(
        """
        INSERT INTO wants (source, question_key, question, kind, band, plays, wanted_at, due_at,
                           pack_limit, leads, opens)
        SELECT source, key, question, kind, $6, plays, $7, $8, pack_limit, leads, opens
        FROM unnest($1::text[], $2::bytea[], $3::jsonb[], $4::text[], $5::int[], $9::smallint[], $10::boolean[],
                    $11::boolean[]) AS new (source, key, question, kind, plays, pack_limit, leads, opens)
        ORDER BY source, key
        ON CONFLICT (source, question_key) DO UPDATE
        SET band = greatest(wants.band, excluded.band), plays = greatest(wants.plays, excluded.plays),
            leads = wants.leads OR excluded.leads, opens = wants.opens OR excluded.opens
        RETURNING id, source, question_key, xmax = 0 AS added
        """,
        [source for source, _ in once],
        [key for _, key in once],
        [new.question for new in once.values()],
        [new.kind for new in once.values()],
        [new.plays for new in once.values()],
        int(band),
        now,
        now + timedelta(seconds=delay),
        [1 if new.alone else None for new in once.values()],
        [new.leads for new in once.values()],
        [new.opens for new in once.values()],
    )
    await inquired(conn, stage, [(new.subject_id, new.key) for new in news])
    answered = await _answered(conn, [row["id"] for row in rows if row["added"]], since)
    ids = {(row["source"], row["question_key"]): row["id"] for row in rows if row["id"] not in answered}
    told = {new.subject_id for new in news if (new.source, new.key) not in ids}
    await jobs.enqueue(conn, stage, sorted(told), band)
    news = [new for new in news if (new.source, new.key) in ids]
    await conn.execute(
        """
        INSERT INTO waiters (want_id, stage, subject_id)
        SELECT want_id, $2, subject_id FROM unnest($1::bigint[], $3::bigint[]) AS new (want_id, subject_id)
        ON CONFLICT DO NOTHING
        """,
        [ids[new.source, new.key] for new in news],
        stage,
        [new.subject_id for new in news],
    )
    for source in {new.source for new in news}:
        await conn.execute("SELECT pg_notify($1, $2)", events.WAKE_LANES, source)


async def _answered(conn: Connection, added: Sequence[int], since: datetime | None) -> set[int]:
    """Take back those of these new wants that are answered by now; return them."""
    if not added:
        return set()
    rows = await conn.fetch(
        """
        DELETE FROM wants USING replies
        WHERE wants.id = ANY($1::bigint[]) AND replies.source = wants.source
          AND replies.question_key = wants.question_key
          AND ($2::timestamptz IS NULL OR replies.answered_at >= $2)
        RETURNING wants.id
        """,
        added,
        since,
    )
    return {row["id"] for row in rows}


async def inquired(conn: Connection, stage: str, asked: Sequence[tuple[int, bytes]]) -> None:
    """Note which questions were put for which subjects of a stage: (subject, key)."""
    await conn.execute(
        """
        INSERT INTO inquiries (stage, subject_id, question_key)
        SELECT $1, subject_id, key FROM unnest($2::bigint[], $3::bytea[]) AS new (subject_id, key)
        ON CONFLICT DO NOTHING
        """,
        stage,
        [subject_id for subject_id, _ in asked],
        [key for _, key in asked],
    )


async def _waiting(conn: Connection, stage: str, news: Sequence[New], band: model.Band) -> set[tuple[str, bytes, int]]:
    """Return which of these subjects already wait for which (source, key), in this band or a more urgent one."""
    rows = await conn.fetch(
        """
        SELECT source, question_key, subject_id FROM waiters JOIN wants ON wants.id = want_id
        WHERE stage = $1 AND subject_id = ANY($2::bigint[]) AND band >= $3
        """,
        stage,
        list({new.subject_id for new in news}),
        int(band),
    )
    return {(row["source"], row["question_key"], row["subject_id"]) for row in rows}


async def bump(
    conn: Connection,
    stage: str,
    subject_ids: Sequence[int],
    band: model.Band,
    plays: Sequence[int] | None = None,
) -> None:
    """Make what these subjects wait for at least as urgent as `band`, and count further plays that wait."""
    await conn.execute(
        """
        WITH more AS (
            SELECT want_id, sum(plays)::int AS plays
            FROM unnest($2::bigint[], $4::int[]) AS subject (subject_id, plays)
            JOIN waiters USING (subject_id)
            WHERE waiters.stage = $1
            GROUP BY want_id
        ), locked AS (
            SELECT wants.id, more.plays FROM wants JOIN more ON more.want_id = wants.id
            ORDER BY source, question_key FOR NO KEY UPDATE OF wants
        )
        UPDATE wants SET band = greatest(wants.band, $3), plays = wants.plays + locked.plays
        FROM locked WHERE wants.id = locked.id
        """,
        stage,
        list(subject_ids),
        int(band),
        list(plays) if plays is not None else [0] * len(subject_ids),
    )


def read(row: Mapping[str, Any]) -> Want:
    """Read a row of the table."""
    return Want(
        id=row["id"],
        source=row["source"],
        key=row["question_key"],
        kind=row["kind"],
        question=row["question"],
        band=model.Band(row["band"]),
        wanted_at=row["wanted_at"],
        faults=row["faults"],
        pack_limit=row["pack_limit"],
        opens=row["opens"],
    )


async def release(conn: Connection, ids: Sequence[int]) -> None:
    """Give claimed wants back unasked."""
    await conn.execute("UPDATE wants SET leased_until = NULL WHERE id = ANY($1)", list(ids))


async def settle(conn: Connection, ids: Sequence[int]) -> list[Waiter]:
    """Remove wants whose question is answered or given up; return who waited."""
    await conn.execute("SELECT FROM wants WHERE id = ANY($1) ORDER BY source, question_key FOR UPDATE", list(ids))
    woken = await waiters(conn, ids)
    await conn.execute("DELETE FROM wants WHERE id = ANY($1)", list(ids))
    return woken


async def answer(
    conn: Connection, answers: Sequence[tuple[int, str, bytes, replies.Outcome, object]], now: datetime
) -> list[Waiter]:
    """Keep what was answered to wants (id, source, key, outcome, answer) and remove them; return who waited.

    What was taken back while it was asked (`drop`) is nobody's any more, and is not kept: it may be a secret.
    """
    rows = await conn.fetch(
        "SELECT id FROM wants WHERE id = ANY($1) ORDER BY source, question_key FOR UPDATE",
        [want_id for want_id, *_ in answers],
    )
    held = {row["id"] for row in rows}
    woken = await settle(conn, sorted(held))
    kept = [(source, key, outcome, said) for want_id, source, key, outcome, said in answers if want_id in held]
    await replies.keep(conn, kept, now)
    return woken


async def abandon(conn: Connection, sources: Sequence[str], before: datetime) -> list[Waiter]:
    """Remove what was wanted before then of any source but these, which cannot be asked now; return who waited."""
    rows = await conn.fetch("SELECT id FROM wants WHERE source <> ALL($1) AND wanted_at <= $2", list(sources), before)
    return await settle(conn, [row["id"] for row in rows])


async def waiters(conn: Connection, ids: Sequence[int]) -> list[Waiter]:
    """Return who waits for these wants."""
    rows = await conn.fetch(
        """
        SELECT stage, subject_id, max(band) AS band FROM waiters JOIN wants ON wants.id = want_id
        WHERE want_id = ANY($1) GROUP BY stage, subject_id ORDER BY stage, subject_id
        """,
        list(ids),
    )
    return [Waiter(row["stage"], row["subject_id"], model.Band(row["band"])) for row in rows]


async def have_failed(conn: Connection, source: str, keys: Sequence[bytes]) -> bool:
    """Tell whether any of these questions has met a fault, and is to be asked again."""
    failed: bool = await conn.fetchval(
        "SELECT EXISTS (SELECT FROM wants WHERE source = $1 AND question_key = ANY($2::bytea[]) AND faults > 0)",
        source,
        list(keys),
    )
    return failed


async def postpone(
    conn: Connection, ids: Sequence[int], due_at: datetime, *, own_fault: bool, pack_limit: int | None = None
) -> None:
    """Ask these again, not before `due_at`; `own_fault` counts against them, `pack_limit` asks in smaller packs."""
    await conn.execute(
        """
        UPDATE wants
        SET leased_until = NULL, due_at = $2, faults = faults + $3, pack_limit = coalesce($4, pack_limit)
        WHERE id = ANY($1)
        """,
        list(ids),
        due_at,
        int(own_fault),
        pack_limit,
    )


async def reword(conn: Connection, rests: Mapping[int, msgspec.Struct]) -> None:
    """Ask only for the rest of these questions, id -> question, when they are asked again."""
    await conn.execute(
        """
        UPDATE wants SET question = rest FROM unnest($1::bigint[], $2::jsonb[]) AS new (want_id, rest)
        WHERE id = want_id
        """,
        list(rests),
        list(rests.values()),
    )


async def withdraw(conn: Connection, stage: str, subject_ids: Sequence[int]) -> None:
    """Let these subjects wait no longer; a question that nobody waits for any more is not sent."""
    gone = await conn.fetch(
        "DELETE FROM waiters WHERE stage = $1 AND subject_id = ANY($2) RETURNING want_id", stage, list(subject_ids)
    )
    await conn.execute(
        """
        DELETE FROM wants WHERE id IN (
            SELECT id FROM wants
            WHERE id = ANY($1) AND leased_until IS NULL AND NOT EXISTS (SELECT FROM waiters WHERE want_id = wants.id)
            ORDER BY source, question_key FOR UPDATE SKIP LOCKED
        )
        """,
        [row["want_id"] for row in gone],
    )


async def drop(conn: Connection, stages: Sequence[str], subject_ids: Sequence[int]) -> None:
    """Take back all that these subjects wait for, also what is being asked at the moment; see `answer`.

    What others wait for, too, stays theirs.
    """
    rows = await conn.fetch(  # locked as lanes do, before its waiters go
        """
        SELECT id FROM wants WHERE id IN (SELECT want_id FROM waiters WHERE stage = ANY($1) AND subject_id = ANY($2))
        ORDER BY source, question_key FOR UPDATE
        """,
        list(stages),
        list(subject_ids),
    )
    await conn.execute(
        "DELETE FROM waiters WHERE stage = ANY($1) AND subject_id = ANY($2)", list(stages), list(subject_ids)
    )
    await conn.execute(
        "DELETE FROM wants WHERE id = ANY($1) AND NOT EXISTS (SELECT FROM waiters WHERE want_id = wants.id)",
        [row["id"] for row in rows],
    )


async def ahead(conn: Connection, sources: Sequence[str], band: model.Band) -> dict[str, int]:
    """Count, for each of these sources, the questions that go before a new one of this band."""
    rows = await conn.fetch(
        """
        SELECT source, count(*) AS questions FROM wants WHERE source = ANY($1::text[]) AND band >= $2 GROUP BY source
        """,
        list(sources),
        int(band),
    )
    return dict.fromkeys(sources, 0) | {row["source"]: row["questions"] for row in rows}
