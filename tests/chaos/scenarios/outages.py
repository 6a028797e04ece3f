"""Servers that freeze, die, lose their data or their office, and networks that fail, each with jobs coming in.

A scenario of the command line lasts as a real outage does; ``tests/chaos/test_outages.py`` plays the same ones short.
"""

from __future__ import annotations

import os
import signal
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any, cast

import anyio
import orjson
from anyio import to_thread
from redis.asyncio import Redis

from service.embedded import EmbeddedMongo, EmbeddedRedis
from service.streams.client import connect
from service.streams.keys import GROUP
from service.streams.replies import entries
from tests.chaos.load import Load
from tests.chaos.outage import RESUME_SECONDS, Harm, Scene, play
from tests.chaos.report import Row
from tests.chaos.scenario import SCENARIOS, Plan
from tests.chaos.stage import DATABASE, Stage, open_stage
from tests.members import ReplicaSet
from tests.proxy import Proxy
from tests.sentinels import SentinelSet

LONG, SHORT = 30.0, 20.0  # seconds of an outage: beyond every time-out, and beyond the grace of /readyz
TIME_OUT_SECONDS = 5.0  # a dead connection is noticed by its time-out alone
Server = EmbeddedRedis | EmbeddedMongo
OUTAGES: dict[str, Callable[[Plan, float], Awaitable[Row]]] = {}


def outage(name: str, seconds: float) -> Callable[[Callable[[Plan, float], Awaitable[Row]]], None]:
    """Register an outage under ``name``, also as a scenario that lasts ``seconds``."""

    def register(run: Callable[[Plan, float], Awaitable[Row]]) -> None:
        async def scenario(plan: Plan) -> Row:
            return await run(plan, seconds)

        OUTAGES[name] = run
        SCENARIOS[name] = scenario

    return register


# ---- harms


def frozen(server: Callable[[Scene], Server]) -> Harm:
    async def harm(scene: Scene) -> int:
        pid = server(scene).pid
        os.kill(pid, signal.SIGSTOP)
        try:
            await anyio.sleep(scene.seconds)
        finally:
            os.kill(pid, signal.SIGCONT)
        return 1

    return harm


def killed(server: Callable[[Scene], Server]) -> Harm:
    async def harm(scene: Scene) -> int:
        victim = server(scene)
        victim.kill()
        await anyio.sleep(scene.seconds)
        await to_thread.run_sync(victim.start)
        return 1

    return harm


def on_proxy(proxy: Proxy, harm: Callable[[Proxy], None]) -> Harm:
    async def apply(scene: Scene) -> int:
        harm(proxy)
        await anyio.sleep(scene.seconds)
        proxy.heal()
        return 1

    return apply


def redis_of(scene: Scene) -> EmbeddedRedis:
    return scene.stage.redis_server


def mongod_of(scene: Scene) -> EmbeddedMongo:
    return scene.stage.mongo_server


# ---- Redis


@outage("redis-frozen", LONG)
async def redis_frozen(plan: Plan, seconds: float) -> Row:
    async with open_stage(plan) as stage:
        return await play(stage, "Redis frozen (SIGSTOP)", frozen(redis_of), seconds)


@outage("redis-killed", SHORT)
async def redis_killed(plan: Plan, seconds: float) -> Row:
    """With AOF; it loads slowly, so that LOADING is met too."""
    slow = ["--key-load-delay", "500"]
    async with open_stage(plan, redis=EmbeddedRedis(appendonly=True, extra_args=slow)) as stage:
        return await play(stage, "Redis killed and restarted, AOF", killed(redis_of), seconds)


@outage("redis-unpersisted", 1)
async def redis_unpersisted(plan: Plan, seconds: float) -> Row:
    """Without AOF what was in the stream is gone with the server; nothing else may be."""
    kill = killed(redis_of)

    async def harm(scene: Scene) -> int:
        await scene.quiet(jobs=50)
        scene.stage.gone |= job_ids(await scene.stage.redis.xrange(scene.stage.keys.partitions[0].jobs))
        return await kill(scene)

    async with open_stage(plan, redis=EmbeddedRedis(appendonly=False)) as stage:
        return await play(stage, "Redis killed and restarted, no AOF", harm, seconds, away=False)


