"""How many calls a minute may cost money.

A sliding window holds the times of the calls of the last 60 s, so no minute, wherever it starts, has more
than the limit; a token bucket that starts full would allow twice as many in its first one. One float a call
is the price. A spent budget answers at once: waiting would only trade the lexical answer now for the same one
later.

This one counts for a process. :class:`service.tone.shared.RedisCallBudget` counts for all workers.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import Protocol

WINDOW_SECONDS = 60.0


class CallBudget(Protocol):
    """Permission for one request to the model."""

    async def take(self) -> bool:
        """True if one more call may be sent now; never waits for a permission and never raises."""
        ...


class LocalCallBudget:
    """At most ``per_minute`` calls in any 60 s of this process; ``clock`` gives monotonic seconds."""

    def __init__(self, per_minute: int, clock: Callable[[], float]) -> None:
        self._limit = per_minute
        self._clock = clock
        self._taken: deque[float] = deque()

    async def take(self) -> bool:
        now = self._clock()
        while self._taken and now - self._taken[0] >= WINDOW_SECONDS:
            self._taken.popleft()
        if len(self._taken) >= self._limit:
            return False
        self._taken.append(now)
        return True
