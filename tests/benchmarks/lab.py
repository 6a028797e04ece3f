"""A private Redis and MongoDB, an empty stream and database for each experiment, and workers in processes of their own.

What a worker reaches is read from Redis alone: the counter ``completed`` that the settling script keeps, and XLEN,
which is exact because settled entries are deleted.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from copy import copy
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

import orjson
from pymongo import MongoClient
from redis import Redis

from service.embedded import EmbeddedMongo, EmbeddedRedis
from service.streams.keys import GROUP, Keys, PartitionKeys
from tests.benchmarks.processes import ROOT, Program, consume, cpu_seconds
from tests.compiled.checkout import checkout

POLL_SECONDS = 0.005
READY_SECONDS = 60.0
STALL_SECONDS = 60.0  # without a single settled job, before a run is called stuck
PIPELINE = 500
SETTINGS_OF_OTHERS = ("REDIS_", "MONGODB_", "LEARNING_", "GEMINI_", "GOOGLE_", "PATTERN_", "MAX_", "EDIT_", "OTEL_")
CONCURRENCY = 20
PREFIX = "learning"
NEVER = f"{2**64 - 1}-0"


class Stuck(RuntimeError):
    """Nothing was settled for too long."""


@dataclass(frozen=True, slots=True)
class Reading:
    """What had been done and spent at a moment. Seconds; ``worker`` is the CPU of all workers together."""

    time: float
    completed: int
    worker: float
    redis: float
    mongo: float

    def since(self, earlier: Reading) -> Cost:
        jobs = max(1, self.completed - earlier.completed)
        return Cost(
            jobs,
            (self.completed - earlier.completed) / max(1e-9, self.time - earlier.time),
            (self.worker - earlier.worker) / jobs * 1000,
            (self.redis - earlier.redis) / jobs * 1000,
            (self.mongo - earlier.mongo) / jobs * 1000,
        )


@dataclass(frozen=True, slots=True)
class Cost:
    """Jobs a second, and CPU milliseconds a job of workers, Redis and mongod."""

    jobs: int
    rate: float
    worker_ms: float
    redis_ms: float
    mongo_ms: float

    @property
    def cpu_ms(self) -> float:
        """CPU milliseconds a job of all three together."""
        return self.worker_ms + self.redis_ms + self.mongo_ms


class Lab:
    """Servers, and the helpers that every row needs."""

    def __init__(self, redis: EmbeddedRedis, mongo: EmbeddedMongo, folder: Path, code: Path = ROOT) -> None:
        self._redis_server, self._mongo_server = redis, mongo
        self.folder, self.code = folder, code
        self.redis_url, self.mongodb_uri = redis.url, mongo.uri("learnsvc")
        self.redis = Redis.from_url(redis.url)
        self.mongo: MongoClient[dict[str, Any]] = MongoClient(mongo.url)
        self._prefix = PREFIX
        self.partitions = Keys.of(PREFIX)

    def beside(self, prefix: str) -> Lab:
        """Return a lab on the same servers, for workers with a stream of their own under ``prefix``."""
        other = copy(self)
        other._prefix, other.partitions = prefix, Keys.of(prefix)
        return other

    @property
    def keys(self) -> PartitionKeys:
        """The first partition: the only one, unless a row spreads its jobs over several."""
        return self.partitions.partitions[0]

    @property
    def profiles(self) -> Any:
        return self.mongo.learnsvc.style_profiles

    def empty(self, partitions: int = 1) -> None:
        """Forget all jobs and profiles; the next ones are spread over ``partitions``."""
        self.partitions = Keys.of(self._prefix, partitions)
        self.redis.flushall()
        self.mongo.drop_database("learnsvc")

    def enqueue(self, payloads: Iterable[bytes], stream: str | None = None) -> int:
        """Append jobs and return how many."""
        left, count = iter(payloads), 0
        while chunk := list(islice(left, PIPELINE)):
            with self.redis.pipeline(transaction=False) as pipe:
                for raw in chunk:
                    pipe.xadd(stream or self._stream_of(raw), {b"job": raw})
                pipe.execute()
            count += len(chunk)
        return count

    @contextmanager
    def unseen(self) -> Iterator[None]:
        """Let no worker see what is appended meanwhile: their groups stand at an id that comes after all others."""
        streams = [keys.jobs for keys in self.partitions.partitions]
        for stream in streams:
            self.redis.xgroup_setid(stream, GROUP, NEVER)
        yield
        for stream in streams:
            self.redis.xgroup_setid(stream, GROUP, "0")  # what was settled before is not there any more
        for client in self.redis.client_list():
            if "b" in client["flags"]:  # a blocked read does not notice by itself
                self.redis.client_unblock(int(client["id"]))

    def _stream_of(self, raw: bytes) -> str:
        if len(self.partitions.partitions) == 1:
            return self.keys.jobs
        return self.partitions.for_writer(orjson.loads(raw)["user_id"]).jobs

    def environment(self, **settings: object) -> dict[str, str]:
        """Return the environment of a worker: this code and servers, no rate limit, no port, nobody's settings."""
        own = {name: value for name, value in os.environ.items() if not name.startswith(SETTINGS_OF_OTHERS)}
        ours = {
            "REDIS_URL": self.redis_url,
            "MONGODB_URI": self.mongodb_uri,
            "LEARNING_QUEUE_CONCURRENCY": CONCURRENCY,
            "LEARNING_KEY_PREFIX": self._prefix,
            "LEARNING_PARTITIONS": len(self.partitions.partitions),
            "LEARNING_RATE_LIMIT_MINUTES": 0,
            "EDIT_BATCH_WINDOW_MINUTES": 0,
            "LEARNING_HTTP_PORT": 0,
            "GEMINI_API_KEY": "",
            "PYTHONPATH": self.code,
            "PYTHONSAFEPATH": 1,  # or the folder they are started in would come first
        }
        return {**own, **{name: str(value) for name, value in {**ours, **settings}.items()}}

    @contextmanager
    def workers(
        self,
        count: int = 1,
        *,
        command: Sequence[str] | None = None,
        heard: Callable[[bytes], None] | None = None,
        **settings: object,
    ) -> Iterator[list[Program]]:
        """Yield ``count`` workers that have all joined the group; stop them afterwards."""
        with ExitStack() as stack:
            environment = self.environment(**settings)
            programs = [
                stack.enter_context(Program(command or consume(), self.folder, environment, heard))
                for _ in range(count)
            ]
            self.wait(lambda: len(self.consumers()) >= count, programs)
            yield programs

    def consumers(self) -> list[dict[str, Any]]:
        if not self.redis.exists(self.keys.jobs) or not self.redis.xinfo_groups(self.keys.jobs):
            return []
        found: list[dict[str, Any]] = self.redis.xinfo_consumers(self.keys.jobs, GROUP)
        return found

    def completed(self) -> int:
        return sum(int(self.redis.hget(keys.stats, "completed") or 0) for keys in self.partitions.partitions)

    def read(self, programs: Sequence[Program]) -> Reading:
        return Reading(
            time.monotonic(),
            self.completed(),
            sum(program.cpu_seconds() for program in programs),
            cpu_seconds(self._redis_server.pid),
            cpu_seconds(self._mongo_server.pid),
        )

    def wait(
        self, condition: Callable[[], bool], programs: Sequence[Program] = (), seconds: float = READY_SECONDS
    ) -> None:
        """Wait until ``condition`` holds. Raises ``ProcessFailed`` or ``Stuck``."""
        deadline = time.monotonic() + seconds
        while not condition():
            for program in programs:
                program.check()
            if time.monotonic() > deadline:
                raise Stuck(f"nothing happened within {seconds:g} s")
            time.sleep(POLL_SECONDS)

    def wait_completed(self, count: int, programs: Sequence[Program], limit: float | None = None) -> None:
        """Wait until ``count`` jobs are settled, or ``limit`` seconds have passed."""
        end = time.monotonic() + limit if limit else None
        last = (-1, time.monotonic())
        while (now := self.completed()) < count:
            for program in programs:
                program.check()
            if end and time.monotonic() > end:
                return
            if now != last[0]:
                last = (now, time.monotonic())
            elif time.monotonic() - last[1] > STALL_SECONDS:
                raise Stuck(f"{now:,} of {count:,} jobs were settled, then none for {STALL_SECONDS:g} s")
            time.sleep(POLL_SECONDS)

    def settled_properly(self) -> None:
        """Raise ``Stuck`` unless nothing is left, pending or dead: a rate of lost jobs would be no rate."""
        left = sum(self.redis.xlen(keys.jobs) for keys in self.partitions.partitions)
        dead = sum(self.redis.xlen(keys.dead) for keys in self.partitions.partitions)
        if left or dead:
            raise Stuck(f"{left} entries are left on the stream and {dead} are dead letters")


@contextmanager
def open_lab(interpreted: bool = False) -> Iterator[Lab]:
    """Start both servers, yield the lab, stop them and remove everything. Raises ``NoCompilerError``."""
    with EmbeddedRedis() as redis, EmbeddedMongo() as mongo:
        # The logs of workers go where the server's are: that folder is removed even when this process is killed.
        lab = Lab(redis, mongo, redis.folder, ROOT if interpreted else checkout(redis.folder / "compiled"))
        with lab.redis, lab.mongo:
            yield lab
