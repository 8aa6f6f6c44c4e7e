"""ListenBrainz: names to MusicBrainz ids by the packful, and what the recordings with these ids are.

Three sources on one host, and so on one lane and one budget, since they need different things and take different packs:

    ListenBrainz           POST /1/metadata/lookup/     50 names, exact only, needs a token
    ListenBrainzFuzzy      GET  /1/metadata/lookup/     one name, forgives misspellings, needs a token
    ListenBrainzMetadata   POST /1/metadata/recording/  1,000 ids, needs nothing; names the cover too

Protocol facts: https://listenbrainz.readthedocs.io/en/latest/users/api/metadata.html and the server's own code. In
a pack, one name that is empty or too long has the whole pack refused, as has one malformed id.
"""

from __future__ import annotations

import re
import urllib.parse
from collections.abc import Mapping, Sequence
from typing import Final

import msgspec
from anyascii import anyascii

from sleevenotes import errors
from sleevenotes.sources import contract, listenbrainz_json

_BASE: Final = "https://api.listenbrainz.org/1/metadata"
_MOST_CHARACTERS: Final = 250  # of artist and track together
_NOT_WORD: Final = re.compile(r"\W+")
_MBID: Final = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")
_NOBODY: Final = "00000000-0000-4000-8000-000000000000"  # well formed, and nothing's id
_JSON: Final = {"content-type": "application/json"}

POLICY: Final = contract.Policy(
    host="api.listenbrainz.org",
    called="ListenBrainz",
    # Thirty in each ten seconds, in windows of the server's own clock. 7 % more, for the jitter between two clocks.
    requests=30,
    window=10.7,
    parallel=6,
    together=1,
    timeout=20.0,
    answers=(contract.FindRecording,),
    needs="listenbrainz_token",
    told="x-ratelimit",
)


class ListenBrainz:
    """The exact index: the canonical recording of a name spelt as MusicBrainz spells it."""

    name = "listenbrainz"
    policy = msgspec.structs.replace(POLICY, together=50)

    def __init__(self, token: str = "") -> None:
        self._token = token

    def request(self, questions: Sequence[contract.Question]) -> contract.Request:
        """Ask for all names at once, each of the server's keys once."""
        rows = [_names(group[0]) for group in _by_key(questions).values()]
        body = {"recordings": [{"artist_name": artist, "recording_name": track} for artist, track in rows]}
        headers = {**_JSON, **_authorization(self._token)}
        return contract.Request(f"{_BASE}/lookup/", "POST", headers, msgspec.json.encode(body))

    def read(self, questions: Sequence[contract.Question], reply: contract.Reply) -> list[contract.Answer]:
        """Answer each name; a recording that was found leads to its description, which names the album."""
        refuse_faults(reply)
        found = listenbrainz_json.read_lookup(reply.body)
        places = {key: place for place, key in enumerate(_by_key(questions))}
        return [_lookup_answer(found, places[_key(question)]) for question in questions]


class ListenBrainzFuzzy:
    """The fuzzy index, for names that the exact one lacks: a few letters may differ."""

    name = "listenbrainz_fuzzy"
    policy = msgspec.structs.replace(POLICY, called="ListenBrainz, one by one")

    def __init__(self, token: str = "") -> None:
        self._token = token

    def request(self, questions: Sequence[contract.Question]) -> contract.Request:
        """Ask for one name, with the description of what is found."""
        artist, track = _names(questions[0])
        parameters = {"artist_name": artist, "recording_name": track, "metadata": "true", "inc": _INC}
        query = urllib.parse.urlencode(parameters)
        return contract.Request(f"{_BASE}/lookup/?{query}", headers=_authorization(self._token))

    def read(self, questions: Sequence[contract.Question], reply: contract.Reply) -> list[contract.Answer]:  # noqa: ARG002 - the contract's
        """Answer with the one recording found, or absent."""
        refuse_faults(reply)
        candidate = listenbrainz_json.read_single(reply.body)
        return [contract.Answer((candidate,)) if candidate else contract.ABSENT]


_INC: Final = "artist release tag"  # tags cost no request of their own, and name the genres


