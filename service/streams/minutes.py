"""What was done minute by minute, by all workers: counted in Redis by the scripts that settle and bury.

One hash a partition, fields ``minute:name`` with minutes since 1970 at the server's time; the names are ``learned``,
``duplicate``, ``dead``, ``dead:{reason}`` and ``depth``; beside them ``recent`` (``recent.py``) and
``version:consumer``, swept every hour and noted again by whoever lives. A batch costs one HINCRBY inside the script
that settles it, and no round trip; ``depth`` is noted by every worker a few times a minute. 26 hours are kept, whatever
restarts meanwhile, and an hour more until they are swept: about 150 bytes a minute and name, under 1 MB with dead
letters in every minute.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import get_args

from redis.asyncio import Redis

from schemas.dead_letter import DeadReason
from service.streams.keys import Keys

KEPT = 1560  # minutes
HOUR = 60
CHANGING = 2  # the minute that is not over, and the one that was not a look ago
REASONS: tuple[str, ...] = get_args(DeadReason)
_NAMES = ("depth", "learned", "duplicate", "dead", *(f"dead:{reason}" for reason in REASONS))


@dataclass(slots=True)
class Minute:
    """One minute of all partitions. ``depth`` is the last that a worker saw, None when none looked."""

    at: datetime
    depth: int | None = None
    learned: int = 0
    duplicates: int = 0
    dead: int = 0
    dead_by_reason: dict[str, int] = field(default_factory=dict)

    @property
    def completed(self) -> int:
        """Entries settled: the throughput."""
        return self.learned + self.duplicates


async def read_minutes(redis: Redis, keys: Keys, minutes: int = HOUR) -> list[Minute]:
    """Return the last ``minutes`` (at most ``KEPT``), the oldest first; the last one is not over yet.

    One round trip a partition, and one for the server's time.
    """
    seconds, _ = await redis.time()
    newest = seconds // 60
    span = range(newest - min(minutes, KEPT) + 1, newest + 1)
    history = [Minute(datetime.fromtimestamp(minute * 60, UTC)) for minute in span]
    fields = [f"{minute}:{name}" for minute in span for name in _NAMES]
    for partition in keys.partitions:
        values = iter(await redis.hmget(partition.minutes, fields))
        for minute in history:
            _add(minute, {name: int(value) for name in _NAMES if (value := next(values)) is not None})
    return history


class LastHour:
    """The last hour for one who looks often: the whole is read once a minute, else the minutes that may still change.

    ``clock`` is in seconds and monotonic.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._minutes: tuple[Minute, ...] = ()
        self._whole_until: float | None = None

    async def read(self, redis: Redis, keys: Keys) -> tuple[Minute, ...]:
        """Return its minutes, the oldest first."""
        now = self._clock()
        whole = self._whole_until is None or now >= self._whole_until
        newest = await read_minutes(redis, keys, HOUR if whole else CHANGING)
        known = [] if whole else [minute for minute in self._minutes if minute.at < newest[0].at]
        self._minutes = tuple([*known, *newest][-HOUR:])
        if whole:
            self._whole_until = now + 60
        return self._minutes


async def read_versions(redis: Redis, keys: Keys, consumers: Sequence[str]) -> dict[str, str]:
    """Return the version of learnsvc that each of ``consumers`` has told."""
    if not consumers:
        return {}
    told = await redis.hmget(keys.partitions[0].minutes, [f"version:{name}" for name in consumers])
    return {
        name: value.decode("utf-8", "replace")
        for name, value in zip(consumers, told, strict=True)
        if isinstance(value, bytes)
    }


def rate(history: Sequence[Minute], minutes: int) -> float:
    """Return the entries settled a minute, of the last ``minutes`` that are over."""
    over = history[-minutes - 1 : -1]
    return sum(minute.completed for minute in over) / len(over) if over else 0.0


def _add(minute: Minute, counts: dict[str, int]) -> None:
    if "depth" in counts:
        minute.depth = (minute.depth or 0) + counts["depth"]
    minute.learned += counts.get("learned", 0)
    minute.duplicates += counts.get("duplicate", 0)
    minute.dead += counts.get("dead", 0)
    for reason in REASONS:
        if number := counts.get(f"dead:{reason}", 0):
            minute.dead_by_reason[reason] = minute.dead_by_reason.get(reason, 0) + number
