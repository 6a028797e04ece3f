"""How many calls a minute, and how many tokens a day, may cost money.

Calls: a sliding window holds the times of the calls of the last 60 s, so no minute, wherever it starts, has more
than the limit; a token bucket that starts full would allow twice as many in its first one. One float a call is the
price.

Tokens: a day is the 24 hours from its first call, so that no clock but one and no time zone matters. A call reserves
what it can cost at most before it is sent, so that callers at a time cannot overdraw the ceiling together, and the
difference is given back when the answer says what it did cost. Google does not charge for a request that ends in an
error; one whose answer never came may have been charged, so its reservation stands.

A spent budget answers at once: waiting would only trade the lexical answer now for the same one later. Late questions
(edits learned before without the model) may only take calls while half of the minute is free, so that they never
stand in the way of new edits.

These count for a process. :class:`service.tone.shared.RedisCallBudget` counts for all workers.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import Literal, Protocol

WINDOW_SECONDS = 60.0
DAY_SECONDS = 86_400.0
LATE_SHARE = 0.5
Refusal = Literal["budget", "ceiling"]


class CallBudget(Protocol):
    """Permission for one request to the model. Nothing here waits for a permission or raises."""

    async def take(self, tokens: int, *, late: bool = False) -> Refusal | None:
        """None if one more call of at most ``tokens`` may be sent now, else what is spent."""
        ...

    async def settle(self, reserved: int, used: int) -> None:
        """Say what the call that reserved ``reserved`` tokens did cost."""
        ...


def allowed(per_minute: int, late: bool) -> int:
    """Return how many calls of a minute a question may find taken and still be asked; at least one is ever free."""
    return max(1, int(per_minute * LATE_SHARE)) if late else per_minute


class LocalCallBudget:
    """At most ``per_minute`` calls in any 60 s of this process and ``daily_tokens`` a day (None: any number).

    :param clock: monotonic seconds.
    """

    def __init__(self, per_minute: int, clock: Callable[[], float], daily_tokens: int | None = None) -> None:
        self._limit = per_minute
        self._clock = clock
        self._ceiling = daily_tokens
        self._taken: deque[float] = deque()
        self._day_began = clock()
        self._tokens = 0

    async def take(self, tokens: int, *, late: bool = False) -> Refusal | None:
        now = self._clock()
        while self._taken and now - self._taken[0] >= WINDOW_SECONDS:
            self._taken.popleft()
        if not self._tokens or now - self._day_began >= DAY_SECONDS:
            self._day_began, self._tokens = now, 0
        if len(self._taken) >= allowed(self._limit, late):
            return "budget"
        if self._ceiling is not None and self._tokens + tokens > self._ceiling:
            return "ceiling"
        self._taken.append(now)
        self._tokens += tokens
        return None

    async def settle(self, reserved: int, used: int) -> None:
        self._tokens = max(0, self._tokens + used - reserved)

    def give_back(self, tokens: int) -> None:
        """Undo the last ``take``: its call was not sent after all."""
        if self._taken:
            self._taken.pop()
        self._tokens = max(0, self._tokens - tokens)
