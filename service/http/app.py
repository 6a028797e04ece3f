"""The routes: GET and HEAD, nothing else. Handlers read the newest snapshot and wait for nothing.

They are coroutines although they never await: so they run one after another in the HTTP thread's loop, and a scrape
never collects metrics twice at once.
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
Verdict = Callable[[Snapshot, Limits, float], tuple[int, Answer]]


def make_app(
    latest: Latest, limits: Limits, metrics: Callable[[], tuple[bytes, str]], access: Access, source: Source
) -> Starlette:
    """Return the application; ``metrics`` gives the exposition text and its content type."""

    async def show_page(request: Request) -> Response:
        may = access.refusal(request) is None
        return HTMLResponse(render(latest(), limits, time.monotonic(), writers=may))

    async def show_writer(request: Request) -> Response:
        profile = await source.profile(request.path_params["user_id"])
        if profile is None:
            return HTMLResponse(render_message("No such writer", "Nothing was learned under this name."), 404)
        return HTMLResponse(render_writer(profile))

    async def show_dead(request: Request) -> Response:
        return HTMLResponse(render_dead(await source.dead()))

    async def show_metrics(request: Request) -> Response:
        text, media_type = metrics()
        return Response(text, headers={"Content-Type": media_type})

    handlers: dict[str, Handler] = {
        "/": show_page,
        "/health": _verdict(health, latest, limits),
        "/livez": _verdict(liveness, latest, limits),
        "/readyz": _verdict(readiness, latest, limits),
        "/metrics": show_metrics,
        "/dead": _guarded(access, show_dead),
        "/writers/{user_id:path}": _guarded(access, show_writer),
        "/page.css": _static("page.css", "text/css"),
        "/page.js": _static("page.js", "text/javascript"),
    }
    app = Starlette(routes=[Route(path, handler, methods=["GET"]) for path, handler in handlers.items()])
    app.router.redirect_slashes = False
    return app


def _guarded(access: Access, show: Handler) -> Handler:
    """Show a page to those who may see writers; say so when a server it needs is away."""

    async def answer(request: Request) -> Response:
        refused = access.refusal(request)
        if refused is not None:
            return refused
        try:
            return await show(request)
        except Exception as error:  # noqa: BLE001 - whatever it is, it is this page's and nobody else's
            text = f"What this page shows could not be read ({name(error)})."
            return HTMLResponse(render_message("Not now", text), 503)

    return answer


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
