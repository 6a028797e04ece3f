"""The probes while something is wrong: a server away, a loop blocked, a worker draining."""

import os
import signal
import threading
import time

import anyio
import pytest
from redis.asyncio import Redis

from schemas.delta import Analysis
from schemas.job import LearningJob
from service.analysis import analyze
from service.embedded import EmbeddedMongo, EmbeddedRedis
from service.settings import Settings
from service.streams.keys import Keys
from service.streams.producer import append, encode
from tests.http.conftest import Reply, ask, quick, served
from tests.http.test_site import job
from tests.observability.watched import frozen

pytestmark = pytest.mark.anyio


@pytest.fixture(autouse=True)
async def _nothing_left(no_stray_tasks: None) -> None:
    """Every test here ends without a task left."""


async def test_redis_away(own_redis: EmbeddedRedis, mongodb_uri: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("service.http.verdicts.Limits.of.__func__.__defaults__", (1.5,))
    settings = quick(redis_url=own_redis.url, mongodb_uri=mongodb_uri)
    async with served(settings) as site:
        await site.until("/readyz", 200)
        with frozen(own_redis):
            health = (await site.until("/health", 503)).json()
            assert (await site.get("/readyz")).status == 200, "a short outage is within the grace"
            unready = (await site.until("/readyz", 503)).json()
            page = await site.get("/")
            assert (await site.get("/livez")).status == 200
        assert health["services"]["redis"] == "disconnected"
        assert health["services"]["queue"] == "unavailable"
        assert health["services"]["mongodb"] == "connected"
        assert [reason.partition(" for ")[0] for reason in unready["reasons"]] == ["redis away"]
        assert "no answer for" in page.text
        await site.until("/readyz", 200)
        await site.until("/health", 200)


async def test_mongodb_away(own_mongo: EmbeddedMongo, redis_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("service.http.verdicts.Limits.of.__func__.__defaults__", (1.5,))
    settings = quick(redis_url=redis_url, mongodb_uri=own_mongo.uri("away"))
    async with served(settings) as site:
        await site.until("/readyz", 200)
        with frozen(own_mongo):
            unready = (await site.until("/readyz", 503)).json()
            health = (await site.get("/health")).json()
            assert (await site.get("/livez")).status == 200
        assert [reason.partition(" for ")[0] for reason in unready["reasons"]] == ["mongodb away"]
        assert health["services"]["mongodb"] == "disconnected"
        await site.until("/readyz", 200)


async def test_not_ready_before_the_join(own_redis: EmbeddedRedis, mongodb_uri: str) -> None:
    settings = quick(redis_url=own_redis.url, mongodb_uri=mongodb_uri)
    with frozen(own_redis):
        async with served(settings) as site:
            reply = await site.until("/readyz", 503)
            while len(reasons := reply.json()["reasons"]) > 2:  # MongoDB answers in the meantime
                await anyio.sleep(0.05)
                reply = await site.get("/readyz")
            assert reasons == [
                "starting: Redis has not answered yet",
                "starting: the consumer group has not been joined yet",
            ]
            assert (await site.get("/livez")).status == 200
            health = (await site.get("/health")).json()
            assert health["metrics"]["queueLength"] is None
            assert (await site.get("/")).status == (await site.get("/metrics")).status == 200
            os.kill(own_redis.pid, signal.SIGCONT)
            await site.until("/readyz", 200)


async def test_draining_is_not_ready_and_alive(settings: Settings, redis_client: Redis) -> None:
    begun, finish = anyio.Event(), anyio.Event()

    async def extract(job: LearningJob) -> Analysis:
        begun.set()
        await finish.wait()
        return analyze(job.original_text, job.edited_text)

    keys = Keys.of(settings.learning_key_prefix)
    async with served(settings, extract=extract) as site:
        await site.until("/readyz", 200)
        await append(redis_client, keys, [encode(job(1, "ana"))])
        await begun.wait()
        site.worker.stop()
        reply = await site.until("/readyz", 503)
        assert reply.json()["reasons"] == ["draining: no new jobs are read"]
        assert (await site.get("/livez")).status == 200
        health = (await site.get("/health")).json()
        assert (health["phase"], health["metrics"]["inWork"]) == ("draining", 1)
        finish.set()


async def test_a_blocked_loop_is_seen(settings: Settings, redis_client: Redis) -> None:
    async def extract(job: LearningJob) -> Analysis:
        time.sleep(3)  # noqa: ASYNC251 - the very mistake that has to be seen
        return analyze(job.original_text, job.edited_text)

    keys = Keys.of(settings.learning_key_prefix)
    seen: list[Reply] = []
    over = threading.Event()

    def look(port: int) -> None:
        while not over.wait(0.1):
            seen.append(ask(port, "/livez"))

    async with served(settings, extract=extract) as site:
        await site.until("/readyz", 200)
        looking = threading.Thread(target=look, args=[site.port])
        looking.start()
        await append(redis_client, keys, [encode(job(1, "ana"))])
        with anyio.fail_after(10):
            while not any(reply.status == 503 for reply in seen):
                await anyio.sleep(0.1)
        over.set()
        await anyio.to_thread.run_sync(looking.join)
        await site.until("/livez", 200)
    bad = next(reply for reply in seen if reply.status == 503).json()
    assert bad["status"] == "stalled"
    assert bad["reasons"][0].startswith("event loop: no heartbeat for")
