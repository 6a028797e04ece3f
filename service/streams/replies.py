"""Replies of redis-py as plain values: it types them as unions of every protocol and decoding."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Pending:
    """A pending entry as the server sees it; ``idle_ms`` since it was last delivered or renewed."""

    id: str
    consumer: str
    idle_ms: int
    deliveries: int


def text(value: Any) -> str:
    return value.decode() if isinstance(value, bytes) else str(value)


def entries(reply: Any) -> list[tuple[str, dict[bytes, bytes]]]:
    """Return the entries of an XRANGE reply; one without fields has an empty dict."""
    return [(text(id), fields or {}) for id, fields in reply or ()]


def read_entries(reply: Any) -> list[tuple[str, dict[bytes, bytes]]]:
    """Return the entries of an XREADGROUP reply on one stream, in any of the three shapes redis-py gives it."""
    if isinstance(reply, Mapping):
        pages = [page for chunks in reply.values() for page in chunks]
        return entries(page for chunk in pages for page in (chunk if isinstance(chunk, list) else [chunk]))
    return [entry for _, page in reply or () for entry in entries(page)]


def pending(reply: Any) -> list[Pending]:
    """Return the rows of an extended XPENDING reply."""
    return [
        Pending(text(row["message_id"]), text(row["consumer"]), row["time_since_delivered"], row["times_delivered"])
        for row in reply or ()
    ]
