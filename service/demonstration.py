"""``learnsvc demo``: the whole way of the sample edits, on private servers, with the real worker in this process.

The edits are appended in the order in which they were saved, with the rate limit switched off, so that a person
sees each of them learned; otherwise this is the worker as ``learnsvc consume`` runs it.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from importlib.resources import files
from typing import Any

import anyio
import orjson

from schemas.job import LearningJob
from schemas.profile import Profile
from service.embedded import EmbeddedMongo, EmbeddedRedis
from service.logs import get_logger
from service.settings import Settings, load_settings
from service.streams.depth import read_state
from service.streams.producer import append, encode
from service.worker.loops import Worker
from service.worker.running import open_worker

ROUND = 8  # edits appended at a time: one of each writer, more or less
LOOK_SECONDS = 0.02

Job = tuple[LearningJob, bytes]


def sample_jobs() -> list[Job]:
    """Return the sample edits, in the order in which they were saved."""
    lines = (files("service") / "sample" / "edits.jsonl").read_bytes().splitlines()
    return [encode(orjson.loads(line)) for line in lines]


def demo_settings(redis: EmbeddedRedis, mongo: EmbeddedMongo, **others: object) -> Settings:
    """Return the settings of the environment, on private servers and without waiting times."""
    return load_settings(
        redis_url=redis.url,
        mongodb_uri=mongo.uri("learnsvc"),
        learning_rate_limit_minutes=0,
        edit_batch_window_minutes=0,
        learning_http_port=0,
        learning_block_seconds=0.1,
        **others,
    )


async def run_demo(settings: Settings, jobs: Sequence[Job], progress: Callable[[int], None]) -> list[Profile]:
    """Append ``jobs`` and learn them all; return the writers' profiles. ``progress`` is told how many are done."""
    async with _working(settings) as worker:
        done = 0
        for batch in batches(jobs):
            await append(worker.redis, worker.keys, batch)
            for job, _ in batch:
                get_logger().info(f"[Learning] Job queued for user {job.user_id}", user_id=job.user_id)
            done += len(batch)
            await _settled(worker, done, progress)
        users = sorted({job.user_id for job, _ in jobs})
        profiles = [await worker.store.history(user) for user in users]
    return [profile for profile in profiles if profile is not None]


def batches(jobs: Sequence[Job]) -> list[Sequence[Job]]:
    return [jobs[start : start + ROUND] for start in range(0, len(jobs), ROUND)]


@asynccontextmanager
async def _working(settings: Settings) -> AsyncIterator[Worker]:
    async with open_worker(settings) as worker, anyio.create_task_group() as group:
        group.start_soon(worker.run)
        yield worker
        worker.stop()


async def _settled(worker: Worker, expected: int, progress: Callable[[int], None]) -> None:
    """Wait until ``expected`` entries were learned or dead-lettered in all."""
    while True:
        state = await read_state(worker.redis, worker.keys)
        progress(state.completed + state.failed)
        if state.completed + state.failed >= expected:
            return
        await anyio.sleep(LOOK_SECONDS)


def directions_of(profile: Profile) -> list[str]:
    """Return what a profile claims about change, in words such as ``emoji fewer``."""
    claims: dict[str, Any] = profile.directions.model_dump()
    claims |= claims.pop("tone")
    return [f"{name.replace('_', ' ')} {value}" for name, value in claims.items() if value != "none"]
