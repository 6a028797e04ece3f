"""What the model has cost all workers together, counted in one hash of Redis.

Each process counts for itself (``ToneStats``) and after each batch tells its counts since it started. Redis keeps what
each process has told and adds the difference, so a count told twice, because the first answer was lost, counts once,
and one that Redis did not take is told with the next. Only what a killed process had not told yet is missing, at most
the batches of an outage. ``status`` and dashboards read the hash while no worker runs.
"""

from __future__ import annotations

import uuid
from dataclasses import asdict, dataclass
from typing import Any, Protocol

from redis.asyncio import Redis

from service.tone.base import ToneStats
from service.tone.shared import SharedRedis, ToneKeys, script_text

TOLD_MS = 86_400_000  # what a process has told outlives its longest pause; later its own memory tells
COUNTED = ("calls", "tokens_in", "tokens_out", "cache_hits", "cache_misses", "fallbacks")


class UsageLog(Protocol):
    """Somebody who is told the counts after each batch, and a ``last`` time at the end. Never raises."""

    async def tell(self, stats: ToneStats, *, last: bool = False) -> None: ...


class RedisUsageLog:
    """Adds the counts of this process to those of all."""

    def __init__(self, shared: SharedRedis, keys: ToneKeys) -> None:
        self._shared = shared
        self._keys = [keys.usage, f"{keys.told}{uuid.uuid4().hex}"]
        self._tell = shared.redis.register_script(script_text("tell"))
        self._told: dict[str, int] = {}

    async def tell(self, stats: ToneStats, *, last: bool = False) -> None:
        now = counts_of(stats)
        grown = {name: count for name, count in now.items() if count > self._told.get(name, 0)}
        if not grown:
            return
        args: list[str | int] = [TOLD_MS]
        for name, count in grown.items():
            args += [name, count, self._told.get(name, 0)]
        if await self._shared.ask(lambda: self._tell(self._keys, args), None, anyway=last):
            self._told |= {name: max(count, self._told.get(name, 0)) for name, count in grown.items()}


def counts_of(stats: ToneStats) -> dict[str, int]:
    """Return the counts that are told, failures as ``failed:reason``."""
    counts = {name: getattr(stats, name) for name in COUNTED}
    return counts | {f"failed:{reason}": count for reason, count in stats.failures.items()}


@dataclass(frozen=True, slots=True)
class Usage:
    """What all workers together asked and paid, since the keys exist; the last two of this minute and this day."""

    calls: int = 0
    tokens_in: int = 0
    tokens_out: int = 0
    cache_hits: int = 0
    cache_misses: int = 0
    fallbacks: int = 0
    failures: int = 0
    calls_this_minute: int = 0
    tokens_today: int = 0

    @property
    def asked(self) -> bool:
        """Whether a model was ever wanted."""
        return bool(self.calls or self.cache_hits or self.cache_misses)

    @property
    def hit_rate(self) -> float:
        """Share of wanted edits answered from the cache, 0 when none was wanted yet."""
        wanted = self.cache_hits + self.cache_misses
        return self.cache_hits / wanted if wanted else 0.0

    def as_json(self) -> dict[str, Any]:
        return {**asdict(self), "hit_rate": round(self.hit_rate, 4)}


async def read_usage(redis: Redis, keys: ToneKeys) -> Usage:
    """Return what the shared counters say; raises what the client raises."""
    pipe = redis.pipeline(transaction=False)
    pipe.hgetall(keys.usage)
    pipe.get(keys.tokens)
    counts, tokens = await pipe.execute()
    seconds, _ = await redis.time()  # which the pipeline of a cluster refuses
    told = {name.decode(): int(count) for name, count in counts.items()}
    minute = await redis.zcount(keys.calls, (seconds - 60) * 1000, "+inf")
    failures = sum(count for name, count in told.items() if name.startswith("failed:"))
    named = {name: told.get(name, 0) for name in COUNTED}
    return Usage(**named, failures=failures, calls_this_minute=minute, tokens_today=int(tokens or 0))
