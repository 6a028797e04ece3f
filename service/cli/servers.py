"""Settings and connections of a command. A server that does not answer is named with its address."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from service.cli.failures import Failed, away
from service.links import address

if TYPE_CHECKING:
    from redis.asyncio import Redis

    from service.profiles import ProfileStore
    from service.settings import Settings
    from service.streams.keys import Keys

CONNECTIONS = 4  # a command does one thing after the other


def settings_of(redis_url: str | None = None, mongodb_uri: str | None = None, **others: str | float | None) -> Settings:
    """Return the settings of the environment, what was given on the command line winning."""
    from service.settings import load_settings

    given: dict[str, object] = {"redis_url": redis_url, "mongodb_uri": mongodb_uri, **others}
    return load_settings(**{name: value for name, value in given.items() if value is not None})


def keys_of(settings: Settings) -> Keys:
    from service.streams.keys import Keys

    return Keys.of(settings.learning_key_prefix, settings.learning_partitions)


@asynccontextmanager
async def redis_of(settings: Settings) -> AsyncIterator[Redis]:
    """Yield a client; it connects with its first command."""
    from redis.exceptions import RedisError

    from service.errors import Fault, classify, name
    from service.streams.client import connect

    url = settings.redis_url.get_secret_value()
    try:
        redis = connect(url, timeout=settings.learning_redis_timeout_seconds)
    except ValueError:  # its text may repeat a part of the password
        raise Failed("REDIS_URL: not a usable URL; expected is redis://[user:password@]host:port/number") from None
    try:
        async with redis:
            yield redis
    except RedisError as error:
        if classify(error) not in (Fault.TRANSIENT, Fault.TOPOLOGY):
            raise
        raise Failed(away("Redis", name(error), address(url))) from error


@asynccontextmanager
async def profiles_of(settings: Settings, *, indexes: bool = False) -> AsyncIterator[ProfileStore]:
    """Yield the store of profiles."""
    from service.errors import DependencyDown
    from service.profiles import open_profiles

    uri = settings.mongodb_uri.get_secret_value()
    timeout = settings.learning_mongodb_timeout_seconds
    try:
        async with open_profiles(uri, timeout=timeout, connections=CONNECTIONS, indexes=indexes) as store:
            yield store
    except DependencyDown as error:
        raise Failed(away("MongoDB", error.cause, address(uri))) from error
