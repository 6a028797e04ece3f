"""The server that sleeps: it is woken to end, and its answers carry the time."""

import asyncio
import threading
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
import uvicorn

from service.http import quiet
from service.http.quiet import QuietServer
from service.http.server import ServerThread, address, bind


async def _app(scope: Any, receive: Any, send: Any) -> None:
    await send({"type": "http.response.start", "status": 204, "headers": []})
    await send({"type": "http.response.body", "body": b""})


@contextmanager
def serving() -> Iterator[tuple[ServerThread, str]]:
    listener = bind("127.0.0.1", 0)
    assert listener is not None
    server = QuietServer(uvicorn.Config(_app, lifespan="off", log_config=None))
    thread = ServerThread(server, listener)
    thread.start()
    try:
        yield thread, address(listener)
    finally:
        thread.stop()


def date_of(url: str) -> str:
    with urllib.request.urlopen(url, timeout=5) as answer:
        return str(answer.headers["date"])


def test_it_is_woken_to_end_and_looks_at_nothing_meanwhile(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(quiet, "DATE_SECONDS", 3600.0)
    with serving() as (thread, url):
        assert date_of(url)
        thread.stop()
        assert not any(one.name == "http" for one in threading.enumerate())


def test_the_date_of_its_answers_goes_on() -> None:
    with serving() as (_, url):
        first = date_of(url)

        async def goes_on() -> None:
            while await asyncio.to_thread(date_of, url) == first:
                await asyncio.sleep(0.05)

        asyncio.run(asyncio.wait_for(goes_on(), 10))


def test_one_that_is_ended_before_it_runs_does_not_run(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(quiet, "DATE_SECONDS", 3600.0)
    server = QuietServer(uvicorn.Config(_app, port=0, lifespan="off", log_config=None))
    server.end()
    asyncio.run(asyncio.wait_for(server.serve(), 10))
    server.end()  # and once more, when its loop is gone
