"""MusicBrainz, web service 2: which recordings go by a name or an ISRC, what one is, what an artist's releases hold.

Protocol facts: https://musicbrainz.org/doc/MusicBrainz_API and …/MusicBrainz_API/Search; its two kinds of 503
are told apart by body and headers only.

A search is always fielded and quoted: bare words are joined by OR and find millions. It asks wide (the credit
as sent or without its guests, the title as sent or plain); the narrow judging is `sleevenotes.matching`'s.
"""

from __future__ import annotations

import re
import urllib.parse
from collections import Counter
from collections.abc import Sequence
from typing import Final, NoReturn

import msgspec

from sleevenotes import errors, names
from sleevenotes.sources import contract, musicbrainz_json

_BASE: Final = "https://musicbrainz.org/ws/2"
_ROWS: Final = 100  # the most a search gives; it takes any larger number for its default, 25
_PHRASE_BYTES: Final = 800  # of one phrase as sent; the request line must stay below nginx' 8 KB
_CUT_ESCAPE: Final = re.compile("%[0-9A-F]?$")
_INCLUDES: Final = "artist-credits+releases+release-groups+media+isrcs"
_BROWSED: Final = "recordings+artist-credits+release-groups+media"
_PAGE: Final = 100  # releases; with their recordings, a page ends where it has reached 500 tracks


class MusicBrainz:
    """The encyclopedia every identity comes from."""

    name = "musicbrainz"
    policy = contract.Policy(
        host="musicbrainz.org",
        called="MusicBrainz",
        requests=1,
        # One a second on average is the rule. 8 % more, for jitter: what is sent 1 s apart may arrive closer.
        window=1.08,
        # An answer takes up to several seconds; waiting for it must not cost the next second's slot.
        parallel=4,
        # By experiment against the simulator's crowding, see docs/decisions/0008-waves-and-packs.md.
        together=32,
        # By experiment as well: among 32 an awaited name is mostly crowded out, and four fall behind (decision 8).
        awaited=10,
        timeout=20.0,
        answers=(
            contract.FindRecording,
            contract.FindByIsrc,
            contract.DescribeRecording,
            contract.BrowseReleases,
            contract.ListRecordings,
        ),
        singly=(contract.DescribeRecording, contract.BrowseReleases, contract.ListRecordings),
    )

    def request(self, questions: Sequence[contract.Question]) -> contract.Request:
        """Put FindRecordings, or FindByIsrcs, into one search, any one of the others into a lookup or a page."""
        first = questions[0]
        if isinstance(first, contract.BrowseReleases):
            return contract.Request(_browse_url(first))
        if isinstance(first, contract.ListRecordings):
            return contract.Request(_list_url(first))
        if isinstance(first, contract.DescribeRecording):
            mbid = urllib.parse.quote(first.mbid, safe="")
            return contract.Request(f"{_BASE}/recording/{mbid}?inc={_INCLUDES}&fmt=json")
        query = " OR ".join(f"({clause})" for clause in map(search_clause, questions))
        parameters = urllib.parse.urlencode({"query": query, "limit": _ROWS, "fmt": "json"})
        return contract.Request(f"{_BASE}/recording?{parameters}")

    def read(self, questions: Sequence[contract.Question], reply: contract.Reply) -> list[contract.Answer]:
        """Answer from a search, a lookup or a page."""
        _refuse_faults(reply)
        if isinstance(questions[0], contract.BrowseReleases):
            return [_read_page(questions[0], reply)]
        if isinstance(questions[0], contract.ListRecordings):
            return [_read_list(questions[0], reply)]
        if isinstance(questions[0], contract.DescribeRecording):
            return [_read_lookup(reply)]
        if isinstance(questions[0], contract.FindByIsrc):
            return _read_by_isrc(questions, reply)
        return _read_search(questions, reply)


def _browse_url(question: contract.BrowseReleases) -> str:
    parameters = {
        "artist": question.artist_mbid,
        "status": "official",
        "limit": _PAGE,
        "offset": question.offset,
        "fmt": "json",
    }
    return f"{_BASE}/release?{urllib.parse.urlencode(parameters)}&inc={_BROWSED}"


def _list_url(question: contract.ListRecordings) -> str:
    if question.release_mbid:
        return f"{_BASE}/release/{urllib.parse.quote(question.release_mbid, safe='')}?inc={_BROWSED}&fmt=json"
    parameters = {"release-group": question.release_group_mbid, "limit": _PAGE, "offset": question.offset}
    return f"{_BASE}/release?{urllib.parse.urlencode(parameters)}&fmt=json&inc={_BROWSED}"


