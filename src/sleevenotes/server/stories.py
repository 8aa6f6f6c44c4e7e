"""A scrobble's story for its page: sent and became side by side, the time line, the hints, the near misses."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

import msgspec

from sleevenotes.server import views
from sleevenotes.store import predictions, traces
from sleevenotes.store.explanations import Explanation
from sleevenotes.store.played import Play


class Pair(msgspec.Struct, frozen=True):
    """One field: as sent, and as it is known now, the differing words marked; `became` is () where unknown."""

    label: str
    sent: tuple[views.Piece, ...]
    became: tuple[views.Piece, ...]


class Step(msgspec.Struct, frozen=True):
    """One station of the time line. Waited and took are shares of the longest, 0..100, for the bar."""

    mark: str  # sent, answered, absent, unknown, fault, chosen, waiting, skipped
    title: str
    text: str
    at: datetime | None = None
    waited_ms: int = 0
    took_ms: int = 0
    waited_share: float = 0.0
    took_share: float = 0.0


class Candidate(msgspec.Struct, frozen=True):
    """A recording that was not chosen, as text; `penalties` says what told against it."""

    title: str
    artist: str
    mbid: str
    penalties: str


def pairs(play: Play) -> tuple[Pair, ...]:
    """Set what was sent beside what it became."""
    rows = (
        ("Track", play.track, play.recording_title),
        ("Artist", play.artist, play.artist_credit),
        ("Album", play.release, play.release_title or play.release_group_title),
        ("Length", views.playing_time(play.duration_ms), views.playing_time(play.length_ms)),
    )
    return tuple(_pair(label, sent, became) for label, sent, became in rows if sent or became)


def _pair(label: str, sent: str, became: str) -> Pair:
    if not (sent and became):
        plain = (views.Piece(sent, differs=False),) if sent else ()
        return Pair(label, plain, (views.Piece(became, differs=False),) if became else ())
    return Pair(label, views.differences(sent, became), views.differences(became, sent))


def hints(play: Play) -> tuple[tuple[str, str], ...]:
    """List what else the client sent, by name."""
    evidence = play.evidence
    known = (
        ("Album artist", play.album_artist),
        ("Player", " on ".join(filter(None, (play.source_app, play.source_device)))),
        ("Recording MBID", evidence.recording_mbid),
        ("Release MBID", evidence.release_mbid),
        ("Release group MBID", evidence.release_group_mbid),
        ("Artist MBIDs", ", ".join(evidence.artist_mbids)),
        ("ISRC", evidence.isrc),
        ("Track number", str(evidence.track_number or "")),
        ("Image address", play.artwork_uri),
    )
    return tuple((label, value) for label, value in known if value)


def line(play: Play, story: Explanation) -> tuple[Step, ...]:
    """Tell what happened to this play, in order; without the time where it happened for others (design, 5)."""
    asked = [*story.match_traces, *story.cover_traces]
    longest = max((trace.waited_ms + trace.took_ms for trace in asked), default=0) or 1
    player = f" by {play.source_app}" if play.source_app else ""
    steps = (
        Step("sent", f"Sent{player}", "Stored at once, under the name it came with.", play.inserted_at),
        *_steps(story.match_traces, story.match_predictions, longest),
        *_skipped(story.match_predictions),
        _decision(story),
        *_steps(story.cover_traces, story.cover_predictions, longest),
        *_skipped(story.cover_predictions),
        *_cover(story),
        *_shown(play),
    )
    return tuple(
        msgspec.structs.replace(step, at=None) if step.at and step.at < story.lookup.met_at else step for step in steps
    )


def _steps(asked: Sequence[traces.Trace], foreseen: Sequence[predictions.Prediction], longest: int) -> list[Step]:
    chances = {(each.source, each.kind): f" Foreseen: {each.chance:.0%}." for each in foreseen}

    def told(trace: traces.Trace) -> str:
        said = f"{views.asked(trace.kind)} {views.sentence(_said(trace))}"
        return said + chances.get((trace.source, trace.kind), "")

    return [
        Step(
            mark=trace.outcome,
            title=f"Asked {views.source_name(trace.source)}",
            text=told(trace),
            at=trace.asked_at,
            waited_ms=trace.waited_ms,
            took_ms=trace.took_ms,
            waited_share=round(100 * trace.waited_ms / longest, 1),
            took_share=round(100 * trace.took_ms / longest, 1),
        )
        for trace in asked
    ]


def _skipped(foreseen: Sequence[predictions.Prediction]) -> list[Step]:
    """Tell who was not asked, because it is unlikely to have it."""
    return [
        Step(
            "skipped",
            f"Did not ask {views.source_name(each.source)}",
            f"It is unlikely to have it: foreseen {each.chance:.1%}. A later look may ask it.",
            each.predicted_at,
        )
        for each in foreseen
        if each.way == "skip"
    ]


def _said(trace: traces.Trace) -> str:
    return views.said(trace.outcome, trace.candidates, trace.kind, trace.note)


def _decision(story: Explanation) -> Step:
    lookup = story.lookup
    if story.led_by in _BY_HAND:
        said = story.match.reason if story.match else "None of what was found is it; it stays silent."
        said = "It is shown so to whoever has said nothing of this name." if story.led_by == "consensus" else said
        return Step("chosen", _BY_HAND[story.led_by], said)
    if story.match:
        source = "by what this play alone knew" if story.match.own else f"from {views.source_name(story.match.source)}"
        return Step("chosen", f"Matched {source}", story.match.reason, lookup.decided_at)
    if lookup.status == "pending":
        return Step("waiting", "Looking it up", "The name waits for its turn; nothing has to be done.")
    title = "No match" if lookup.status == "not_found" else "Not reachable"
    return Step("absent" if lookup.status == "not_found" else "fault", title, lookup.reason, lookup.decided_at)


_BY_HAND = {
    "correction": "You said what it is",
    "everybody": "The owner said what it is",
    "consensus": "Several listeners agreed",
}


def _cover(story: Explanation) -> list[Step]:
    if story.cover is None:
        return []
    found = {
        "pending": Step("waiting", "Looking for the cover", "It appears here by itself."),
        "found": Step("chosen", "Cover chosen", story.cover.reason),
        "absent": Step("absent", "No cover", story.cover.reason),
        "failed": Step("fault", "Cover not reachable", story.cover.reason),
    }
    return [found[story.cover.status]]


_SHOWN = {
    "choice": ("You chose the cover", "For this play alone."),
    "preference": ("You chose the cover", "For every play of its album; whatever is found later, it stays."),
    "sent": ("Shown with its own image", "The one that came with the play goes before the album's cover."),
    "preview": ("A preview is shown", "Until its album's cover is chosen, one by the names that were sent."),
    "temporary": ("Last.fm's image is shown", "It came with the play, and gives way to the album's cover."),
}


def _shown(play: Play) -> list[Step]:
    return [Step("chosen", *_SHOWN[play.artwork_by])] if play.artwork_by in _SHOWN else []


def candidates(kept: object) -> tuple[Candidate, ...]:
    """Read the near misses that were kept with a lookup; whatever is not one is left out."""
    found = kept if isinstance(kept, list) else []
    named = [_candidate(one) for one in found if isinstance(one, dict)]
    return tuple(one for one in named if one is not None)[:8]


def _candidate(one: dict[str, object]) -> Candidate | None:
    option = one.get("option")
    recording = option.get("recording") if isinstance(option, dict) else None
    if not isinstance(recording, dict) or not recording.get("title"):
        return None
    credit = recording.get("artist_credit")
    names = credit.get("names", ()) if isinstance(credit, dict) else ()
    artist = "".join(str(part.get("name", "")) + str(part.get("join_phrase", "")) for part in names)
    penalties = one.get("penalties")
    words = [str(penalty["name"]) for penalty in penalties] if isinstance(penalties, list) else []
    return Candidate(str(recording["title"]), artist, str(recording.get("mbid", "")), ", ".join(words))