@outage("redis-flushed", 0)
async def redis_flushed(plan: Plan, seconds: float) -> Row:
    """What was in the stream at that moment is gone; nothing else may be."""

    async def harm(scene: Scene) -> int:
        for _ in range(3):
            transaction: Any = scene.stage.redis.pipeline(transaction=True)
            transaction.xrange(scene.stage.keys.partitions[0].jobs).flushall()
            left, _ = await transaction.execute()
            scene.stage.gone |= job_ids(left)
            await anyio.sleep(1)
        return 3

    async with open_stage(plan) as stage:
        return await play(stage, "Redis flushed under load (FLUSHALL)", harm, seconds, away=False)


def job_ids(reply: Any) -> set[str]:
    """Return the ids of the jobs in an XRANGE."""
    return {str(orjson.loads(fields[b"job"])["job_id"]) for _, fields in entries(reply)}


@outage("group-destroyed", 0)
async def group_destroyed(plan: Plan, seconds: float) -> Row:
    async def harm(scene: Scene) -> int:
        for _ in range(5):
            await scene.stage.redis.xgroup_destroy(scene.stage.keys.partitions[0].jobs, GROUP)
            await anyio.sleep(0.5)
        return 5

    async with open_stage(plan) as stage:
        return await play(stage, "Group destroyed under load", harm, seconds, away=False)


@outage("clients-killed", 0)
async def clients_killed(plan: Plan, seconds: float) -> Row:
    async def harm(scene: Scene) -> int:
        async with scene.stage.redis.client() as one:  # the only connection that is spared
            for _ in range(20):
                await one.client_kill_filter(_type="normal", skipme=True)
                await anyio.sleep(0.1)
        return 20

    async with open_stage(plan) as stage:
        return await play(stage, "All connections to Redis killed", harm, seconds, away=False)


@outage("redis-full", 3)
async def redis_full(plan: Plan, seconds: float) -> Row:
    """At `maxmemory` with `noeviction`: what waits is learned all the same."""

    async def harm(scene: Scene) -> int:
        await scene.quiet(jobs=200)
        await scene.stage.redis.config_set("maxmemory", 1)
        await scene.stage.drained(seconds=10)
        await scene.stage.redis.config_set("maxmemory", 0)
        return 1

    async with open_stage(plan) as stage:
        return await play(stage, "Redis full (OOM, noeviction)", harm, seconds, away=False)


@outage("sentinel-failover", 0)
async def sentinel_failover(plan: Plan, seconds: float) -> Row:
    """The primary dies, two of three sentinels agree, the replica takes over."""
    servers = SentinelSet()

    async def harm(scene: Scene) -> int:
        await scene.quiet(jobs=150)
        await in_step(scene.stage.redis)
        servers.primary.kill()
        await to_thread.run_sync(servers.wait_for_failover)
        return 1

    as_redis = cast(EmbeddedRedis, servers)
    url = servers.sentinel_url
    async with (
        open_stage(plan, redis=as_redis, REDIS_URL=url) as stage,
        books_through(stage, plan, connect(url, timeout=2)),
    ):
        return await play(stage, "Redis fails over by Sentinel", harm, seconds, away=False)


@outage("redis-demoted", 0)
async def redis_demoted(plan: Plan, seconds: float) -> Row:
    """A plain URL whose address is moved to the promoted replica, while old connections still reach the old primary."""
    primary = EmbeddedRedis(appendonly=True)
    replica = EmbeddedRedis(appendonly=True, extra_args=["--replicaof", "127.0.0.1", str(primary.port)])

    async def harm(scene: Scene) -> int:
        await scene.quiet(jobs=150)
        await in_step(scene.stage.redis)
        async with Redis(port=primary.port) as old, Redis(port=replica.port) as new:
            await new.replicaof("NO", "ONE")
            proxy.target = replica.port
            await old.replicaof("127.0.0.1", replica.port)
        await scene.stage.redis.connection_pool.disconnect()
        return 1

    async with Proxy(primary.port).serving() as proxy:
        url = f"redis://127.0.0.1:{proxy.port}/0"
        async with (
            replica,
            open_stage(plan, redis=primary, REDIS_URL=url) as stage,
            books_through(stage, plan, connect(url, timeout=2)),
        ):
            return await play(stage, "Redis demoted, its address moved", harm, seconds, away=False)


async def in_step(redis: Redis) -> None:
    """Wait until the replica has all that was written."""
    async with redis.client() as one:
        await one.set("mark", "x")
        if not await one.wait(1, 5000):
            raise TimeoutError("the replica does not keep up")


