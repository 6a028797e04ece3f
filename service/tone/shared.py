"""The cache and the call budget shared by all workers through Redis.

Cache: one MGET for a batch, one pipelined ``SET key value EX ttl`` an answer. Budget: a window of 60 s that
opens with its first call, ``SET key 0 EX 60 NX`` and ``INCR`` in one MULTI. It needs no clock of ours and no
script, and a crash leaves nothing behind; two windows that touch may hold up to twice the limit around their
border, which a quota of a minute bears.

Both are conveniences: any error of Redis is a miss, or the process's own budget, and nothing is raised. Use a
client with a short socket time-out and no retries (``Retry(NoBackoff(), 0)``), as the time spent here is the
batch's.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError
from redis.asyncio import Redis
from redis.exceptions import RedisError

from schemas.delta import ToneLabel, ToneShift
from service.tone.budget import WINDOW_SECONDS, CallBudget


class _Stored(BaseModel):
    """A cached answer. Strict: what another program wrote under our key is a miss, not a tone."""

    model_config = ConfigDict(strict=True, extra="forbid", hide_input_in_errors=True)

    label: ToneLabel
    confidence: float = Field(ge=0, le=1, allow_inf_nan=False)
    source: Literal["gemini"]


class RedisToneCache:
    """Answers of all workers.

    :param prefix: put before each content key, for example ``{learning}:tone:``.
    :param ttl: seconds an answer is kept.
    """

    def __init__(self, redis: Redis, prefix: str, ttl: int) -> None:
        self._redis = redis
        self._prefix = prefix
        self._ttl = ttl

    async def get_many(self, keys: Sequence[str]) -> dict[str, ToneShift]:
        if not keys:
            return {}
        try:
            values = await self._redis.mget([self._prefix + key for key in keys])
        except (RedisError, OSError):
            return {}
        read = {key: _parse(value) for key, value in zip(keys, values, strict=True)}
        return {key: shift for key, shift in read.items() if shift is not None}

    async def put_many(self, shifts: Mapping[str, ToneShift]) -> None:
        pipe = self._redis.pipeline(transaction=False)
        for key, shift in shifts.items():
            pipe.set(self._prefix + key, shift.model_dump_json(), ex=self._ttl)
        try:
            await pipe.execute()
        except (RedisError, OSError):
            return


def _parse(value: bytes | str | None) -> ToneShift | None:
    if value is None:
        return None
    try:
        stored = _Stored.model_validate_json(value)
    except ValidationError:
        return None
    return ToneShift(label=stored.label, confidence=stored.confidence, source=stored.source)


class RedisCallBudget:
    """At most ``per_minute`` calls a window for all users of ``key``; ``local`` when Redis is away."""

    def __init__(self, redis: Redis, key: str, per_minute: int, local: CallBudget) -> None:
        self._redis = redis
        self._key = key
        self._limit = per_minute
        self._local = local

    async def take(self) -> bool:
        pipe = self._redis.pipeline(transaction=True)
        pipe.set(self._key, 0, ex=int(WINDOW_SECONDS), nx=True)
        pipe.incr(self._key)
        try:
            _, count = await pipe.execute()
        except (RedisError, OSError):
            return await self._local.take()
        return int(count) <= self._limit
