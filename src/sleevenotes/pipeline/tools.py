"""What every stage is given, and transactions that are worth a second try."""

from __future__ import annotations

import dataclasses
import random
from collections.abc import Awaitable, Callable, Iterable, Sequence
from datetime import datetime, timedelta
from typing import TypeVar

from sleevenotes import catalogue, clock, errors, settings
from sleevenotes.artwork import files
from sleevenotes.pipeline.alarms import Alarms
from sleevenotes.pipeline.sight import Sight
from sleevenotes.sources import contract, imagehosts
from sleevenotes.store import postgres
from sleevenotes.store.postgres import Connection, Database

ATTEMPTS = 8  # the pool itself waits for a server that is away, so trying again needs no pause

T = TypeVar("T")


@dataclasses.dataclass(frozen=True)
class Tools:
    """The database, the time, the file store, the sources that may be asked, the alarm clock, the catalogue's shelf,
    and the predictor in force.

    Covers whose longer side is under `wanted_image_px` pixels are looked for again.
    """

    database: Database
    clock: clock.Clock
    files: files.Files
    sources: Sequence[contract.Source]
    alarms: Alarms
    catalogue: catalogue.Shelf = catalogue.EMPTY
    wanted_image_px: int = settings.Settings().wanted_image_px
    sight: Sight = dataclasses.field(default_factory=Sight)

    def answering(self, question: type[contract.Question]) -> list[contract.Source]:
        """Return the sources that answer this kind of question, in the declared order."""
        return [source for source in self.sources if question in source.policy.answers]

    def of(self, sources: Iterable[contract.Source]) -> Tools:
        """Return the same with only these sources to ask."""
        return dataclasses.replace(self, sources=tuple(sources))

    def fetching(self, url: str) -> contract.Source | None:
        """Return the source that fetches the image at this address; None where none does."""
        return next((source for source in self.sources if contract.fetches(source.policy, url)), None)


def fetching_anywhere(sources: Sequence[contract.Source], url: str) -> contract.Source | None:
    """Return which of these sources fetches the image at an address that a client or a listener named, if any."""
    of_host = (source for source in sources if contract.fetches(source.policy, url))
    elsewhere = (source for source in sources if source.name == imagehosts.ELSEWHERE.name)
    return next(of_host, None) or next(elsewhere, None)


LONGEST_ABSENCE_DAYS = 32


def recheck_absence(tries: int, now: datetime) -> datetime:
    """Return when to look again after the (tries + 1)-th absence: 1, 2, 4 … 32 days."""
    return now + timedelta(days=min(LONGEST_ABSENCE_DAYS, 2 ** min(tries, 16)))


def recheck_fault(tries: int, now: datetime) -> datetime:
    """Return when to try again after faults: 10, 20, 40 … minutes, at most a day, each up to a half longer.

    What failed together, because a service was down, so does not come back to it all at once.
    """
    return now + timedelta(minutes=fault_minutes(tries, random.random()))  # noqa: S311 - no secret


def fault_minutes(tries: int, jitter: float) -> float:
    """Return the minutes to wait after the (tries + 1)-th look that met faults; `jitter` in 0..1."""
    return min(24 * 60.0, 10.0 * 2.0 ** min(tries, 16)) * (1 + jitter / 2)


async def committed(database: Database, work: Callable[[Connection], Awaitable[T]]) -> T:
    """Run this in a transaction; again when the server went away or a neighbour was in the way.

    Raises errors.Unreachable when the database stays away.
    """
    for attempt in range(1, ATTEMPTS + 1):
        try:
            async with database.transaction() as conn:
                return await work(conn)
        except Exception as error:
            if not postgres.is_passing(error):
                raise
            if attempt == ATTEMPTS or isinstance(error, errors.Unreachable):
                raise errors.Unreachable(f"The database does not answer: {error}") from error
    raise AssertionError("unreachable: the last attempt returns or raises")
