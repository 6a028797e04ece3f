"""Floors: what the drivers alone reach when nothing is learned. A worker cannot be faster, only come near.

Each reads 100 entries a XREADGROUP, decodes them, and settles them with one XACK and one XDEL of all their ids. Beside
that it does nothing, or one unordered ``bulk_write`` a read with ``w: majority, j: true``:

* ``unguarded``: ``{_id}`` increments a counter; a kill would count twice.
* ``guarded``: ``{_id, revision}`` on a profile of 20 KB (33 deltas of 600 bytes), replacing the oldest delta by a new
  one: the smallest compare-and-swap a worker that keeps its deltas in the document can do.

With two reads in flight one is written while the other is read.
"""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from typing import Any, Literal

import orjson
from pymongo import AsyncMongoClient, UpdateOne, WriteConcern
from redis.asyncio import Redis

from service.streams.keys import GROUP
from tests.benchmarks.lab import Lab

READ = 100
DELTA_BYTES, DELTAS = 600, 33
Write = Literal["none", "unguarded", "guarded"]


def delta(number: int) -> dict[str, Any]:
    return {"job_id": str(number), "text": "x" * (DELTA_BYTES - 40)}


def prepare(lab: Lab, writers: int) -> None:
    """Store a profile of 20 KB for each writer, and the group of the readers."""
    lab.redis.xgroup_create(lab.keys.jobs, GROUP, "0", mkstream=True)
    edits = [delta(number) for number in range(DELTAS)]
    lab.mongo.learnsvc.floor.drop()
    lab.mongo.learnsvc.floor.insert_many(
        {"_id": f"w{number}", "revision": 0, "count": 0, "recent_edits": edits} for number in range(writers)
    )


async def drain(lab: Lab, count: int, write: Write, in_flight: int) -> tuple[float, float]:
    """Read, write and settle ``count`` entries; return entries a second, and our CPU milliseconds an entry."""
    revisions: Counter[str] = Counter()
    left = count

    async def reader(number: int) -> None:
        nonlocal left
        consumer = f"floor-{number}"
        while left > 0:
            reply: Any = await redis.xreadgroup(GROUP, consumer, {lab.keys.jobs: ">"}, count=READ)
            if not reply:
                return
            entries = reply[0][1] if isinstance(reply, list) else next(iter(reply.values()))[0]
            left -= len(entries)
            jobs = [orjson.loads(fields[b"job"]) for _, fields in entries]
            if write != "none":
                await store(jobs)
            ids = [id for id, _ in entries]
            async with redis.pipeline(transaction=False) as pipe:
                pipe.xack(lab.keys.jobs, GROUP, *ids)
                pipe.xdel(lab.keys.jobs, *ids)
                await pipe.execute()

    async def store(jobs: list[dict[str, Any]]) -> None:
        result = await profiles.bulk_write([update(job["user_id"]) for job in jobs], ordered=False)
        if result.matched_count != len(jobs):
            raise AssertionError(f"{result.matched_count} of {len(jobs)} writes found their document")

    def update(user: str) -> UpdateOne:
        if write == "unguarded":
            return UpdateOne({"_id": user}, {"$inc": {"count": 1}})
        revision = revisions[user]
        revisions[user] += 1
        push = {"recent_edits": {"$each": [delta(revision)], "$slice": -DELTAS}}
        return UpdateOne({"_id": user, "revision": revision}, {"$inc": {"revision": 1}, "$push": push})

    client: AsyncMongoClient[dict[str, Any]] = AsyncMongoClient(lab.mongodb_uri)
    async with Redis.from_url(lab.redis_url) as redis, client:
        profiles = client.learnsvc.get_collection("floor", write_concern=WriteConcern("majority", j=True))
        await profiles.find_one({})
        started, spent = time.perf_counter(), time.process_time()
        await asyncio.gather(*(reader(number) for number in range(in_flight)))
        return count / (time.perf_counter() - started), (time.process_time() - spent) * 1000 / count
