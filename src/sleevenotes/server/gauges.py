"""The success figures as Prometheus gauges, beside the counters of this process on `/metrics`.

They are facts of the whole installation, read from the database: any one server tells them, also what workers do. They
are worked out at most every FRESH seconds however often they are scraped; docs/howto/watch-it.md lists them.
"""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import Callable, Iterable, Iterator
from datetime import datetime, timedelta
from typing import Final

import asyncpg
import msgspec
from prometheus_client import CollectorRegistry, exposition
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

from sleevenotes import errors
from sleevenotes.pipeline import figures
from sleevenotes.server.services import Services
from sleevenotes.store import arrivals, backlog, statistics, successes
from sleevenotes.store.postgres import Connection

FRESH = timedelta(seconds=10)
WINDOWS: Final = {"1h": "hour", "24h": "day"}  # the label `window` → the period's name

Row = tuple[tuple[str, ...], float | None]  # values of the labels, and the gauge's; None is not told


class Known(msgspec.Struct, frozen=True):
    """What the gauges are made of, all of one moment."""

    at: datetime
    reports: dict[str, figures.Report]  # by window
    budgets: list[statistics.Budget]
    jobs: list[statistics.Queue]
    overdue_s: float
    sampled_at: datetime | None
    disk: tuple[int, int]  # bytes free and in all, where images and the bundled database lie


class Gauges(Collector):
    """What `/metrics` tells beside the counters."""

    def __init__(self) -> None:
        self._known: Known | None = None
        self._working = asyncio.Lock()
        self._registry = CollectorRegistry()
        self._registry.register(self)

    async def text(self, parts: Services) -> bytes:
        """Return the gauges in Prometheus' text format; nothing while the database is away."""
        async with self._working:
            now = parts.clock.now()
            if self._known is None or not timedelta() <= now - self._known.at < FRESH:
                try:
                    self._known = await know(parts, now)
                except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError, errors.Fault):
                    self._known = None
        return exposition.generate_latest(self._registry)

    def collect(self) -> Iterator[GaugeMetricFamily]:
        """Give the gauges; the registry calls it."""
        if self._known is not None:
            yield from families(self._known)


async def know(parts: Services, now: datetime) -> Known:
    """Work out what the gauges are made of. Raises what an absent database raises."""
    async with parts.database.connection() as conn:
        return Known(
            at=now,
            reports={window: await _report(conn, name, now) for window, name in WINDOWS.items()},
            budgets=await statistics.budgets(conn),
            jobs=await statistics.queues(conn),
            overdue_s=await successes.overdue_s(conn, now),
            sampled_at=await backlog.last_sample(conn),
            disk=await asyncio.to_thread(_disk, parts),
        )


async def _report(conn: Connection, name: str, now: datetime) -> figures.Report:
    return await figures.report(conn, figures.named(name, now), now)


def _disk(parts: Services) -> tuple[int, int]:
    usage = shutil.disk_usage(parts.settings.data_path)
    return usage.free, usage.total


# ---------------------------------------------------------------- one gauge after another


def families(known: Known) -> Iterator[GaugeMetricFamily]:
    """Write what is known as gauges; what has no value (a share of nothing) is left out."""
    yield from _of_plays(known)
    yield from _of_names(known)
    yield from _of_queues(known)
    yield from _of_sources(known)
    yield from _of_the_house(known)


def _of_plays(known: Known) -> Iterator[GaugeMetricFamily]:
    reports = known.reports.items()
    yield _gauge(
        "plays",
        "Plays received in the window: live, or brought by a sync or an import.",
        "window kind",
        [
            ((window, kind), value)
            for window, told in reports
            for kind, value in (
                ("live", told.waited_for.plays),
                ("synced", told.others.synced),
                ("imported", told.others.imported),
            )
        ],
    )
    yield _gauge(
        "first_artwork_seconds",
        "From when a live play was received to the first picture visible for it (first) and to the chosen cover.",
        "window plays picture quantile",
        [row for window, told in reports for row in _waits(window, told)],
    )
    yield _shares(
        "plays_within_minute_ratio",
        "Live plays that showed a picture within a minute, of all whose minute is over.",
        known,
        lambda told: told.waited_for.within_minute_share,
    )
    yield _shares(
        "plays_with_artwork_ratio",
        "Live plays that have come to show a picture, of all.",
        known,
        lambda told: told.waited_for.artwork_share,
    )
    yield _gauge(
        "plays_known_ratio",
        "Live plays whose name was matched before they came, that the offline catalogue matched, that showed a "
        "picture at once; names decided without a question of their own.",
        "window how",
        [
            ((window, how), value)
            for window, told in reports
            for how, value in (
                ("name", told.known.name_share),
                ("catalogue", told.known.catalogue_share),
                ("cover", told.known.cover_share),
                ("reply", told.known.reply_share),
            )
        ],
    )


def _waits(window: str, told: figures.Report) -> Iterator[Row]:
    for plays, some in (("all", told.waited_for), ("first", told.first_plays)):
        for picture, waits in (("first", some.first), ("chosen", some.chosen)):
            yield from (((window, plays, picture, at), value) for at, value in _quantiles(waits))


