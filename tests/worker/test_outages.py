"""Servers that go away while there is work, and come back: nothing is lost, nothing doubled, nothing buried."""

import os
import signal
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import anyio
import pytest
from pymongo import AsyncMongoClient
from redis.asyncio import Redis

from service.embedded import EmbeddedMongo, EmbeddedRedis
from service.settings import Settings
from service.streams.keys import GROUP, Keys
from tests.worker.conftest import drained, edit, enqueue, running, until

pytestmark = pytest.mark.anyio


@pytest.fixture
async def own_redis() -> AsyncIterator[EmbeddedRedis]:
    async with EmbeddedRedis(appendonly=True) as server:
        yield server


@pytest.fixture
async def own_mongo() -> AsyncIterator[EmbeddedMongo]:
    async with EmbeddedMongo() as server:
        yield server


@pytest.fixture
def on_own_servers(settings: Settings, own_redis: EmbeddedRedis, own_mongo: EmbeddedMongo) -> Settings:
    urls = {"redis_url": own_redis.url, "mongodb_uri": own_mongo.uri("outages")}
    return Settings.model_validate(
        {**settings.model_dump(), **urls, "gemini_api_key": None, "learning_mongodb_timeout_seconds": 1}
    )


async def freeze(server: EmbeddedRedis | EmbeddedMongo) -> None:
    os.kill(server.pid, signal.SIGSTOP)
    await anyio.sleep(3)
    os.kill(server.pid, signal.SIGCONT)


async def crash(server: EmbeddedRedis | EmbeddedMongo) -> None:
    server.kill()
    await anyio.sleep(1)
    await anyio.to_thread.run_sync(server.start)


Outage = Callable[[EmbeddedRedis | EmbeddedMongo], Awaitable[None]]


@pytest.mark.parametrize("outage", [freeze, crash])
@pytest.mark.parametrize("service", ["redis", "mongodb"])
async def test_work_goes_on_after_an_outage(
    service: str,
    outage: Outage,
    on_own_servers: Settings,
    own_redis: EmbeddedRedis,
    own_mongo: EmbeddedMongo,
    keys: Keys,
) -> None:
    jobs = [edit(number, f"writer{number % 20}") for number in range(400)]
    async with Redis.from_url(own_redis.url, socket_timeout=20) as redis:
        await enqueue(redis, keys, *jobs)
        async with running(on_own_servers):

            async def begun() -> bool:
                return bool(await redis.xlen(keys.partitions[0].jobs) < 390)

            await until(begun)
            await outage(own_redis if service == "redis" else own_mongo)
            await redis.connection_pool.disconnect()
            await until(lambda: drained(redis, keys), seconds=60)
        assert await redis.xlen(keys.partitions[0].dead) == 0
    client: AsyncMongoClient[dict[str, Any]] = AsyncMongoClient(own_mongo.url, timeoutMS=10_000)
    async with client:
        applied = [document["edits_applied"] async for document in client.outages.style_profiles.find()]
    assert applied == [20] * 20


async def test_a_flushed_or_destroyed_group_is_made_again(settings: Settings, redis_client: Redis, keys: Keys) -> None:
    jobs = keys.partitions[0].jobs
    anything: Any = redis_client
    async with running(settings):
        for number, harm in enumerate((["FLUSHDB"], ["XGROUP", "DESTROY", jobs, GROUP], ["FLUSHALL"], ["DEL", jobs])):
            await enqueue(redis_client, keys, edit(number))
            await until(lambda: drained(redis_client, keys))
            await anything.execute_command(*harm)
        await enqueue(redis_client, keys, edit(9))
        await until(lambda: drained(redis_client, keys))


async def test_cut_connections_are_made_again(settings: Settings, redis_client: Redis, keys: Keys) -> None:
    async with running(settings):
        for number in range(5):
            await enqueue(redis_client, keys, edit(number))
            await redis_client.client_kill_filter(_type="normal", skipme=True)
        await until(lambda: drained(redis_client, keys))
