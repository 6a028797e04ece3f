"""Telling the application that a profile changed: its cache keys go, and the change is published."""

from __future__ import annotations

import orjson
from redis.asyncio import Redis

from service.streams.keys import UPDATED_CHANNEL, cache_keys


async def announce(redis: Redis, user_id: str, *, revision: int | None, score: float) -> None:
    """Delete the cache keys of ``user_id`` and publish ``revision``; None publishes nothing.

    That is for a job found applied already: its first worker may have died before it told anybody, and a key
    deleted twice harms nobody.
    """
    async with redis.pipeline(transaction=False) as pipe:
        for key in cache_keys(user_id):
            pipe.delete(key)
        if revision is not None:
            news = {"user_id": user_id, "revision": revision, "evolution_score": score}
            pipe.publish(UPDATED_CHANNEL, orjson.dumps(news))
        await pipe.execute()
