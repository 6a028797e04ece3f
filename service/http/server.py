"""The port: bound before the worker starts, served from a thread, closed with the worker.

Binding comes first and in the caller's thread. A port that can never be bound (no such address, no permission) ends
the start with one clear line. One that is in use does not: a second worker on a machine is wanted, and learns as well
unseen, so it says that it goes without HTTP; in a pod, where the port is its own, the probes would tell.

What a client may cost is bounded: 16 KiB of headers, 10 seconds from its connection (or its last answer) to the end of
its next answer, 64 connections, of which 16 may be streams; a probe's answer is a kilobyte. Stopping takes a second at
most for answers under way, none for streams, and never more than ``STOP_SECONDS``.
"""

from __future__ import annotations

import asyncio
import errno
import os
import socket
import threading
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager, nullcontext
from typing import TYPE_CHECKING

import anyio
from anyio import to_thread

from service.errors import Misconfigured
from service.http.verdicts import Limits
from service.http.watch import Watch
from service.logs import get_logger
from service.settings import Settings
from service.telemetry.export import Exports, open_readers, open_tracing
from service.telemetry.histograms import Histograms
from service.telemetry.observer import Recorder

if TYPE_CHECKING:
    from service.http.quiet import QuietServer
    from service.worker.loops import Worker

Watched = Callable[["Worker"], AbstractAsyncContextManager[None]]

HEADER_BYTES = 16_384
REQUEST_SECONDS = 10.0
KEEP_ALIVE_SECONDS = 5
CONNECTIONS = 64
ANSWER_SECONDS = 1  # for answers under way when the worker ends
STOP_SECONDS = 5.0
PUSH_SECONDS = 3.0  # for the last metrics and spans, after the work is done


@asynccontextmanager
async def seen_over_http(settings: Settings) -> AsyncIterator[Watched]:
    """Serve HTTP inside the block, when a port is set; yield the context in which a worker is to be run.

    What ``OTEL_*`` variables ask for is pushed, with or without a port. Raises ``Misconfigured`` when the port can
    never be bound or a variable means nothing.
    """
    exports = Exports.of(os.environ)
    listener = _listener(settings)
    if listener is None and not exports.any:
        yield lambda worker: nullcontext()
        return
    sight = Sight(settings, exports)
    async with sight.watch.publishing():
        thread = ServerThread(_server(sight, settings), listener) if listener is not None else None
        if thread is not None and listener is not None:
            thread.start()
            get_logger().info(f"Health, metrics and status page on {address(listener)}")
        try:
            yield sight.watch.looking
        finally:
            with anyio.CancelScope(shield=True):
                sight.watch.publish()  # what was done in the last second belongs to the last push
                if thread is not None:
                    await to_thread.run_sync(thread.stop)
                await to_thread.run_sync(sight.close)


class Sight:
    """All that looks at one worker: its snapshots, its metrics and its spans. Made before the worker is."""

    def __init__(self, settings: Settings, exports: Exports) -> None:
        from service.telemetry.metrics import Telemetry

        self._tracing = open_tracing(exports, os.environ)
        histograms = Histograms()
        self.watch = Watch(observer=Recorder(histograms, self._tracing))
        self.telemetry = Telemetry(
            lambda: self.watch.latest,
            histograms=histograms,
            destination=_destination(settings),
            readers=open_readers(exports),
        )

    def close(self) -> None:
        """Push what waits, but not for ever: a collector that is away must not hold up the end of a worker."""
        thread = threading.Thread(target=self._close, name="telemetry", daemon=True)
        thread.start()
        thread.join(PUSH_SECONDS)

    def _close(self) -> None:
        self.telemetry.close()
        if self._tracing is not None:
            self._tracing.close()


def _listener(settings: Settings) -> socket.socket | None:
    port = settings.learning_http_port
    listener = bind(settings.learning_http_host, port) if port else None
    if port and listener is None:
        get_logger().warning(
            f"LEARNING_HTTP_PORT {port} is in use, so this worker goes without HTTP: another worker has it, or "
            "choose another port"
        )
    return listener


def _destination(settings: Settings) -> str:
    """Name the stream, or all of them: a label with one value."""
    prefix = settings.learning_key_prefix
    return f"{{{prefix}}}:jobs" if settings.learning_partitions == 1 else f"{{{prefix}:*}}:jobs"


def bind(host: str, port: int) -> socket.socket | None:
    """Return a listening socket of ``host``, None when ``port`` is in use.

    Raises ``Misconfigured``, which names the setting to change.
    """
    try:
        family, kind, protocol, _, where = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
    except OSError as error:
        raise Misconfigured(f"LEARNING_HTTP_HOST {host!r} is no address of this machine ({error.strerror})") from None
    listener = socket.socket(family, kind, protocol)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(where)
        listener.listen(128)
    except OSError as error:
        listener.close()
        if error.errno == errno.EADDRINUSE:
            return None
        why = os.strerror(error.errno) if error.errno else "refused"
        raise Misconfigured(
            f"LEARNING_HTTP_PORT {port} cannot be bound on {host} ({why}): choose another port, or 0 for no HTTP"
        ) from None
    listener.setblocking(False)
    return listener


def address(listener: socket.socket) -> str:
    host, port = listener.getsockname()[:2]
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


class ServerThread:
    """uvicorn in a thread; its loop is its own."""

    def __init__(self, server: QuietServer, listener: socket.socket) -> None:
        self._server = server
        self._listener = listener
        self._thread = threading.Thread(target=self._run, name="http", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        """End the server; wait for it, but not for ever: the thread is a daemon."""
        self._server.end()
        self._thread.join(STOP_SECONDS)
        self._listener.close()

    def _run(self) -> None:
        try:
            asyncio.run(self._server.serve(sockets=[self._listener]))
        except Exception:  # noqa: BLE001 - the worker goes on; its probes fail and say so
            get_logger().exception("The HTTP server ended")


def _server(sight: Sight, settings: Settings) -> QuietServer:
    """Return the server, not yet running. Its libraries take a second to import, and only here."""
    import uvicorn

    from service.http.access import Access
    from service.http.app import HEADERS, make_app
    from service.http.protocol import BoundedProtocol
    from service.http.quiet import QuietServer
    from service.http.source import Source

    access, source = Access.of(settings), Source(settings)
    app = make_app(lambda: sight.watch.latest, Limits.of(settings), sight.telemetry.exposition, access, source)
    config = uvicorn.Config(
        app,
        http=BoundedProtocol,
        ws="none",
        lifespan="off",
        log_config=None,
        access_log=False,
        proxy_headers=False,
        server_header=False,
        headers=HEADERS,
        limit_concurrency=CONNECTIONS,
        timeout_keep_alive=KEEP_ALIVE_SECONDS,
        timeout_graceful_shutdown=ANSWER_SECONDS,
        h11_max_incomplete_event_size=HEADER_BYTES,
    )
    return QuietServer(config)
