"""The native API's shapes of corrections: a case, what may be chosen, a search, a correction. Pure."""

from __future__ import annotations

from datetime import datetime

import msgspec

from sleevenotes import model
from sleevenotes.server import reviews
from sleevenotes.store import corrections


class Shown(msgspec.Struct, frozen=True):
    """What a name is shown as. An `mbid` is "" where a shop alone knows it."""

    track_name: str
    artist_name: str
    album_name: str
    recording_mbid: str
    release_group_mbid: str
    source: str
    distance: float


class Doubt(msgspec.Struct, frozen=True):
    """One reason to look, in words, and its weight 0..1."""

    words: str
    weight: float


class CaseAnswer(msgspec.Struct, frozen=True):
    """A name: as sent, what it is shown as (null for nothing), and why that is doubtful.

    `led_by` says what led to it: "correction" (yours), "everybody" (the owner's), "consensus" (several listeners
    agreed) or "" (the match that all share).
    """

    lookup_id: int
    artist_name: str
    track_name: str
    album_name: str
    plays: int
    status: model.Status
    reason: str
    led_by: str
    shown: Shown | None
    doubts: list[Doubt]
    score: float


class CandidateAnswer(msgspec.Struct, frozen=True):
    """A recording that can be chosen: `candidate` and `search_id` name it in a correction."""

    candidate: str
    search_id: int | None
    track_name: str
    artist_name: str
    album_name: str
    year: str
    duration_ms: int | None
    disambiguation: str
    link: str
    source: str
    doubts: list[str]


class OpenedAnswer(msgspec.Struct, frozen=True):
    """A case with what it may be; `correction_id` is the correction in force, null for none."""

    case: CaseAnswer
    candidates: list[CandidateAnswer]
    correction_id: int | None


class ReviewAnswer(msgspec.Struct, frozen=True):
    """What deserves a look, most played and most doubtful first.

    `left` counts it, up to 500; `more` says that there may be more.
    """

    left: int
    more: bool
    cases: list[CaseAnswer]


class SearchAnswer(msgspec.Struct, frozen=True):
    """A search: `status` is pending, answered, absent or failed. Kept for some hours."""

    id: int
    lookup_id: int
    whole_album: bool
    asked: str
    status: str
    candidates: list[CandidateAnswer]


class CorrectionAnswer(msgspec.Struct, frozen=True):
    """A correction: `kind` is match, album, none or confirmed; `names` counts the names it speaks of."""

    id: int
    kind: str
    everybody: bool
    names: int
    created_at: datetime
    undone_at: datetime | None


class CorrectionsAnswer(msgspec.Struct, frozen=True):
    """The newest corrections."""

    corrections: list[CorrectionAnswer]


class UndoneAnswer(msgspec.Struct, frozen=True):
    """The names that show again what was before."""

    lookup_ids: list[int]


def case(doubted: reviews.Doubted) -> CaseAnswer:
    """Write a name."""
    name = doubted.case
    shown = None
    if name.recording_id is not None:
        album = name.release_title or name.release_group
        mbids = name.recording_mbid, name.release_group_mbid
        shown = Shown(name.recording, name.credit, album, *mbids, name.source, name.distance)
    return CaseAnswer(
        lookup_id=name.lookup_id,
        artist_name=name.artist,
        track_name=name.track,
        album_name=name.release,
        plays=name.plays,
        status=name.status,
        reason=name.reason,
        led_by=name.led_by,
        shown=shown,
        doubts=[Doubt(each.name, each.weight) for each in doubted.doubts],
        score=round(doubted.score, 3),
    )


def candidate(offer: reviews.Offer) -> CandidateAnswer:
    """Write what may be chosen."""
    return CandidateAnswer(
        candidate=offer.candidate,
        search_id=offer.search_id,
        track_name=offer.title,
        artist_name=offer.artist,
        album_name=offer.album,
        year=offer.year,
        duration_ms=offer.length_ms,
        disambiguation=offer.disambiguation,
        link=offer.link,
        source=offer.source,
        doubts=list(offer.doubts),
    )


def correction(one: corrections.Correction) -> CorrectionAnswer:
    """Write a correction."""
    return CorrectionAnswer(one.id, one.kind, one.everybody, one.names, one.created_at, one.undone_at)
