"""Partitions on a real Redis Cluster: every node has some, and one, two or four workers lose and double nothing."""

import os
import signal
import subprocess
import sys
from collections.abc import AsyncIterator
from typing import Any

import anyio
import orjson
import pytest
from pymongo.asynchronous.database import AsyncDatabase
from redis import Redis as SyncRedis
from redis.asyncio import Redis

from service.embedded import EmbeddedRedis
from service.settings import Settings
from service.streams.client import connect
from service.streams.depth import QueueState, read_state
from service.streams.keys import GROUP, UPDATED_CHANNEL, Keys
from service.streams.minutes import read_minutes
from tests.streams.cluster_nodes import cluster, ready
from tests.worker.conftest import edit, enqueue, running, until

pytestmark = [pytest.mark.anyio, pytest.mark.timeout(240)]
Mongo = AsyncDatabase[dict[str, Any]]
PARTITIONS = 6  # of the prefix `learning`: every node of three has some
WRITERS = 40


@pytest.fixture(scope="module")
async def nodes(anyio_backend: str) -> AsyncIterator[list[EmbeddedRedis]]:
    with cluster() as started:

        async def agreed() -> bool:
            return ready(started)

        await until(agreed, seconds=60)
        yield started


@pytest.fixture
def clustered_settings(nodes: list[EmbeddedRedis], settings: Settings) -> Settings:
    url = nodes[0].url.replace("redis://", "redis+cluster://")
    checked = Settings(_env_file=None, redis_url=url)
    for node in nodes:
        with SyncRedis.from_url(node.url, socket_timeout=10) as client:
            client.flushall()
    ours = {"redis_url": checked.redis_url, "learning_partitions": PARTITIONS, "learning_key_prefix": "learning"}
    return settings.model_copy(update=ours)


@pytest.fixture
async def redis(clustered_settings: Settings) -> AsyncIterator[Redis]:
    client = connect(clustered_settings.redis_url.get_secret_value(), timeout=10)
    async with client:
        yield client


def spread(settings: Settings) -> Keys:
    return Keys.of(settings.learning_key_prefix, PARTITIONS)


def environment(settings: Settings) -> dict[str, str]:
    """Return what a process needs to know of the cluster."""
    return {
        "REDIS_URL": settings.redis_url.get_secret_value(),
        "LEARNING_PARTITIONS": str(PARTITIONS),
        "LEARNING_KEY_PREFIX": settings.learning_key_prefix,
        "LEARNING_RATE_LIMIT_MINUTES": "0",
        "EDIT_BATCH_WINDOW_MINUTES": "0",
    }


async def applied(mongo: Mongo) -> int:
    return sum([document["edits_applied"] async for document in mongo.style_profiles.find()])


async def settled(redis: Redis, keys: Keys, mongo: Mongo, jobs: int) -> None:
    """Wait until all is settled, and hold the invariants: nothing lost, nothing twice, nothing pending."""

    async def done() -> bool:
        await anyio.sleep(0.2)  # the workers need the processor
        return (await read_state(redis, keys)).completed >= jobs

    await until(done, seconds=120)
    assert await applied(mongo) == jobs
    state = await read_state(redis, keys)
    assert (state.waiting, state.active, state.dead, state.completed) == (0, 0, 0, jobs)
    assert sum(minute.completed for minute in await read_minutes(redis, keys)) == jobs
    for partition in keys.partitions:
        assert await redis.xlen(partition.jobs) == 0
        pending: Any = await redis.xpending(partition.jobs, GROUP)
        assert pending["pending"] == 0


