"""`status --report`: the success figures of a period, in the terminal or as JSON."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, NamedTuple

from sleevenotes import errors
from sleevenotes.cli import tools

if TYPE_CHECKING:
    from rich.table import Table

    from sleevenotes.pipeline.figures import Report
    from sleevenotes.settings import Settings
    from sleevenotes.store.arrivals import Waits


class Asked(NamedTuple):
    """The period as it was asked for; "" for what was not said."""

    last: str
    since: str
    until: str


def show(settings: Settings, period: Asked, *, as_json: bool) -> None:
    """Print the figures. A period that cannot be read is told as a mistake."""
    from rich.console import Console

    report = tools.run(_fetch(settings, period))
    if as_json:
        tools.say_json(report)
        return
    console = Console()
    for table in _tables(report):
        console.print(table)


async def _fetch(settings: Settings, period: Asked) -> Report:
    from sleevenotes import app
    from sleevenotes.pipeline import figures
    from sleevenotes.store import successes

    if period.last and (period.since or period.until):
        raise errors.Refused("--last and --from or --to: say one of them.")
    async with app.open(settings) as parts, parts.database.connection() as conn:
        now = parts.clock.now()
        if period.since or period.until:
            span = figures.between(period.since, period.until, now)
        else:
            span = figures.named(period.last or "day", now, await successes.began(conn))
        return await figures.report(conn, span, now)


def _tables(report: Report) -> Iterator[Table]:
    from sleevenotes.cli.showing import table

    period = report.period
    yield table(
        f"{period.since:%Y-%m-%d %H:%M} to {period.until:%Y-%m-%d %H:%M} UTC",
        "figure value",
        _headline(report),
    )
    yield table("From play to picture", "until of plays p50 p95 p99", _waits(report))
    yield table("Outcomes", "of enriched pending not_found failed", _outcomes(report))
    yield table(
        "What waits now", "queue of band waiting oldest",
        ((each.name, each.of, each.band, each.waiting, f"{each.oldest_s:.0f} s") for each in report.queues),
    )  # fmt: skip
    yield table(
        "What waited over the period", "band of mean most oldest",
        ((each.band, each.of, each.mean, each.max, f"{each.oldest_s:.0f} s") for each in report.bands),
    )  # fmt: skip
    yield table("Sources", "source requests per_1,000 asked answered absent unknown faults", _sources(report))
    yield table(
        "Use of what each host allows", "host requests allowed share",
        ((each.host, each.requests, each.allowed, _share(each.utilisation)) for each in report.lanes),
    )  # fmt: skip


def _headline(report: Report) -> Iterator[tuple[object, ...]]:
    waited, known, success = report.waited_for, report.known, report.success
    yield "live plays", waited.plays
    yield "  first of their name", report.first_plays.plays
    yield "synced, imported", f"{report.others.synced}, {report.others.imported}"
    yield "with artwork within a minute", _share(waited.within_minute_share)
    yield "  of those that show any by now", _share(waited.of_those_share)
    yield "with artwork by now", _share(waited.artwork_share)
    yield "names enriched, of those decided", _share(success.names_share)
    yield "plays enriched, of those decided", _share(success.plays_share)
    yield "match rate", _share(success.match_rate)
    yield "  abstained, with candidates", _share(success.abstained_share)
    yield "  nobody knows", _share(success.nothing_share)
    yield "name matched before the play came", _share(known.name_share)
    yield "matched by the offline catalogue", _share(known.catalogue_share)
    yield "picture there at once", _share(known.cover_share)
    yield "new names without a question of their own", _share(known.reply_share)
    yield "requests for each 1,000 plays", _number(report.requests_per_1000_plays)
    yield "pending: names, covers", f"{report.pending.names}, {report.pending.covers}"
    yield "  over the period: mean, most", f"{_number(report.backlog.mean)}, {_number(report.backlog.max)}"
    yield "  growth in an hour", _number(report.backlog.growth_per_hour)


def _waits(report: Report) -> Iterator[tuple[object, ...]]:
    for of, some in (("all plays", report.waited_for), ("first plays", report.first_plays)):
        for until, waits in (("first picture", some.first), ("chosen cover", some.chosen)):
            yield until, of, waits.plays, *_seconds(waits)


def _outcomes(report: Report) -> Iterator[tuple[object, ...]]:
    for of, counted in (("names met first", report.success.names), ("live plays", report.success.plays)):
        yield of, counted.enriched, counted.pending, counted.not_found, counted.failed


def _sources(report: Report) -> Iterator[tuple[object, ...]]:
    for each in report.sources:
        asked = each.asked
        yield (
            asked.source, asked.requests, _number(each.requests_per_1000_plays), asked.questions, asked.answered,
            asked.absent, asked.unknown, asked.fault,
        )  # fmt: skip


def _seconds(waits: Waits) -> tuple[str, ...]:
    return tuple("-" if each is None else f"{each:.1f} s" for each in (waits.p50_s, waits.p95_s, waits.p99_s))


def _share(share: float | None) -> str:
    return "-" if share is None else f"{share:.1%}"


def _number(value: float | None) -> str:
    return "-" if value is None else f"{value:g}"
