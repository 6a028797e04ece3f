"""Real servers for the tests: one Redis and one mongod a session, a fresh key prefix and database a test.

`LEARNSVC_TEST_REDIS_SERVER` and `LEARNSVC_TEST_MONGOD` name other server programs to run the same tests on.
Async tests carry `@pytest.mark.anyio`. A test that stops, freezes or floods a server starts its own
(`EmbeddedRedis`, `EmbeddedMongo`), so that the shared ones stay well.
"""

import asyncio
import os
import uuid
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any, TypeVar

import pytest
from hypothesis import settings as hypothesis_settings
from pymongo import AsyncMongoClient, MongoClient
from pymongo.asynchronous.database import AsyncDatabase
from redis import Redis
from redis.asyncio import Redis as AsyncRedis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff

from service.embedded import EmbeddedMongo, EmbeddedRedis, EmbeddedUnavailable

Server = TypeVar("Server", EmbeddedRedis, EmbeddedMongo)

OUR_VARIABLES = (
    "REDIS_URL",
    "MONGODB_URI",
    "EDIT_BATCH_WINDOW_MINUTES",
    "MAX_EDIT_METADATA_PER_USER",
    "MAX_PROFILE_VERSIONS",
    "PATTERN_THRESHOLD_",
    "LEARNING_",
    "GEMINI_",
    "GOOGLE_",
    "OTEL_",
    "FORCE_COLOR",
    "NO_COLOR",
)

# Two shared cores: how long one example takes says nothing about the code.
hypothesis_settings.register_profile("learnsvc", deadline=None, print_blob=True)
hypothesis_settings.load_profile("learnsvc")


@pytest.fixture(scope="session", autouse=True)
def _own_environment() -> Iterator[None]:
    """Take away what the caller's shell has set for a real learnsvc: a test must never reach that one."""
    with pytest.MonkeyPatch.context() as patch:
        for name in list(os.environ):
            if name.startswith(OUR_VARIABLES):
                patch.delenv(name)
        yield


@pytest.fixture(scope="session")
def anyio_backend() -> str:
    return "asyncio"


def _named_program(variable: str) -> Path | None:
    path = os.environ.get(variable)
    return Path(path) if path else None


def _started(server: Server) -> Server:
    """The server, running; without a program for it the test is skipped, but never in CI."""
    try:
        return server.start()
    except EmbeddedUnavailable as error:
        if os.environ.get("CI"):
            raise
        pytest.skip(str(error))


@pytest.fixture(scope="session")
def redis_server() -> Iterator[EmbeddedRedis]:
    server = _started(EmbeddedRedis(program=_named_program("LEARNSVC_TEST_REDIS_SERVER")))
    yield server
    server.stop()


@pytest.fixture(scope="session")
def mongo_server() -> Iterator[EmbeddedMongo]:
    """A standalone mongod that also knows `configureFailPoint`."""
    server = _started(
        EmbeddedMongo(
            program=_named_program("LEARNSVC_TEST_MONGOD"),
            extra_args=["--setParameter", "enableTestCommands=1"],
        )
    )
    yield server
    server.stop()


@pytest.fixture(scope="session")
def redis_admin(redis_server: EmbeddedRedis) -> Iterator[Redis]:
    """A sync client of the tests' own, to look behind the service's back."""
    with Redis.from_url(redis_server.url, socket_timeout=10) as client:
        yield client


@pytest.fixture(scope="session")
def mongo_admin(mongo_server: EmbeddedMongo) -> Iterator[MongoClient[dict[str, Any]]]:
    """A sync client of the tests' own; fail points are switched from here."""
    client: MongoClient[dict[str, Any]] = MongoClient(mongo_server.url, timeoutMS=10_000, tz_aware=True)
    with client:
        yield client


@pytest.fixture
def key_prefix() -> str:
    """A prefix no other test uses, for `LEARNING_KEY_PREFIX`."""
    return f"t{uuid.uuid4().hex[:12]}"


@pytest.fixture
def redis_url(redis_server: EmbeddedRedis, redis_admin: Redis) -> Iterator[str]:
    """The shared Redis, empty before and after the test."""
    redis_admin.flushdb()
    yield redis_server.url
    redis_admin.flushdb()


@pytest.fixture
def mongodb_uri(mongo_server: EmbeddedMongo, mongo_admin: MongoClient[dict[str, Any]]) -> Iterator[str]:
    """The shared mongod with a database of this test's own in the path; dropped afterwards."""
    name = f"t{uuid.uuid4().hex[:12]}"
    yield mongo_server.uri(name)
    mongo_admin.drop_database(name)


@pytest.fixture
def service_env(redis_url: str, mongodb_uri: str, key_prefix: str) -> dict[str, str]:
    """The whole environment for `learnsvc` as a process: this test's servers, no port, nobody's API key."""
    return {
        **os.environ,
        "REDIS_URL": redis_url,
        "MONGODB_URI": mongodb_uri,
        "LEARNING_KEY_PREFIX": key_prefix,
        "LEARNING_HTTP_PORT": "0",
        "PYTHONUNBUFFERED": "1",
    }


def _tasks() -> set[asyncio.Task[Any]]:
    """All tasks but anyio's own: of its runner, and the one that ends its worker processes with the loop."""
    own = ("TestRunner.", "_shutdown_process_pool_on_exit")
    return {task for task in asyncio.all_tasks() if not getattr(task.get_coro(), "__qualname__", "").startswith(own)}


@pytest.fixture
async def no_stray_tasks(anyio_backend: str) -> AsyncIterator[None]:
    """Fail a test that leaves a task behind. Tasks that are just ending get a second to do so."""
    before = _tasks()
    yield
    strays = _tasks() - before
    if strays:
        _, strays = await asyncio.wait(strays, timeout=1)
    assert not strays, f"tasks left behind: {[task.get_name() for task in strays]}"


@pytest.fixture
async def redis_client(redis_url: str, no_stray_tasks: None) -> AsyncIterator[AsyncRedis]:
    """A client as the service has it: replies are bytes, nothing is retried."""
    client = AsyncRedis.from_url(redis_url, socket_timeout=10, retry=Retry(NoBackoff(), 0))
    async with client:
        yield client


@pytest.fixture
async def mongo(mongodb_uri: str, no_stray_tasks: None) -> AsyncIterator[AsyncDatabase[dict[str, Any]]]:
    """This test's database."""
    client: AsyncMongoClient[dict[str, Any]] = AsyncMongoClient(mongodb_uri, timeoutMS=10_000, tz_aware=True)
    async with client:
        yield client.get_default_database()
