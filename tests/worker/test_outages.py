"""A Redis that loses the group or all connections; longer outages, with books: `tests/chaos/test_outages.py`."""

from datetime import timedelta
from functools import partial
from typing import Any

import anyio
import pytest
from redis.asyncio import Redis

from service.settings import Settings
from service.streams.keys import GROUP, Keys
from service.worker.loops import Worker
from service.worker.running import open_worker
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


async def test_reclaim_that_watches_keeps_its_connections(settings: Settings, redis_client: Redis, keys: Keys) -> None:
    jobs = keys.partitions[0].jobs
    made = (await redis_client.info("stats"))["total_connections_received"]
    async with open_worker(settings) as worker, anyio.create_task_group() as group:
        worker.intake.claim_idle = timedelta(0)
        group.start_soon(partial(worker.run_once, watch=True))
        for number in range(5):
            await enqueue(redis_client, keys, edit(number))
            await until(lambda: _joined(worker))
            await redis_client.xreadgroup(GROUP, "dead", {jobs: ">"})
            await until(lambda: drained(redis_client, keys))
        worker.stop()
    assert (await redis_client.info("stats"))["total_connections_received"] - made <= 10
    assert worker.settler.counts["learned"] == 5


async def _joined(worker: Worker) -> bool:
    return worker.joined
