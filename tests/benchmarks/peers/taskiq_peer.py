"""taskiq with its Redis stream broker; a job is acknowledged after it was executed."""

from __future__ import annotations

import asyncio

from counting import CONCURRENCY, WRITERS, Progress, arguments
from pymongo import AsyncMongoClient, WriteConcern
from taskiq.acks import AcknowledgeType
from taskiq.api import run_receiver_task
from taskiq_redis import RedisStreamBroker

redis_url, mongodb_uri, jobs = arguments()
broker = RedisStreamBroker(redis_url, consumer_id="0")
progress = Progress(jobs)


async def main() -> None:
    client = AsyncMongoClient(mongodb_uri)
    counters = client.get_default_database().get_collection("peer", write_concern=WriteConcern("majority", j=True))
    over = asyncio.Event()

    @broker.task
    async def count(user: str) -> None:
        await counters.update_one({"_id": user}, {"$inc": {"count": 1}}, upsert=True)
        if progress.finished():
            over.set()

    broker.is_worker_process = True
    await broker.startup()
    for number in range(jobs):
        await count.kiq(f"w{number % WRITERS}")
    receiver = asyncio.create_task(
        run_receiver_task(broker, max_async_tasks=CONCURRENCY, ack_time=AcknowledgeType.WHEN_EXECUTED)
    )
    await over.wait()
    receiver.cancel()
    progress.report()
    await broker.shutdown()
    await client.close()


asyncio.run(main())
