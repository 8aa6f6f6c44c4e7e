"""`status` and `explain`: what is going on, and why a play became what it became."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import TYPE_CHECKING, Annotated

import msgspec
import typer

from sleevenotes import errors
from sleevenotes.cli import completing, tools

if TYPE_CHECKING:
    from rich.table import Table

    from sleevenotes.settings import Settings
    from sleevenotes.store import explanations, popular_report, predictions, statistics, traces

AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]

BANDS = ("critical", "default", "low_priority")


def register(app: typer.Typer) -> None:
    """Add this module's commands."""
    app.command("status")(status)
    app.command("explain")(explain)


# ---------------------------------------------------------------- status


def status(
    context: typer.Context,
    report: Annotated[bool, typer.Option("--report", help="Show the success figures of a period instead.")] = False,
    last: Annotated[str, typer.Option(help="The period: hour, day, week, month (30 days) or all.")] = "",
    since: Annotated[str, typer.Option("--from", help="It begins at this date or time (ISO 8601, UTC).")] = "",
    until: Annotated[str, typer.Option("--to", help="It ends with this date, or before this time.")] = "",
    as_json: AsJson = False,
) -> None:
    """Show what waits and what came of it: lanes, budgets, queues of jobs, lookups and covers by outcome."""
    from rich.console import Console

    from sleevenotes import app
    from sleevenotes.cli import reporting
    from sleevenotes.store import popular_report, statistics

    if report or last or since or until:
        reporting.show(tools.load(context), reporting.Asked(last, since, until), as_json=as_json)
        return

    settings = tools.load(context)

    async def fetch() -> tuple[statistics.Snapshot, popular_report.Report, datetime]:
        async with app.open(settings) as parts, parts.database.connection() as conn:
            now = parts.clock.now()
            return await statistics.snapshot(conn, now), await popular_report.read(conn, now), now

    snapshot, popular, now = tools.run(fetch())
    if as_json:
        tools.say_json({**msgspec.structs.asdict(snapshot), "popular": popular})
        return
    console = Console()
    for shown in (*_tables(snapshot, now), table("Sources that are off", "source because", _off(settings))):
        console.print(shown)
    typer.echo("\n".join(["", "Popular names", *completing.story(popular, settings, now)]))


def _off(settings: Settings) -> Iterator[tuple[object, ...]]:
    from sleevenotes.sources import contract, registry

    for source in registry.every(contract.Keys()):
        if why := registry.why_off(source, settings, settings.only_sources):
            yield source.name, why


def _tables(snapshot: statistics.Snapshot, now: datetime) -> Iterator[Table]:
    yield table(
        "Questions waiting, by band",
        f"source {' '.join(BANDS)} leased oldest",
        map(_waiting, snapshot.lanes),
    )
    yield table(
        "Questions asked in the last hour",
        "source answered absent unknown faults median per_minute",
        map(_asked_lately, snapshot.lanes),
    )
    yield table("Budgets", "host last_request faults waits because", (_budget(row, now) for row in snapshot.budgets))
    yield table(
        "Estimates of the last day, told against took",
        "band estimates median_error",
        ((each.band, each.estimates, f"{each.median:.0%}") for each in snapshot.estimates),
    )
    yield table("Queues of jobs", "stage band queued running held oldest", map(_queue, snapshot.queues))
    yield table(
        f"{snapshot.scrobbles} scrobbles, {snapshot.requests_per_1000_scrobbles} requests for each 1,000",
        "of status count",
        [
            *(("lookups", name, count) for name, count in sorted(snapshot.lookups.items())),
            *(("covers", name, count) for name, count in sorted(snapshot.artworks.items())),
        ],
    )


def _waiting(lane: statistics.Lane) -> tuple[object, ...]:
    return (lane.source, *(lane.waiting.get(band, 0) for band in BANDS), lane.leased, _span(lane.oldest_s))


def _asked_lately(lane: statistics.Lane) -> tuple[object, ...]:
    median = "" if lane.p50_ms is None else f"{lane.p50_ms} ms"
    return (
        lane.source, lane.answered, lane.absent, lane.unknown, lane.fault, median, lane.requests_last_minute
    )  # fmt: skip


def _budget(budget: statistics.Budget, now: datetime) -> tuple[object, ...]:
    last = "never" if budget.last_sent_at is None else f"{_span(_seconds(now, budget.last_sent_at)) or '0 s'} ago"
    waits = "" if budget.paused_until is None else _span(_seconds(budget.paused_until, now))
    return budget.host, last, budget.faults, waits, budget.pause_reason


def _queue(queue: statistics.Queue) -> tuple[object, ...]:
    return queue.stage, queue.band, queue.queued, queue.picked, queue.held, _span(queue.oldest_s)


