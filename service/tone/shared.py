"""What all workers share through Redis: answers, the budget, and what the model has cost.

* *Answers*: one MGET for a batch, one pipelined ``SET key value EX ttl`` an answer, in front of them the memory of
  this process.
* *Budget*: one script a call takes from the calls of the last minute and reserves tokens of the day, so no two
  workers can take the same place. Times are the server's.
* *Cost*: a hash of counters that only grow, so that ``status`` knows them while no worker runs.

All of it is a convenience: any fault of Redis is a miss, or this process's own budget, or a count told later, and
nothing is raised. A step may take ``STEP_SECONDS`` (1: another zone takes 2 ms, a throttled pod now and then half a
second), and a server that took longer or failed is left alone for ``AWAY_SECONDS`` (5), so that a frozen one costs a
batch a second once and not three times in each.
"""

from __future__ import annotations

import time
import uuid
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import TypeVar

import anyio
from pydantic import BaseModel, ConfigDict, Field, ValidationError
from redis.asyncio import Redis
from redis.exceptions import RedisError

from schemas.delta import ToneLabel, ToneShift
from service.tone.base import Judgement
from service.tone.budget import WINDOW_SECONDS, LocalCallBudget, Refusal, allowed
from service.tone.cache import MemoryToneCache
from service.tone.statements import MOST, is_plain

STEP_SECONDS = 1.0
AWAY_SECONDS = 5.0

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class ToneKeys:
    """The keys of the tone room; they share a hash tag, for scripts touch two at once."""

    answers: str
    calls: str
    tokens: str
    usage: str
    told: str

    @classmethod
    def of(cls, prefix: str) -> ToneKeys:
        room = f"{{{prefix}}}:gemini"
        return cls(f"{room}:answer:", f"{room}:calls", f"{room}:tokens", f"{room}:usage", f"{room}:told:")


class SharedRedis:
    """A Redis that may be asked, and need not answer.

    :param redis: any client; its own time-outs may be longer than a step here.
    """

    def __init__(
        self, redis: Redis, clock: Callable[[], float] = time.monotonic, step_seconds: float = STEP_SECONDS
    ) -> None:
        self.redis = redis
        self._step = step_seconds
        self._clock = clock
        self._away_until = 0.0

    async def ask(self, operation: Callable[[], Awaitable[T]], default: T, *, anyway: bool = False) -> T:
        """The result of ``operation``, or ``default`` when the server fails, is slow, or did so a moment ago.

        ``anyway`` asks a server that is left alone as well.
        """
        if self._clock() < self._away_until and not anyway:
            return default
        try:
            with anyio.fail_after(self._step):
                return await operation()
        except (RedisError, OSError, TimeoutError):
            self._away_until = self._clock() + AWAY_SECONDS
            return default


class _Stored(BaseModel):
    """A cached answer. Strict: what another program wrote under our key is a miss, not a tone."""

    model_config = ConfigDict(strict=True, extra="forbid", hide_input_in_errors=True)

    label: ToneLabel
    confidence: float = Field(ge=0, le=1, allow_inf_nan=False)
    statements: tuple[str, ...] = Field(max_length=MOST)


class RedisToneCache:
    """Answers of all workers, and those of this process for as long as Redis is away.

    :param prefix: put before each content key, for example ``{learning}:gemini:answer:``.
    :param ttl: seconds an answer is kept.
    """

    def __init__(self, shared: SharedRedis, prefix: str, ttl: int, memory: MemoryToneCache | None = None) -> None:
        self._shared = shared
        self._prefix = prefix
        self._ttl = ttl
        self._memory = memory or MemoryToneCache()

    async def get_many(self, keys: Sequence[str]) -> dict[str, Judgement]:
        found = await self._memory.get_many(keys)
        missing = [key for key in keys if key not in found]
        if not missing:
            return found
        names = [self._prefix + key for key in missing]
        nothing: list[bytes | str | None] = [None] * len(missing)
        values = await self._shared.ask(lambda: self._shared.redis.mget(names), nothing)
        read = {key: _parse(value) for key, value in zip(missing, values, strict=True)}
        known = {key: answer for key, answer in read.items() if answer is not None}
        await self._memory.put_many(known)
        return found | known

    async def put_many(self, answers: Mapping[str, Judgement]) -> None:
        if not answers:
            return
        await self._memory.put_many(answers)
        pipe = self._shared.redis.pipeline(transaction=False)
        for key, answer in answers.items():
            pipe.set(self._prefix + key, _encode(answer), ex=self._ttl)
        await self._shared.ask(pipe.execute, [])


def _encode(answer: Judgement) -> str:
    shift = answer.shift
    stored = _Stored(label=shift.label, confidence=shift.confidence, statements=answer.statements)
    return stored.model_dump_json()


def _parse(value: bytes | str | None) -> Judgement | None:
    if value is None:
        return None
    try:
        stored = _Stored.model_validate_json(value)
    except ValidationError:
        return None
    shift = ToneShift(label=stored.label, confidence=stored.confidence, source="gemini")
    return Judgement(shift, tuple(text for text in stored.statements if is_plain(text)))


class RedisCallBudget:
    """The budget of all workers; ``local`` counts along, and decides while Redis is away."""

    def __init__(
        self, shared: SharedRedis, keys: ToneKeys, per_minute: int, local: LocalCallBudget, daily_tokens: int | None
    ) -> None:
        self._shared = shared
        self._keys = keys
        self._limit = per_minute
        self._local = local
        self._ceiling = daily_tokens or 0
        self._take = shared.redis.register_script(script_text("take"))
        self._settle = shared.redis.register_script(script_text("settle"))

    async def take(self, tokens: int, *, late: bool = False) -> Refusal | None:
        alone = await self._local.take(tokens, late=late)
        if alone is not None:
            return alone  # what one worker may not is no less than what all together may not
        window = round(WINDOW_SECONDS * 1000)
        args: list[str | int] = [allowed(self._limit, late), window, tokens, self._ceiling, uuid.uuid4().hex]
        keys = [self._keys.calls, self._keys.tokens]
        said: bytes | None = await self._shared.ask(lambda: self._take(keys, args), None)
        if said in (None, b"taken"):
            return None
        self._local.give_back(tokens)
        return "ceiling" if said == b"ceiling" else "budget"

    async def settle(self, reserved: int, used: int) -> None:
        await self._local.settle(reserved, used)
        if self._ceiling and used != reserved:
            await self._shared.ask(lambda: self._settle([self._keys.tokens], [used - reserved]), None)


@cache
def script_text(name: str) -> str:
    """Return the Lua source of ``name``."""
    return (files("service.tone") / "scripts" / f"{name}.lua").read_text()
