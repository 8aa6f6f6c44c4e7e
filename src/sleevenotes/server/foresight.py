"""The status page's part on predictions: which predictor is in force, how well it foretells, what it saves."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

import msgspec

from sleevenotes.store import predictors
from sleevenotes.store.postgres import Connection

DAYS = 30
"""Of which the figures are."""

FEWEST = 100
"""Judged predictions from which on they are drawn; before, those that training held out are."""


class Bar(msgspec.Struct, frozen=True):
    """One tenth of the chances, as drawn: shares 0..100, its place, and how many questions it stands for."""

    x: int
    count: int
    chance: float
    served: float


class Foresight(msgspec.Struct, frozen=True):
    """What the page shows; `active` is None where the declared order is in force, and `why_not` says why."""

    active: predictors.Version | None
    why_not: str
    figures: predictors.Figures
    bars: tuple[Bar, ...]
    is_measured: bool  # the bars are of what was asked here since, and not of what training held out

    @property
    def lost(self) -> float | None:
        """Return the share of the unlikely that served after all, of those asked anyway; None where none was."""
        return self.figures.anyway_served / self.figures.anyway if self.figures.anyway else None


async def read(conn: Connection, now: datetime) -> Foresight:
    """Read how predictions fare."""
    versions = await predictors.versions(conn, 1)
    active = next((each for each in versions if each.status == "active"), None)
    figures = await predictors.figures(conn, now, DAYS)
    judged = sum(each.count for each in figures.tenths)
    is_measured = judged >= FEWEST
    return Foresight(active, _why_not(versions), figures, _bars(active, figures, is_measured), is_measured)


def _why_not(versions: Sequence[predictors.Version]) -> str:
    return versions[0].reason if versions else "Nothing has been learned yet: too few questions have been asked."


def _bars(active: predictors.Version | None, figures: predictors.Figures, is_measured: bool) -> tuple[Bar, ...]:
    if is_measured:
        return tuple(_bar(each.tenth, each.count, each.chance, each.served) for each in figures.tenths)
    held_out = active.evaluation["bins"] if active is not None and active.evaluation else ()
    return tuple(
        _bar(tenth, each["count"], each["chance"], each["served"])
        for tenth, each in enumerate(held_out)
        if each["count"]
    )


def _bar(tenth: int, count: int, chance: float, served: float) -> Bar:
    return Bar(10 * tenth, count, round(100 * chance, 1), round(100 * served, 1))
