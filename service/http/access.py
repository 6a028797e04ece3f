"""Who may see something about writers: everybody on this machine when the port is bound to loopback, else the token.

The token is the password of HTTP Basic authentication (any user name), which browsers ask for by themselves, or a
Bearer token: nothing is stored and no request changes anything. On loopback the Host header must name this machine, or
a web page of somebody else could read the answers by pointing its own name here.
"""

from __future__ import annotations

import base64
import binascii
import hmac
import ipaddress
from collections.abc import Mapping
from dataclasses import dataclass

from pydantic import SecretStr
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

from service.http.writers import render_message
from service.settings import Settings

_ASK = {"WWW-Authenticate": 'Basic realm="learnsvc", charset="UTF-8"'}


@dataclass(frozen=True, slots=True)
class Access:
    """``loopback``: the port is bound to this machine alone."""

    loopback: bool
    token: SecretStr | None

    @classmethod
    def of(cls, settings: Settings) -> Access:
        return cls(is_loopback(settings.learning_http_host), settings.learning_page_token)

    def refusal(self, request: Request) -> Response | None:
        """Return the answer to somebody who may not see writers, None for those who may."""
        if self.token is not None:
            if hmac.compare_digest(_given(request).encode(), self.token.get_secret_value().encode()):
                return None
            return _refuse("The password is LEARNING_PAGE_TOKEN.", 401, _ASK)
        if self.loopback and is_loopback(request.url.hostname or ""):
            return None
        return _refuse("Pages about writers need LEARNING_PAGE_TOKEN where the port is not bound to loopback.", 403)


def is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return host == "localhost"


def _refuse(text: str, status: int, headers: Mapping[str, str] | None = None) -> Response:
    return HTMLResponse(render_message("Not for everybody", text, status).html(), status, headers)


def _given(request: Request) -> str:
    """Return the token of the request, empty when there is none."""
    scheme, _, value = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() == "bearer":
        return value
    if scheme.lower() != "basic":
        return ""
    try:
        return base64.b64decode(value, validate=True).decode().partition(":")[2]
    except (binascii.Error, UnicodeDecodeError):
        return ""
