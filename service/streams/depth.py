"""How much there is to do: exact, because settled entries are deleted, so XLEN is waiting + in work."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from datetime import datetime
from typing import Any

import redis.exceptions
from redis.asyncio import Redis

from service.streams.keys import GROUP, Keys, PartitionKeys
from service.streams.replies import pending as rows

OLDEST = 16  # entries in work whose idle time is looked at: one that is stuck is soon among the oldest


@dataclass(slots=True)
class ConsumerState:
    """One consumer of the group; ``idle_seconds`` since it last asked the server for anything."""

    name: str
    pending: int
    idle_seconds: float
    version: str = ""


@dataclass(slots=True)
class QueueState:
    """The counts of ``status``. ``completed`` and ``failed`` count entries since the keys exist.

    ``oldest_pending_seconds`` is since an entry was appended; ``pending_idle_seconds`` since one of the oldest in work
    was delivered or renewed, which stays below the lease unless its worker is gone.
    """

    waiting: int = 0
    active: int = 0
    completed: int = 0
    failed: int = 0
    dead: int = 0
    duplicates: int = 0
    oldest_pending_seconds: float = 0.0
    oldest_waiting_seconds: float = 0.0
    pending_idle_seconds: float = 0.0
    consumers: list[ConsumerState] = field(default_factory=list)

    def as_json(self) -> dict[str, Any]:
        return asdict(self)


async def read_state(redis: Redis, keys: Keys, now: datetime | None = None) -> QueueState:
    """Return the state of all partitions together. A missing stream or group is an empty one.

    ``now`` is the server's time, for the ages; without it the server is asked.
    """
    state = QueueState()
    if now is None:
        seconds, microseconds = await redis.time()
        now_ms = seconds * 1000 + microseconds // 1000
    else:
        now_ms = round(now.timestamp() * 1000)
    for partition in keys.partitions:
        await _add_partition(redis, partition, now_ms, state)
    return state


async def _add_partition(redis: Redis, keys: PartitionKeys, now_ms: int, state: QueueState) -> None:
    async with redis.pipeline(transaction=False) as pipe:
        pipe.xlen(keys.jobs)
        pipe.xlen(keys.dead)
        pipe.hgetall(keys.stats)
        pipe.xrange(keys.jobs, "-", "+", count=1)
        pipe.xpending(keys.jobs, GROUP)
        pipe.xinfo_consumers(keys.jobs, GROUP)
        pipe.xpending_range(keys.jobs, GROUP, "-", "+", OLDEST)
        replies = await pipe.execute(raise_on_error=False)
    length, dead, stats, first, pending, consumers, oldest = (
        [] if isinstance(reply, redis_error) else reply for reply in replies
    )
    active = pending["pending"] if pending else 0
    state.active += active
    state.waiting += max(0, (length or 0) - active)
    state.dead += dead or 0
    counts = {name.decode(): int(value) for name, value in (stats or {}).items()}
    state.completed += counts.get("completed", 0)
    state.failed += counts.get("failed", 0)
    state.duplicates += counts.get("duplicate", 0)
    if active:
        age = (now_ms - _ms(pending["min"])) / 1000
        state.oldest_pending_seconds = max(state.oldest_pending_seconds, age)
    idle = [row.idle_ms / 1000 for row in rows(oldest)]
    state.pending_idle_seconds = max([state.pending_idle_seconds, *idle])
    if first:
        state.oldest_waiting_seconds = max(state.oldest_waiting_seconds, (now_ms - _ms(first[0][0])) / 1000)
    for info in consumers or []:
        state.consumers.append(ConsumerState(info["name"].decode(), info["pending"], info["idle"] / 1000))


redis_error = redis.exceptions.ResponseError


def _ms(entry_id: bytes) -> int:
    return int(entry_id.partition(b"-")[0])
