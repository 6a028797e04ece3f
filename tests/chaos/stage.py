"""Where a scenario plays: a Redis with AOF and a mongod of its own, consumers as processes, jobs, books.

    async with open_stage(plan) as stage, stage.consumers(2):
        await stage.load.send(100)
        ...
        await stage.drained()
        return await stage.row("what went wrong", injected=1)

Rate limits are off and the lease is short; settings are environment variables, so that in-process workers
(``stage.settings()``) and processes (``stage.env``) agree.
"""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import anyio
from anyio import to_thread
from anyio.abc import Process
from pymongo import AsyncMongoClient
from pymongo.asynchronous.database import AsyncDatabase
from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import RedisError

from service.embedded import EmbeddedMongo, EmbeddedRedis
from service.embedded.servers import start_both
from service.settings import Settings
from service.streams.keys import GROUP, Keys
from service.streams.replies import pending
from tests.chaos.audit import audit
from tests.chaos.load import Load
from tests.chaos.report import Row
from tests.chaos.scenario import Plan

PREFIX, DATABASE = "chaos", "chaos"
COMPILED = Path(__file__).parents[2] / ".pytest_cache" / "compiled"
LEASE_SECONDS = 1.5
QUICK = {
    "LEARNING_KEY_PREFIX": PREFIX,
    "LEARNING_RATE_LIMIT_MINUTES": "0",
    "EDIT_BATCH_WINDOW_MINUTES": "0",
    "LEARNING_LEASE_SECONDS": str(LEASE_SECONDS),
    "LEARNING_REDIS_TIMEOUT_SECONDS": "1",
    "LEARNING_SWEEP_SECONDS": "0.2",
    "LEARNING_DUE_SECONDS": "0.5",
    "LEARNING_BLOCK_SECONDS": "0.2",
    "LEARNING_GRACE_SECONDS": "5",
    "LEARNING_HTTP_PORT": "0",
    "LEARNING_LOG_LEVEL": "error",
    "LEARNING_LOG_FORMAT": "json",
    "PYTHONUNBUFFERED": "1",
    # A start costs seconds when all modules are compiled each time, as some machines' settings have it.
    "PYTHONDONTWRITEBYTECODE": "",
    "PYTHONPYCACHEPREFIX": str(COMPILED),
}


@dataclass
class Stage:
    """The servers and what goes over them."""

    redis_server: EmbeddedRedis
    mongo_server: EmbeddedMongo
    env: dict[str, str]
    redis: Redis
    mongo: AsyncDatabase[dict[str, Any]]
    load: Load
    keys: Keys
    gone: set[str] = field(default_factory=set)  # ids of jobs that may be lost because Redis itself lost them

    def settings(self, **changes: Any) -> Settings:
        """Return the settings of ``env`` for a worker in this process."""
        known = {name.lower(): value for name, value in self.env.items() if name.lower() in Settings.model_fields}
        return Settings(_env_file=None, **{**known, **changes})

    @asynccontextmanager
    async def consumers(
        self, count: int, *arguments: str, module: str = "service.cli", **env: str
    ) -> AsyncIterator[list[Process]]:
        """Run ``count`` processes ``python -m module consume ARGUMENTS``; those left at the end are killed."""
        command = [sys.executable, "-m", module, "consume", *arguments]
        whole = {**self.env, **env}
        processes = [await anyio.open_process(command, env=whole, stdout=None, stderr=None) for _ in range(count)]
        try:
            yield processes
        finally:
            with anyio.CancelScope(shield=True):
                for process in processes:
                    if process.returncode is None:
                        process.send_signal(signal.SIGCONT)
                        process.kill()
                    await process.wait()

    async def is_drained(self) -> bool:
        """Whether the stream and the pending list are empty; False while Redis does not answer."""
        try:
            for partition in self.keys.partitions:
                summary: Any = await self.redis.xpending(partition.jobs, GROUP)
                if summary["pending"] or await self.redis.xlen(partition.jobs):
                    return False
        except RedisError:
            return False
        return True

    async def drained(self, seconds: float = 120) -> float:
        """Wait until everything is learned or dead; return how long that took. Raises TimeoutError."""
        try:
            return await until(self.is_drained, seconds)
        except TimeoutError:
            raise TimeoutError(f"not drained in {seconds:g} s: {await self._left()}") from None

    async def _left(self) -> str:
        jobs = self.keys.partitions[0].jobs
        rows = pending(await self.redis.xpending_range(jobs, GROUP, "-", "+", 10))
        oldest = [f"{row.id} of {row.consumer}, idle {row.idle_ms} ms, {row.deliveries} deliveries" for row in rows]
        return f"{await self.redis.xlen(jobs)} entries, the oldest pending: {oldest}"

    async def row(
        self,
        fault: str,
        *,
        injected: int,
        resume_seconds: float | None = None,
        limit_seconds: float | None = None,
        broken: tuple[str, ...] = (),
    ) -> Row:
        """Audit what was sent and return the row; a resumption over its limit is a broken invariant."""
        found = await audit(self.load.sent, self.redis, self.mongo, self.keys, self.settings().rules(), self.gone)
        wrong = [*broken, *found.broken]
        if resume_seconds is not None and limit_seconds is not None and resume_seconds > limit_seconds:
            wrong.append(f"resumed after {resume_seconds:.2f} s, the limit is {limit_seconds:g} s")
        return Row(
            fault,
            injected=injected,
            jobs=self.load.jobs,
            lost=found.lost,
            doubled=found.doubled,
            dead=found.dead,
            gone=found.gone,
            resume_seconds=resume_seconds,
            limit_seconds=limit_seconds,
            broken=tuple(wrong),
        )


@asynccontextmanager
async def open_stage(
    plan: Plan,
    *,
    redis: EmbeddedRedis | None = None,
    mongo: EmbeddedMongo | None = None,
    **env: str,
) -> AsyncIterator[Stage]:
    """Start the servers (or those given, not yet started) and yield the stage; ``env`` overrides its settings."""
    redis_server, mongo_server = redis or EmbeddedRedis(appendonly=True), mongo or EmbeddedMongo()
    async with AsyncExitStack() as undo:
        undo.push_async_callback(to_thread.run_sync, mongo_server.stop)
        undo.push_async_callback(to_thread.run_sync, redis_server.stop)
        await to_thread.run_sync(start_both, redis_server, mongo_server)
        urls = {"REDIS_URL": redis_server.url, "MONGODB_URI": mongo_server.uri(DATABASE)}
        client = Redis.from_url(redis_server.url, socket_timeout=2, retry=Retry(NoBackoff(), 0))
        mongo_client: AsyncMongoClient[dict[str, Any]] = AsyncMongoClient(
            mongo_server.uri(DATABASE), timeoutMS=10_000, tz_aware=True
        )
        await undo.enter_async_context(client)
        await undo.enter_async_context(mongo_client)
        keys = Keys.of(PREFIX)
        yield Stage(
            redis_server,
            mongo_server,
            {**os.environ, **urls, **QUICK, **env},
            client,
            mongo_client.get_default_database(),
            Load(client, keys, plan.seed),
            keys,
        )


async def until(condition: Callable[[], Awaitable[bool]], seconds: float = 30) -> float:
    """Wait until ``condition`` holds; return the seconds that took. Raises TimeoutError after ``seconds``."""
    started = anyio.current_time()
    with anyio.fail_after(seconds):
        while not await condition():
            await anyio.sleep(0.01)
    return anyio.current_time() - started
