"""dramatiq on its Redis broker, with threads; a job is acknowledged after its actor."""

from __future__ import annotations

import threading

import dramatiq
from counting import CONCURRENCY, WRITERS, Progress, arguments
from dramatiq.brokers.redis import RedisBroker
from pymongo import MongoClient, WriteConcern

redis_url, mongodb_uri, jobs = arguments()
broker = RedisBroker(url=redis_url)
dramatiq.set_broker(broker)
progress = Progress(jobs)
client = MongoClient(mongodb_uri)
counters = client.get_default_database().get_collection("peer", write_concern=WriteConcern("majority", j=True))
over, one_at_a_time = threading.Event(), threading.Lock()


@dramatiq.actor
def count(user: str) -> None:
    counters.update_one({"_id": user}, {"$inc": {"count": 1}}, upsert=True)
    with one_at_a_time:
        if progress.finished():
            over.set()


for number in range(jobs):
    count.send(f"w{number % WRITERS}")
worker = dramatiq.Worker(broker, worker_threads=CONCURRENCY)
worker.start()
over.wait()
progress.report()
worker.stop()
