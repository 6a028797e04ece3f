"""REDIS_URL behind Sentinel: what it means, and a primary that dies."""

from collections.abc import Iterator

import anyio
import pytest
from anyio import to_thread
from redis.exceptions import RedisError

from service.settings import InvalidSettings, load_settings
from service.streams.client import open_redis
from service.streams.sentinel import PORT, parse
from tests.sentinels import SentinelSet


@pytest.mark.parametrize(
    ("url", "hosts", "service", "server"),
    [
        ("redis+sentinel://a/main", (("a", PORT),), "main", {"db": 0}),
        ("redis+sentinel://a:1,b:2,c/main/3", (("a", 1), ("b", 2), ("c", PORT)), "main", {"db": 3}),
        (
            "redis+sentinel://u:p%40ss@a:1,[::1]:2/main/0?client_name=x",
            (("a", 1), ("::1", 2)),
            "main",
            {"db": 0, "username": "u", "password": "p@ss", "client_name": "x"},
        ),
        (
            "rediss+sentinel://a/main?ssl_ca_certs=ca.pem",
            (("a", PORT),),
            "main",
            {"db": 0, "ssl": True, "ssl_ca_certs": "ca.pem"},
        ),
    ],
)
def test_what_the_url_says(url: str, hosts: object, service: str, server: object) -> None:
    address = parse(url)
    assert (address.hosts, address.service, address.server) == (hosts, service, server)


def test_the_sentinels_have_a_login_and_the_same_ca() -> None:
    address = parse("rediss+sentinel://:one@a/main?sentinel_username=u&sentinel_password=two&ssl_ca_certs=ca.pem")
    assert address.sentinel == {"username": "u", "password": "two", "ssl_ca_certs": "ca.pem", "ssl": True}
    assert "two" not in repr(address)
    assert "one" not in repr(address)


@pytest.mark.parametrize("url", ["redis+sentinel://canary@a", "redis+sentinel://canary:x/main", "redis+sentinel:///m/0",
                                 "redis+sentinel://:canary@a/main/x"])  # fmt: skip
def test_a_wrong_url_stops_the_start_and_repeats_nothing(url: str) -> None:
    with pytest.raises(InvalidSettings, match=r"^REDIS_URL: redis\+sentinel://") as caught:
        load_settings(redis_url=url)
    assert "canary" not in str(caught.value)


@pytest.fixture
def servers() -> Iterator[SentinelSet]:
    servers = SentinelSet().start()
    yield servers
    servers.stop()


@pytest.mark.anyio
async def test_the_next_connection_finds_the_new_primary(servers: SentinelSet, no_stray_tasks: None) -> None:
    async with open_redis(servers.sentinel_url, timeout=1) as redis:
        await redis.set("key", "before")
        assert await redis.wait(1, 2000) == 1
        servers.primary.kill()
        servers.sentinels[0].kill()
        with pytest.raises(RedisError):
            await redis.get("key")
        await to_thread.run_sync(servers.wait_for_failover)
        with anyio.fail_after(10):
            assert await redis.get("key") == b"before"
            await redis.set("key", "after")