@asynccontextmanager
async def books_through(stage: Stage, plan: Plan, redis: Redis) -> AsyncIterator[None]:
    """Send and audit through ``redis``, which finds the server of the hour."""
    async with redis:
        stage.redis, stage.load = redis, Load(redis, stage.keys, plan.seed)
        yield


# ---- networks


def on_the_way_to_redis(name: str, fault: str, harm: Callable[[Proxy], None], limit: float = RESUME_SECONDS) -> None:
    @outage(f"redis-{name}", SHORT)
    async def run(plan: Plan, seconds: float) -> Row:
        server = EmbeddedRedis(appendonly=True)
        async with Proxy(server.port).serving() as proxy:
            url = f"redis://127.0.0.1:{proxy.port}/0"
            return await through(proxy, harm, f"Network to Redis: {fault}", plan, seconds, limit, server, REDIS_URL=url)


def on_the_way_to_mongodb(name: str, fault: str, harm: Callable[[Proxy], None], limit: float = RESUME_SECONDS) -> None:
    @outage(f"mongodb-{name}", SHORT)
    async def run(plan: Plan, seconds: float) -> Row:
        server = EmbeddedMongo()
        async with Proxy(server.port).serving() as proxy:
            uri = f"mongodb://127.0.0.1:{proxy.port}/{DATABASE}"
            name = f"Network to MongoDB: {fault}"
            return await through(proxy, harm, name, plan, seconds, limit, server, MONGODB_URI=uri)


async def through(
    proxy: Proxy,
    harm: Callable[[Proxy], None],
    fault: str,
    plan: Plan,
    seconds: float,
    limit: float,
    server: Server,
    **env: str,
) -> Row:
    """Play ``harm`` on the way to ``server``."""
    redis = server if isinstance(server, EmbeddedRedis) else None
    mongo = server if isinstance(server, EmbeddedMongo) else None
    away = harm not in (slow, cutting, Proxy.half_open)  # these answer a ping
    async with open_stage(plan, redis=redis, mongo=mongo, **env) as stage:
        return await play(stage, fault, on_proxy(proxy, harm), seconds, away=away, limit=limit)


def slow(proxy: Proxy) -> None:
    proxy.delay = 0.1


def cutting(proxy: Proxy) -> None:
    proxy.cut_after = 3000


for to in (on_the_way_to_redis, on_the_way_to_mongodb):
    to("black-hole", "black hole", Proxy.black_hole)
    to("refused", "refused", Proxy.refuse)
    to("slow", "100 ms each way", slow)
    to("cut", "cut in the middle of answers", cutting)
    to("half-open", "half-open connections", Proxy.half_open, RESUME_SECONDS + TIME_OUT_SECONDS)


# ---- MongoDB


@outage("mongodb-frozen", LONG)
async def mongodb_frozen(plan: Plan, seconds: float) -> Row:
    async with open_stage(plan) as stage:
        return await play(stage, "MongoDB frozen (SIGSTOP)", frozen(mongod_of), seconds)


@outage("mongodb-killed", SHORT)
async def mongodb_killed(plan: Plan, seconds: float) -> Row:
    async with open_stage(plan) as stage:
        return await play(stage, "MongoDB killed and restarted", killed(mongod_of), seconds)


@outage("mongodb-step-down", 0)
async def mongodb_step_down(plan: Plan, seconds: float) -> Row:
    async def harm(scene: Scene) -> int:
        await to_thread.run_sync(members.step_down)
        await to_thread.run_sync(members.primary)
        return 1

    members = ReplicaSet()
    async with open_stage(plan, mongo=cast(EmbeddedMongo, members)) as stage:
        return await play(stage, "MongoDB primary steps down", harm, seconds, away=False)


@outage("mongodb-primary-killed", 0)
async def mongodb_primary_killed(plan: Plan, seconds: float) -> Row:
    async def harm(scene: Scene) -> int:
        victim = await to_thread.run_sync(members.primary)
        victim.kill()
        await to_thread.run_sync(members.primary)
        return 1

    members = ReplicaSet()
    async with open_stage(plan, mongo=cast(EmbeddedMongo, members)) as stage:
        return await play(stage, "MongoDB primary killed, another elected", harm, seconds, away=False)
