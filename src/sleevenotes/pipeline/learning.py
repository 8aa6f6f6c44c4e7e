"""Learning whom to ask: once a day where there is enough new to learn from, and when told to.

judged traces -> a process of its own (python -m sleevenotes.prediction), a line each
what it learned -> a new version: in force where it is better than the declared order, else rejected
the old one -> retired by a better one, or where it is itself no longer better than the declared order
"""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import structlog

from sleevenotes import errors, model, names
from sleevenotes.pipeline import asking
from sleevenotes.pipeline.tools import Tools
from sleevenotes.prediction import learned
from sleevenotes.sources import contract
from sleevenotes.store import jobs, predictions, predictors
from sleevenotes.store.postgres import Connection, Database

STAGE = "train"

MOST = 150_000
"""Judged traces that are learned from at most, the newest."""

KEEP = 0.995
"""Share of what the declared order finds that is to be found still."""

EVERY = timedelta(days=1)
FEWEST_NEW = 300
"""Judged traces since the last training that make another worth it, and a twentieth of what that one had."""

INHERITED = ("PATH", "PYTHONPATH", "LD_LIBRARY_PATH", "SYSTEMROOT", "TMPDIR", "TEMP")
"""What the program that trains is told of the environment; settings and secrets are not for it."""

ONE_THREAD = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}

log = structlog.get_logger(__name__)


async def begin(conn: Connection, now: datetime) -> bool:
    """Have a predictor trained where that is due; tell whether it is."""
    latest = next(iter(await predictors.versions(conn, 1)), None)
    if latest is not None and now - latest.trained_at < EVERY:
        return False
    new = await predictions.judged_since(conn, latest.until if latest else None)
    if new < max(FEWEST_NEW, latest.examples // 20 if latest else 0):
        return False
    await jobs.enqueue(conn, STAGE, [0], model.Band.LOW_PRIORITY)
    return True


async def run(tools: Tools, _: Sequence[int], __: model.Band) -> None:
    """Train, as a job."""
    made = await train(tools.database, tools.sources, tools.clock.now())
    log.info("train: a predictor was trained", predictor=made)
    tools.sight.look_again()


async def give_up(tools: Tools, _: Sequence[int], why: str) -> None:
    """Note that training failed; what is in force stays."""
    new = predictors.New(None, None, 0, None, 0.0, 0.0, f"Training failed: {why}.", is_accepted=False)
    async with tools.database.transaction() as conn:
        await predictors.keep(conn, new, tools.clock.now(), retire=False)


async def train(database: Database, sources: Sequence[contract.Source], now: datetime) -> int:
    """Train a predictor on what was judged until now and keep it, in force where it is better; return its number.

    Raises errors.Unusable where the process that trains fails.
    """
    async with database.connection() as conn:
        task = await _task(conn, sources)
    trained, count, until = await _trained(database, task)
    new = predictors.New(
        learned=_numbers(trained.model) if trained.model else None,
        evaluation=_evaluation(trained.evaluation) if trained.evaluation else None,
        examples=trained.evaluation.examples if trained.evaluation else count,
        until=until,
        took_s=trained.took_s,
        peak_mb=trained.peak_mb,
        reason=_reason(trained, task),
        is_accepted=trained.model is not None and not trained.why_not,
    )
    async with database.transaction() as conn:
        return await predictors.keep(conn, new, now, retire=not trained.old_holds)


async def _task(conn: Connection, sources: Sequence[contract.Source]) -> learned.Task:
    of_covers = [source for source in sources if contract.FindImages in source.policy.answers]
    declared = {
        contract.tag(contract.FindRecording): (*asking.QUICK, *asking.SLOW),
        contract.tag(contract.FindImages): tuple(source.name for source in asking.for_covers(of_covers)),
    }
    active = next((each for each in await predictors.versions(conn, 1) if each.status == "active"), None)
    numbers = await predictors.load(conn, active.id) if active else None
    if active is None or numbers is None or numbers.features != learned.FEATURES_VERSION:
        return learned.Task(declared, KEEP)
    return learned.Task(declared, KEEP, model_of(numbers), active.until.timestamp() if active.until else 0.0)


def model_of(numbers: predictors.Learned) -> learned.Model:
    """Read a predictor's numbers as they are kept."""
    return learned.Model(*msgspec.structs.astuple(numbers))


def _numbers(made: learned.Model) -> predictors.Learned:
    return predictors.Learned(*msgspec.structs.astuple(made))


def _evaluation(found: learned.Evaluation) -> dict[str, Any]:
    return {**msgspec.to_builtins(found), "saved": found.saved, "kept": found.kept}


def _reason(trained: learned.Trained, task: learned.Task) -> str:
    found = trained.evaluation
    if found is None or trained.why_not:
        stays = "the one before stays in force" if task.old and trained.old_holds else "the declared order is in force"
        return f"Not in force: {trained.why_not}; {stays}."
    kept = f"{100 * min(1.0, found.kept):.2f} % of what it finds, on {found.held_out} later questions"
    return f"Saves {100 * found.saved:.1f} % of the declared order's requests and finds {kept}."


# ---------------------------------------------------------------- the process that trains


async def _trained(database: Database, task: learned.Task) -> tuple[learned.Trained, int, datetime | None]:
    """Hand the examples to a process of its own, a line each; return what it learned, of how many, until when."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "sleevenotes.prediction",
        stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
        env={name: os.environ[name] for name in INHERITED if name in os.environ} | ONE_THREAD,
    )  # fmt: skip
    try:
        async with database.transaction() as conn:
            count, until = await _feed(conn, process, task)
        out, err = await process.communicate()
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    if process.returncode != 0:
        raise errors.Unusable(f"The process that trains ended with {process.returncode}: {err.decode()[-500:]}")
    return msgspec.json.decode(out, type=learned.Trained), count, until


async def _feed(
    conn: Connection, process: asyncio.subprocess.Process, task: learned.Task
) -> tuple[int, datetime | None]:
    if process.stdin is None:
        raise ValueError("the process was started without a stdin")
    count, last_s = 0, None
    process.stdin.write(msgspec.json.encode(task) + b"\n")
    try:
        async for rows in predictions.examples(conn, MOST):
            process.stdin.write(b"".join(msgspec.json.encode(_example(row)) + b"\n" for row in rows))
            await process.stdin.drain()
            count, last_s = count + len(rows), rows[-1]["asked_s"]
        process.stdin.close()
    except ConnectionError:
        return count, None  # it has died; its last words are read next
    return count, None if last_s is None else datetime.fromtimestamp(last_s, UTC)


def _example(row: dict[str, Any]) -> learned.Example:
    artist_key = names.key(row["artist"])
    question = f"{artist_key}/{names.key(row['track'] or row['release'])}"
    return learned.Example(artist_key=artist_key, question=question, **row)
