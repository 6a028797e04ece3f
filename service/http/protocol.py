"""HTTP/1.1 with a deadline: uvicorn's keep-alive time-out ends at the first byte of a request, so a client that
sends its headers a byte a minute would hold a connection for ever, and enough of them would starve the probes.

A stream (``events``) is an answer that is not meant to be complete soon. Its deadline is put off for as long as its
reader takes everything: a look at each deadline finds nothing unsent. uvicorn keeps no more than 64 KiB and one event
for a reader that is behind. At the end of the worker a stream is cut, for nobody waits for its rest.
"""

from __future__ import annotations

import asyncio

from uvicorn.protocols.http.h11_impl import H11Protocol

from service.http.events import STREAM
from service.http.server import REQUEST_SECONDS


class BoundedProtocol(H11Protocol):
    """Aborts a connection whose next answer is not complete in time, whichever side is slow."""

    _deadline: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self._allow()

    def connection_lost(self, exc: Exception | None) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
        super().connection_lost(exc)

    def on_response_complete(self) -> None:
        self._allow()
        super().on_response_complete()

    def shutdown(self) -> None:
        if self._streams():
            self.transport.abort()
        else:
            super().shutdown()

    def _allow(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
        self._deadline = self.loop.call_later(REQUEST_SECONDS, self._judge)

    def _judge(self) -> None:
        if self._streams() and self.transport.get_write_buffer_size() == 0:
            self._allow()
        else:
            self.transport.abort()

    def _streams(self) -> bool:
        cycle = self.cycle
        return cycle is not None and not cycle.response_complete and STREAM in cycle.scope["state"]
