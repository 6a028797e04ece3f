"""A stop signal before the worker has anything to work with."""

from __future__ import annotations

import os
import signal
import sys
from subprocess import PIPE

import anyio
import pytest
from anyio.streams.text import TextReceiveStream

pytestmark = pytest.mark.anyio
NOBODY = "127.0.0.1:1"  # a port that nothing listens on


@pytest.mark.parametrize(
    "command", [["consume"], ["consume", "--processes", "2"], ["reclaim", "--watch"]], ids=" ".join
)
@pytest.mark.parametrize("away", ["mongodb", "redis"])
async def test_who_waits_for_a_server_ends_well(service_env: dict[str, str], command: list[str], away: str) -> None:
    url = {"mongodb": {"MONGODB_URI": f"mongodb://{NOBODY}/x"}, "redis": {"REDIS_URL": f"redis://{NOBODY}/0"}}[away]
    env = {**service_env, **url, "LEARNING_MONGODB_TIMEOUT_SECONDS": "1", "LEARNING_REDIS_TIMEOUT_SECONDS": "1"}
    process = await anyio.open_process([sys.executable, "-m", "service.cli", *command], env=env, stderr=PIPE)
    try:
        with anyio.fail_after(60):
            await said(process, f"{away} is away")
            process.send_signal(signal.SIGTERM)
            assert await process.wait() == 0
    finally:
        if process.returncode is None:
            os.kill(process.pid, signal.SIGKILL)
            await process.wait()


async def said(process: anyio.abc.Process, words: str) -> None:
    """Read what the process logs until it says ``words``."""
    assert process.stderr is not None
    heard = ""
    async for text in TextReceiveStream(process.stderr):
        heard += text
        if words in heard:
            return
    raise AssertionError(f"it ended, and said only: {heard}")
