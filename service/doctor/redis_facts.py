"""What a Redis says about itself, asked so that the least user gets as far as it can."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from redis.asyncio import Redis
from redis.exceptions import ResponseError

from service.settings import Settings
from service.streams.client import open_redis
from service.streams.clock import ServerClock
from service.streams.cluster import is_cluster, node_url
from service.streams.keys import Keys
from service.streams.replies import text
from service.streams.rights import missing_rights

CONFIG_NAMES = ("appendonly", "appendfsync", "maxmemory-policy", "min-replicas-to-write", "save")


@dataclass(frozen=True, slots=True)
class RedisFacts:
    """``info`` or ``config`` is None when the server refuses it, ``missing`` when nobody can tell.

    ``hello`` is the answer to HELLO, which every user may send: server, version, mode, role.
    """

    hello: Mapping[str, str]
    info: Mapping[str, Any] | None = None
    config: Mapping[str, str] | None = None
    missing: list[str] | None = field(default_factory=list)
    skew_seconds: float = 0.0
    node: str = ""


async def ask_redis(settings: Settings) -> list[RedisFacts]:
    """Ask the server of ``settings``, of a cluster every primary, each of which has its own settings and users.

    Raises what redis-py raises when one does not answer or refuses us.
    """
    keys = Keys.of(settings.learning_key_prefix, settings.learning_partitions)
    url, timeout = settings.redis_url.get_secret_value(), settings.learning_redis_timeout_seconds
    if not is_cluster(url):
        return [await _ask(url, timeout, keys)]
    return [await _ask(node_url(url, node), timeout, keys, node) for node in await _primaries(url, timeout)]


async def _ask(url: str, timeout: float, keys: Keys, node: str = "") -> RedisFacts:  # noqa: ASYNC109 - of a command
    async with open_redis(url, timeout=timeout) as redis:
        hello = await _hello(redis)
        missing = await missing_rights(redis, keys)
        return RedisFacts(hello, await _info(redis), await _config(redis), missing, await _skew(redis), node)


async def _primaries(url: str, timeout: float) -> list[str]:  # noqa: ASYNC109 - of a command
    async with open_redis(url, timeout=timeout) as redis:
        cluster: Any = redis
        await cluster.initialize()
        return sorted(f"{node.host}:{node.port}" for node in cluster.get_primaries())


async def _hello(redis: Redis) -> dict[str, str]:
    client: Any = redis
    reply = await client.execute_command("HELLO")
    pairs = reply.items() if isinstance(reply, Mapping) else zip(reply[::2], reply[1::2], strict=True)
    return {text(name): text(value) for name, value in pairs}


async def _info(redis: Redis) -> dict[str, Any] | None:
    try:
        return dict(await redis.info())
    except ResponseError:
        return None


async def _config(redis: Redis) -> dict[str, str] | None:
    found: dict[str, str] = {}
    for name in CONFIG_NAMES:
        try:
            found |= {text(key): text(value) for key, value in (await redis.config_get(name)).items()}
        except ResponseError:
            return None
    return found


async def _skew(redis: Redis) -> float:
    clock = ServerClock()
    try:
        await clock.sync(redis)
    except ResponseError:
        return 0.0
    return clock.skew_seconds
