"""Foreseeing, for the stages: who is likely to serve a question, who is not asked, and what came of it.

judge      what came of answers the stage has read: written to their traces, and counted for the artist
outlooks   what is foreseen of questions that are not decided; none where no predictor is in force
note       what was chosen by it, for who wants to know why
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, NamedTuple

from sleevenotes import model, names
from sleevenotes.pipeline import asking
from sleevenotes.pipeline.tools import Tools
from sleevenotes.prediction import order
from sleevenotes.prediction.order import Outlook
from sleevenotes.sources import contract
from sleevenotes.store import predictions, replies, wants
from sleevenotes.store.postgres import Connection

if TYPE_CHECKING:
    from sleevenotes.prediction.predictor import Predictor

ALWAYS_ASKED = frozenset((*asking.BULK, *asking.BROAD, *asking.FORGIVING))
"""Nothing is foreseen of who is cheap, and goes first in any case."""


class Open(NamedTuple):
    """A question that is not decided: what is asked, how each source is asked it, and what is here.

    `looks` is how many looks have ended without a result.
    """

    artist: str
    track: str
    release: str
    plays: int
    looks: int
    questions: Mapping[str, contract.Question]
    replies: Mapping[str, replies.Reply]


class Heard(NamedTuple):
    """Who has answered and whether that served; and who is not to be asked again, the unreachable among them."""

    served: Mapping[str, bool]
    answered: frozenset[str]


Serves = Callable[[int, replies.Reply], bool | None]
"""Tells whether a reply to the question at that place serves; None where it leads further."""


def open_question(
    named: tuple[str, str, str],
    plays: int,
    looks: int,
    questions: Mapping[str, contract.Question],
    known: Mapping[tuple[str, bytes], replies.Reply],
) -> Open:
    """Gather what is here of a question about (artist, track, release), which each source is asked in its own words."""
    asked = {source: each for source, each in questions.items() if source not in ALWAYS_ASKED}
    there = {
        source: known[source, contract.key(each)]
        for source, each in asked.items()
        if (source, contract.key(each)) in known
    }
    return Open(*named, plays, looks, asked, there)


async def outlooks(
    tools: Tools, conn: Connection, questions: Sequence[Open], serves: Serves, band: model.Band
) -> list[Outlook | None]:
    """Judge the answers that are here, and say what is foreseen of the rest; None where no predictor is in force."""
    heard = await _hear(conn, questions, serves)
    now = await tools.sight.current(conn, tools.clock.now()) if questions else None
    if now is None:
        return [None] * len(questions)
    pasts = await predictions.pasts(conn, {names.key(each.artist) for each in questions})
    costs = await _costs(tools, conn, now.predictor.took_s, band)
    both = list(zip(questions, heard, strict=True))
    return await asyncio.to_thread(foreseen, now.predictor, both, pasts, costs, band)


async def _hear(conn: Connection, questions: Sequence[Open], serves: Serves) -> list[Heard]:
    """Say who has answered what; what nobody has judged yet is judged, and written down."""
    pairs = {(source, reply.key) for each in questions for source, reply in each.replies.items()}
    told = await predictions.told(conn, pairs)
    heard, judged = await asyncio.to_thread(_judge, questions, told, serves)
    await predictions.judge(conn, judged)
    return heard


def _judge(
    questions: Sequence[Open], told: Mapping[tuple[str, bytes], bool | None], serves: Serves
) -> tuple[list[Heard], list[predictions.Answered]]:
    heard: list[Heard] = []
    judged: list[predictions.Answered] = []
    for place, each in enumerate(questions):
        served: dict[str, bool] = {}
        for source, reply in each.replies.items():
            of = (source, reply.key)
            if reply.outcome is replies.Outcome.GIVEN_UP:
                continue
            is_served = told.get(of)
            is_served = serves(place, reply) if is_served is None else is_served
            if is_served is None:
                continue
            served[source] = is_served
            if of in told and told[of] is None:
                kind = contract.kind(each.questions[source])
                artist_key = names.key(each.artist)
                judged.append(predictions.Answered(source, reply.key, kind, artist_key, each.plays, is_served))
        heard.append(Heard(served, frozenset(each.replies)))
    return heard, judged


def foreseen(
    predictor: Predictor,
    questions: Sequence[tuple[Open, Heard]],
    pasts: Mapping[str, Mapping[tuple[str, str], tuple[int, int]]],
    costs: Mapping[str, float],
    band: model.Band,
) -> list[Outlook | None]:
    """Foresee questions of which it is known who has answered, and how their artists fared (by the artist's key)."""
    from sleevenotes.prediction import features  # noqa: PLC0415 - numpy, which the predictor has loaded

    asked = [
        features.Asked(
            "find_recording" if each.track else "find_images",
            each.artist,
            each.track,
            each.release,
            each.plays,
            pasts[names.key(each.artist)],
            heard.served,
        )
        for each, heard in questions
    ]
    return [
        Outlook(
            chances={source: chance for source, chance in chances.items() if source in each.questions},
            costs=costs,
            threshold=order.threshold_at(predictor.threshold, each.looks),
            heard=heard.served,
            answered=heard.answered,
            unasked=frozenset(each.questions) - {source for source, _ in pasts[names.key(each.artist)]},
            anyway=_anyway(each, chances, predictor.threshold, band),
        )
        for (each, heard), chances in zip(questions, predictor.chances(asked), strict=True)
    ]


def _anyway(each: Open, chances: Mapping[str, float], threshold: float, band: model.Band) -> frozenset[str]:
    """Choose whom of the unlikely to ask all the same: nobody where somebody waits."""
    if band > model.Band.LOW_PRIORITY:
        return frozenset()
    return frozenset(
        source
        for source, question in each.questions.items()
        if chances.get(source, 1.0) < threshold and order.asked_anyway(contract.key(question), source)
    )


async def _costs(tools: Tools, conn: Connection, took_s: Mapping[str, float], band: model.Band) -> dict[str, float]:
    """Return what asking each source costs now: a request, and the wait in its queue, at its pace, for its answer."""
    policies = {source.name: source.policy for source in tools.sources if source.name not in ALWAYS_ASKED}
    ahead = await wants.ahead(conn, list(policies), band)
    return {name: cost(policy, ahead[name], took_s.get(name, 0.0)) for name, policy in policies.items()}


def cost(policy: contract.Policy, ahead: int, took_s: float) -> float:
    """Return what asking a source costs with so many questions ahead, in requests."""
    return order.cost((1 + ahead) / policy.together * policy.pace + took_s, is_kept=policy.keep_s is None)


async def note(
    tools: Tools,
    conn: Connection,
    stage: str,
    subject_id: int,
    outlook: Outlook,
    questions: Mapping[str, contract.Question],
) -> None:
    """Keep what was chosen of who may still be asked for a subject; by source, the question."""
    now = await tools.sight.current(conn, tools.clock.now())
    if now is None or outlook.is_served:
        return
    chosen = [
        predictions.Foreseen(
            stage, subject_id, each.source, contract.key(question), contract.kind(question), each.chance, each.way.value
        )
        for each in outlook.choose(questions)
        if each.chance is not None
        for question in (questions[each.source],)
    ]
    await predictions.foresee(conn, now.id, chosen, tools.clock.now())
