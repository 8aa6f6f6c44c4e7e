"""Decisions as data: one lesson a case. The format is told in docs/reference/matching.md."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec
import pytest

from sleevenotes import model
from sleevenotes.matching import decide, release

CASES: list[dict[str, Any]] = msgspec.json.decode((Path(__file__).parent / "decide.json").read_bytes())


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["lesson"])
def test_decision(case: dict[str, Any]) -> None:
    artist, track, album = [*case["sent"], ""][:3]
    asked = decide.Asked(artist, track, album, _milliseconds(case))
    options = [_option(found) for found in case["found"]]
    decision = decide.decide(asked, options)
    assert decide.decide(asked, options[::-1]) == decision  # the order of candidates says nothing
    expected = case["expect"]
    if expected == "nothing":
        assert isinstance(decision, decide.Nothing), decision
    elif expected == "abstain":
        assert isinstance(decision, decide.Abstained), decision
    else:
        assert isinstance(decision, decide.Chosen), decision
        assert decision.weighed.option.recording.mbid == expected
        if "release" in case:
            assert (decision.release.title if decision.release else "") == case["release"]
        if "date" in case:
            assert decision.release is not None
            assert decision.release.date == case["date"]


def test_every_case_teaches_its_own_lesson() -> None:
    lessons = [case["lesson"] for case in CASES]
    assert len(set(lessons)) == len(lessons) >= 40


def _option(found: dict[str, Any]) -> decide.Option:
    credit = _credit(found)
    recording = model.Recording(
        mbid=found["id"],
        title=found["title"],
        artist_credit=credit,
        length_ms=_milliseconds(found),
        disambiguation=found.get("note", ""),
        video=found.get("video", False),
    )
    return decide.Option(recording, tuple(map(_release, found.get("on", []))), "test")


def _milliseconds(case: dict[str, Any]) -> int | None:
    return case["seconds"] * 1000 if "seconds" in case else None


def _credit(found: dict[str, Any]) -> model.ArtistCredit:
    """Read "Queen", "Nirvana#uk" (one of several of that name) or ["Queen", " & ", "David Bowie"]."""
    parts = [found["by"]] if isinstance(found["by"], str) else found["by"]
    joins = [*parts[1::2], ""]
    named = [
        model.ArtistCreditName(
            mbid=f"artist {part}",
            name=part.partition("#")[0],
            join_phrase=join,
            sort_name=found.get("sort", ""),
            aliases=tuple(found.get("aka", ())),
        )
        for part, join in zip(parts[::2], joins, strict=True)
    ]
    return model.ArtistCredit(tuple(named))


def _release(text: str) -> model.Release:
    """Read "Title; Primary type+Secondary types; date", and "Bootleg" or "VA" behind it."""
    title, types, date, *more = text.split("; ")
    primary, *secondary = types.split("+")
    various = model.ArtistCredit((model.ArtistCreditName(release.VARIOUS_ARTISTS, "Various Artists"),))
    return model.Release(
        mbid=f"release {text}",
        title=title,
        release_group=model.ReleaseGroup(f"group {title}", title, primary, tuple(secondary)),
        artist_credit=various if "VA" in more else None,
        status="Bootleg" if "Bootleg" in more else "Official",
        date=date,
    )
