"""A double of Gemini's generateContent endpoint on loopback, for ``demo --gemini-fake`` and for the tests.

It is a real HTTP server: the SDK, its transport and the wire are the real ones, only the address differs.
Requests are checked as the real endpoint checks them (:mod:`service.tone.fake_contract`), answers have its
shape, and each request may meet a scripted fault. Threads serve it, so that a hanging answer hangs nobody
else, and it works the same under any event loop. It listens on 127.0.0.1 only and is no part of a worker.

    with FakeGemini() as fake:
        fake.script("503", "ok", "hang")       # one a request, then "ok"
        options = ToneOptions(api_key=fake.key, base_url=fake.base_url)
"""

from __future__ import annotations

import contextlib
import json
import socket
import struct
import threading
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, Literal, Self

from service.tone.fake_contract import Refused, check
from service.tone.fake_judge import Answerer, answering, by_marks

Fault = Literal[
    "ok",
    "429",
    "429-retry-info",
    "500",
    "503",
    "503-html",
    "401",
    "hang",
    "drip",
    "cut",
    "reset",
    "html",
    "bad-json",
    "empty-body",
    "max-tokens",
    "prompt-blocked",
    "safety",
    "no-candidates",
    "no-parts",
    "unknown-finish",
    "not-json",
    "fenced-json",
    "wrong-enum",
    "out-of-range",
    "missing-id",
    "foreign-id",
    "twice-id",
    "redirect",
    "huge",
    "huge-announced",
    "compressed",
]
HUGE_BYTES = 64 * 1024 * 1024
DRIP_SECONDS = 0.05


@dataclass(frozen=True, slots=True)
class FakeRequest:
    """What arrived: header names in lower case, the body parsed if it was accepted."""

    path: str
    headers: dict[str, str]
    raw: bytes
    body: dict[str, Any] | None


class FakeGemini:
    """The double. Attributes may be changed between requests.

    :param key: the only API key it accepts.
    :param answer: what the model behind it says.
    """

    token = "fake-access-token"  # noqa: S105 - what its OAuth endpoint hands out

    def __init__(self, key: str = "fake-gemini-key", answer: Answerer | None = None) -> None:
        self.key = key
        self.answer = answer or answering(by_marks)
        self.requests: list[FakeRequest] = []
        self.bytes_sent = 0
        self.always: Fault = "ok"
        self.retry_after = "0"
        self.redirect_to = ""
        self.stopping = threading.Event()
        self._script: deque[Fault] = deque()
        self._server = _Server(self)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True)

    @property
    def base_url(self) -> str:
        """What goes into ``GEMINI_BASE_URL``."""
        return f"http://127.0.0.1:{self._server.server_address[1]}/"

    def script(self, *faults: Fault) -> None:
        """The next requests meet these, one each; afterwards ``always`` holds."""
        self._script.extend(faults)

    def next_fault(self) -> Fault:
        return self._script.popleft() if self._script else self.always

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stopping.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False
    request_queue_size = 128

    def __init__(self, fake: FakeGemini) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.fake = fake

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that hung up on a slow or endless answer did what it should."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: _Server

    def log_message(self, format: str, *args: Any) -> None:
        """Nothing: its lines would stand among those of the worker."""

    def do_POST(self) -> None:
        raw = self.rfile.read(int(self.headers.get("content-length", 0)))
        if self.path == "/token":
            token = {"access_token": self.server.fake.token, "expires_in": 3600, "token_type": "Bearer"}
            self.send(200, json.dumps(token).encode())
            return
        headers = {name.lower(): value for name, value in self.headers.items()}
        fake, body = self.server.fake, None
        try:
            body = check(self.path, headers, raw, fake.key, fake.token)
        except Refused as refused:
            self.send(refused.code, json.dumps(refused.body).encode())
            return
        finally:
            fake.requests.append(FakeRequest(self.path, headers, raw, body))
        _ACTIONS[fake.next_fault()](self, body)

    def do_GET(self) -> None:
        self.server.fake.requests.append(FakeRequest(self.path, dict(self.headers.items()), b"", None))
        self.send(404, b"{}")

    def send(self, code: int, payload: bytes, kind: str = "application/json", **headers: str) -> None:
        self.send_response(code)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(payload)))
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.end_headers()
        self.wfile.write(payload)

    def begin(self, **headers: str) -> None:
        """A 200 whose body the caller writes; the connection ends with it."""
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.end_headers()
        self.close_connection = True

    def drop(self, *, reset: bool) -> None:
        """Ends the connection now; with ``reset`` without the courtesy of a FIN."""
        if reset:
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        else:
            with contextlib.suppress(OSError):
                self.connection.shutdown(socket.SHUT_RDWR)
        self.close_connection = True


Action = Callable[[_Handler, dict[str, Any]], None]


def _generated(text: str | None, finish: str = "STOP", **more: Any) -> dict[str, Any]:
    parts = [] if text is None else [{"text": text}]
    candidate = {"content": {"parts": parts, "role": "model"}, "finishReason": finish, "index": 0}
    return {"candidates": [candidate], "modelVersion": "fake", "responseId": "fake", **more}


