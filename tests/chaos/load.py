"""Enqueuers: jobs of many writers, seeded, with duplicates on purpose, that never lose count of what Redis took.

The texts are those of the sample writers, so learning has something to learn. A writer gets at most ``JOBS_A_WRITER``
jobs: fewer than a profile keeps, so that the stored profile must equal an offline replay to the last digit.
"""

from __future__ import annotations

import random
from datetime import UTC, datetime, timedelta
from functools import cache
from importlib.resources import files
from typing import Any

import anyio
import orjson
from redis.asyncio import Redis
from redis.exceptions import RedisError

from service.streams.keys import Keys

JOBS_A_WRITER = 40
WRITERS_AT_A_TIME = 12
DUPLICATES = 0.1  # share of jobs that are sent again, some at once, some much later
FIRST_EDIT = datetime(2025, 5, 1, tzinfo=UTC)
Job = dict[str, Any]


@cache
def samples() -> list[Job]:
    lines = (files("service") / "sample" / "edits.jsonl").read_bytes().splitlines()
    return [orjson.loads(line) for line in lines if line]


class Load:
    """Sends jobs to the stream of ``keys``. ``sent`` holds each distinct job that Redis has accepted."""

    def __init__(self, redis: Redis, keys: Keys, seed: int, prefix: str = "writer") -> None:
        self.sent: dict[str, list[Job]] = {}
        self._redis = redis
        self._keys = keys
        self._prefix = prefix
        self._random = random.Random(seed)
        self._number = 0

    @property
    def jobs(self) -> int:
        """How many distinct jobs were sent."""
        return sum(map(len, self.sent.values()))

    def next_job(self, **more: Any) -> Job:
        """Return a job of the next writer in turn; ``edited_at`` runs against the order of sending, now and then."""
        number, self._number = self._number, self._number + 1
        generation, rest = divmod(number, JOBS_A_WRITER * WRITERS_AT_A_TIME)
        user_id = f"{self._prefix}{generation * WRITERS_AT_A_TIME + rest % WRITERS_AT_A_TIME}"
        saved = FIRST_EDIT + timedelta(minutes=number + self._random.randint(-90, 90))
        sample = self._random.choice(samples())
        texts = {"original_text": sample["original_text"], "edited_text": sample["edited_text"]}
        own = {"job_id": f"job-{number}", "user_id": user_id, "content_id": f"post-{number}", **texts}
        return {**own, "edited_at": saved.isoformat(), **more}

    async def send(self, count: int = 1, **more: Any) -> list[Job]:
        """Send ``count`` new jobs and some old ones again."""
        jobs = [self.next_job(**more) for _ in range(count)]
        again = [job for job in jobs if self._random.random() < DUPLICATES / 2]
        for job in jobs:
            old = self.sent.get(job["user_id"])
            if old and self._random.random() < DUPLICATES / 2:
                again.append(self._random.choice(old))
        await self.append(jobs + again)
        return jobs

    async def append(self, jobs: list[Job]) -> None:
        """Append ``jobs``, however long Redis is away. An unknown outcome is sent again: a duplicate at worst."""
        for job in jobs:
            entry: Any = {b"job": orjson.dumps(job)}
            while True:
                try:
                    await self._redis.xadd(self._keys.for_writer(job["user_id"]).jobs, entry)
                except RedisError:
                    await anyio.sleep(0.05)
                else:
                    break
            of_writer = self.sent.setdefault(job["user_id"], [])
            if job not in of_writer:
                of_writer.append(job)

    async def flow(
        self, stop: anyio.Event, per_second: float = 12, burst: int = 6, most_waiting: int | None = None
    ) -> None:
        """Send bursts at a steady rate until ``stop``, none while ``most_waiting`` entries are in the stream."""
        while not stop.is_set():
            if most_waiting is None or await self._waiting() < most_waiting:
                await self.send(burst)
            with anyio.move_on_after(burst / per_second * self._random.uniform(0.5, 1.5)):
                await stop.wait()

    async def _waiting(self) -> int:
        return sum([await self._redis.xlen(partition.jobs) for partition in self._keys.partitions])
