"""Several processes under one parent."""

import os
import signal
import sys
from functools import partial
from typing import Any

import anyio
import pytest
from pymongo.asynchronous.database import AsyncDatabase
from redis.asyncio import Redis

from service.streams.keys import GROUP, Keys
from tests.http.conftest import free_port
from tests.worker.conftest import drained, edit, enqueue, until

pytestmark = pytest.mark.anyio
Mongo = AsyncDatabase[dict[str, Any]]


async def consumers(redis: Redis, keys: Keys) -> set[bytes]:
    try:
        return {info["name"] for info in await redis.xinfo_consumers(keys.partitions[0].jobs, GROUP)}
    except Exception:  # noqa: BLE001 - the stream is not there yet
        return set()


async def lives(port: int) -> bool:
    try:
        async with await anyio.connect_tcp("127.0.0.1", port) as stream:
            await stream.send(b"GET /livez HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
            return (await stream.receive()).startswith(b"HTTP/1.1 200 ")
    except OSError:
        return False


async def test_a_fleet_restarts_its_dead_and_stops_as_one(
    service_env: dict[str, str], redis_client: Redis, mongo: Mongo, keys: Keys
) -> None:
    env = {**service_env, "LEARNING_RATE_LIMIT_MINUTES": "0", "LEARNING_LEASE_SECONDS": "2"}
    env["LEARNING_REDIS_TIMEOUT_SECONDS"] = "1"
    port = free_port(2)
    env["LEARNING_HTTP_PORT"] = str(port)
    command = [sys.executable, "-m", "service.cli", "consume", "--processes", "2"]
    parent = await anyio.open_process(command, env=env, stdout=None, stderr=None)
    try:

        async def two() -> bool:
            return len(await consumers(redis_client, keys)) >= 2

        async def three() -> bool:
            return len(await consumers(redis_client, keys)) >= 3

        await until(two, seconds=60)
        for own in (port, port + 1):
            await until(partial(lives, own), seconds=60)
        victim = int(sorted(await consumers(redis_client, keys))[0].split(b"-")[-2])
        await enqueue(redis_client, keys, *(edit(number, f"writer{number % 7}") for number in range(70)))
        os.kill(victim, signal.SIGKILL)
        await until(three, seconds=60)
        await until(lambda: drained(redis_client, keys), seconds=60)
        parent.send_signal(signal.SIGTERM)
        with anyio.fail_after(20):
            assert await parent.wait() == 0
    finally:
        if parent.returncode is None:
            parent.kill()
            await parent.wait()
    assert sum([profile["edits_applied"] async for profile in mongo.style_profiles.find()]) == 70


async def test_wrong_settings_end_the_fleet_with_their_line(service_env: dict[str, str]) -> None:
    command = [sys.executable, "-m", "service.cli", "consume", "--processes", "2"]
    env = {**service_env, "LEARNING_LEASE_SECONDS": "0"}
    with anyio.fail_after(30):
        run = await anyio.run_process(command, env=env, check=False)
    assert run.returncode == 1
    assert run.stderr.count(b"LEARNING_LEASE_SECONDS") == 1
    assert b"Traceback" not in run.stderr
