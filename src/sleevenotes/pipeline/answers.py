"""What was answered of recordings: the candidates, what they lead to, and whether an answer serves."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import msgspec

from sleevenotes.matching import decide
from sleevenotes.pipeline.tools import Tools
from sleevenotes.sources import contract
from sleevenotes.store import replies

Known = Mapping[tuple[str, bytes], replies.Reply]
Asking = tuple[contract.Source, contract.Question]


def answer(reply: replies.Reply) -> contract.Answer:
    """Read a stored answer."""
    return msgspec.convert(reply.answer, contract.Answer)


def further(tools: Tools, told: Sequence[replies.Reply], known: Known) -> list[Asking]:
    """List the questions that answers led to and nobody has answered: whom to ask next, and what."""
    todo: list[Asking] = []
    for reply in told:
        for each in answer(reply).follow_ups:
            able = tools.answering(type(each))
            heard = [
                known[source.name, contract.key(each)] for source in able if (source.name, contract.key(each)) in known
            ]
            if len(heard) < len(able) and not any(reply.outcome is replies.Outcome.ANSWERED for reply in heard):
                silent = {source.name for source in able} - {reply.source for reply in heard}
                todo.append((next(source for source in able if source.name in silent), each))
    return todo


def options(tools: Tools, told: Sequence[replies.Reply], known: Known) -> list[decide.Option]:
    """Collect the candidates; what a follow-up described in full takes the place of its bare mention.

    A mention that names releases stays beside it: the description may name one, and the submitted album be another.
    """
    full: dict[str, decide.Option] = {}
    bare: list[decide.Option] = []
    for reply in told:
        looked_up = _looked_up(tools, reply, known)
        bare += [option for option in found(reply) if option.recording.foreign_id not in looked_up]
        bare += [option for page in looked_up.values() for option in page]
        for each in answer(reply).follow_ups:
            for source in tools.answering(type(each)):
                described = known.get((source.name, contract.key(each)))
                full |= {option.recording.mbid: option for option in found(described)} if described else {}
    best = [full.get(option.recording.mbid, option) if option.recording.mbid else option for option in bare]
    return best + [option for option in bare if option.recording.mbid in full and option.releases]


def _looked_up(tools: Tools, reply: replies.Reply, known: Known) -> dict[str, list[decide.Option]]:
    """Return what releases that were looked up have of the track, by their id: maybe nothing."""
    return {
        each.foreign_id: found(page)
        for each in answer(reply).follow_ups
        if isinstance(each, contract.DescribeRelease)
        for source in tools.answering(contract.DescribeRelease)
        if (page := known.get((source.name, contract.key(each)))) and page.outcome is not replies.Outcome.GIVEN_UP
    }


def found(reply: replies.Reply) -> list[decide.Option]:
    """Return the recordings a reply told of itself."""
    return [
        decide.Option(candidate.recording, candidate.releases, reply.source)
        for candidate in answer(reply).candidates
        if isinstance(candidate, contract.RecordingCandidate)
    ]


def serves(tools: Tools, asked: decide.Asked, reply: replies.Reply, known: Known) -> bool | None:
    """Tell whether an answer holds, by itself, the recording that was asked for; None where it leads further."""
    if further(tools, [reply], known):
        return None
    return isinstance(decide.decide(asked, options(tools, [reply], known)), decide.Chosen)
