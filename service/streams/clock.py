"""The time of the Redis server, read without asking it each time.

Rate limits and due times must not depend on a pod's clock. The server is asked now and then; in between its time is
carried on by this machine's monotonic clock, which no NTP step and no SIGSTOP disturbs.
"""

from __future__ import annotations

import time
from datetime import UTC, datetime

from redis.asyncio import Redis


class ServerClock:
    """``now()`` is the server's time, at most as wrong as one round trip and the drift since ``sync()``."""

    def __init__(self) -> None:
        self._offset = time.time() - time.monotonic()
        self.skew_seconds = 0.0

    async def sync(self, redis: Redis) -> None:
        """Ask the server; keep how far this machine's wall clock is off in ``skew_seconds``."""
        asked = time.monotonic()
        seconds, microseconds = await redis.time()
        answered = time.monotonic()
        middle = (asked + answered) / 2
        self._offset = seconds + microseconds / 1e6 - middle
        self.skew_seconds = time.time() - time.monotonic() - self._offset

    def now(self) -> datetime:
        """Return the server's time in UTC, whole milliseconds as MongoDB keeps them."""
        now = datetime.fromtimestamp(self._offset + time.monotonic(), UTC)
        return now.replace(microsecond=now.microsecond // 1000 * 1000)
