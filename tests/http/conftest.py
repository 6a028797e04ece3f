"""A worker on real servers with its HTTP server on a free port, asked over real HTTP."""

import http.client
import json
import random
import socket
from collections.abc import AsyncIterator, Iterator
from contextlib import ExitStack, asynccontextmanager, suppress
from dataclasses import dataclass
from typing import Any

import anyio
import pytest
from anyio import to_thread

from service.embedded import EmbeddedMongo, EmbeddedRedis
from service.http.server import seen_over_http
from service.settings import Settings
from service.worker.loops import Worker
from service.worker.running import open_worker


@dataclass(frozen=True)
class Reply:
    status: int
    headers: dict[str, str]
    text: str

    def json(self) -> Any:
        return json.loads(self.text)


@dataclass(frozen=True)
class Site:
    """The HTTP server of a worker."""

    worker: Worker
    port: int

    async def get(self, path: str, method: str = "GET") -> Reply:
        return await to_thread.run_sync(ask, self.port, path, method)

    async def until(self, path: str, status: int, seconds: float = 20) -> Reply:
        """Ask until the status is ``status``."""
        with anyio.fail_after(seconds):
            while (reply := await self.get(path)).status != status:
                await anyio.sleep(0.05)
        return reply


def ask(port: int, path: str, method: str = "GET") -> Reply:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
    try:
        connection.request(method, path)
        reply = connection.getresponse()
        headers = {name.lower(): value for name, value in reply.getheaders()}
        return Reply(reply.status, headers, reply.read().decode())
    finally:
        connection.close()


def free_port(count: int = 1) -> int:
    """The first of ``count`` free ports that nobody is given who asks the kernel for any.

    They are bound later, by another process.
    """
    while True:
        port = random.randrange(10_000, 20_000)
        with ExitStack() as listeners, suppress(OSError):
            for own in range(port, port + count):
                listeners.enter_context(socket.socket()).bind(("127.0.0.1", own))
            return port


@pytest.fixture
def own_redis(redis_server: EmbeddedRedis) -> Iterator[EmbeddedRedis]:
    server = EmbeddedRedis(program=redis_server.program).start()
    yield server
    server.stop()


@pytest.fixture
def own_mongo(mongo_server: EmbeddedMongo) -> Iterator[EmbeddedMongo]:
    server = EmbeddedMongo(program=mongo_server.program).start()
    yield server
    server.stop()


@pytest.fixture
def settings(redis_url: str, mongodb_uri: str, key_prefix: str) -> Settings:
    return quick(redis_url=redis_url, mongodb_uri=mongodb_uri, learning_key_prefix=key_prefix)


def quick(**more: Any) -> Settings:
    return Settings(
        _env_file=None,
        learning_rate_limit_minutes=0,
        edit_batch_window_minutes=0,
        learning_lease_seconds=1.5,
        learning_redis_timeout_seconds=0.5,
        learning_mongodb_timeout_seconds=0.5,
        learning_sweep_seconds=0.1,
        learning_due_seconds=0.1,
        learning_block_seconds=0.1,
        learning_grace_seconds=5,
        learning_http_port=free_port(),
        **more,
    )


@asynccontextmanager
async def served(settings: Settings, **options: Any) -> AsyncIterator[Site]:
    """A worker at work and its site; both stopped at the end."""
    async with (
        seen_over_http(settings) as watched,
        open_worker(settings, **options) as worker,
        watched(worker),
        anyio.create_task_group() as group,
    ):
        group.start_soon(worker.run)
        yield Site(worker, settings.learning_http_port)
        worker.stop()
