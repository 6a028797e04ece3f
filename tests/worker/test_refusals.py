"""A Redis that answers and refuses: full, or without its group. Work goes on, and nothing is buried for it."""

from typing import Any

import anyio
import pytest
from pymongo.asynchronous.database import AsyncDatabase
from redis.asyncio import Redis

from schemas.delta import Analysis
from schemas.job import LearningJob
from service.settings import Settings
from service.streams.keys import GROUP, Keys
from service.streams.replies import entries
from service.worker.extraction import Extractor
from tests.worker.conftest import drained, edit, enqueue, running, until

pytestmark = pytest.mark.anyio
Mongo = AsyncDatabase[dict[str, Any]]


class Gate:
    """Extraction that waits until it is let go."""

    def __init__(self) -> None:
        self.reached, self.open = anyio.Event(), anyio.Event()
        self._extract = Extractor()

    async def __call__(self, job: LearningJob) -> Analysis:
        self.reached.set()
        await self.open.wait()
        return await self._extract(job)


async def applied(mongo: Mongo) -> int:
    profile = await mongo.style_profiles.find_one({"_id": "ana"})
    return profile["edits_applied"] if profile else 0


async def test_a_full_redis_is_drained_and_its_dead_letters_wait(
    settings: Settings, redis_client: Redis, mongo: Mongo, keys: Keys
) -> None:
    partition = keys.partitions[0]
    gate = Gate()
    async with running(settings, extract=gate) as worker:
        await enqueue(redis_client, keys, edit(0))
        await gate.reached.wait()
        await enqueue(redis_client, keys, *(edit(number) for number in range(1, 10)))
        async with redis_client.pipeline(transaction=True) as at_once:
            at_once.xadd(partition.jobs, {"job": "no JSON"})
            at_once.config_set("maxmemory", 1)
            await at_once.execute()
        try:
            gate.open.set()

            async def learned() -> bool:
                return await applied(mongo) == 10 and await redis_client.xlen(partition.jobs) == 1

            await until(learned)
            await until(lambda: _active(worker))
            assert await redis_client.xlen(partition.dead) == 0
        finally:
            await redis_client.config_set("maxmemory", 0)
        await until(lambda: drained(redis_client, keys))
        [(_, letter)] = entries(await redis_client.xrange(partition.dead))
        assert letter[b"reason"] == b"undecodable"
    assert await redis_client.xlen(partition.dead) == 1


async def _active(worker: Any) -> bool:
    return bool(worker.faults.active("bury"))


async def test_a_group_destroyed_while_entries_are_in_work_costs_nothing(
    settings: Settings, redis_client: Redis, mongo: Mongo, keys: Keys
) -> None:
    gate = Gate()
    await enqueue(redis_client, keys, *(edit(number) for number in range(5)))
    async with running(settings, extract=gate) as worker:
        await gate.reached.wait()
        await redis_client.xgroup_destroy(keys.partitions[0].jobs, GROUP)
        gate.open.set()
        await until(lambda: drained(redis_client, keys))
        assert not len(worker.in_work)
    assert await applied(mongo) == 5
    assert await redis_client.xlen(keys.partitions[0].dead) == 0
