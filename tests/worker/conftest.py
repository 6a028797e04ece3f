"""A worker on this test's own servers, driven by the test: rate limits off, short waits."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import anyio
import pytest
from redis.asyncio import Redis

from service.settings import Settings
from service.streams.keys import GROUP, Keys
from service.streams.producer import append, encode
from service.worker.loops import Worker
from service.worker.running import open_worker


@pytest.fixture
def settings(redis_url: str, mongodb_uri: str, key_prefix: str) -> Settings:
    return Settings(
        _env_file=None,
        redis_url=redis_url,
        mongodb_uri=mongodb_uri,
        learning_key_prefix=key_prefix,
        learning_rate_limit_minutes=0,
        edit_batch_window_minutes=0,
        learning_lease_seconds=2,
        learning_redis_timeout_seconds=1,
        learning_sweep_seconds=0.1,
        learning_due_seconds=0.1,
        learning_block_seconds=0.1,
        learning_grace_seconds=5,
        learning_http_port=0,
    )


@pytest.fixture
def keys(key_prefix: str) -> Keys:
    return Keys.of(key_prefix)


@asynccontextmanager
async def running(settings: Settings, **options: Any) -> AsyncIterator[Worker]:
    """A worker at work; stopped gracefully at the end."""
    async with open_worker(settings, **options) as worker, anyio.create_task_group() as group:
        group.start_soon(worker.run)
        yield worker
        worker.stop()


async def until(condition: Callable[[], Awaitable[bool]], seconds: float = 20) -> None:
    """Wait until ``condition`` holds; fail after ``seconds``."""
    with anyio.fail_after(seconds):
        while not await condition():
            await anyio.sleep(0.02)


async def enqueue(redis: Redis, keys: Keys, *jobs: dict[str, Any]) -> list[str]:
    return await append(redis, keys, [encode(job) for job in jobs])


async def drained(redis: Redis, keys: Keys) -> bool:
    """Whether the stream and the pending list are empty."""
    partition = keys.partitions[0]
    if await redis.xlen(partition.jobs):
        return False
    pending: Any = await redis.xpending(partition.jobs, GROUP)
    return not pending["pending"]


def edit(number: int = 0, user: str = "ana", **more: Any) -> dict[str, Any]:
    """A job that shortens sentences and takes an emoji out."""
    return {
        "job_id": f"{user}-{number}",
        "user_id": user,
        "content_id": f"c{number}",
        "original_text": f"Pears are ripe in week {number}, and the plums follow in a few days. 🍐 We open at nine.",
        "edited_text": f"Pears are ripe in week {number}. The plums follow in a few days. We open at nine.",
        "edited_at": f"2025-05-{number % 27 + 1:02d}T10:00:00Z",
        **more,
    }
