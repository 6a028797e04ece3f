"""The port: bound before the worker starts, served from a thread, closed with the worker.

Binding comes first and in the caller's thread. A port that can never be bound (no such address, no permission) ends
the start with one clear line. One that is in use does not: a second worker on a machine is wanted, and learns as well
unseen, so it says that it goes without HTTP; in a pod, where the port is its own, the probes would tell.

What a client may cost is bounded: 16 KiB of headers, 10 seconds from its connection (or its last answer) to the end of
its next answer, 64 connections; a probe's answer is a kilobyte. Stopping takes a second at most for answers under way,
and never more than ``STOP_SECONDS``.
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

if TYPE_CHECKING:
    import uvicorn

    from service.worker.loops import Worker

Watched = Callable[["Worker"], AbstractAsyncContextManager[None]]

HEADER_BYTES = 16_384
REQUEST_SECONDS = 10.0
KEEP_ALIVE_SECONDS = 5
CONNECTIONS = 64
STOP_SECONDS = 5.0


@asynccontextmanager
async def seen_over_http(settings: Settings) -> AsyncIterator[Watched]:
    """Serve HTTP inside the block, when a port is set; yield the context in which a worker is to be run.

    Raises ``Misconfigured`` when the port can never be bound.
    """
    port = settings.learning_http_port
    listener = bind(settings.learning_http_host, port) if port else None
    if listener is None:
        if port:
            get_logger().warning(
                f"LEARNING_HTTP_PORT {port} is in use, so this worker goes without HTTP: another worker has it, or "
                "choose another port"
            )
        yield lambda worker: nullcontext()
        return
    watch = Watch()
    async with watch.publishing():
        thread = ServerThread(_server(watch, settings), listener)
        thread.start()
        get_logger().info(f"Health, metrics and status page on {address(listener)}")
        try:
            yield watch.looking
        finally:
            with anyio.CancelScope(shield=True):
                await to_thread.run_sync(thread.stop)


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

    def __init__(self, server: uvicorn.Server, listener: socket.socket) -> None:
        self._server = server
        self._listener = listener
        self._thread = threading.Thread(target=self._run, name="http", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        """End the server; wait for it, but not for ever: the thread is a daemon."""
        self._server.should_exit = True
        self._thread.join(STOP_SECONDS)
        self._listener.close()

    def _run(self) -> None:
        try:
            asyncio.run(self._server.serve(sockets=[self._listener]))
        except Exception:  # noqa: BLE001 - the worker goes on; its probes fail and say so
            get_logger().exception("The HTTP server ended")


def _server(watch: Watch, settings: Settings) -> uvicorn.Server:
    """Return the server, not yet running. Its libraries take a second to import, and only here."""
    import uvicorn

    from service.http.app import HEADERS, make_app
    from service.http.protocol import BoundedProtocol
    from service.telemetry import Telemetry

    telemetry = Telemetry(lambda: watch.latest)
    app = make_app(lambda: watch.latest, Limits.of(settings), telemetry.exposition)
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
        timeout_graceful_shutdown=1,
        h11_max_incomplete_event_size=HEADER_BYTES,
    )
    return uvicorn.Server(config)
