"""Puts the parts together; the only module that knows them all.

open    the database, the time and the file store: enough for the command line
work    + the door out, a lane for each host, workers for each stage, the recheck
serve   + the web server; with the work in the same process unless told otherwise
"""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
import functools
import gc
import pathlib
import signal
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Sequence
from datetime import timedelta
from typing import TYPE_CHECKING

import msgspec
import structlog

from sleevenotes import catalogue, clock, errors, events
from sleevenotes.artwork.files import Files
from sleevenotes.pipeline import (
    alarms,
    artwork,
    backfill,
    better,
    collecting,
    comparing,
    connecting,
    discography,
    evidence,
    farewell,
    forwarding,
    history,
    importing,
    jobs,
    learning,
    match,
    offers,
    popular,
    portrait,
    preview,
    recheck,
    reconsider,
    sameplay,
    sampling,
    search,
    seeding,
    sent_images,
    syncing,
    tally,
)
from sleevenotes.pipeline.submit import Submitter
from sleevenotes.pipeline.tools import Tools
from sleevenotes.pipeline.uploads import Uploads
from sleevenotes.settings import Settings
from sleevenotes.sources import contract, registry
from sleevenotes.store import jobs as store_jobs
from sleevenotes.store.postgres import Database
from sleevenotes.upstream import client, lane

if TYPE_CHECKING:
    from sleevenotes.server.services import Services

log = structlog.get_logger(__name__)


@dataclasses.dataclass(frozen=True)
class Parts:
    """What every process of an installation has."""

    settings: Settings
    clock: clock.Clock
    database: Database
    files: Files
    submitter: Submitter
    catalogue: catalogue.Shelf


def configure_log(level: str) -> None:
    """Write log lines from this level on. Tracebacks go without local variables, which may hold secrets."""
    plain = structlog.dev.ConsoleRenderer(colors=sys.stdout.isatty(), exception_formatter=structlog.dev.plain_traceback)
    processors = [*structlog.get_config()["processors"][:-1], plain]
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(level), processors=processors)


@contextlib.asynccontextmanager
async def open(  # noqa: A001 - read as app.open
    settings: Settings, *, time: clock.Clock | None = None
) -> AsyncIterator[Parts]:
    """Start or join the database, apply migrations, and give the parts; close what was opened."""
    configure_log(settings.log_level)
    time = time or clock.from_text(settings.clock)
    sources = sources_of(settings)
    _make_directory(settings.data_path)
    database = await Database.open(settings)
    try:
        shelf = catalogue.Shelf(settings.catalogue_path, _refuse)
        submitter = Submitter(database, time, shelf, sources)
        yield Parts(settings, time, database, Files(settings.data_path), submitter, shelf)
    finally:
        await database.close()


def _make_directory(path: pathlib.Path) -> None:
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise errors.Unusable(f"data_dir: {path} cannot be made: {error.strerror}") from error


@contextlib.asynccontextmanager
async def working(
    parts: Parts,
    transport: client.Transport | None = None,
    sources: Sequence[contract.Source] | None = None,
    *,
    leaving: Collection[str] = (),
) -> AsyncIterator[None]:
    """Run lanes, workers and the recheck while the block runs.

    `transport` takes the place of the internet (tests mount a simulator), `sources` of those the settings let be asked.
    Jobs of the stages `leaving` are left in the queue, for another process or another time.
    """
    asked = sources_of(parts.settings) if sources is None else sources
    clock_of_stages = alarms.Alarms(parts.database, parts.clock)
    wanted_px = parts.settings.wanted_image_px
    tools = Tools(parts.database, parts.clock, parts.files, asked, clock_of_stages, parts.catalogue, wanted_px)
    if sources is None:
        await backfill.notice(tools)
    histories = importing_of(parts)
    every = [*stages(tools), jobs.Stage(importing.STAGE, histories.run, histories.give_up)]
    mine = [stage for stage in every if stage.name not in leaving]
    worker = jobs.Worker(parts.database, mine, parts.clock, parts.settings.worker_jobs)
    async with contextlib.AsyncExitStack() as stack:
        if transport is None:
            internet = client.Internet(parts.settings.simulator)
            stack.push_async_callback(internet.close)
            transport = internet
        door = client.Client(transport, parts.clock, parts.settings.user_agent)
        lanes = _lanes(parts, asked, door)
        await parts.database.listen(events.WAKE_LANES, functools.partial(_call, lanes))
        tasks = [asyncio.create_task(each.run(), name=f"lane {each.host}") for each in lanes]
        tasks.append(asyncio.create_task(recheck.run(tools), name="recheck"))
        tasks.append(asyncio.create_task(tally.run(tools), name="tally"))
        tasks.append(asyncio.create_task(sampling.run(tools), name="sampling"))
        tasks.append(asyncio.create_task(syncing.run(tools), name="syncing"))
        tasks.append(asyncio.create_task(popular.run(tools, popular_rule(parts.settings)), name="popular"))
        if seed := parts.settings.popular_seed:
            tasks.append(asyncio.create_task(seeding.run(tools, pathlib.Path(seed)), name="seeding"))
        sending = forwarding.run(tools, door, forwarding.takers_of(parts.settings))
        tasks.append(asyncio.create_task(sending, name="forwarding"))
        working_on_jobs = asyncio.create_task(worker.run(), name="worker")
        for task in (*tasks, working_on_jobs):
            task.add_done_callback(_complain)
        try:
            yield
        finally:
            worker.stop()
            await clock_of_stages.close()
            await _cancel(tasks)
            await _ended(working_on_jobs)


