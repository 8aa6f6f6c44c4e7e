"""Decisions as data: one lesson a case. The format is told in docs/reference/matching.md."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec
import pytest
from tests.golden import reading

from sleevenotes.matching import decide

FILES = sorted(Path(__file__).parent.glob("decide*.json"))
CASES: list[dict[str, Any]] = [case for file in FILES for case in msgspec.json.decode(file.read_bytes())]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["lesson"])
def test_decision(case: dict[str, Any]) -> None:
    asked = reading.asked(case)
    options = [reading.option(found) for found in case["found"]]
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
    assert len(set(lessons)) == len(lessons) >= 300
