"""FastStream on a consumer group; a job is acknowledged after its handler."""

from __future__ import annotations

import asyncio
import logging

from counting import CONCURRENCY, WRITERS, Progress, arguments
from faststream.redis import RedisBroker, StreamSub
from pymongo import AsyncMongoClient, WriteConcern
from redis.asyncio import Redis

redis_url, mongodb_uri, jobs = arguments()
broker = RedisBroker(redis_url, logger=None, log_level=logging.ERROR)
progress = Progress(jobs)


async def main() -> None:
    client = AsyncMongoClient(mongodb_uri)
    counters = client.get_default_database().get_collection("peer", write_concern=WriteConcern("majority", j=True))
    over = asyncio.Event()

    stream = StreamSub("peer", group="peer", consumer="one", last_id=">", polling_interval=100, max_records=100)

    @broker.subscriber(stream=stream, max_workers=CONCURRENCY)
    async def count(user: str) -> None:
        await counters.update_one({"_id": user}, {"$inc": {"count": 1}}, upsert=True)
        if progress.finished():
            over.set()

    async with Redis.from_url(redis_url) as redis:  # FastStream would start the group after the last entry
        await redis.xgroup_create("peer", "peer", "0", mkstream=True)
    await broker.connect()
    for number in range(jobs):
        await broker.publish(f"w{number % WRITERS}", stream="peer")
    await broker.start()
    await over.wait()
    progress.report()
    await broker.stop()
    await client.close()


asyncio.run(main())
