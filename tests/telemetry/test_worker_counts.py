"""What a worker on real servers counts of its work, and that one that nobody looks at imports nothing for it."""

import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import anyio
import pytest
from pydantic import SecretStr
from redis.asyncio import Redis

from schemas.delta import Analysis
from schemas.job import LearningJob
from service.analysis import analyze
from service.settings import Settings
from service.streams.keys import GROUP, Keys
from service.telemetry.histograms import Histograms
from service.telemetry.observer import Recorder
from service.telemetry.stages import STAGES
from service.tone.fake import FakeGemini
from service.worker.loops import Worker
from service.worker.running import open_worker
from tests.worker.conftest import drained, edit, enqueue, until

pytestmark = pytest.mark.anyio


@asynccontextmanager
async def recorded(settings: Settings, histograms: Histograms, **options: Any) -> AsyncIterator[Worker]:
    """A worker at work whose doings are counted in ``histograms``."""
    async with open_worker(settings, **options) as worker, anyio.create_task_group() as group:
        worker.observer = Recorder(histograms)
        group.start_soon(worker.run)
        yield worker
        worker.stop()


def count(histograms: Histograms, stage: str) -> int:
    return sum(histograms.stage.series[stage].counts)


async def test_every_stage_of_a_batch_is_counted(settings: Settings, redis_client: Redis, keys: Keys) -> None:
    histograms = Histograms()
    await enqueue(redis_client, keys, *(edit(number) for number in range(4)))
    async with recorded(settings, histograms) as worker:
        await until(lambda: drained(redis_client, keys))
    counts = worker.settler.counts
    assert (counts["received"], counts["learned"]) == (4, 4)
    assert (count(histograms, "decode"), count(histograms, "analyse")) == (4, 4)
    batches = sum(histograms.batch_size.series[""].counts)
    assert 1 <= batches <= 4
    assert histograms.batch_size.series[""].total == 4
    for stage in ("learn", "commit", "settle"):
        assert count(histograms, stage) == batches, stage
    assert count(histograms, "tone") == 0, "no model is asked"
    assert sum(histograms.process.series[""].counts) == batches
    parts = sum(histograms.stage.series[stage].total for stage in STAGES if stage != "decode")
    assert 0 < parts <= histograms.process.series[""].total
    assert sum(sum(series.counts) for series in histograms.score_change.series.values()) == batches


async def test_asking_the_model_is_a_stage_of_its_batch(settings: Settings, redis_client: Redis, keys: Keys) -> None:
    histograms = Histograms()
    with FakeGemini() as fake:
        told = {"gemini_api_key": SecretStr(fake.key), "gemini_base_url": fake.base_url}
        await enqueue(redis_client, keys, edit(1))
        async with recorded(settings.model_copy(update=told), histograms):
            await until(lambda: drained(redis_client, keys))
        assert len(fake.requests) == 1
    assert count(histograms, "tone") == 1
    assert histograms.stage.series["tone"].total > 0


async def test_what_is_recorded_for_later_is_deferred(settings: Settings, redis_client: Redis, keys: Keys) -> None:
    limited = settings.model_copy(update={"learning_rate_limit_minutes": 60, "edit_batch_window_minutes": 60})
    await enqueue(redis_client, keys, edit(1))
    async with recorded(limited, Histograms()) as worker:
        await until(lambda: drained(redis_client, keys))
        await enqueue(redis_client, keys, edit(2), edit(3))
        await until(lambda: drained(redis_client, keys))
    assert (worker.settler.counts["learned"], worker.settler.counts["deferred"]) == (1, 2)


async def test_the_ways_an_entry_can_end(settings: Settings, redis_client: Redis, keys: Keys) -> None:
    """Duplicates, dead letters, entries taken over and given again, failures: each is counted as what it was."""
    failures = iter(range(2))  # as one of its batch, then alone

    async def extract(job: LearningJob) -> Analysis:
        if job.job_id == "ana-3" and next(failures, None) is not None:
            raise RuntimeError("not yet")
        return analyze(job.original_text, job.edited_text)

    jobs = keys.partitions[0].jobs
    await enqueue(redis_client, keys, edit(1), edit(1), edit(3))
    await redis_client.xadd(jobs, {"job": b"{"})
    await redis_client.xgroup_create(jobs, GROUP, id="0")
    await redis_client.xreadgroup(GROUP, "dead-pod", {jobs: ">"}, count=1)
    histograms = Histograms()
    async with recorded(settings, histograms, extract=extract) as worker:
        await until(lambda: drained(redis_client, keys), seconds=40)
    counts = worker.settler.counts
    assert (counts["learned"], counts["duplicate"], counts["dead"]) == (2, 1, 1)
    assert counts["failed_attempt"] == 1
    assert counts["reclaimed"] == counts["redelivered"] == 2, "one of a dead pod, one of our own failure"
    assert counts["received"] == 5
    assert sum(histograms.process.series["bug"].counts) >= 1


async def test_lost_and_released_entries(settings: Settings, redis_client: Redis, keys: Keys) -> None:
    begun = anyio.Event()

    async def extract(job: LearningJob) -> Analysis:
        begun.set()
        await anyio.sleep_forever()
        raise AssertionError

    short = settings.model_copy(update={"learning_grace_seconds": 0})
    jobs = keys.partitions[0].jobs
    lost, _ = await enqueue(redis_client, keys, edit(1, "ana"), edit(1, "ben"))
    async with recorded(short, Histograms(), extract=extract) as worker:
        await begun.wait()
        await until(lambda: _held(worker, 2))
        await redis_client.xclaim(jobs, GROUP, "thief", 0, [lost])
        await until(lambda: _held(worker, 1))
        assert worker.in_work.oldest_seconds() > 0
    assert (worker.settler.counts["lost"], worker.settler.counts["released"]) == (1, 1)
    assert worker.in_work.oldest_seconds() == 0
    await redis_client.xgroup_delconsumer(jobs, GROUP, "thief")


async def _held(worker: Worker, number: int) -> bool:
    return len(worker.in_work) == number


UNSEEN = """
import sys, anyio
from service.settings import load_settings
from service.worker.running import run_worker

async def main():
    async with anyio.create_task_group() as group:
        group.start_soon(stop)
        await run_worker(load_settings())

async def stop():
    import os, signal
    from redis.asyncio import Redis
    async with Redis.from_url(load_settings().redis_url.get_secret_value()) as redis:
        while not await redis.hget(sys.argv[1], "learned"):
            await anyio.sleep(0.05)
    os.kill(os.getpid(), signal.SIGTERM)

anyio.run(main)
theirs = ("opentelemetry.sdk.trace", "opentelemetry.exporter", "prometheus_client", "uvicorn", "starlette", "requests")
print([name for name in sys.modules if name.startswith(theirs)])
"""


async def test_a_worker_nobody_looks_at_imports_nothing_for_it(
    service_env: dict[str, str], redis_client: Redis, keys: Keys
) -> None:
    """redis-py imports OpenTelemetry's metrics where it finds them; nothing of ours adds to that."""
    await enqueue(redis_client, keys, edit(1))
    command = [sys.executable, "-c", UNSEEN, keys.partitions[0].stats]
    done = await anyio.to_thread.run_sync(
        lambda: subprocess.run(command, env=service_env, capture_output=True, text=True, timeout=60)
    )
    assert (done.returncode, done.stdout.splitlines()[-1]) == (0, "[]"), done.stderr[-2000:]
