"""Entries that were abandoned, failed, released or lost."""

import itertools
import os
import signal
import sys
from typing import Any

import anyio
import pytest
from anyio.abc import Process
from pymongo.asynchronous.database import AsyncDatabase
from redis.asyncio import Redis

from schemas.delta import Analysis
from schemas.job import LearningJob
from service.settings import Settings
from service.streams import dead_letters
from service.streams.keys import GROUP, Keys
from service.streams.replies import pending
from service.worker.extraction import Extractor
from service.worker.running import reclaim_abandoned
from tests.worker.conftest import drained, edit, enqueue, running, until

pytestmark = pytest.mark.anyio
Mongo = AsyncDatabase[dict[str, Any]]


class Poison:
    """Extraction that fails for jobs of content `poison`, as a bug in our own code would."""

    def __init__(self) -> None:
        self.times: list[float] = []
        self._extract = Extractor()

    async def __call__(self, job: LearningJob) -> Analysis:
        if job.content_id == "poison":
            self.times.append(anyio.current_time())
            raise ZeroDivisionError
        return await self._extract(job)


async def abandon(redis: Redis, keys: Keys, count: int = 10) -> None:
    """Deliver entries to a consumer that never comes back."""
    await redis.xgroup_create(keys.partitions[0].jobs, GROUP, id="0", mkstream=True)
    await redis.xreadgroup(GROUP, "dead", {keys.partitions[0].jobs: ">"}, count=count)


async def edits_applied(mongo: Mongo) -> dict[str, int]:
    return {document["_id"]: document["edits_applied"] async for document in mongo.style_profiles.find()}


async def test_abandoned_entries_are_taken_over_after_the_lease(
    settings: Settings, redis_client: Redis, mongo: Mongo, keys: Keys
) -> None:
    await enqueue(redis_client, keys, *(edit(number) for number in range(5)))
    await abandon(redis_client, keys)
    async with running(settings):
        with anyio.fail_after(settings.learning_lease_seconds * 1.5 + 1):
            await until(lambda: drained(redis_client, keys))
    assert await edits_applied(mongo) == {"ana": 5}


async def test_abandoned_entries_do_not_wait_for_the_backlog(
    settings: Settings, redis_client: Redis, mongo: Mongo, keys: Keys
) -> None:
    extractor, taken_over = Extractor(), anyio.Event()
    numbers = itertools.count(1)

    async def refilled(job: LearningJob) -> Analysis:
        if job.user_id == "abandoned":
            taken_over.set()
        elif not taken_over.is_set():
            await enqueue(redis_client, keys, edit(next(numbers), "busy"))
        return await extractor(job)

    await enqueue(redis_client, keys, edit(0, "abandoned"))
    await abandon(redis_client, keys)
    await enqueue(redis_client, keys, *(edit(next(numbers), f"busy{number}") for number in range(20)))
    one_at_a_time = settings.model_copy(update={"learning_queue_concurrency": 1, "learning_prefetch": 1})
    async with running(one_at_a_time, extract=refilled):
        with anyio.fail_after(settings.learning_lease_seconds * 1.5 + 1):
            await taken_over.wait()
        await until(lambda: drained(redis_client, keys))


async def test_reclaim_finishes_what_was_abandoned(
    settings: Settings, redis_client: Redis, mongo: Mongo, keys: Keys
) -> None:
    await enqueue(redis_client, keys, *(edit(number) for number in range(40)))
    await abandon(redis_client, keys, count=40)
    assert await reclaim_abandoned(settings, min_idle=60, watch=False) == 0
    assert await reclaim_abandoned(settings, min_idle=0, watch=False) == 40
    assert await drained(redis_client, keys)
    assert await edits_applied(mongo) == {"ana": 40}


async def test_the_waits_between_attempts_grow(
    settings: Settings, redis_client: Redis, mongo: Mongo, keys: Keys
) -> None:
    await enqueue(redis_client, keys, edit(1, content_id="poison"))
    poison = Poison()
    async with running(settings.model_copy(update={"learning_max_attempts": 4}), extract=poison):
        await until(lambda: drained(redis_client, keys), seconds=30)
    waits = [after - before for before, after in itertools.pairwise(poison.times)]
    assert len(waits) == 3
    assert waits[0] > 0.9
    assert min(waits[1:]) > 1.9  # as long as a lease, which bounds them


async def test_a_job_that_raises_is_buried_and_its_batch_is_learned(
    settings: Settings, redis_client: Redis, mongo: Mongo, keys: Keys
) -> None:
    jobs = [edit(number) for number in range(4)]
    jobs.insert(2, edit(9, content_id="poison"))
    await enqueue(redis_client, keys, *jobs)
    poison = Poison()
    quick = settings.model_copy(update={"learning_max_attempts": 3})
    async with running(quick, extract=poison):
        await until(lambda: drained(redis_client, keys), seconds=30)
    [letter] = [fields async for _, _, fields in dead_letters.walk(redis_client, keys)]
    assert letter[b"reason"] == b"attempts"
    assert letter[b"job_id"] == b"ana-9"
    assert len(poison.times) >= 3
    assert await edits_applied(mongo) == {"ana": 4}


