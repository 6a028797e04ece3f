"""Bounded retries inside the deadline of the caller.

Transient failures (429, 5xx, network) are tried ``attempts`` times in all (2: the second try catches a
restarted server or a cut connection; more of them only delay the lexical answer). The pause has full jitter,
uniform in 0..``base * 2**n`` (0.5 s: a writer's batch has a time-out of about 8 s), which spreads workers
that failed together; see "Exponential Backoff And Jitter", AWS Architecture Blog, 2015. A server that names
its time (``Retry-After``) is obeyed: the pause is at least that, with the jitter on top, and if the deadline
comes first the call is given up at once, as waiting for nothing helps nobody.

An unusable answer is asked for once more without a pause: sampling may do better, the server is well. A
truncated one is not, it would be cut at the same place again; nor is a blocked one.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import TypeVar

import anyio

from service.tone.base import Reason, ToneFailure

T = TypeVar("T")
TRANSIENT: frozenset[Reason] = frozenset({"rate_limited", "server_error", "network"})
UNUSABLE: frozenset[Reason] = frozenset({"bad_answer", "empty"})


@dataclass(frozen=True, slots=True)
class RetryPolicy:
    """How often and how far apart; ``random`` gives 0..1."""

    attempts: int
    random: Callable[[], float]
    base_seconds: float = 0.5


def pause(policy: RetryPolicy, failed: Sequence[ToneFailure], remaining: float) -> float | None:
    """Seconds until the next try after these failures, or None to give up; ``remaining`` is the time left."""
    last = failed[-1]
    alike = [failure for failure in failed if (failure.reason in TRANSIENT) == (last.reason in TRANSIENT)]
    if last.reason in UNUSABLE:
        return 0.0 if len(alike) == 1 else None
    if last.reason not in TRANSIENT or len(alike) >= policy.attempts:
        return None
    jitter = policy.random() * policy.base_seconds * 2 ** (len(alike) - 1)
    wait = (last.retry_after or 0.0) + jitter
    return wait if wait < remaining else None


async def retrying(call: Callable[[], Awaitable[T]], policy: RetryPolicy, note: Callable[[ToneFailure], None]) -> T:
    """Awaits ``call`` until it answers or :func:`pause` gives up; ``note`` hears of every failure."""
    failed: list[ToneFailure] = []
    while True:
        try:
            return await call()
        except ToneFailure as failure:
            note(failure)
            failed.append(failure)
            wait = pause(policy, failed, anyio.current_effective_deadline() - anyio.current_time())
            if wait is None:
                raise
        await anyio.sleep(wait)