def _reply(handler: _Handler, body: dict[str, Any], payload: dict[str, Any]) -> None:
    contents = [body.get("systemInstruction", {"parts": []}), *body["contents"]]  # both are charged
    asked = sum(len(part["text"]) for content in contents for part in content["parts"])
    usage = {"promptTokenCount": asked // 4, "candidatesTokenCount": len(json.dumps(payload)) // 4}
    handler.send(200, json.dumps({"usageMetadata": usage, **payload}).encode())


def _says(change: Callable[[str], str | None], finish: str = "STOP") -> Action:
    """The model's answer, changed, in a response of the right shape."""

    def act(handler: _Handler, body: dict[str, Any]) -> None:
        _reply(handler, body, _generated(change(handler.server.fake.answer(body)), finish))

    return act


def _edits(change: Callable[[list[dict[str, Any]]], object]) -> Action:
    """The model's answer with its list of edits changed in place."""

    def rewrite(text: str) -> str:
        answer = json.loads(text)
        change(answer["edits"])
        return json.dumps(answer)

    return _says(rewrite)


def _responds(payload: dict[str, Any]) -> Action:
    return lambda handler, body: _reply(handler, body, payload)


def _error(code: int, status: str, details: list[dict[str, str]] | None = None) -> Action:
    error = {"code": code, "message": "scripted", "status": status, "details": details or []}
    return lambda handler, _: handler.send(code, json.dumps({"error": error}).encode())


def _sends(code: int, payload: bytes, kind: str = "application/json", **headers: str) -> Action:
    return lambda handler, _: handler.send(code, payload, kind, **headers)


def _rate_limited(handler: _Handler, body: dict[str, Any]) -> None:
    error = {"code": 429, "message": "scripted", "status": "RESOURCE_EXHAUSTED"}
    handler.send(429, json.dumps({"error": error}).encode(), Retry_After=handler.server.fake.retry_after)


def _redirect(handler: _Handler, body: dict[str, Any]) -> None:
    handler.send(307, b"", Location=handler.server.fake.redirect_to + handler.path.lstrip("/"))


def _hang(handler: _Handler, body: dict[str, Any]) -> None:
    handler.server.fake.stopping.wait()
    handler.close_connection = True


def _drip(handler: _Handler, body: dict[str, Any]) -> None:
    handler.begin(Content_Length="100000")
    while not handler.server.fake.stopping.wait(DRIP_SECONDS):
        handler.wfile.write(b" ")


def _cut(handler: _Handler, body: dict[str, Any]) -> None:
    handler.begin(Content_Length="1000")
    handler.wfile.write(b'{"candidates": [')
    handler.drop(reset=False)


def _reset(handler: _Handler, body: dict[str, Any]) -> None:
    handler.drop(reset=True)


def _huge(**headers: str) -> Action:
    def act(handler: _Handler, body: dict[str, Any]) -> None:
        handler.begin(**headers)
        block = b" " * 65_536
        for _ in range(HUGE_BYTES // len(block)):
            handler.wfile.write(block)
            handler.server.fake.bytes_sent += len(block)

    return act


_RETRY_INFO = [{"@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": "38s"}]
_ACTIONS: dict[Fault, Action] = {
    "ok": _says(lambda text: text),
    "429": _rate_limited,
    "429-retry-info": _error(429, "RESOURCE_EXHAUSTED", _RETRY_INFO),
    "500": _error(500, "INTERNAL"),
    "503": _error(503, "UNAVAILABLE"),
    "503-html": _sends(503, b"<html>Service Unavailable</html>", "text/html"),
    "401": _error(401, "UNAUTHENTICATED"),
    "hang": _hang,
    "drip": _drip,
    "cut": _cut,
    "reset": _reset,
    "html": _sends(200, b"<html>Sign in to the network</html>", "text/html"),
    "bad-json": _sends(200, b'{"candidates": [{'),
    "empty-body": _sends(200, b""),
    "max-tokens": _says(lambda text: text[: len(text) // 2], "MAX_TOKENS"),
    "prompt-blocked": _responds({"promptFeedback": {"blockReason": "PROHIBITED_CONTENT"}}),
    "safety": _responds(_generated(None, "SAFETY")),
    "no-candidates": _responds({"candidates": []}),
    "no-parts": _responds(_generated(None)),
    "unknown-finish": _says(lambda text: text, "SOLAR_FLARE"),
    "not-json": _says(lambda text: "Certainly! The tone is more casual."),
    "fenced-json": _says(lambda text: f"```json\n{text}\n```"),
    "wrong-enum": _edits(lambda edits: edits[0].update(label="more sarcastic")),
    "out-of-range": _edits(lambda edits: edits[0].update(confidence=7.5)),
    "missing-id": _edits(lambda edits: edits.pop()),
    "foreign-id": _edits(lambda edits: edits.append({**edits[0], "id": 99})),
    "twice-id": _edits(lambda edits: edits.append(edits[0])),
    "redirect": _redirect,
    "huge": _huge(),
    "huge-announced": _huge(Content_Length=str(HUGE_BYTES)),
    "compressed": _huge(Content_Encoding="gzip"),
}