def search_clause(question: contract.Question) -> str:
    """Write one FindRecording as a Lucene clause.

    "Latch (feat. X)" by "Disclosure" becomes recording:("Latch (feat. X)" OR "Latch") AND (artist:"Disclosure" OR
    artistname:"Disclosure"). `artist` is the credit as printed, `artistname` the names of the artists themselves:
    together they find an artist who is credited under another name. A phrase finds what contains it, so an article
    that the player added is left out: "The Opeth" is not in "Opeth", and "Beatles" is in "The Beatles".
    """
    if isinstance(question, contract.FindByIsrc):
        return f"isrc:{phrase(question.isrc)}"
    if not isinstance(question, contract.FindRecording):
        raise TypeError(f"MusicBrainz cannot search for {question!r}")
    titles = dict.fromkeys((question.track, names.plain(question.track)))
    artists = dict.fromkeys(
        names.without_article(artist) for artist in (question.artist, names.split_guests(question.artist)[0])
    )
    by = _any([phrase(name) for name in artists])
    clause = f"recording:{_any([phrase(title) for title in titles])} AND (artist:{by} OR artistname:{by})"
    return f"{clause} NOT comment:{phrase(question.besides)}" if question.besides else clause


def phrase(text: str) -> str:
    r"""Quote a Lucene phrase; within one only `"` and `\` need escaping.

    A very long text is cut after a word: the start of a phrase is a phrase too.
    """
    text = " ".join(text.split())
    sent = urllib.parse.quote_plus(text)
    if len(sent) > _PHRASE_BYTES:
        whole_bytes = _CUT_ESCAPE.sub("", sent[:_PHRASE_BYTES])
        text = urllib.parse.unquote_plus(whole_bytes, errors="ignore").rsplit(" ", 1)[0]
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def _any(clauses: Sequence[str]) -> str:
    return clauses[0] if len(clauses) == 1 else f"({' OR '.join(clauses)})"


# ---------------------------------------------------------------- reading


def _read_lookup(reply: contract.Reply) -> contract.Answer:
    if reply.status == 404 or (reply.status == 400 and b"Invalid mbid" in reply.body):
        return contract.ABSENT
    if reply.status != 200:
        _refuse(reply)
    return contract.Answer((musicbrainz_json.read_recording(reply.body),))


def _read_page(question: contract.BrowseReleases, reply: contract.Reply) -> contract.Answer:
    """Read one page; it leads to the next, which begins where this one ended, however short it is."""
    if reply.status == 404 or (reply.status == 400 and b"Invalid mbid" in reply.body):
        return contract.ABSENT
    if reply.status != 200:
        _refuse(reply)
    page = musicbrainz_json.read_page(reply.body)
    until = question.offset + page.releases
    further = page.releases > 0 and until < page.of
    rest = contract.BrowseReleases(question.artist_mbid, until, page.of - until)
    return contract.Answer(page.candidates, (rest,) if further else ())


def _read_list(question: contract.ListRecordings, reply: contract.Reply) -> contract.Answer:
    """Read what is on a release, or on one page of a group's; the page leads to the next."""
    if reply.status == 404 or (reply.status == 400 and b"Invalid mbid" in reply.body):
        return contract.ABSENT
    if reply.status != 200:
        _refuse(reply)
    if question.release_mbid:
        return contract.Answer(musicbrainz_json.read_release(reply.body))
    page = musicbrainz_json.read_page(reply.body)
    until = question.offset + page.releases
    further = page.releases > 0 and until < page.of
    rest = msgspec.structs.replace(question, offset=until)
    return contract.Answer(page.candidates, (rest,) if further else ())


def _read_search(questions: Sequence[contract.Question], reply: contract.Reply) -> list[contract.Answer]:
    if reply.status != 200:
        _refuse(reply)
    found = musicbrainz_json.read_search(reply.body)
    packed = len(questions) > 1
    crowding = "" if found.complete else _crowding(found.candidates)
    return [
        _share(
            question,
            tuple(hit for hit in found.candidates if not packed or _answers(hit, question)),
            cut=not found.complete,
            packed=packed,
            crowding=crowding,
        )
        for question in questions
        if isinstance(question, contract.FindRecording)
    ]


def _share(
    question: contract.FindRecording,
    share: tuple[contract.RecordingCandidate, ...],
    *,
    cut: bool,
    packed: bool,
    crowding: str,
) -> contract.Answer:
    """Answer one member of a search. Where rows are missing and only versions of the song are there, the song itself
    may be among the missing: not known yet.
    """
    if not share and not cut and question.besides:
        return contract.Answer(known=False, rest=msgspec.structs.replace(question, besides=None))
    if not share:
        return contract.Answer(known=False, rest=_rest(question, crowding)) if cut else contract.ABSENT
    if not cut or any(_is_plain(hit, question) for hit in share):
        return contract.Answer(share, cut=cut and packed)
    rest = _rest(question, _crowding([hit for hit in share if _has_title(hit, question)]))
    return contract.Answer(share, cut=packed, known=not packed and rest is None, rest=rest)