def sources_of(settings: Settings) -> tuple[contract.Source, ...]:
    """Return the sources that these settings let be asked. Raises errors.Unusable where they name one there is not."""
    registry.check(settings.only_sources)
    keys = msgspec.convert(settings, contract.Keys, from_attributes=True)
    return registry.usable(keys, settings.only_sources)


def popular_rule(settings: Settings) -> popular.Rule:
    """Return what these settings say of popular names."""
    age = timedelta(days=max(1, settings.popular_days))
    asked = collecting.asked(sources_of(settings))
    return popular.Rule(settings.popular_names, max(1, settings.popular_per_hour), age, asked)


def stages(tools: Tools) -> list[jobs.Stage]:
    """List the stages that jobs name."""
    modules = {
        "match": match,
        "discography": discography,
        "evidence": evidence,
        "reconsider": reconsider,
        "portrait": portrait,
        collecting.STAGE: collecting,
        "preview": preview,
        "artwork": artwork,
        "offers": offers,
        "search": search,
        "farewell": farewell,
        "same_play": sameplay,
        sameplay.STAGE: comparing,
        "session": connecting,
        "sent_images": sent_images,
        learning.STAGE: learning,
    }
    return [
        *(
            jobs.Stage(name, functools.partial(module.run, tools), functools.partial(module.give_up, tools))
            for name, module in modules.items()
        ),
        *_anew(tools),
        jobs.Stage(popular.STAGE, functools.partial(popular.stage, tools), functools.partial(popular.give_up, tools)),
        *(
            jobs.Stage(
                kind, functools.partial(history.run, tools, kind), functools.partial(history.give_up, tools, kind)
            )
            for kind in history.KINDS
        ),
    ]


def _anew(tools: Tools) -> list[jobs.Stage]:
    """List the stages that look again without taking away what is shown."""
    runs = {
        backfill.NAMES: (backfill.run_names, backfill.give_up),
        backfill.PORTRAITS: (backfill.run_portraits, backfill.give_up),
        better.BACKFILL: (better.run_backfill, better.give_up),
        better.LARGER: (better.run_larger, better.give_up),
    }
    return [
        jobs.Stage(name, functools.partial(run, tools), functools.partial(give_up, tools))
        for name, (run, give_up) in runs.items()
    ]


def importing_of(parts: Parts) -> importing.Importing:
    """Give the stage of imports, which keeps files open and is therefore one of a process."""
    return importing.Importing(
        parts.database, parts.clock, parts.submitter, Uploads(parts.settings.data_path), parts.files
    )


def _lanes(parts: Parts, asked: Sequence[contract.Source], door: client.Client) -> list[lane.Lane]:
    return [
        lane.Lane(sources, parts.database, door, parts.files, parts.clock, store_jobs.wake)
        for sources in lane.by_host(asked).values()
    ]


def _call(lanes: Sequence[lane.Lane], source: str) -> None:
    for each in lanes:
        each.call(source)


async def work(settings: Settings) -> None:
    """Run a worker process until told to stop."""
    async with open(settings) as parts, working(parts):
        settle()
        log.info("working")
        await _told_to_stop()


async def serve(
    settings: Settings, *, work: bool = True, ready: Callable[[Parts], Awaitable[None]] | None = None
) -> None:
    """Run the web server until told to stop, with the work in this process unless `work` is False.

    `ready` is awaited once requests are answered.
    """
    from sleevenotes.server import running, web  # noqa: PLC0415 - workers and short commands do without the web

    async with contextlib.AsyncExitStack() as stack:
        parts = await stack.enter_async_context(open(settings))
        if work:
            await stack.enter_async_context(working(parts))
        services = services_of(parts)
        server = running.Server(web.create(services), settings, services.hub)
        serving = asyncio.create_task(server.serve())
        await server.until_ready(serving)
        settle()
        if ready is not None and server.started:
            await ready(parts)
        await serving


def settle() -> None:
    """Spare the garbage collector what was loaded at the start: it stays, and each look through it takes 50 ms."""
    gc.collect()
    gc.freeze()


def services_of(parts: Parts) -> Services:
    """Give the web server what its handlers work with."""
    from sleevenotes.server.live import Hub  # noqa: PLC0415 - as in serve
    from sleevenotes.server.services import Services  # noqa: PLC0415

    return Services(
        settings=parts.settings,
        clock=parts.clock,
        database=parts.database,
        submitter=parts.submitter,
        files=parts.files,
        hub=Hub(parts.database, parts.clock),
    )


async def _told_to_stop() -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop.set)
    await stop.wait()


async def _cancel(tasks: Sequence[asyncio.Task[None]]) -> None:
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


async def _ended(task: asyncio.Task[None], patience: float = 10.0) -> None:
    await asyncio.wait({task}, timeout=patience)
    await _cancel([task])


def _refuse(why: str) -> None:
    log.warning("the catalogue is not used", why=why)


def _complain(task: asyncio.Task[None]) -> None:
    """Say it loudly when something that should run for ever ends by an error of ours."""
    if not task.cancelled() and task.exception() is not None:
        log.error("a part has ended", part=task.get_name(), exc_info=task.exception())
