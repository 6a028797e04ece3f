"""The HTTP client that Gemini's SDK is given, so that nothing about the connection is left to its defaults.

Left alone the SDK follows a redirect and sends the API key along, takes a proxy from the environment, waits
for ever, opens a connection a call and reads an answer of any size. This client does none of it:

* no redirects, no proxy or certificate from the environment (``trust_env=False``), connections as many as
  calls;
* a time-out on each step (the whole call has its own deadline outside: a time-out here is per read, and a
  server that drips a byte a second never meets it);
* at most ``max_bytes`` of an answer, announced or not. 256 KiB is a hundred times a full batch's answer.
  Answers are asked for uncompressed and refused otherwise, so that the limit on bytes read is the limit on
  bytes held.
"""

from __future__ import annotations

import logging
import warnings
from collections.abc import AsyncIterator

import httpx2

MAX_BYTES = 256 * 1024
NOISY = ("google_genai", "google.auth", "httpx2", "httpcore2")


class AnswerTooLarge(httpx2.TransportError):
    """The answer is larger than any answer needs to be, or is compressed although that was declined."""


class _Limited(httpx2.AsyncByteStream):
    """A body that ends with an error at the byte after the last allowed one."""

    def __init__(self, body: httpx2.AsyncByteStream, max_bytes: int) -> None:
        self._body = body
        self._left = max_bytes

    async def __aiter__(self) -> AsyncIterator[bytes]:
        async for chunk in self._body:
            self._left -= len(chunk)
            if self._left < 0:
                raise AnswerTooLarge("answer too large")
            yield chunk

    async def aclose(self) -> None:
        await self._body.aclose()


class LimitedTransport(httpx2.AsyncHTTPTransport):
    """HTTP/1.1 over at most ``connections`` connections, with bounded answers."""

    def __init__(self, connections: int, max_bytes: int = MAX_BYTES) -> None:
        limits = httpx2.Limits(max_connections=connections, max_keepalive_connections=connections)
        super().__init__(trust_env=False, limits=limits, retries=0)
        self._max_bytes = max_bytes

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        response = await super().handle_async_request(request)
        announced = response.headers.get("content-length", "0")
        compressed = response.headers.get("content-encoding", "identity") != "identity"
        if compressed or (announced.isdecimal() and int(announced) > self._max_bytes):
            await response.aclose()
            raise AnswerTooLarge("answer too large")
        if isinstance(response.stream, httpx2.AsyncByteStream):
            response.stream = _Limited(response.stream, self._max_bytes)
        return response


def open_http(connections: int, timeout_seconds: float) -> httpx2.AsyncClient:
    """The client for Gemini; whoever opens it closes it, the SDK does not."""
    return httpx2.AsyncClient(
        transport=LimitedTransport(connections),
        follow_redirects=False,
        trust_env=False,
        timeout=timeout_seconds,
        headers={"Accept-Encoding": "identity"},
    )


def quiet() -> None:
    """Keeps what the SDK says out of every log: a line a call with the URL, bodies, names a server made up."""
    for name in NOISY:
        logging.getLogger(name).setLevel(logging.WARNING)
    warnings.filterwarnings("ignore", category=UserWarning, module=r"google\.genai\..*")