def table(title: str, columns: str, rows: Iterable[Iterable[object]]) -> Table:
    """Lay rows out under a title; `columns` are words, "_" standing for a space within one."""
    from rich import box
    from rich.table import Table

    made = Table(title=f"\n{title}", title_justify="left", title_style="bold", box=box.SIMPLE_HEAD)
    for column in columns.split():
        made.add_column(column.replace("_", " ") if column not in BANDS else column, no_wrap=column in BANDS)
    for row in rows:
        made.add_row(*map(str, row))
    return made


def _span(seconds: float) -> str:
    """Say how long, roughly: "45 s", "12 min", "3 h", "2 d"; "" for nothing."""
    if seconds <= 0:
        return ""
    for unit, length in (("d", 86400), ("h", 3600), ("min", 60)):
        if seconds >= 2 * length:
            return f"{seconds / length:.0f} {unit}"
    return f"{seconds:.0f} s"


def _seconds(later: datetime, earlier: datetime) -> float:
    return (later - earlier).total_seconds()


# ---------------------------------------------------------------- explain


def explain(
    context: typer.Context,
    scrobble_id: Annotated[int, typer.Argument(help="The scrobble's number, as pages and the API show it.")],
    as_json: AsJson = False,
) -> None:
    """Explain a scrobble: what was sent, what it became and why, and every question asked for it."""
    from sleevenotes import app
    from sleevenotes.store import explanations

    async def fetch() -> explanations.Explanation:
        async with app.open(tools.load(context)) as parts, parts.database.connection() as conn:
            found = await explanations.explain(conn, scrobble_id)
            if found is None:
                raise errors.Refused(f"there is no scrobble {scrobble_id}")
            return found

    explanation = tools.run(fetch())
    if as_json:
        tools.say_json(explanation)
    else:
        typer.echo("\n".join(_story(explanation)))


def _story(told: explanations.Explanation) -> Iterator[str]:
    sent, lookup = told.sent, told.lookup
    yield f"Scrobble {sent.id} of {sent.account}, played {sent.listened_at:%Y-%m-%d %H:%M:%S} UTC"
    yield f"  sent     {_named(sent.artist, sent.track, sent.release)}"
    yield f"  by       {sent.source_app or 'a client that did not say its name'} ({sent.origin})"
    if sent.evidence:
        yield f"  evidence {', '.join(f'{name} {value}' for name, value in sent.evidence.items())}"
    yield f"  status   {lookup.status}: {lookup.reason or 'not decided yet'}"
    if lookup.recheck_at:
        yield f"  again    {lookup.recheck_at:%Y-%m-%d %H:%M} UTC, after {lookup.tries} tries"
    yield from _outcome(told)
    yield from _asked("Asked to find the recording", told.match_traces, told.match_predictions)
    yield from _asked("Asked for the cover", told.cover_traces, told.cover_predictions)


_LED_BY = {
    "evidence": " (from this play alone)",
    "correction": " (as the listener said)",
    "everybody": " (as the owner said)",
    "consensus": " (several listeners agreed)",
}


def _outcome(told: explanations.Explanation) -> Iterator[str]:
    if match := told.match:
        yield f"  became   {_named(match.artist, match.recording, match.release_group or match.release)}"
        yield f"  because  {match.reason}"
        own = _LED_BY.get(told.led_by, "")
        yield f"  distance {match.distance:.3f}{own}, by {match.source}"
        for penalty in match.penalties:
            yield f"           {penalty['weight']:.3f} {penalty['name']}"
        group = match.release_group_mbid or "none"
        yield f"  MBIDs    recording {match.recording_mbid}, release group {group}"
    if cover := told.cover:
        size = f", {cover.width} x {cover.height} from {cover.source}" if cover.width else ""
        yield f"  cover    {cover.status}{size}: {cover.reason or 'not decided yet'}"


def _asked(title: str, asked: list[traces.Trace], foreseen: list[predictions.Prediction]) -> Iterator[str]:
    chances = {(each.source, each.kind): f", foreseen {each.chance:.0%}" for each in foreseen}
    yield f"{title}:" if asked else f"{title}: nothing was asked"
    for trace in asked:
        times = f"waited {trace.waited_ms / 1000:.1f} s, took {trace.took_ms / 1000:.1f} s"
        count = f", {trace.candidates} candidates" if trace.outcome == "answered" else ""
        note = f" ({trace.note})" if trace.note else ""
        chance = chances.get((trace.source, trace.kind), "")
        yield f"  {trace.asked_at:%H:%M:%S} {trace.source} {trace.kind}: {times}, {trace.outcome}{count}{chance}{note}"
    for each in foreseen:
        if each.way == "skip":
            yield f"  -------- {each.source} {each.kind}: not asked, it is unlikely to serve ({each.chance:.1%})"


def _named(artist: str, track: str, release: str) -> str:
    return f"{track} by {artist}" + (f" (on {release})" if release else "")
