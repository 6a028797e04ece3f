"""Telling the application that a profile changed: its cache keys go, and the change is published."""

from __future__ import annotations

import orjson
from redis.asyncio import Redis

from service.streams.cluster import clustered
from service.streams.keys import UPDATED_CHANNEL, cache_keys


async def announce(redis: Redis, user_id: str, *, revision: int | None, score: float) -> None:
    """Delete the cache keys of ``user_id`` and publish ``revision``; None publishes nothing.

    That is for a job found applied already: its first worker may have died before it told anybody, and a key
    deleted twice harms nobody.
    """
    news = orjson.dumps({"user_id": user_id, "revision": revision, "evolution_score": score})
    together = not clustered(redis)  # the pipeline of a cluster refuses PUBLISH
    async with redis.pipeline(transaction=False) as pipe:
        for key in cache_keys(user_id):
            pipe.delete(key)
        if revision is not None and together:
            pipe.publish(UPDATED_CHANNEL, news)
        await pipe.execute()
    if revision is not None and not together:
        await redis.publish(UPDATED_CHANNEL, news)
