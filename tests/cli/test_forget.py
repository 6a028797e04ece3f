"""Erasing a person from the streams, and nobody else."""

from __future__ import annotations

import orjson
import pytest
from redis.asyncio import Redis

from service.streams.forget import PAGE, Erased, forget_writer, is_of
from service.streams.keys import GROUP, Keys
from tests.cli.conftest import job


@pytest.mark.parametrize(
    ("fields", "found"),
    [
        ({b"job": orjson.dumps(job("ana"))}, True),
        ({b"job": orjson.dumps(job("anna", platform="ana"))}, False),
        ({b"job": b'{"user_id" : "ana", broken'}, True),
        ({b"job": b'{"platform": "ana", broken'}, False),
        ({b"job": b'["ana"]'}, False),
        ({b"user_id": b"ana", b"job": b"\xff"}, True),
        ({b"other": b"ana"}, False),
        ({}, False),
    ],
)
def test_whose_entry_it_is(fields: dict[bytes, bytes], found: bool) -> None:
    assert is_of("ana", fields) is found


@pytest.mark.anyio
async def test_erases_waiting_pending_and_dead(redis_client: Redis, key_prefix: str) -> None:
    keys = Keys.of(key_prefix, 2)
    for number in range(3 * PAGE):
        partition = keys.partitions[number % 2]
        raw = orjson.dumps(job("ana" if number % 3 == 0 else "ben"))
        await redis_client.xadd(partition.jobs, {"job": raw})
        await redis_client.xadd(partition.dead, {"job": raw, "source_id": "1-0"})
    first = keys.partitions[0].jobs
    await redis_client.xgroup_create(first, GROUP, id="0")
    await redis_client.xreadgroup(GROUP, "pod", {first: ">"}, count=4)
    await redis_client.set("evolution:ana", "1")

    assert await forget_writer(redis_client, keys, "ana") == Erased(PAGE, 2, PAGE, 1)
    assert (await redis_client.xpending(first, GROUP))["pending"] == 2
    assert sum([await redis_client.xlen(partition.jobs) for partition in keys.partitions]) == 2 * PAGE
    assert await forget_writer(redis_client, keys, "ana") == Erased()
