"""What every tone classifier promises, and the closed list of ways in which asking a model can fail.

The promise is the caller's peace of mind: ``classify`` answers for every edit, in order, and raises nothing
but the cancellation of its caller. Whatever goes wrong inside becomes a :class:`ToneFailure` with one of the
reasons below, is counted under that reason, and leaves the lexical label standing. A failure carries no text
of a writer, no answer of a model and no key, so it may be logged whole.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal, Protocol, get_args

from schemas.delta import StyleDelta, ToneShift

Pairs = tuple[tuple[str, str], ...]
State = Literal["available", "open", "disabled"]
Reason = Literal[
    "timeout",  # no whole answer within the time-out
    "rate_limited",  # 429
    "server_error",  # 5xx
    "network",  # refused, reset, cut, not HTTP
    "redirect",  # 3xx: never followed, the key would travel along
    "refused",  # another 4xx: key, model name or request is wrong
    "too_large",  # more bytes than an answer can need
    "bad_answer",  # not JSON, another label, ids that were not asked, a number out of range
    "truncated",  # finish reason MAX_TOKENS
    "blocked",  # safety, recitation, prohibited content; of the prompt or of the answer
    "empty",  # no candidate or no text
    "budget",  # the calls of this minute are spent; nothing was sent
    "ceiling",  # the tokens of this day are spent; nothing was sent
    "busy",  # no free slot early enough before the time-out
    "breaker_open",  # recent calls failed; nothing was sent
    "internal",  # anything nobody thought of
]
REASONS: tuple[Reason, ...] = get_args(Reason)


class ToneFailure(Exception):
    """A model did not answer usably.

    :param reason: one of the closed reasons; also the counter it is counted under.
    :param retry_after: seconds the server asked to wait, if it did.
    """

    def __init__(self, reason: Reason, retry_after: float | None = None) -> None:
        super().__init__(reason)
        self.reason: Reason = reason
        self.retry_after = retry_after


@dataclass(frozen=True, slots=True)
class ToneRequest:
    """One edit: its delta, and its changed sentences as (before, after), in the order of the text."""

    job_id: str
    delta: StyleDelta
    pairs: Pairs = field(repr=False)


@dataclass(frozen=True, slots=True)
class Judgement:
    """What is said of one edit.

    :param statements: preferences the model read from this edit and others of its batch; acceptable texts only.
    :param missed: why the model that was wanted gave no answer, when asking again later may help; else None.
    """

    shift: ToneShift
    statements: tuple[str, ...] = ()
    missed: Reason | None = None


# The same texts would meet these again, so nobody asks later.
FINAL: frozenset[Reason] = frozenset({"blocked", "truncated", "too_large"})


@dataclass(slots=True)
class ToneStats:
    """Counters since the start of the process; they only grow.

    ``calls`` are requests sent, retries included. Hits, misses and ``fallbacks`` count edits: those the model
    was wanted for, found in the cache or not, and those of them that were left with their lexical label.
    """

    calls: int = 0
    cache_hits: int = 0
    cache_misses: int = 0
    tokens_in: int = 0
    tokens_out: int = 0
    fallbacks: int = 0
    failures: dict[Reason, int] = field(default_factory=lambda: dict.fromkeys(REASONS, 0))

    @property
    def hit_rate(self) -> float:
        """Share of wanted edits answered from the cache, 0 when none was wanted yet."""
        wanted = self.cache_hits + self.cache_misses
        return self.cache_hits / wanted if wanted else 0.0


class ToneClassifier(Protocol):
    """Says how the tone of each edit moved."""

    @property
    def stats(self) -> ToneStats: ...

    async def classify(self, edits: Sequence[ToneRequest], *, late: bool = False) -> list[Judgement]:
        """One judgement an edit, in order; raises nothing but the caller's own cancellation.

        ``late`` are edits learned before without the model: they never spend the whole budget of a minute.
        """
        ...

    async def aclose(self) -> None:
        """Closes connections; may be called twice. Afterwards every answer is lexical."""
        ...

    def state(self) -> State:
        """``available``, ``open`` while the circuit breaker refuses calls, ``disabled`` without a model."""
        ...
