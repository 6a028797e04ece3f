"""The writers learned last: of all workers, through restarts, and forgotten with the writer."""

import pytest
from redis.asyncio import Redis

from service.streams.client import Scripts
from service.streams.forget import forget_writer
from service.streams.keys import Keys
from service.streams.recent import FIELD, MOST, Learnt, share_recent

pytestmark = pytest.mark.anyio


@pytest.fixture
def keys(key_prefix: str) -> Keys:
    return Keys.of(key_prefix)


def learnt(at: float, user_id: str) -> Learnt:
    return Learnt(at, user_id, ("emoji usage",), 10.0, 20.0)


async def test_what_every_worker_learned_is_there_the_newest_first_and_each_writer_once(
    redis_client: Redis, keys: Keys
) -> None:
    await share_recent(redis_client, keys, [learnt(1, "ana"), learnt(2, "ben")])
    shared = await share_recent(redis_client, keys, [learnt(3, "ana"), learnt(1.5, "cleo")])
    assert [(one.at, one.user_id) for one in shared] == [(3, "ana"), (2, "ben"), (1.5, "cleo")]
    assert await share_recent(redis_client, keys, []) == shared
    many = await share_recent(redis_client, keys, [learnt(10 + number, f"w{number}") for number in range(MOST + 5)])
    assert len(many) == MOST
    assert many[0].user_id == f"w{MOST + 4}"


async def test_a_forgotten_writer_is_not_named_any_more(redis_client: Redis, keys: Keys) -> None:
    await share_recent(redis_client, keys, [learnt(1, "ana"), learnt(2, "ben")])
    await forget_writer(redis_client, keys, "ana")
    assert [one.user_id for one in await share_recent(redis_client, keys, [])] == ["ben"]


async def test_what_somebody_else_wrote_there_is_no_row(redis_client: Redis, keys: Keys) -> None:
    for foreign in ("{", "[1, 2]", '{"a": 1}', '[["now", "ana", [], 1, 2]]'):
        await redis_client.hset(keys.partitions[0].minutes, FIELD, foreign)
        assert await share_recent(redis_client, keys, []) == ()


async def test_the_hourly_sweep_leaves_it(redis_client: Redis, keys: Keys) -> None:
    partition = keys.partitions[0]
    shared = await share_recent(redis_client, keys, [learnt(1, "ana")])
    await redis_client.hset(partition.minutes, "1:learned", 7)
    await redis_client.xgroup_create(partition.jobs, "g", mkstream=True)
    entry = await redis_client.xadd(partition.jobs, {"job": "{}"})
    await redis_client.xreadgroup("g", "me", {partition.jobs: ">"})
    arguments: list[str | bytes | int | float] = ["g", "me", "learned", 1, entry]
    await Scripts(redis_client).run("settle", [partition.jobs, partition.stats, partition.minutes], arguments)
    assert not await redis_client.hexists(partition.minutes, "1:learned")
    assert await share_recent(redis_client, keys, []) == shared
