"""HTTP/1.1 with a deadline: uvicorn's keep-alive time-out ends at the first byte of a request, so a client that
sends its headers a byte a minute would hold a connection for ever, and enough of them would starve the probes.
"""

from __future__ import annotations

import asyncio

from uvicorn.protocols.http.h11_impl import H11Protocol

from service.http.server import REQUEST_SECONDS


class BoundedProtocol(H11Protocol):
    """Aborts a connection whose next answer is not complete in time, whichever side is slow."""

    _deadline: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self._allow(transport)

    def connection_lost(self, exc: Exception | None) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
        super().connection_lost(exc)

    def on_response_complete(self) -> None:
        self._allow(self.transport)
        super().on_response_complete()

    def _allow(self, transport: asyncio.Transport) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
        self._deadline = self.loop.call_later(REQUEST_SECONDS, transport.abort)
