"""Connections to Redis: one client for commands, one for the blocking read, and the scripts.

redis-py would retry every command up to ten times; a retried XADD appends twice and a retried XREADGROUP strands
entries nobody saw. So retries are off, and the worker's own loops back off. The blocking read has a client of its
own whose socket time-out lies above its BLOCK, else an idle stream looks like a dead server. Replies stay bytes:
one entry that is no UTF-8 must not make a whole reply unreadable.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from functools import cache
from importlib.resources import files
from typing import Any

from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.commands.core import AsyncScript

from service.streams.cluster import connect_cluster, is_cluster
from service.streams.sentinel import connect_primary, is_sentinel

READ_MARGIN_SECONDS = 5.0
_COUNTING = ("settle", "bury")  # scripts that begin with the function of minutes.lua


def connect(url: str, *, timeout: float) -> Redis:
    """Return a client whose every command ends within ``timeout`` seconds, without retries."""
    return _client(url, timeout, timeout)


def connect_reader(url: str, *, block: float, timeout: float) -> Redis:
    """Return a client for XREADGROUP that blocks for ``block`` seconds."""
    return _client(url, block + READ_MARGIN_SECONDS, timeout)


def _client(url: str, answer: float, connection: float) -> Redis:
    """Raises ``ValueError`` when ``url`` is not usable."""
    options: dict[str, Any] = {
        "decode_responses": False,
        "socket_timeout": answer,
        "socket_connect_timeout": connection,
        "retry": Retry(NoBackoff(), 0),
    }
    if is_cluster(url):
        return connect_cluster(url, **options)
    return connect_primary(url, **options) if is_sentinel(url) else Redis.from_url(url, **options)


@cache
def script_text(name: str) -> str:
    """Return the Lua source of ``name``, with what it shares with others."""
    room = files("service.streams") / "scripts"
    shared = (room / "minutes.lua").read_text() if name in _COUNTING else ""
    return shared + (room / f"{name}.lua").read_text()


class Scripts:
    """The Lua scripts of the service, by file name; loaded on first use and after a server lost them."""

    def __init__(self, redis: Redis) -> None:
        self._redis = redis
        self._scripts: dict[str, AsyncScript] = {}

    async def run(self, name: str, keys: Sequence[str], args: Sequence[str | bytes | int | float]) -> Any:
        script = self._scripts.get(name)
        if script is None:
            script = self._scripts[name] = self._redis.register_script(script_text(name))
        return await script(keys=list(keys), args=list(args))


@asynccontextmanager
async def open_redis(url: str, *, timeout: float) -> AsyncIterator[Redis]:  # noqa: ASYNC109 - of each command
    """Yield a client and close it."""
    redis = connect(url, timeout=timeout)
    try:
        yield redis
    finally:
        await redis.aclose()
