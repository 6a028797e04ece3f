"""A worker with everything it needs: connections, models, signals."""

from __future__ import annotations

import gc
import os
import random
import signal
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import timedelta

import anyio
from anyio.abc import TaskStatus
from redis.asyncio import Redis

from service.errors import DependencyDown, Misconfigured
from service.http.server import seen_over_http
from service.links import unverified
from service.logs import FaultLog, get_logger
from service.profiles import ProfileStore, open_profiles
from service.settings import Settings
from service.streams.client import connect
from service.tone.open import ToneOptions, open_tone
from service.tone.sharing import share
from service.worker.extraction import Extract
from service.worker.loops import Worker

# A lane, the barrier of a duplicate, the due query, a ping: never more calls in flight than connections.
EXTRA_CONNECTIONS = 8
# Objects allocated before Python looks for cycles among the new ones, and looks at the older ones in their turn. What a
# worker holds lives for seconds and has no cycles; to look at it every 700 objects took a sixth of its CPU, every
# 20,000 still 2 %.
COLLECTOR = (50_000, 20, 100)


async def run_worker(settings: Settings) -> None:
    """Work until a stop signal. The first one finishes or releases what is in work, the second ends at once."""
    gc.set_threshold(*COLLECTOR)
    async with seen_over_http(settings) as watched, stoppable_worker(settings) as worker:
        if worker is not None:
            async with watched(worker):
                await worker.run()


async def reclaim_abandoned(settings: Settings, *, min_idle: float | None, watch: bool, due: bool = False) -> int:
    """Take over and finish what nobody renewed for ``min_idle`` seconds (the lease); return how many entries.

    With ``watch`` this goes on until a stop signal; with ``due`` writers whose waiting edits are due are learned too.
    """
    gc.set_threshold(*COLLECTOR)
    unserved = settings.model_copy(update={"learning_http_port": 0})  # the port is a worker's; what is pushed is both's
    async with seen_over_http(unserved) as watched, stoppable_worker(settings) as worker:
        if worker is None:
            return 0
        if min_idle is not None:
            worker.intake.claim_idle = timedelta(seconds=min_idle)
        async with watched(worker):
            return await worker.run_once(due=due, watch=watch)


@asynccontextmanager
async def stoppable_worker(settings: Settings) -> AsyncIterator[Worker | None]:
    """Yield a worker that stop signals stop; None when one came while MongoDB was waited for."""
    signals = StopSignals()
    async with anyio.create_task_group() as group:
        await group.start(signals.obey)
        async with AsyncExitStack() as stack:
            with signals.start:
                signals.attach(await stack.enter_async_context(open_worker(settings)))
            yield signals.worker
        group.cancel_scope.cancel()


class StopSignals:
    """SIGTERM and SIGINT: the first stops the worker, or cancels its ``start``; the second ends the process."""

    def __init__(self) -> None:
        self.start = anyio.CancelScope()
        self.worker: Worker | None = None
        self._asked = False

    def attach(self, worker: Worker) -> None:
        """Stop ``worker`` from now on: at once if a signal came too late to cancel its start."""
        self.worker = worker
        if self._asked:
            worker.stop()

    async def obey(self, *, task_status: TaskStatus[None]) -> None:
        with anyio.open_signal_receiver(signal.SIGTERM, signal.SIGINT) as signals:
            task_status.started()
            async for signum in signals:
                if self._asked:
                    get_logger().warning(
                        "[Learning] Second signal: stopping at once. What is in work is taken over later"
                    )
                    os._exit(128 + signum)
                self._asked = True
                get_logger().info("[Learning] Stopping: finishing what is in work")
                if self.worker is not None:
                    self.worker.stop()
                self.start.cancel()


@asynccontextmanager
async def open_worker(settings: Settings, *, extract: Extract | None = None) -> AsyncIterator[Worker]:
    """Yield a worker whose connections are closed after it. Waits for MongoDB."""
    for setting, url in (("REDIS_URL", settings.redis_url), ("MONGODB_URI", settings.mongodb_uri)):
        if option := unverified(url.get_secret_value()):
            get_logger().warning(f"{setting} says {option}: anybody may answer in the server's name")
    redis = connect(settings.redis_url.get_secret_value(), timeout=settings.learning_redis_timeout_seconds)
    tone = open_tone(tone_options(settings, redis))
    try:
        async with _waited_for_store(settings) as store:
            yield Worker(settings, redis, store, tone, extract=extract)
    finally:
        with anyio.CancelScope(shield=True):
            await tone.aclose()
            await redis.aclose()


def tone_options(settings: Settings, redis: Redis | None = None) -> ToneOptions:
    """Return how tone is judged under ``settings``; with ``redis``, sharing with all workers."""
    key = settings.gemini_api_key
    options = ToneOptions(
        api_key=key.get_secret_value() if key else None,
        model=settings.gemini_model,
        base_url=settings.gemini_base_url,
        timeout_seconds=settings.gemini_timeout_seconds,
        max_concurrency=settings.gemini_max_concurrency,
        max_calls_per_minute=settings.gemini_max_calls_per_minute,
        max_input_tokens=settings.gemini_max_input_tokens,
        daily_tokens=settings.gemini_max_tokens_per_day,
        vertexai=settings.google_genai_use_vertexai,
        project=settings.google_cloud_project,
        location=settings.google_cloud_location,
    )
    if redis is None or not options.uses_model:
        return options
    ttl = round(timedelta(days=settings.gemini_cache_days).total_seconds())
    return share(options, redis, settings.learning_key_prefix, ttl)


@asynccontextmanager
async def _waited_for_store(settings: Settings) -> AsyncIterator[ProfileStore]:
    """Open the store, however long MongoDB is away; a role without the right to make indexes is enough."""
    faults = FaultLog()
    indexes = True
    while True:
        opened = open_store(settings, indexes=indexes)
        try:
            store = await opened.__aenter__()
        except DependencyDown as error:
            faults.fault("mongodb", f"[Learning] {error}")
            await anyio.sleep(random.uniform(0.5, 1.5))
        except Misconfigured:
            if not indexes:
                raise
            indexes = False
        else:
            break
    faults.recovered("mongodb")
    if not indexes:
        get_logger().warning("The MongoDB user may not make indexes: see that learn_due_at is indexed")
    if store.write_concern.document != {"w": "majority", "j": True}:
        get_logger().warning(f"MONGODB_URI sets the write concern {store.write_concern.document}: durability is its")
    try:
        yield store
    finally:
        await opened.__aexit__(None, None, None)


@asynccontextmanager
async def open_store(settings: Settings, *, indexes: bool = True) -> AsyncIterator[ProfileStore]:
    """Yield the store of ``settings``. Raises ``DependencyDown`` or ``Misconfigured``."""
    async with open_profiles(
        settings.mongodb_uri.get_secret_value(),
        timeout=settings.learning_mongodb_timeout_seconds,
        connections=settings.learning_queue_concurrency + EXTRA_CONNECTIONS,
        indexes=indexes,
    ) as store:
        yield store
