"""Pages as events: what is sent and when, who gets them, and that streams cost others nothing."""

from __future__ import annotations

import asyncio
import base64
import http.client
import itertools
import json
import logging
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

import anyio
import pytest
from anyio import to_thread
from pydantic import SecretStr
from pymongo.asynchronous.database import AsyncDatabase
from redis.asyncio import Redis

from service.embedded import EmbeddedMongo
from service.http import app, events
from service.http.markup import Page
from service.settings import Settings
from tests.http.conftest import Site, quick, served
from tests.http.test_pages import NAME, taught
from tests.observability.watched import frozen
from tests.worker.conftest import edit, until

pytestmark = pytest.mark.anyio
Mongo = AsyncDatabase[dict[str, Any]]
SECONDS = 20.0  # for what has to come at last


@dataclass
class Stream:
    """An answer as it comes in."""

    status: int
    headers: dict[str, str]
    reader: asyncio.StreamReader

    async def next(self) -> tuple[str, str]:
        """Return kind and data of the next event."""
        with anyio.fail_after(SECONDS):
            block = (await self.reader.readuntil(b"\n\n")).decode()
        fields = dict(line.split(":", 1) for line in block.splitlines() if line)
        if "retry" in fields:
            return await self.next()
        return fields["event"].strip(), fields["data"].strip()

    async def page(self) -> dict[str, str]:
        """Return the next page, whatever beats come before."""
        while (event := await self.next())[0] != "page":
            pass
        page: dict[str, str] = json.loads(event[1])
        return page

    async def ended(self) -> None:
        """Wait for the end, clean or not, and read over what comes before it."""
        with anyio.fail_after(SECONDS):
            try:
                while await self.reader.read(65_536):
                    pass
            except ConnectionResetError:
                pass


@asynccontextmanager
async def streamed(site: Site, path: str = "/", method: str = "GET", **headers: str) -> AsyncIterator[Stream]:
    """HTTP/1.0, so that the body comes as it is."""
    reader, writer = await asyncio.open_connection("127.0.0.1", site.port, limit=2**21)
    try:
        asked = {"Host": "127.0.0.1", "Accept": "text/event-stream", **headers}
        lines = [f"{method} {path} HTTP/1.0", *(f"{name}: {value}" for name, value in asked.items()), "", ""]
        writer.write("\r\n".join(lines).encode())
        with anyio.fail_after(SECONDS):
            status, *fields = (await reader.readuntil(b"\r\n\r\n")).decode().strip().split("\r\n")
        found = {name.lower(): value for name, value in (line.split(": ", 1) for line in fields)}
        yield Stream(int(status.split()[1]), found, reader)
    finally:
        writer.transport.abort()


async def has_place(site: Site) -> bool:
    async with streamed(site) as stream:
        return stream.status == 200


