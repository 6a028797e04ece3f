"""Membership in the group: what is ours, what is lost, what the sweep finds."""

from collections.abc import AsyncIterator
from datetime import timedelta
from itertools import pairwise

import pytest
from redis.asyncio import Redis

from service.streams.client import connect_reader
from service.streams.entry import Delivery, triage
from service.streams.group import Membership
from service.streams.keys import GROUP, Keys, PartitionKeys
from service.streams.minutes import LastHour, read_minutes
from service.streams.replies import entries, pending, text
from service.streams.sweep import claim_page

pytestmark = pytest.mark.anyio
NOW = timedelta(0)
BLOCK = timedelta(milliseconds=50)


@pytest.fixture
def keys(key_prefix: str) -> PartitionKeys:
    return Keys.of(key_prefix).partitions[0]


@pytest.fixture
async def reader(redis_url: str) -> AsyncIterator[Redis]:
    async with connect_reader(redis_url, block=1, timeout=2) as client:
        yield client


@pytest.fixture
async def ana(redis_client: Redis, reader: Redis, keys: PartitionKeys) -> Membership:
    member = Membership(redis_client, reader, keys, "ana")
    await member.join()
    return member


@pytest.fixture
async def ben(redis_client: Redis, reader: Redis, keys: PartitionKeys) -> Membership:
    return Membership(redis_client, reader, keys, "ben")


async def append(redis: Redis, keys: PartitionKeys, count: int) -> None:
    for number in range(count):
        await redis.xadd(keys.jobs, {"job": str(number)})


async def test_entries_from_before_the_group_are_read(
    redis_client: Redis, keys: PartitionKeys, ana: Membership
) -> None:
    await redis_client.delete(keys.jobs)
    await append(redis_client, keys, 3)
    await ana.join()
    await ana.join()
    assert [delivery.payload for delivery in await ana.read(10, BLOCK)] == [b"0", b"1", b"2"]
    assert await ana.read(10, BLOCK) == []


async def test_settling_deletes_ours_and_leaves_what_is_lost(
    redis_client: Redis, keys: PartitionKeys, ana: Membership, ben: Membership
) -> None:
    await append(redis_client, keys, 3)
    first, second, third = [delivery.id for delivery in await ana.read(10, BLOCK)]
    await redis_client.xclaim(keys.jobs, GROUP, "ben", 0, [second])
    assert await ana.settle([first, second, third, "1-1"], counted=3) == {second, "1-1"}
    assert [id for id, _ in entries(await redis_client.xrange(keys.jobs))] == [second]
    assert await redis_client.hgetall(keys.stats) == {b"completed": b"2", b"learned": b"3"}
    assert await ben.settle([second]) == set()
    assert await redis_client.xlen(keys.jobs) == 0


async def test_renewing_steals_nothing_and_counts_nothing(
    redis_client: Redis, keys: PartitionKeys, ana: Membership, ben: Membership
) -> None:
    await append(redis_client, keys, 2)
    first, second = [delivery.id for delivery in await ana.read(10, BLOCK)]
    await redis_client.xclaim(keys.jobs, GROUP, "ben", 0, [second])
    assert await ana.renew([first, second]) == {second}
    rows = {row.id: row for row in pending(await redis_client.xpending_range(keys.jobs, GROUP, "-", "+", 10))}
    assert (rows[first].consumer, rows[first].deliveries) == ("ana", 1)
    assert rows[second].consumer == "ben"


async def test_released_entries_are_claimed_at_once_and_not_counted(
    redis_client: Redis, keys: PartitionKeys, ana: Membership, ben: Membership
) -> None:
    await append(redis_client, keys, 1)
    [delivery] = await ana.read(10, BLOCK)
    lease = timedelta(hours=1)
    assert (await claim_page(redis_client, keys, "ben", min_idle=lease)).deliveries == []
    assert await ana.release([delivery.id], idle=lease, uncount=True) == 1
    [taken] = (await claim_page(redis_client, keys, "ben", min_idle=lease)).deliveries
    assert (taken.id, taken.deliveries, taken.payload) == (delivery.id, 1, delivery.payload)
    assert await ana.release([delivery.id], idle=lease, uncount=True) == 0


