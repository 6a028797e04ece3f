"""Users with exactly the least rights, on servers that ask for a user."""

import logging
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import structlog
from pymongo import MongoClient
from redis import Redis

from service.embedded import EmbeddedMongo, EmbeddedRedis
from service.privileges import OPERATOR_ACTIONS, WORKER_ACTIONS
from service.settings import Settings
from service.streams.keys import Keys
from service.streams.rights import acl

SECRET = "kanarie-geheim"
RedisUser = Callable[..., str]
MongoUser = Callable[..., str]


@pytest.fixture(autouse=True)
def _own_log() -> Iterator[None]:
    """Leave the log's set-up as it was."""
    root = logging.getLogger()
    handlers, level = list(root.handlers), root.level
    yield
    root.handlers[:] = handlers
    root.setLevel(level)
    structlog.reset_defaults()


@pytest.fixture
def redis_user(redis_server: EmbeddedRedis, redis_admin: Redis, key_prefix: str, redis_url: str) -> Iterator[RedisUser]:
    """Make a user of Redis with the worker's or the operator's rules, ``also`` on top; return its URL."""
    made: list[str] = []
    admin: Any = redis_admin

    def make(*also: str, operator: bool = False, partitions: int = 1) -> str:
        name = f"{key_prefix}u{len(made)}"
        rules = acl(Keys.of(key_prefix, partitions), operator=operator).split()
        admin.execute_command("ACL", "SETUSER", name, "on", f">{SECRET}", *rules, *also)
        made.append(name)
        return f"redis://{name}:{SECRET}@127.0.0.1:{redis_server.port}/0"

    yield make
    for name in made:
        admin.execute_command("ACL", "DELUSER", name)


@pytest.fixture(scope="session")
def guarded_mongo() -> Iterator[EmbeddedMongo]:
    """A mongod that asks for a user; ``root`` with the password ``secret`` may do everything."""
    with EmbeddedMongo(extra_args=["--auth"]) as server:
        with MongoClient[dict[str, Any]](server.url, timeoutMS=10_000) as client:
            client.admin.command("createUser", "root", pwd=SECRET, roles=["root"])
        yield server


@pytest.fixture
def mongo_root(guarded_mongo: EmbeddedMongo) -> Iterator[MongoClient[dict[str, Any]]]:
    with MongoClient[dict[str, Any]](
        guarded_mongo.url, username="root", password=SECRET, timeoutMS=10_000, tz_aware=True
    ) as client:
        yield client


@pytest.fixture
def mongo_user(
    guarded_mongo: EmbeddedMongo, mongo_root: MongoClient[dict[str, Any]], key_prefix: str
) -> Iterator[MongoUser]:
    """Make a user of MongoDB that may do ``actions`` on the one collection; return its URI."""
    database = mongo_root[key_prefix]

    def make(actions: tuple[str, ...] = WORKER_ACTIONS) -> str:
        name = "u" + "".join(actions)
        where = {"db": key_prefix, "collection": "style_profiles"}
        database.command("createRole", name, privileges=[{"resource": where, "actions": list(actions)}], roles=[])
        database.command("createUser", name, pwd=SECRET, roles=[name])
        return f"mongodb://{name}:{SECRET}@127.0.0.1:{guarded_mongo.port}/{key_prefix}"

    yield make
    database.command("dropAllUsersFromDatabase")
    database.command("dropAllRolesFromDatabase")
    mongo_root.drop_database(key_prefix)


@pytest.fixture
def least(redis_user: RedisUser, mongo_user: MongoUser, key_prefix: str) -> Settings:
    """A worker's settings with the least rights on both servers."""
    return worker_settings(redis_user(), mongo_user(), key_prefix)


@pytest.fixture
def operator_env(
    redis_user: RedisUser, mongo_user: MongoUser, service_env: dict[str, str], key_prefix: str
) -> dict[str, str]:
    """The environment of somebody at the command line with the operator's rights."""
    urls = {"REDIS_URL": redis_user(operator=True), "MONGODB_URI": mongo_user(OPERATOR_ACTIONS)}
    return {**service_env, **urls, "LEARNING_LEASE_SECONDS": "2", "LEARNING_REDIS_TIMEOUT_SECONDS": "1"}


def worker_settings(redis_url: str, mongodb_uri: str, key_prefix: str, **more: Any) -> Settings:
    return Settings(
        _env_file=None,
        redis_url=redis_url,
        mongodb_uri=mongodb_uri,
        learning_key_prefix=key_prefix,
        **{
            "learning_rate_limit_minutes": 0,
            "edit_batch_window_minutes": 0,
            "learning_lease_seconds": 2,
            "learning_redis_timeout_seconds": 1,
            "learning_sweep_seconds": 0.1,
            "learning_due_seconds": 0.1,
            "learning_block_seconds": 0.1,
            "learning_grace_seconds": 5,
            "learning_http_port": 0,
            **more,
        },
    )
