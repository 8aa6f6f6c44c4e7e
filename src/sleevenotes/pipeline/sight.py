"""The predictor in force, kept at hand: read again when another one is.

Without one nothing is foreseen, and everybody is asked in the declared order; then no library of numbers is loaded.
"""

from __future__ import annotations

import asyncio
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, NamedTuple

from sleevenotes.prediction import learned
from sleevenotes.store import predictors
from sleevenotes.store.postgres import Connection

if TYPE_CHECKING:
    from sleevenotes.prediction.predictor import Predictor

LOOK_AGAIN = timedelta(minutes=1)
"""How long a new predictor may not be noticed by another process."""


class InForce(NamedTuple):
    """A predictor, and its number."""

    id: int
    predictor: Predictor


class Sight:
    """Gives the predictor in force."""

    def __init__(self) -> None:
        self._looked_at: datetime | None = None
        self._now: InForce | None = None

    async def current(self, conn: Connection, now: datetime) -> InForce | None:
        """Return the predictor in force; None where there is none, or none that this version can read."""
        if self._looked_at is None or not timedelta(0) <= now - self._looked_at < LOOK_AGAIN:
            active = await predictors.active_id(conn)
            if active is None:
                self._now = None
            elif self._now is None or self._now.id != active:
                self._now = await _load(conn, active)
            self._looked_at = now
        return self._now

    def look_again(self) -> None:
        """Read anew at the next occasion."""
        self._looked_at = None


async def _load(conn: Connection, predictor_id: int) -> InForce | None:
    found = await predictors.load(conn, predictor_id)
    if found is None or found.features != learned.FEATURES_VERSION:
        return None
    model = learned.Model(found.features, found.sources, found.weights, found.runs, found.threshold, found.latency_s)
    return InForce(predictor_id, await asyncio.to_thread(_ready, model))


def _ready(model: learned.Model) -> Predictor:
    from sleevenotes.prediction.predictor import Predictor  # noqa: PLC0415 - numpy, where there is something to foresee

    return Predictor(model)