def _quantiles(waits: arrivals.Waits) -> tuple[tuple[str, float | None], ...]:
    return ("0.5", waits.p50_s), ("0.95", waits.p95_s), ("0.99", waits.p99_s)


def _of_names(known: Known) -> Iterator[GaugeMetricFamily]:
    reports = known.reports.items()
    statuses = ("pending", "enriched", "not_found", "failed", "abstained")
    yield _gauge(
        "names",
        "Names met first in the window, by what became of them; the abstained are among the not found.",
        "window status",
        [((window, status), getattr(told.success.names, status)) for window, told in reports for status in statuses],
    )
    yield _shares(
        "names_success_ratio", "Names enriched, of those decided.", known, lambda told: told.success.names_share
    )
    yield _shares(
        "plays_success_ratio", "Live plays enriched, of those decided.", known, lambda told: told.success.plays_share
    )
    yield _shares(
        "match_ratio", "Names matched, of those matched or not found.", known, lambda told: told.success.match_rate
    )


def _of_queues(known: Known) -> Iterator[GaugeMetricFamily]:
    told = next(iter(known.reports.values()))
    yield _gauge(
        "pending",
        "Names and covers that are not decided yet.",
        "of",
        [(("names",), told.pending.names), (("covers",), told.pending.covers)],
    )
    yield _shares(
        "pending_growth_per_hour",
        "By how much the number of pending names and covers grew in an hour, over the window.",
        known,
        lambda each: each.backlog.growth_per_hour,
    )
    labels = [((each.of, each.name, each.band), each) for each in told.queues]
    yield _gauge(
        "queue_waiting",
        "Questions (by source) and jobs (by stage) that wait or are under way.",
        "of name band",
        [(label, each.waiting) for label, each in labels],
    )
    yield _gauge(
        "queue_oldest_seconds",
        "How long the oldest of them has waited.",
        "of name band",
        [(label, each.oldest_s) for label, each in labels],
    )


def _of_sources(known: Known) -> Iterator[GaugeMetricFamily]:
    reports = known.reports.items()
    outcomes = ("answered", "absent", "unknown", "fault")
    yield _gauge(
        "source_questions",
        "Questions asked in the window, by outcome.",
        "window source outcome",
        [
            ((window, each.asked.source, outcome), getattr(each.asked, outcome))
            for window, told in reports
            for each in told.sources
            for outcome in outcomes
        ],
    )
    yield _gauge(
        "source_requests_per_1000_plays",
        "Requests to a source for each 1,000 plays received in the window, imports included.",
        "window source",
        [
            ((window, each.asked.source), each.requests_per_1000_plays)
            for window, told in reports
            for each in told.sources
        ],
    )
    yield _gauge(
        "lane_utilisation_ratio",
        "Requests sent to a host in the window, of those its budget allows.",
        "window host",
        [((window, each.host), each.utilisation) for window, told in reports for each in told.lanes],
    )
    yield _gauge(
        "lane_faults",
        "Faults of a host one after another; 0 after an answer.",
        "host",
        [((each.host,), each.faults) for each in known.budgets],
    )
    yield _gauge(
        "lane_paused_seconds",
        "For how much longer a host is left alone.",
        "host",
        [((each.host,), _left(each.paused_until, known.at)) for each in known.budgets],
    )


def _of_the_house(known: Known) -> Iterator[GaugeMetricFamily]:
    yield _gauge(
        "jobs_held",
        "Jobs that are not tried again by themselves.",
        "stage band",
        [((each.stage, each.band), each.held) for each in known.jobs],
    )
    yield _gauge(
        "recheck_overdue_seconds",
        "For how long the name or cover has been due that is longest due to be looked for again.",
        "",
        [((), known.overdue_s)],
    )
    age = None if known.sampled_at is None else (known.at - known.sampled_at).total_seconds()
    yield _gauge("sample_age_seconds", "How long ago a worker last noted what waits.", "", [((), age)])
    yield _gauge("disk_free_bytes", "Room left where the images lie.", "", [((), known.disk[0])])
    yield _gauge("disk_size_bytes", "Room there is in all where the images lie.", "", [((), known.disk[1])])


# ---------------------------------------------------------------- inside


def _gauge(name: str, help_text: str, labels: str, rows: Iterable[Row]) -> GaugeMetricFamily:
    family = GaugeMetricFamily(f"sleevenotes_{name}", help_text, labels=labels.split())
    for values, value in rows:
        if value is not None:
            family.add_metric(values, value)
    return family


def _shares(
    name: str, help_text: str, known: Known, share: Callable[[figures.Report], float | None]
) -> GaugeMetricFamily:
    return _gauge(name, help_text, "window", [((window,), share(told)) for window, told in known.reports.items()])


def _left(until: datetime | None, now: datetime) -> float:
    return 0.0 if until is None else max(0.0, (until - now).total_seconds())