async def test_a_worker_learns_from_every_node_and_tells(
    nodes: list[EmbeddedRedis], clustered_settings: Settings, redis: Redis, mongo: Mongo
) -> None:
    keys = spread(clustered_settings)
    await redis.set("profile:writer0", "stale")
    jobs = [edit(number, f"writer{number % WRITERS}") for number in range(120)]
    await enqueue(redis, keys, *jobs)
    for node in nodes:
        client = Redis.from_url(node.url)
        async with client:
            assert await client.keys("*:jobs"), "a node without a partition has nothing to do"
    listener = Redis.from_url(nodes[-1].url)
    async with listener, listener.pubsub() as channel:
        await channel.subscribe(UPDATED_CHANNEL)
        async with running(clustered_settings):
            await settled(redis, keys, mongo, len(jobs))

        async def heard() -> bool:
            message = await channel.get_message(ignore_subscribe_messages=True, timeout=0.1)
            return message is not None

        await until(heard)
    assert not await redis.exists("profile:writer0")
    state: QueueState = await read_state(redis, keys)
    assert state.consumers == []


async def test_abandoned_entries_of_every_partition_are_taken_over(
    clustered_settings: Settings, redis: Redis, mongo: Mongo
) -> None:
    keys = spread(clustered_settings)
    jobs = [edit(number, f"writer{number % WRITERS}") for number in range(80)]
    await enqueue(redis, keys, *jobs)
    for partition in keys.partitions:
        await redis.xgroup_create(partition.jobs, GROUP, id="0", mkstream=True)
        await redis.xreadgroup(GROUP, "dead", {partition.jobs: ">"}, count=100)
    assert (await read_state(redis, keys)).active == len(jobs)
    async with running(clustered_settings):
        await settled(redis, keys, mongo, len(jobs))


@pytest.mark.parametrize("workers", [1, 2, 4])
async def test_processes_share_the_partitions(
    clustered_settings: Settings, redis: Redis, mongo: Mongo, service_env: dict[str, str], workers: int
) -> None:
    keys = spread(clustered_settings)
    jobs = [edit(number, f"writer{number % WRITERS}") for number in range(200)]
    env = {**service_env, **environment(clustered_settings)}
    processes = [
        await anyio.open_process(
            [sys.executable, "-m", "service.cli", "consume"], env=env, stdout=subprocess.DEVNULL, stderr=None
        )
        for _ in range(workers)
    ]
    try:

        async def joined() -> bool:
            await anyio.sleep(0.2)
            return len({one.name for one in (await read_state(redis, keys)).consumers}) == workers

        await until(joined, seconds=100)
        await enqueue(redis, keys, *jobs)
        await settled(redis, keys, mongo, len(jobs))
        for process in processes:
            os.kill(process.pid, signal.SIGTERM)
        with anyio.fail_after(60):
            assert [await process.wait() for process in processes] == [0] * workers
    finally:
        for process in processes:
            if process.returncode is None:
                process.kill()
            await process.aclose()
    assert (await read_state(redis, keys)).consumers == []


COMMANDS = {
    ("doctor",): "primaries of a Redis Cluster",
    ("status", "--json"): '"dead": 1',
    ("dead", "list"): "future_version",
    ("dead", "replay", "--all"): "Put back 1 dead letter",
    ("reclaim",): "Took over 0 abandoned entries",
    ("profile", "forget", "writer1", "--yes"): "Erased writer1",
}


async def test_every_command_works_on_a_cluster(
    clustered_settings: Settings, redis: Redis, mongo: Mongo, service_env: dict[str, str]
) -> None:
    keys = spread(clustered_settings)
    await enqueue(redis, keys, *(edit(number, f"writer{number % 4}") for number in range(12)))
    await redis.xadd(keys.for_writer("writer1").jobs, {"job": orjson.dumps(edit(0, "writer1", schema_version=9))})

    async def done() -> bool:
        state = await read_state(redis, keys)
        return (state.completed, state.dead, state.waiting, state.active) == (12, 1, 0, 0)

    async with running(clustered_settings):
        await until(done)
    env = {**service_env, **environment(clustered_settings)}
    for command, words in COMMANDS.items():
        ended = await anyio.run_process(
            [sys.executable, "-m", "service.cli", *command], env=env, check=False, stderr=subprocess.STDOUT
        )
        assert words in ended.stdout.decode(), command
        assert ended.returncode == 0, command
