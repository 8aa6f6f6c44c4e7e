from __future__ import annotations

import math
from datetime import UTC, datetime, timedelta

from benches import eta, stand

AT = datetime(2026, 1, 1, tzinfo=UTC)


def test_every_estimate_is_held_against_when_it_was_done_and_never_done_is_infinitely_wrong() -> None:
    asker = eta.Asker(stand.Stand())
    asker.given = [
        eta.Given(1, True, AT, AT + timedelta(seconds=9)),
        eta.Given(1, True, AT + timedelta(seconds=8), AT + timedelta(seconds=11)),
        eta.Given(1, True, AT + timedelta(seconds=10), AT + timedelta(seconds=11)),  # it was done when it was asked
        eta.Given(2, False, AT, AT + timedelta(seconds=50)),
    ]
    asker.done = {1: AT + timedelta(seconds=10)}
    found = [(told, true) for _, told, true in asker.errors()]
    assert found == [(9.0, 10.0), (3.0, 2.0), (50.0, math.inf)]
    figures = eta.figures(asker, [{"band": "default", "median": 0.2}])
    assert (figures["live_median_error"], figures["import_median_error"], figures["never"]) == (0.1, None, 1)
    assert (figures["median_error"], figures["own_median_error"]) == (0.5, {"default": 0.2})