async def test_a_job_that_hangs_is_ended_by_its_time_out(
    settings: Settings, redis_client: Redis, mongo: Mongo, keys: Keys
) -> None:
    extractor = Extractor()

    async def hang(job: LearningJob) -> Analysis:
        if job.content_id == "poison":
            await anyio.sleep_forever()
        return await extractor(job)

    await enqueue(redis_client, keys, edit(1, content_id="poison"), edit(2), edit(3, "ben"))
    quick = settings.model_copy(update={"learning_max_attempts": 3, "learning_job_timeout_seconds": 0.3})
    async with running(quick, extract=hang):
        await until(lambda: drained(redis_client, keys), seconds=30)
    assert await edits_applied(mongo) == {"ana": 1, "ben": 1}


async def test_what_is_not_finished_in_the_grace_is_released_uncounted(
    settings: Settings, redis_client: Redis, mongo: Mongo, keys: Keys
) -> None:
    started = anyio.Event()

    async def slow(job: LearningJob) -> Analysis:
        started.set()
        await anyio.sleep_forever()
        raise AssertionError

    await enqueue(redis_client, keys, edit(1))
    async with running(settings.model_copy(update={"learning_grace_seconds": 0.1}), extract=slow):
        await started.wait()
    [row] = pending(await redis_client.xpending_range(keys.partitions[0].jobs, GROUP, "-", "+", 10))
    assert row.deliveries == 0
    assert row.idle_ms >= settings.learning_lease_seconds * 1000
    async with running(settings):
        with anyio.fail_after(1):
            await until(lambda: drained(redis_client, keys))
    assert await edits_applied(mongo) == {"ana": 1}


async def test_a_lost_entry_cancels_its_work_and_changes_nothing(
    settings: Settings, redis_client: Redis, mongo: Mongo, keys: Keys
) -> None:
    started, ended = anyio.Event(), anyio.Event()

    async def slow(job: LearningJob) -> Analysis:
        started.set()
        try:
            await anyio.sleep_forever()
        finally:
            ended.set()
        raise AssertionError

    [id] = await enqueue(redis_client, keys, edit(1))
    async with running(settings, extract=slow) as worker:
        await started.wait()
        await redis_client.xclaim(keys.partitions[0].jobs, GROUP, "thief", 0, [id])
        with anyio.fail_after(settings.learning_lease_seconds):
            await ended.wait()
        assert not len(worker.in_work)
    assert await edits_applied(mongo) == {}
    [row] = pending(await redis_client.xpending_range(keys.partitions[0].jobs, GROUP, "-", "+", 10))
    assert row.consumer == "thief"


async def consume(env: dict[str, str], *options: str) -> Process:
    return await anyio.open_process(
        [sys.executable, "-m", "service.cli", "consume", *options], env=env, stdout=None, stderr=None
    )


async def test_two_processes_and_a_kill_lose_nothing_and_double_nothing(
    service_env: dict[str, str], redis_client: Redis, mongo: Mongo, keys: Keys
) -> None:
    env = {**service_env, "LEARNING_RATE_LIMIT_MINUTES": "0", "LEARNING_LEASE_SECONDS": "2"}
    env |= {"LEARNING_REDIS_TIMEOUT_SECONDS": "1", "LEARNING_LOG_LEVEL": "warning"}
    total, writers = 600, 30
    await enqueue(redis_client, keys, *(edit(number, f"writer{number % writers}") for number in range(total)))
    victim, survivor = await consume(env), await consume(env)
    try:

        async def half_way() -> bool:
            return bool(await redis_client.xlen(keys.partitions[0].jobs) < total / 2)

        await until(half_way, seconds=60)
        victim.send_signal(signal.SIGKILL)
        await until(lambda: drained(redis_client, keys), seconds=60)
        survivor.send_signal(signal.SIGTERM)
        with anyio.fail_after(10):
            assert await survivor.wait() == 0
    finally:
        for process in (victim, survivor):
            if process.returncode is None:
                os.kill(process.pid, signal.SIGKILL)
                await process.wait()
    assert await edits_applied(mongo) == {f"writer{number}": total // writers for number in range(writers)}


async def test_many_jobs_of_one_writer_in_two_workers(
    settings: Settings, redis_client: Redis, mongo: Mongo, keys: Keys
) -> None:
    await enqueue(redis_client, keys, *(edit(number) for number in range(200)))
    async with running(settings), running(settings):
        await until(lambda: drained(redis_client, keys), seconds=60)
    assert await edits_applied(mongo) == {"ana": 200}
