"""Which partitions a process reads while it has its hands full."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from datetime import timedelta
from typing import Any

import anyio
import pytest
from anyio import wait_all_tasks_blocked
from pymongo.asynchronous.database import AsyncDatabase
from redis.asyncio import Redis

from service.settings import Settings
from service.streams.group import Membership
from service.streams.keys import GROUP, Keys, PartitionKeys
from service.worker.loops import Worker
from service.worker.running import open_worker
from service.worker.shares import Shares, shared_out
from tests.worker.conftest import edit, enqueue, running, until

pytestmark = pytest.mark.anyio
Mongo = AsyncDatabase[dict[str, Any]]
LONG = timedelta(minutes=5)


@pytest.mark.parametrize(
    ("names", "partitions", "shares"),
    [
        ("a", 3, [{0, 1, 2}]),
        ("ab", 2, [{0}, {1}]),
        ("ba", 5, [{0, 2, 4}, {1, 3}]),
        ("abc", 2, [{0}, {1}, {0}]),
        ("abcd", 1, [{0}, {0}, {0}, {0}]),
    ],
)
def test_partitions_are_dealt_out_in_turn(names: str, partitions: int, shares: list[set[int]]) -> None:
    assert [shared_out(name, names, partitions) for name in sorted(names)] == shares


def test_who_does_not_see_itself_yet_has_a_share_all_the_same() -> None:
    assert shared_out("b", ["a"], 2) == {1}


@pytest.fixture
def two(key_prefix: str) -> Keys:
    return Keys.of(key_prefix, 2)


async def members(redis: Redis, keys: Keys, consumer: str) -> list[Membership]:
    joined = [Membership(redis, redis, partition, consumer) for partition in keys.partitions]
    for member in joined:
        await member.join()
    return joined


async def held(shares: Shares, of: list[Membership]) -> list[bool]:
    return [await shares.holds(member) for member in of]


async def test_the_share_of_one_that_left_is_the_others(redis_client: Redis, two: Keys) -> None:
    of_a, of_b = await members(redis_client, two, "a"), await members(redis_client, two, "b")
    shares = Shares(of_a, LONG)
    assert await held(shares, of_a) == [True, False]
    for member in of_b:
        await member.leave()
    await shares.look()
    assert await held(shares, of_a) == [True, True]


async def test_one_of_which_no_partition_has_heard_for_a_lease_has_no_share(redis_client: Redis, two: Keys) -> None:
    of_a, of_b = await members(redis_client, two, "a"), await members(redis_client, two, "b")
    patient, strict = Shares(of_b, LONG), Shares(of_b, timedelta(seconds=1))

    async def alone() -> bool:
        await strict.look()
        return all(await held(strict, of_b))

    await until(alone)
    await patient.look()
    assert await held(patient, of_b) == [False, True]
    await enqueue(redis_client, two, *(edit(user=f"writer{number}") for number in range(20)))
    assert await of_a[1].read(1, timedelta(seconds=1))  # heard in one partition is enough
    await strict.look()
    assert await held(strict, of_b) == [False, True]


@pytest.fixture
async def pair(settings: Settings) -> AsyncIterator[tuple[Worker, Worker]]:
    """Two workers of one slot each that have joined two partitions and seen each other; nothing of them runs."""
    async with AsyncExitStack() as stack:
        own = settings.model_copy(update={"learning_partitions": 2, "learning_queue_concurrency": 1})
        workers = [await stack.enter_async_context(open_worker(own)) for _ in range(2)]
        for worker in workers:
            await worker.run_once()
            for member in worker.members:
                await member.join()
        for worker in workers:
            await worker.shares.look()
        yield workers[0], workers[1]


async def pending(redis: Redis, partition: PartitionKeys) -> int:
    found: Any = await redis.xpending(partition.jobs, GROUP)
    return int(found["pending"])


async def test_a_busy_worker_leaves_the_share_of_another_until_it_is_free(
    pair: tuple[Worker, Worker], redis_client: Redis, two: Keys
) -> None:
    worker = pair[0]
    [mine] = [member for member in worker.members if await worker.shares.holds(member)]
    [theirs] = [member for member in worker.members if not await worker.shares.holds(member)]
    await enqueue(redis_client, two, *(edit(user=f"writer{number}") for number in range(20)))
    assert await worker.poll_once(mine) == 1
    assert worker.in_work.busy
    got: list[int] = []

    async def read() -> None:
        got.append(await worker.poll_once(theirs))

    with anyio.fail_after(20):
        async with anyio.create_task_group() as group:
            group.start_soon(read)
            await wait_all_tasks_blocked()
            assert await pending(redis_client, theirs.keys) == 0
            worker.in_work.drop(mine.keys, worker.in_work.ids(mine.keys))
    assert got == [1]
    assert await pending(redis_client, theirs.keys) == 1


async def test_a_busy_worker_reads_on_from_its_own_share(
    pair: tuple[Worker, Worker], redis_client: Redis, two: Keys
) -> None:
    worker = pair[1]
    [mine] = [member for member in worker.members if await worker.shares.holds(member)]
    await enqueue(redis_client, two, *(edit(user=f"writer{number}") for number in range(40)))
    assert await worker.poll_once(mine) == 1
    worker.in_work.drop(mine.keys, worker.in_work.ids(mine.keys), settled=True)
    assert await worker.poll_once(mine) > 2
    worker.in_work.drop(mine.keys, worker.in_work.ids(mine.keys)[2:], settled=True)
    assert worker.in_work.busy
    with anyio.fail_after(20):
        assert await worker.poll_once(mine) > 0


async def test_workers_with_shares_learn_everything_once(
    settings: Settings, redis_client: Redis, mongo: Mongo, key_prefix: str
) -> None:
    three = Keys.of(key_prefix, 3)
    own = settings.model_copy(update={"learning_partitions": 3})
    await enqueue(redis_client, three, *(edit(number, f"writer{number % 40}") for number in range(400)))

    async def nothing_left() -> bool:
        return not any([await redis_client.xlen(partition.jobs) for partition in three.partitions])

    async with running(own), running(own):
        await until(nothing_left)
    for partition in three.partitions:
        assert await pending(redis_client, partition) == 0
    applied = [profile["edits_applied"] async for profile in mongo.style_profiles.find()]
    assert applied == [10] * 40
