"""Pages that stay live: whoever asks a page's own address for ``text/event-stream`` gets it whenever it changed.

Every two seconds, at the same moment for all, a stream sends ``page`` (title and ``main``, as JSON) when they are not
what it sent last, else ``beat``: whoever hears neither for some seconds knows that the worker is gone. A page that
takes long to make, because a server it asks is away, does not silence the beats. It is made once for all who look at
it at that moment, in the loop of the HTTP thread.

What streams may cost is bounded: 16 of the 64 connections, so probes always find one, and 30 seconds each, after which
the browser comes again: a client that vanished without a word holds its place no longer, and one that lost its right
to look does not keep it. What a reader does not take is ``protocol``'s affair, and so is the end of the worker.
"""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response, StreamingResponse
from starlette.types import Receive, Scope, Send

from service.http.markup import Page

STREAMS = 16
EVERY_SECONDS = 2.0
PATIENCE_SECONDS = 1.0  # for a page that is being made, before the next beat
FRESH_SECONDS = 1.0
LIFE_SECONDS = 30.0
REFUSED_SECONDS = 5  # when somebody for whom there was no place may ask again
MEDIA_TYPE = "text/event-stream"
STREAM = "stream"  # the mark in an answer's state by which ``protocol`` knows a stream

RETRY = "retry: 1000\n\n"
BEAT = "event: beat\ndata:\n\n"

Key = tuple[str, bool]
Make = Callable[[], Awaitable[Page]]


def wants_events(request: Request) -> bool:
    return MEDIA_TYPE in request.headers.get("accept", "")


class Streams:
    """The open streams and what they share; used in one event loop."""

    def __init__(self) -> None:
        self._open: set[Response] = set()
        self._made: dict[Key, tuple[float, asyncio.Task[str]]] = {}

    def open(self, request: Request, key: Key, make: Make) -> Response:
        """Return the stream of the page that ``make`` gives, which never raises; 503 when there is no place.

        Requests with an equal ``key`` see the same page.
        """
        if len(self._open) >= STREAMS:
            return PlainTextResponse("Too many pages are open.\n", 503, {"Retry-After": str(REFUSED_SECONDS)})
        return _Stream(_nothing() if request.method == "HEAD" else self._events(key, make), self._open)

    async def _events(self, key: Key, make: Make) -> AsyncIterator[str]:
        yield RETRY
        sent, end = "", time.monotonic() + LIFE_SECONDS
        while True:
            made = self._event(key, make)
            while not (await asyncio.wait({made}, timeout=PATIENCE_SECONDS))[0]:
                yield BEAT
            event = made.result()
            yield BEAT if event == sent else event
            if time.monotonic() >= end:
                return
            sent = event
            await asyncio.sleep(EVERY_SECONDS - time.monotonic() % EVERY_SECONDS)

    def _event(self, key: Key, make: Make) -> asyncio.Task[str]:
        """Return the event that is being made, or was within the last second, else begin one."""
        now = time.monotonic()
        self._made = {
            known: (begun, task)
            for known, (begun, task) in self._made.items()
            if not task.done() or now - begun < FRESH_SECONDS
        }
        if key not in self._made:
            self._made[key] = now, asyncio.ensure_future(_event_of(make))
        return self._made[key][1]


class _Stream(StreamingResponse):
    """An answer that holds a place among ``places`` from its first byte to its last."""

    def __init__(self, events: AsyncIterator[str], places: set[Response]) -> None:
        # nginx, in front of a worker, would keep events until it has a buffer of them
        super().__init__(events, media_type=MEDIA_TYPE, headers={"X-Accel-Buffering": "no"})
        self._places = places

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        state: dict[str, Any] = scope["state"]
        state[STREAM] = True
        self._places.add(self)
        try:
            await super().__call__(scope, receive, send)
        finally:
            self._places.discard(self)


async def _event_of(make: Make) -> str:
    page = await make()
    return f"event: page\ndata: {json.dumps({'title': page.title, 'main': page.main})}\n\n"


async def _nothing() -> AsyncIterator[str]:
    yield ""