async def test_the_cursor_finds_what_stands_behind_a_crowd(
    redis_client: Redis, keys: PartitionKeys, ana: Membership
) -> None:
    await append(redis_client, keys, 25)
    ids = [delivery.id for delivery in await ana.read(100, BLOCK)]
    await ana.release(ids[-1:], idle=timedelta(hours=1), uncount=False)
    cursor = "0-0"
    found: list[Delivery] = []
    for _ in range(3):
        page = await claim_page(redis_client, keys, "ben", min_idle=timedelta(minutes=30), cursor=cursor, count=2)
        cursor = page.cursor
        found += page.deliveries
        if cursor == "0-0":
            break
    assert [(delivery.id, delivery.deliveries) for delivery in found] == [(ids[-1], 2)]


async def test_deleted_entries_are_reported_and_do_not_stay_pending(
    redis_client: Redis, keys: PartitionKeys, ana: Membership
) -> None:
    await append(redis_client, keys, 3)
    ids = [delivery.id for delivery in await ana.read(10, BLOCK)]
    await redis_client.xdel(keys.jobs, ids[1])
    page = await claim_page(redis_client, keys, "ben", min_idle=NOW)
    assert [delivery.id for delivery in page.deliveries] == [ids[0], ids[2]]
    assert page.deleted == [ids[1]]
    rows = pending(await redis_client.xpending_range(keys.jobs, GROUP, "-", "+", 10))
    assert [row.id for row in rows] == [ids[0], ids[2]]


async def test_a_consumer_that_holds_something_is_never_removed(
    redis_client: Redis, keys: PartitionKeys, ana: Membership, ben: Membership
) -> None:
    await append(redis_client, keys, 1)
    [delivery] = await ana.read(10, BLOCK)
    await ben.join()
    assert not await ana.leave()
    assert await ben.reap(NOW) == 0
    await ana.settle([delivery.id])
    assert await ben.reap(NOW) == 1
    assert [info["name"] for info in await redis_client.xinfo_consumers(keys.jobs, GROUP)] == [b"ben"]


async def test_burying_is_whole_and_once(redis_client: Redis, keys: PartitionKeys, ana: Membership) -> None:
    await redis_client.xadd(keys.jobs, {"job": "x", "reason": "mine"})
    [delivery] = await ana.read(10, BLOCK)
    assert await ana.bury(delivery.id, {"reason": "invalid"})
    assert not await ana.bury(delivery.id, {"reason": "invalid"})
    [(_, letter)] = entries(await redis_client.xrange(keys.dead))
    assert (letter[b"reason"], letter[b"job"], letter[b"raw:reason"]) == (b"invalid", b"x", b"mine")


async def test_burying_into_a_key_of_another_type_loses_nothing(
    redis_client: Redis, keys: PartitionKeys, ana: Membership
) -> None:
    await append(redis_client, keys, 1)
    await redis_client.set(keys.dead, "not a stream")
    [delivery] = await ana.read(10, BLOCK)
    with pytest.raises(Exception, match="WRONGTYPE"):
        await ana.bury(delivery.id, {"reason": "invalid"})
    assert await ana.own_pending() == [delivery.id]


async def test_all_own_pending_are_found(redis_client: Redis, keys: PartitionKeys, ana: Membership) -> None:
    await append(redis_client, keys, 5)
    ids = [delivery.id for delivery in await ana.read(10, BLOCK)]
    assert await ana.own_pending(page=2) == await ana.own_pending(page=5) == await ana.own_pending() == ids


async def test_payloads_are_read_again_without_those_that_are_gone(
    redis_client: Redis, keys: PartitionKeys, ana: Membership
) -> None:
    await append(redis_client, keys, 3)
    bare = text(await redis_client.xadd(keys.jobs, {"other": "1"}))
    first, second, third, _ = [delivery.id for delivery in await ana.read(10, BLOCK)]
    await redis_client.xdel(keys.jobs, second)
    assert await ana.payloads([third, second, bare, "1-1", first]) == {third: b"2", first: b"0"}
    assert await ana.payloads([]) == {}