def _is_plain(hit: contract.RecordingCandidate, question: contract.FindRecording) -> bool:
    """Tell whether a hit goes by the very title asked for and is not told apart from others of that title."""
    return _has_title(hit, question) and not hit.recording.disambiguation


def _has_title(hit: contract.RecordingCandidate, question: contract.FindRecording) -> bool:
    return names.key(names.plain(question.track)) == names.key(names.plain(hit.recording.title))


def _rest(question: contract.FindRecording, crowding: str) -> contract.FindRecording | None:
    """Ask past the versions that fill a reply, by the word that tells them apart; None where there is none, or the
    listener's own text has it.
    """
    if question.besides != "" or not crowding or crowding in _words(f"{question.artist} {question.track}"):
        return None
    return msgspec.structs.replace(question, besides=crowding)


def _crowding(hits: Sequence[contract.RecordingCandidate]) -> str:
    """Return the word that tells apart a third of these hits or more, as in "live, 2003-06-29: Main Stage"; else ""."""
    first = Counter(words[0] for hit in hits if (words := _words(hit.recording.disambiguation)))
    word, times = max(first.items(), key=lambda each: each[1], default=("", 0))
    return word if times * 3 >= len(hits) else ""


def _words(text: str) -> list[str]:
    return [names.key(word) for word in text.split()]


def _read_by_isrc(questions: Sequence[contract.Question], reply: contract.Reply) -> list[contract.Answer]:
    """Read a search for ISRCs. Its rows do not show them, so in a pack a hit is his whose names it has.

    What several may claim, or nobody, leaves those whose it may be unknown: they are asked again in smaller packs.
    """
    if reply.status != 200:
        _refuse(reply)
    found = musicbrainz_json.read_search(reply.body)
    if len(questions) == 1:
        return [contract.Answer(found.candidates)]
    claims = [[hit for hit in found.candidates if _answers(hit, question)] for question in questions]
    times = Counter(hit.recording.mbid for claim in claims for hit in claim)
    strays = not found.complete or any(not times[hit.recording.mbid] for hit in found.candidates)
    return [
        contract.UNKNOWN
        if any(times[hit.recording.mbid] > 1 for hit in claim) or (strays and not claim)
        else contract.Answer(tuple(claim))
        for claim in claims
    ]


def _answers(hit: contract.RecordingCandidate, question: contract.Question) -> bool:
    """Tell whether a hit of a packed search may be this member's: its names contain the ones asked for."""
    if not isinstance(question, contract.FindRecording | contract.FindByIsrc):
        return False
    credit = hit.recording.artist_credit
    artist = names.key(names.without_article(names.split_guests(question.artist)[0]))
    by = (credit.name, *(part.artist_name for part in credit.names))
    title = names.key(names.plain(question.track))
    return title in names.key(hit.recording.title) and any(artist in names.key(name) for name in by)


# ---------------------------------------------------------------- faults


def _refuse_faults(reply: contract.Reply) -> None:
    if reply.status == 503:
        _refuse_503(reply)
    if reply.status == 403:
        raise errors.Unreachable(
            "MusicBrainz does not accept our User-Agent: set `contact` to an address where you can be reached"
        )
    contract.refuse_faults("MusicBrainz", reply)


def _refuse_503(reply: contract.Reply) -> NoReturn:
    """Tell the 503s apart: we are too fast, the whole site sheds load, or its search server is down."""
    zone = reply.headers.get("x-ratelimit-zone", "")
    who = reply.headers.get("x-ratelimit-who", "")
    if b"Could not retrieve sub-document page" in reply.body:
        raise errors.Unreachable("MusicBrainz' search server does not answer")
    shed = (
        b"currently busy" in reply.body
        or zone.startswith(("global", "search-global"))
        or who.startswith(("global", "search-shed"))
    )
    if shed:
        raise errors.Throttled(
            "MusicBrainz is busy and turns requests away",
            retry_after=contract.retry_after(reply),
            site_wide=True,
        )
    raise errors.Throttled("MusicBrainz says we ask too fast", retry_after=contract.retry_after(reply))


def _refuse(reply: contract.Reply) -> NoReturn:
    raise errors.Garbled(f"MusicBrainz answered {reply.status}, which is no answer to our question", body=reply.body)
