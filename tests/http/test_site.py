"""What a worker that is well shows of itself, and what it refuses."""

import socket
import time
from contextlib import nullcontext, suppress

import pytest
from anyio import to_thread
from prometheus_client.parser import text_string_to_metric_families
from redis.asyncio import Redis

from service.errors import Misconfigured
from service.http.server import bind, seen_over_http
from service.settings import Settings
from service.streams.keys import Keys
from service.streams.producer import append, encode
from tests.http.conftest import ask, quick, served

pytestmark = pytest.mark.anyio
PAGES = ("/", "/health", "/livez", "/readyz", "/metrics", "/page.css", "/page.js")


def job(number: int, user: str) -> dict[str, object]:
    text = f"Pears are ripe in week {number}, and the plums follow in a few days. We open at nine."
    return {
        "job_id": f"job-{number}",
        "user_id": user,
        "content_id": "c",
        "original_text": text,
        "edited_text": text.replace(", and the", ". The"),
    }


async def test_health_tells_of_jobs_learned_and_dead(settings: Settings, redis_client: Redis) -> None:
    keys = Keys.of(settings.learning_key_prefix)
    async with served(settings) as site:
        await append(redis_client, keys, [encode(job(1, "ana.b@writers"))])
        await redis_client.xadd(keys.partitions[0].jobs, {"job": "{"})
        await site.until("/health", 200)
        body = (await site.get("/health")).json()
        while body["metrics"]["deadLetters"] != 1 or body["metrics"]["completed"] != 1:
            body = (await site.get("/health")).json()
        page, metrics = await site.get("/"), await site.get("/metrics")
    assert body["status"] == "ok"
    assert body["services"] == {
        "mongodb": "connected",
        "redis": "connected",
        "gemini": "disabled",
        "queue": "healthy",
    }
    assert {"queueLength": 0, "activeWorkers": 5, "cacheHitRate": 0.0}.items() <= body["metrics"].items()
    more = {"pending": 0, "consumers": 1, "failed": 1, "writersDue": 0, "writersOverdue": 0}
    assert more.items() <= body["metrics"].items()
    assert "undecodable" in page.text
    assert "ana.b@writers" not in metrics.text
    samples = {
        (sample.name, *sample.labels.values()): sample.value
        for family in text_string_to_metric_families(metrics.text)
        for sample in family.samples
    }
    assert samples[("learnsvc_jobs_total", "learned")] == 1
    assert samples[("learnsvc_dead_letters",)] == 1
    assert samples[("learnsvc_dependency_up", "redis")] == 1


async def test_only_reading_is_possible(settings: Settings) -> None:
    async with served(settings) as site:
        await site.until("/readyz", 200)
        for path in PAGES:
            reply, head = await site.get(path), await site.get(path, "HEAD")
            assert (reply.status, head.status, head.text) == (200, 200, "")
            assert head.headers["content-type"] == reply.headers["content-type"]
            for method in ("POST", "PUT", "DELETE", "PATCH", "OPTIONS"):
                refused = await site.get(path, method)
                assert refused.status == 405
                assert refused.headers["allow"] in ("GET, HEAD", "HEAD, GET")
        for path in ("/nothing", "/health/", "//", "/page.css/../../app.py", "/writers/ana", "/docs"):
            reply = await site.get(path)
            assert reply.status == 404
            assert reply.headers["content-security-policy"].startswith("default-src 'none'")


async def test_a_port_in_use_is_gone_without_and_a_wrong_host_ends_the_start(settings: Settings) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        assert bind("127.0.0.1", port) is None
        async with seen_over_http(settings.model_copy(update={"learning_http_port": port})) as watched:
            assert isinstance(watched(None), nullcontext)  # type: ignore[arg-type]
    with pytest.raises(Misconfigured, match="LEARNING_HTTP_HOST"):
        bind("not an address", 0)


def test_the_port_is_loopback_only_unless_told_otherwise() -> None:
    listener = bind(Settings(_env_file=None).learning_http_host, 0)
    assert listener is not None
    with listener:
        assert listener.getsockname()[0] == "127.0.0.1"


async def test_the_port_is_free_again_after_the_worker(settings: Settings) -> None:
    async with served(settings) as site:
        await site.until("/livez", 200)
    listener = bind("127.0.0.1", site.port)
    assert listener is not None
    listener.close()
    with pytest.raises(ConnectionRefusedError):
        ask(site.port, "/livez")


async def test_without_a_port_there_is_nothing() -> None:
    settings = quick().model_copy(update={"learning_http_port": 0})
    async with seen_over_http(settings) as watched, watched(None):  # type: ignore[arg-type]
        pass


async def test_slow_and_large_requests_are_cut(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("service.http.protocol.REQUEST_SECONDS", 0.5)
    async with served(settings) as site:

        def drip() -> float:
            with socket.create_connection(("127.0.0.1", site.port), timeout=5) as client:
                started = time.monotonic()
                client.sendall(b"GET /livez HTTP/1.1\r\nHost: x\r\nX: ")
                with suppress(ConnectionResetError):
                    assert client.recv(1) == b""
                return time.monotonic() - started

        def flood() -> bytes:
            with socket.create_connection(("127.0.0.1", site.port), timeout=5) as client:
                client.sendall(b"GET /livez HTTP/1.1\r\nHost: x\r\nX: " + b"a" * 20_000)
                return client.recv(100)

        def flood_more() -> bool:
            """Whether a megabyte of one header was cut, by an answer or by a reset."""
            with socket.create_connection(("127.0.0.1", site.port), timeout=5) as client, suppress(OSError):
                client.sendall(b"GET /livez HTTP/1.1\r\nHost: x\r\nX: " + b"a" * 1_048_576)
                return not client.recv(100).startswith(b"HTTP/1.1 2")
            return True

        assert await to_thread.run_sync(flood_more)
        assert await to_thread.run_sync(drip) < 3
        assert (await to_thread.run_sync(flood)).startswith(b"HTTP/1.1 400")
