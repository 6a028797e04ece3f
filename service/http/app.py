"""The routes: GET and HEAD, nothing else. A page is answered once, or as events to whoever asks for those.

Probes and metrics read the newest snapshot; they are coroutines although they never await: so they run one after
another in the HTTP thread's loop, and a scrape never collects metrics twice at once.
"""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable
from importlib.resources import files

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response
from starlette.routing import Route

from service.errors import name
from service.http.access import Access
from service.http.events import Streams, wants_events
from service.http.markup import Page
from service.http.page import render, render_dead
from service.http.snapshot import Snapshot
from service.http.source import Source
from service.http.verdicts import Answer, Limits, health, liveness, readiness
from service.http.writers import render_message, render_writer

# Everything is this origin's or refused; of images only the empty icon, which keeps browsers from asking for one.
CONTENT_SECURITY_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src data:; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
HEADERS = [
    ("Content-Security-Policy", CONTENT_SECURITY_POLICY),
    ("X-Content-Type-Options", "nosniff"),
    ("Referrer-Policy", "no-referrer"),
    ("Cross-Origin-Resource-Policy", "same-origin"),
    ("Cache-Control", "no-store"),
]

Latest = Callable[[], Snapshot]
Handler = Callable[[Request], Awaitable[Response]]
Show = Callable[[Request], Awaitable[Page]]
Verdict = Callable[[Snapshot, Limits, float], tuple[int, Answer]]


def make_app(
    latest: Latest, limits: Limits, metrics: Callable[[], tuple[bytes, str]], access: Access, source: Source
) -> Starlette:
    """Return the application; ``metrics`` gives the exposition text and its content type."""

    streams = Streams()

    async def show_status(request: Request) -> Page:
        return render(latest(), limits, time.monotonic(), writers=access.refusal(request) is None)

    async def show_writer(request: Request) -> Page:
        profile = await source.profile(request.path_params["user_id"])
        if profile is None:
            return render_message("No such writer", "Nothing was learned under this name.", 404)
        return render_writer(profile)

    async def show_dead(request: Request) -> Page:
        return render_dead(await source.dead())

    async def show_metrics(request: Request) -> Response:
        text, media_type = metrics()
        return Response(text, headers={"Content-Type": media_type})

    handlers: dict[str, Handler] = {
        "/": _page(access, streams, show_status, public=True),
        "/health": _verdict(health, latest, limits),
        "/livez": _verdict(liveness, latest, limits),
        "/readyz": _verdict(readiness, latest, limits),
        "/metrics": show_metrics,
        "/dead": _page(access, streams, show_dead),
        "/writers/{user_id:path}": _page(access, streams, show_writer),
        "/page.css": _static("page.css", "text/css"),
        "/page.js": _static("page.js", "text/javascript"),
    }
    app = Starlette(routes=[Route(path, handler, methods=["GET"]) for path, handler in handlers.items()])
    app.router.redirect_slashes = False
    return app


def _page(access: Access, streams: Streams, show: Show, *, public: bool = False) -> Handler:
    """Answer with a page, or with its events; unless it is ``public``, to those alone who may see writers."""

    async def answer(request: Request) -> Response:
        refused = access.refusal(request)
        if refused is not None and not public:
            return refused
        if wants_events(request):
            return streams.open(request, (request.url.path, refused is None), lambda: _shown(show, request))
        page = await _shown(show, request)
        return HTMLResponse(page.html(), page.status)

    return answer


async def _shown(show: Show, request: Request) -> Page:
    """Return the page, or one that says so when a server it needs is away."""
    try:
        return await show(request)
    except Exception as error:  # noqa: BLE001 - whatever it is, it is this page's and nobody else's
        return render_message("Not now", f"What this page shows could not be read ({name(error)}).", 503)


def _verdict(judge: Verdict, latest: Latest, limits: Limits) -> Handler:
    async def answer(request: Request) -> Response:
        status, body = judge(latest(), limits, time.monotonic())
        return JSONResponse(body, status)

    return answer


def _static(file: str, media_type: str) -> Handler:
    content = (files("service.http") / "static" / file).read_bytes()

    async def serve(request: Request) -> Response:
        return Response(content, media_type=media_type)

    return serve
