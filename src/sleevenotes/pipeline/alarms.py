"""Waking a stage at a moment of our clock, for what is not to be waited for any longer.

Alarms live in the process that set them. One that is lost with its process costs a delay, nothing else: the last
answer that a stage waits for wakes it anyway.
"""

from __future__ import annotations

import asyncio
from datetime import datetime

from sleevenotes import clock, model
from sleevenotes.store import jobs
from sleevenotes.store.postgres import Database


class Alarms:
    """Enqueues a job for a stage when its moment comes."""

    def __init__(self, database: Database, time: clock.Clock) -> None:
        self._database = database
        self._time = time
        self._set: dict[tuple[str, int], asyncio.Task[None]] = {}

    def set(self, stage: str, subject_id: int, band: model.Band, at: datetime) -> None:
        """Wake `stage` for this subject at that moment; once, however often it is set."""
        key = (stage, subject_id)
        if key not in self._set:
            self._set[key] = asyncio.create_task(self._ring(stage, subject_id, band, at), name=f"alarm {key}")
            self._set[key].add_done_callback(lambda _: self._set.pop(key, None))

    async def close(self) -> None:
        """Forget all alarms."""
        alarms = list(self._set.values())
        for alarm in alarms:
            alarm.cancel()
        await asyncio.gather(*alarms, return_exceptions=True)

    async def _ring(self, stage: str, subject_id: int, band: model.Band, at: datetime) -> None:
        await self._time.sleep((at - self._time.now()).total_seconds())
        async with self._database.transaction() as conn:
            await jobs.enqueue(conn, stage, [subject_id], band)
