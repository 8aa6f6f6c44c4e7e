"""Measure a server that has nothing to do: memory, processor time, and how long it takes to start.

python -m benches.idle [--seconds 30]

first_start_s  from the command until /health answers, in an empty data directory (the database is made)
start_s        the same, the second time
pss_mb         memory of all processes, PostgreSQL included; shared pages are counted once
cpu_share      processor seconds for each second, of one core, over --seconds of rest
processes      how many there are
"""

from __future__ import annotations

import argparse
import asyncio
import time

from benches import common, stand

SETTLE = 5.0  # seconds after the start before measuring


async def bench(options: argparse.Namespace) -> dict[str, object]:
    """Run it and return the figures."""
    # Whatever it might want to ask meets a closed port: nothing leaves this machine.
    async with stand.Stand(keep=options.keep, settings={"SLEEVENOTES_SIMULATOR": "127.0.0.1:9"}) as run:
        first = await _start(run)
        run.add_account()
        run.stop("server")
        second = await _start(run)
        common.say(f"started in {first:.2f} s, then in {second:.2f} s; resting")
        await asyncio.sleep(SETTLE)
        before, began = stand.cpu_s(run.product()), time.monotonic()
        await asyncio.sleep(options.seconds)
        processes = run.product()
        used = (stand.cpu_s(processes) - before) / (time.monotonic() - began)
        for pid in sorted(processes):
            common.say(f"{stand.pss_mb([pid]):7.1f} MB  {stand.title(pid)}")
        return {
            "bench": "idle",
            "pss_mb": round(stand.pss_mb(processes), 1),
            "cpu_share": round(used, 4),
            "start_s": round(second, 2),
            "first_start_s": round(first, 2),
            "processes": len(processes),
        }


async def _start(run: stand.Stand) -> float:
    began = time.monotonic()
    await run.server(work=True)
    return time.monotonic() - began


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="Measure a server at rest.")
    parser.add_argument("--seconds", type=float, default=30)
    parser.add_argument("--keep", action="store_true", help="leave the data and logs where they are")
    for unused in ("--history", "--world", "--cases"):  # `make bench` passes them to every benchmark
        parser.add_argument(unused, help=argparse.SUPPRESS)
    common.run(bench(parser.parse_args()))
