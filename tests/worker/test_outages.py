"""A Redis that loses the group or all connections; longer outages, with books: `tests/chaos/test_outages.py`."""

from typing import Any

import pytest
from redis.asyncio import Redis

from service.settings import Settings
from service.streams.keys import GROUP, Keys
from tests.worker.conftest import drained, edit, enqueue, running, until

pytestmark = pytest.mark.anyio


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
