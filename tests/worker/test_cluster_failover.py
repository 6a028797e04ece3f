"""A node of a Redis Cluster dies with work on it, and its replica takes over."""

from __future__ import annotations

from typing import Any

import anyio
import pytest
from anyio import to_thread
from pymongo.asynchronous.database import AsyncDatabase
from redis.asyncio import Redis

from service.embedded import EmbeddedRedis
from service.settings import Settings
from service.streams.client import connect
from service.streams.depth import read_state
from service.streams.keys import Keys
from tests.streams.cluster_nodes import cluster, ready, with_replica
from tests.worker.conftest import edit, enqueue, running, until

pytestmark = [pytest.mark.anyio, pytest.mark.timeout(120)]
Mongo = AsyncDatabase[dict[str, Any]]
PARTITIONS, WRITERS, JOBS = 6, 40, 150


async def test_a_promoted_replica_is_followed_and_nothing_is_lost(settings: Settings, mongo: Mongo) -> None:
    with cluster() as nodes:
        await agreed(nodes, 3)
        with with_replica(nodes[1]) as replica:
            await agreed([*nodes, replica], 4)
            url = nodes[0].url.replace("redis://", "redis+cluster://")
            ours = {"redis_url": Settings(_env_file=None, redis_url=url).redis_url, "learning_partitions": PARTITIONS}
            followed = settings.model_copy(update={**ours, "learning_key_prefix": "learning"})
            keys = Keys.of("learning", PARTITIONS)
            async with connect(url, timeout=10) as redis, running(followed):
                await enqueue(redis, keys, *jobs(0))
                await in_step(nodes[1])
                nodes[1].kill()
                await until(lambda: promoted(replica), seconds=60)
                await until(lambda: settled(redis, keys), seconds=60)
                await enqueue(redis, keys, *jobs(JOBS))
                await until(lambda: settled(redis, keys), seconds=60)
    stored = {document["_id"]: document["edits_applied"] async for document in mongo.style_profiles.find()}
    assert sum(stored.values()) == 2 * JOBS
    assert len(stored) == WRITERS


def jobs(first: int) -> list[dict[str, Any]]:
    return [edit(number, f"writer{number % WRITERS}") for number in range(first, first + JOBS)]


async def agreed(nodes: list[EmbeddedRedis], known: int) -> None:
    async def agree() -> bool:
        return await to_thread.run_sync(ready, nodes, known)

    await until(agree, seconds=60)


async def in_step(primary: EmbeddedRedis) -> None:
    """Wait until the replica has everything, or a failover loses what Redis acknowledged."""
    async with Redis.from_url(primary.url) as client:
        assert await client.wait(1, 10_000) == 1


async def promoted(replica: EmbeddedRedis) -> bool:
    async with Redis.from_url(replica.url) as client:
        return bool((await client.info("replication"))["role"] == "master")


async def settled(redis: Redis, keys: Keys) -> bool:
    await anyio.sleep(0.2)
    try:
        state = await read_state(redis, keys)
    except Exception:  # noqa: BLE001 - the cluster has no owner of some slots for a moment
        return False
    return not (state.waiting or state.active)