@pytest.fixture
def fast(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(events, "EVERY_SECONDS", 0.1)
    monkeypatch.setattr(events, "FRESH_SECONDS", 0.05)
    monkeypatch.setattr(events, "PATIENCE_SECONDS", 0.05)


@pytest.fixture
def changing(monkeypatch: pytest.MonkeyPatch) -> Callable[[int], list[str]]:
    """Have the status page be another each time it is made, of a size; return where the makings are kept."""

    def change(size: int) -> list[str]:
        made: list[str] = []
        numbers = itertools.count()

        def render(*_: Any, **__: Any) -> Page:
            made.append(f"number {next(numbers)} " + "x" * size)
            return Page("changing", made[-1])

        monkeypatch.setattr(app, "render", render)
        return made

    return change


async def test_a_page_is_sent_when_it_changed_and_a_beat_when_not(
    settings: Settings, redis_client: Redis, mongo: Mongo, fast: None
) -> None:
    async with served(settings) as site:
        await taught(site, redis_client, settings, edit())
        async with streamed(site, "/writers/ana") as stream:
            assert (stream.status, stream.headers["content-type"]) == (200, "text/event-stream; charset=utf-8")
            first = await stream.page()
            assert first["title"] == "ana · learnsvc"
            assert f"<main>\n{first['main']}\n</main>" in (await site.get("/writers/ana")).text
            assert [await stream.next() for _ in range(3)] == [("beat", "")] * 3
            await mongo.style_profiles.update_one({"_id": "ana"}, {"$set": {"style_guide": NAME + "\n\ndata: x"}})
            second = await stream.page()
            assert "&lt;script&gt;alert(1)&lt;/script&gt;\n\ndata: x" in second["main"]
            assert "<script" not in second["main"]


async def test_a_writer_named_script_is_text_in_events(settings: Settings, mongo: Mongo, fast: None) -> None:
    async with served(settings) as site, streamed(site, f"/writers/{quote(NAME, safe='')}") as stream:
        assert (await stream.page())["title"] == "No such writer · learnsvc"
        await mongo.style_profiles.insert_one({"_id": NAME, "user_id": NAME, "revision": 1})
        page = await stream.page()
        assert page["title"] == f"{NAME} · learnsvc"  # text: the script sets it as such
        assert "<h1>&lt;script&gt;alert(1)&lt;/script&gt;</h1>" in page["main"]


async def test_a_page_is_made_once_for_all_who_look(settings: Settings, changing: Callable[[int], list[str]]) -> None:
    made = changing(0)
    async with served(settings) as site, AsyncExitStack() as stack:
        streams = [await stack.enter_async_context(streamed(site)) for _ in range(8)]
        for stream in streams:
            for _ in range(2):
                await stream.page()
        seen = await streams[0].page()
        assert await streams[7].page() == seen
        assert len(made) < 8


async def test_beats_go_on_while_a_page_cannot_be_made(own_mongo: EmbeddedMongo, redis_url: str, fast: None) -> None:
    settings = quick(redis_url=redis_url, mongodb_uri=own_mongo.uri("away"))
    async with served(settings) as site:
        await site.until("/readyz", 200)
        async with streamed(site, "/writers/ana") as stream:
            assert (await stream.page())["title"].startswith("No such writer")
            with frozen(own_mongo):
                while not (await stream.page())["title"].startswith("Not now"):
                    pass
                assert [await stream.next() for _ in range(5)] == [("beat", "")] * 5
            assert (await stream.page())["title"].startswith("No such writer")


async def test_streams_are_for_those_who_see_the_page(settings: Settings, redis_client: Redis, fast: None) -> None:
    away = settings.model_copy(update={"learning_http_host": "0.0.0.0", "learning_page_token": SecretStr("password")})
    token = {"Authorization": f"Basic {base64.b64encode(b'me:password').decode()}"}
    async with served(away) as site:
        await taught(site, redis_client, settings, edit())
        for path in ("/writers/ana", "/dead"):
            async with streamed(site, path) as stream:
                assert (stream.status, "www-authenticate" in stream.headers) == (401, True)
            async with streamed(site, path, **token) as stream:
                assert stream.status == 200
        async with streamed(site, **token) as seeing, streamed(site) as blind:
            while 'href="/writers/ana"' not in (await seeing.page())["main"]:
                pass
            assert "ana" not in (await blind.page())["main"]
    async with served(settings) as site, streamed(site, "/dead", Host="evil.example") as stream:
        assert stream.status == 403


async def test_streams_are_only_read(settings: Settings) -> None:
    async with served(settings) as site:
        async with streamed(site, method="HEAD") as stream:
            assert (stream.status, stream.headers["content-type"][:17]) == (200, "text/event-stream")
            assert await stream.reader.read() == b""
        async with streamed(site, method="POST") as stream:
            assert stream.status == 405


async def test_the_seventeenth_stream_is_refused_and_the_probes_answer(settings: Settings) -> None:
    async with served(settings) as site, AsyncExitStack() as stack:
        await site.until("/readyz", 200)
        async with streamed(site) as first:
            assert first.status == 200
            for _ in range(events.STREAMS - 1):
                assert (await stack.enter_async_context(streamed(site))).status == 200
            async with streamed(site) as refused:
                assert (refused.status, refused.headers["retry-after"]) == (503, str(events.REFUSED_SECONDS))
            for path in ("/livez", "/readyz", "/metrics", "/health", "/"):
                assert (await site.get(path)).status == 200
        await until(lambda: has_place(site))


async def test_a_stream_outlives_the_deadline_of_answers_and_ends_by_itself(
    settings: Settings, fast: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("service.http.protocol.REQUEST_SECONDS", 0.3)
    monkeypatch.setattr(events, "LIFE_SECONDS", 1.5)

    def read(port: int) -> bytes:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=SECONDS)
        connection.request("GET", "/dead", headers={"Accept": "text/event-stream"})
        return connection.getresponse().read()  # raises IncompleteRead when it is cut

    async with served(settings) as site:
        text = (await to_thread.run_sync(read, site.port)).decode()
        assert text.startswith(events.RETRY + "event: page\n")
        assert text.count(events.BEAT) > 5


async def test_who_does_not_read_is_cut(
    settings: Settings, fast: None, changing: Callable[[int], list[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("service.http.protocol.REQUEST_SECONDS", 0.5)
    monkeypatch.setattr(events, "LIFE_SECONDS", 600)
    monkeypatch.setattr(events, "STREAMS", 1)
    changing(1_000_000)
    async with served(settings) as site, streamed(site) as stalled:
        assert stalled.status == 200
        assert not await has_place(site)
        await until(lambda: has_place(site))
        await stalled.ended()


async def test_open_streams_do_not_hold_up_the_end_of_the_worker(
    settings: Settings,
    fast: None,
    changing: Callable[[int], list[str]],
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """uvicorn would wait for answers under way, and say at the end of its patience which it gave up."""
    monkeypatch.setattr("service.http.server.ANSWER_SECONDS", 15)
    for name in ("server.STOP_SECONDS", "protocol.REQUEST_SECONDS"):
        monkeypatch.setattr(f"service.http.{name}", 600)
    monkeypatch.setattr(events, "LIFE_SECONDS", 600)
    made = changing(1_000_000)
    async with AsyncExitStack() as stack:
        async with served(settings) as site:
            reading = await stack.enter_async_context(streamed(site))
            stalled = await stack.enter_async_context(streamed(site))
            while len(made) < 20:  # 20 MB, more than the system keeps for who does not read
                await reading.page()
        await reading.ended()
        await stalled.ended()
    assert [one.message for one in caplog.records if one.levelno >= logging.ERROR] == []