class ListenBrainzMetadata:
    """What recordings are: artist credit, album, year, and where the Cover Art Archive has the cover."""

    name = "listenbrainz_metadata"
    policy = msgspec.structs.replace(
        POLICY,
        called="ListenBrainz' metadata",
        together=1000,
        timeout=30.0,
        answers=(contract.DescribeRecording,),
        needs="",
    )

    def request(self, questions: Sequence[contract.Question]) -> contract.Request:
        """Ask for all recordings at once."""
        mbids = list(dict.fromkeys(mbid for mbid in map(_mbid, questions) if _MBID.fullmatch(mbid)))
        body = {"recording_mbids": mbids or [_NOBODY], "inc": _INC}
        return contract.Request(f"{_BASE}/recording/", "POST", _JSON, msgspec.json.encode(body), max_bytes=32_000_000)

    def read(self, questions: Sequence[contract.Question], reply: contract.Reply) -> list[contract.Answer]:
        """Answer each id; one that the reply leaves out is unknown there (merged ids are among those)."""
        refuse_faults(reply)
        found = listenbrainz_json.read_recordings(reply.body)
        return [_description(found, _mbid(question), alone=len(questions) == 1) for question in questions]


# ---------------------------------------------------------------- asking


def _names(question: contract.Question) -> tuple[str, str]:
    """Return artist and track, cut to what the server takes: a name so long is not in its index anyway."""
    if not isinstance(question, contract.FindRecording):
        raise TypeError(f"ListenBrainz cannot look up {question!r}")
    artist = question.artist[: _MOST_CHARACTERS // 2]
    return artist, question.track[: _MOST_CHARACTERS - len(artist)]


def _mbid(question: contract.Question) -> str:
    if not isinstance(question, contract.DescribeRecording):
        raise TypeError(f"ListenBrainz cannot describe {question!r}")
    return question.mbid.lower()


def _key(question: contract.Question) -> str:
    """Fold a name as the server does: of two names with one key in a pack, it answers the last only.

    "A B" with "C" has the key of "A" with "B C". The server romanises with other tables than ours, so two names in
    other scripts may be one key there and two here; then the earlier one counts as absent, and others are asked.
    """
    artist, track = _names(question)
    return anyascii(_NOT_WORD.sub("", artist + track).lower()).lower()


def _by_key(questions: Sequence[contract.Question]) -> dict[str, list[contract.Question]]:
    """Group questions by the server's key, in the order in which each key is first asked for."""
    groups: dict[str, list[contract.Question]] = {}
    for question in questions:
        groups.setdefault(_key(question), []).append(question)
    return groups


def _authorization(token: str) -> dict[str, str]:
    return {"authorization": f"Token {token}"}


# ---------------------------------------------------------------- answering


def _lookup_answer(found: Mapping[int, contract.RecordingCandidate | None], place: int) -> contract.Answer:
    if place not in found:
        return contract.UNKNOWN  # every name that was asked has a row, matched or not
    candidate = found[place]
    if candidate is None:
        return contract.ABSENT
    return contract.Answer((candidate,), (contract.DescribeRecording(candidate.recording.mbid),))


def _description(found: Mapping[str, msgspec.Raw], mbid: str, *, alone: bool) -> contract.Answer:
    """Read one entry. One that cannot be read spoils its own answer and not the other 999."""
    if mbid not in found:
        return contract.ABSENT
    try:
        return contract.Answer((listenbrainz_json.read_recording(mbid, found[mbid]),))
    except errors.Garbled:
        if alone:
            raise
        return contract.UNKNOWN


def refuse_faults(reply: contract.Reply) -> None:
    """Raise unless the reply is an answer. Errors say nothing of the token."""
    if reply.status == 401:
        raise errors.Unconfigured("ListenBrainz does not accept the token: set `listenbrainz_token` to a valid one")
    if reply.status == 429:
        raise errors.Throttled("ListenBrainz says we ask too fast", retry_after=_reset_in(reply))
    contract.refuse_faults("ListenBrainz", reply)
    if reply.status != 200:
        raise errors.Garbled(
            f"ListenBrainz answered {reply.status}, which is no answer to our question", body=reply.body
        )


def _reset_in(reply: contract.Reply) -> float | None:
    """Read the seconds until the window ends; ListenBrainz sends no Retry-After."""
    try:
        return max(0.0, float(reply.headers.get("x-ratelimit-reset-in", "")))
    except ValueError:
        return contract.retry_after(reply)
