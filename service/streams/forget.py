"""Erasing a person from the streams: the entries of jobs, waiting or in work, and the dead letters.

Streams have no index by writer, so all entries are read, a bounded page at a time. An entry in work is acknowledged
and deleted like any other: its worker learns at the next renewal that it is LOST and drops the work. Whoever erases
the profile as well must do that again after the renewal, because a commit may have been on its way.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

import orjson
from redis.asyncio import Redis

from service.streams.keys import GROUP, Keys, PartitionKeys, cache_keys
from service.streams.recent import forget_recent
from service.streams.replies import entries

PAGE = 32  # entries a read: 32 of the largest jobs are 32 MiB


@dataclass(slots=True)
class Erased:
    """How much was erased; ``in_work`` of the ``jobs`` had been delivered to a worker."""

    jobs: int = 0
    in_work: int = 0
    dead_letters: int = 0
    cache_keys: int = 0


async def forget_writer(redis: Redis, keys: Keys, user_id: str) -> Erased:
    """Erase ``user_id`` from all partitions (their number may have changed once) and from the application's cache."""
    erased = Erased()
    for partition in keys.partitions:
        await _erase_jobs(redis, partition, user_id, erased)
        await _erase_dead(redis, partition, user_id, erased)
    await forget_recent(redis, keys, user_id)
    for key in cache_keys(user_id):
        erased.cache_keys += await redis.delete(key)
    return erased


async def _erase_jobs(redis: Redis, keys: PartitionKeys, user_id: str, erased: Erased) -> None:
    start = "-"
    while page := entries(await redis.xrange(keys.jobs, start, "+", count=PAGE)):
        start = f"({page[-1][0]}"
        ids = [id for id, fields in page if is_of(user_id, fields)]
        if ids:
            async with redis.pipeline(transaction=True) as pipe:
                pipe.xack(keys.jobs, GROUP, *ids)
                pipe.xdel(keys.jobs, *ids)
                acknowledged, deleted = await pipe.execute()
            erased.in_work += acknowledged
            erased.jobs += deleted


async def _erase_dead(redis: Redis, keys: PartitionKeys, user_id: str, erased: Erased) -> None:
    start = "-"
    while page := entries(await redis.xrange(keys.dead, start, "+", count=PAGE)):
        start = f"({page[-1][0]}"
        ids = [id for id, fields in page if is_of(user_id, fields)]
        if ids:
            erased.dead_letters += await redis.xdel(keys.dead, *ids)


def is_of(user_id: str, fields: dict[bytes, bytes]) -> bool:
    """Say whether an entry or a dead letter is about ``user_id``; broken JSON is searched for the key and value."""
    if fields.get(b"user_id") == user_id.encode():
        return True
    raw = fields.get(b"job", b"")
    try:
        value = orjson.loads(raw)
    except orjson.JSONDecodeError:
        return re.search(rb'"user_id"\s*:\s*' + re.escape(orjson.dumps(user_id)), raw) is not None
    return isinstance(value, dict) and value.get("user_id") == user_id