@pytest.mark.parametrize(
    ("deliveries", "in_work", "verdict"),
    [(1, False, "work"), (2, False, "work"), (5, False, "work"), (6, False, "spent"),
     (1, True, "skip"), (6, True, "skip"), (0, False, "work")],
)  # fmt: skip
def test_triage(deliveries: int, in_work: bool, verdict: str) -> None:
    assert triage(deliveries, in_work=in_work, max_attempts=5) == verdict


async def test_minutes_count_what_is_settled_and_forget_after_a_day(
    redis_client: Redis, key_prefix: str, keys: PartitionKeys, ana: Membership
) -> None:
    await append(redis_client, keys, 5)
    ids = [delivery.id for delivery in await ana.read(10, BLOCK)]
    await redis_client.hset(keys.minutes, mapping={"1:learned": 9, "2:dead:attempts": 9})
    await ana.settle(ids[:2], counter="learned", counted=2)
    await ana.settle(ids[2:3], counter="duplicate", counted=1)
    assert await ana.bury(ids[3], {"reason": "too_large", "detail": "reason"})
    await ana.observe()
    history = await read_minutes(redis_client, Keys.of(key_prefix))
    assert len(history) == 60
    assert [after.at - before.at for before, after in pairwise(history)] == [timedelta(minutes=1)] * 59
    assert sum(one.learned for one in history) == 2
    assert sum(one.duplicates for one in history) == 1
    assert sum(one.completed for one in history) == 3
    assert sum(one.dead for one in history) == 1
    assert [one.dead_by_reason for one in history if one.dead] == [{"too_large": 1}]
    assert [one.depth for one in history if one.depth is not None] == [1]
    assert await redis_client.hmget(keys.minutes, ["1:learned", "2:dead:attempts"]) == [None, None]
    assert 0 < await redis_client.ttl(keys.minutes) <= 27 * 3600


async def test_minutes_of_all_partitions_are_added(redis_client: Redis, key_prefix: str) -> None:
    keys = Keys.of(key_prefix, 2)
    for partition in keys.partitions:
        member = Membership(redis_client, redis_client, partition, "ana")
        await member.join()
        await append(redis_client, partition, 2)
        first, _ = await member.read(10, BLOCK)
        await member.settle([first.id], counted=1)
        await member.observe()
    history = await read_minutes(redis_client, keys, 2)
    assert (sum(one.learned for one in history), sum(one.depth or 0 for one in history)) == (2, 2)


async def test_between_two_minutes_only_what_may_change_is_read_again(
    redis_client: Redis, key_prefix: str, keys: PartitionKeys
) -> None:
    now = 0.0
    hour = LastHour(lambda: now)
    minute = (await redis_client.time())[0] // 60
    seen = []
    for at, earlier, newest in ((0.0, 1, 2), (5.0, 100, 7), (60.0, 100, 7)):
        now = at
        counts = {f"{minute - 10}:learned": earlier, f"{minute}:learned": newest}
        await redis_client.hset(keys.minutes, mapping=counts)  # type: ignore[arg-type]
        history = await hour.read(redis_client, Keys.of(key_prefix))
        assert [after.at - before.at for before, after in pairwise(history)] == [timedelta(minutes=1)] * 59
        seen.append(sum(one.learned for one in history))
    assert seen == [1 + 2, 1 + 7, 100 + 7]


async def test_a_history_that_cannot_be_written_holds_up_nothing(
    redis_client: Redis, key_prefix: str, keys: PartitionKeys, ana: Membership
) -> None:
    await redis_client.set(keys.minutes, "not ours")
    await append(redis_client, keys, 2)
    first, second = [delivery.id for delivery in await ana.read(10, BLOCK)]
    assert await ana.settle([first], counted=1) == set()
    assert await ana.bury(second, {"reason": "attempts"})
    await ana.observe()
    assert await redis_client.xlen(keys.jobs) == 0
    assert await redis_client.hgetall(keys.stats) == {b"completed": b"1", b"learned": b"1", b"failed": b"1"}
