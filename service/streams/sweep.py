"""Taking over entries their consumer abandoned: XAUTOCLAIM, following its cursor to 0-0.

A page may be empty while the cursor is not: the server looks at ten times COUNT pending entries a call, and one that
always starts at 0-0 starves behind entries that are being renewed. Entries the stream no longer holds (somebody
trimmed or deleted them) are lost data: they are reported and acknowledged. Redis 6.2 lists these as nil and keeps
them pending, 7.0 and newer drop them and name their ids.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta

from redis.asyncio import Redis
from redis.exceptions import ResponseError

from service.errors import Fault, classify
from service.streams.entry import Delivery
from service.streams.keys import GROUP, PartitionKeys
from service.streams.replies import Pending, pending, text

PAGE = 16  # entries a call: 16 of the largest jobs are 16 MiB


@dataclass(slots=True)
class Page:
    """What one call brought: entries now ours, ids the stream has lost, where to go on."""

    deliveries: list[Delivery] = field(default_factory=list)
    deleted: list[str] = field(default_factory=list)
    cursor: str = "0-0"


async def claim_page(
    redis: Redis, keys: PartitionKeys, consumer: str, *, min_idle: timedelta, cursor: str = "0-0", count: int = PAGE
) -> Page:
    """Claim up to ``count`` entries that nobody renewed for ``min_idle``, from ``cursor`` on."""
    ms = round(min_idle.total_seconds() * 1000)
    reply = await redis.xautoclaim(keys.jobs, GROUP, consumer, ms, start_id=cursor, count=count)
    next_cursor, entries, *deleted = reply
    page = Page(cursor=text(next_cursor))
    held = [(text(id), fields) for id, fields in entries if id is not None]
    page.deleted = [text(id) for id in (deleted[0] if deleted else [])]
    if len(held) < len(entries):
        page.deleted += await _acknowledge_vanished(redis, keys, consumer)
    counts = await _delivery_counts(redis, keys, consumer, [id for id, _ in held])
    page.deliveries = [Delivery.of(keys, id, fields or {}, counts.get(id, 1)) for id, fields in held]
    return page


async def stale(redis: Redis, keys: PartitionKeys, *, min_idle: timedelta, count: int = 1000) -> list[Pending]:
    """Return pending entries nobody renewed for ``min_idle``, without touching them; none where no group is."""
    ms = round(min_idle.total_seconds() * 1000)
    try:
        return pending(await redis.xpending_range(keys.jobs, GROUP, "-", "+", count, idle=ms))
    except ResponseError as error:
        if classify(error) is Fault.GROUP_GONE:
            return []
        raise


async def _delivery_counts(redis: Redis, keys: PartitionKeys, consumer: str, ids: list[str]) -> dict[str, int]:
    async with redis.pipeline(transaction=False) as pipe:
        for id in ids:
            pipe.xpending_range(keys.jobs, GROUP, id, id, 1, consumername=consumer)
        replies = await pipe.execute() if ids else []
    return {row.id: row.deliveries for rows in replies for row in pending(rows)}


async def _acknowledge_vanished(redis: Redis, keys: PartitionKeys, consumer: str) -> list[str]:
    """Redis 6.2: find our pending entries the stream no longer holds, acknowledge them, return their ids."""
    rows = await redis.xpending_range(keys.jobs, GROUP, "-", "+", 10 * PAGE, consumername=consumer)
    ids = [row.id for row in pending(rows)]
    async with redis.pipeline(transaction=False) as pipe:
        for id in ids:
            pipe.xrange(keys.jobs, id, id)
        found = await pipe.execute() if ids else []
    gone = [id for id, entries in zip(ids, found, strict=True) if not entries]
    if gone:
        await redis.xack(keys.jobs, GROUP, *gone)
    return gone
