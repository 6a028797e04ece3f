"""Telling the application that profiles changed: their cache keys go, and the changes are published."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import orjson
from redis.asyncio import Redis

from service.streams.cluster import clustered
from service.streams.keys import UPDATED_CHANNEL, cache_keys


class News(NamedTuple):
    """What became of one writer's profile. With ``revision`` None its keys are deleted and nothing is published.

    That is for a job found applied already: its first worker may have died before it told anybody, and a key
    deleted twice harms nobody.
    """

    user_id: str
    revision: int | None
    score: float


async def announce(redis: Redis, news: Sequence[News]) -> None:
    """Delete the cache keys of the writers in ``news`` and publish what changed, in one round trip."""
    published = [orjson.dumps(_message(one)) for one in news if one.revision is not None]
    together = not clustered(redis)  # the pipeline of a cluster refuses PUBLISH, and a key may be on any server
    keys = [key for one in news for key in cache_keys(one.user_id)]
    async with redis.pipeline(transaction=False) as pipe:
        for some in [keys] if together else [[key] for key in keys]:
            pipe.delete(*some)
        for message in published if together else ():
            pipe.publish(UPDATED_CHANNEL, message)
        await pipe.execute()
    for message in () if together else published:
        await redis.publish(UPDATED_CHANNEL, message)


def _message(one: News) -> dict[str, object]:
    return {"user_id": one.user_id, "revision": one.revision, "evolution_score": one.score}
