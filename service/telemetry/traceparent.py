"""The W3C trace context of an entry, read without OpenTelemetry: its fields ``traceparent`` and ``tracestate``.

Whatever a producer wrote there is data of a stranger: what is no trace context of a sane length is as good as none.
https://www.w3.org/TR/trace-context/
"""

from __future__ import annotations

import re
from collections.abc import Mapping

TRACEPARENT = b"traceparent"  # the field of an entry
MAX_STATE_BYTES = 512  # what the standard asks a receiver to keep at least
_TRACEPARENT = re.compile(
    rb"(?!ff)[0-9a-f]{2}-(?!0{32})([0-9a-f]{32})-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}(?:-.{0,200})?\Z"
)


def trace_id(fields: Mapping[bytes, bytes]) -> str | None:
    """Return the trace that the producer put an entry into, 32 hexadecimal digits."""
    given = fields.get(TRACEPARENT)
    found = _TRACEPARENT.match(given) if given else None
    return found.group(1).decode() if found else None


def carrier(fields: Mapping[bytes, bytes]) -> dict[str, str]:
    """Return the trace context as a W3C propagator reads it; empty when there is none."""
    if trace_id(fields) is None:
        return {}
    found = {"traceparent": fields[TRACEPARENT].decode("ascii", "replace")}
    state = fields.get(b"tracestate", b"")
    if state and len(state) <= MAX_STATE_BYTES:
        found["tracestate"] = state.decode("ascii", "replace")
    return found
