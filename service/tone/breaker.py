"""A circuit breaker: after a row of failures the service is left alone, then tried by one call.

Closed lets every call through and counts consecutive failures. At ``failures`` (5: two unlucky batches are
weather, five in a row are an outage) it opens for ``seconds`` (30: long against one call, short against an
outage of minutes) and refuses at once, so an outage costs no batch its time-out. Then it is half-open: one
call is the probe, all others are still refused; its success closes the breaker, its failure opens it for
another ``seconds``.

What a verdict is depends on the reason. A blocked or truncated answer is an answer: the service lives. A call
that was never sent (no budget, no slot) or was cancelled by its caller says nothing and only gives the probe
back.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from service.tone.base import Reason, ToneFailure

ANSWERED: frozenset[Reason] = frozenset({"blocked", "truncated"})
UNSENT: frozenset[Reason] = frozenset({"budget", "ceiling", "busy"})


class Breaker:
    """Guards calls to one service.

    :param failures: consecutive failed calls that open it.
    :param seconds: how long it stays open before a probe.
    :param clock: monotonic seconds.
    """

    def __init__(self, failures: int, seconds: float, clock: Callable[[], float]) -> None:
        self._limit = failures
        self._seconds = seconds
        self._clock = clock
        self._row = 0
        self._opened_at: float | None = None
        self._probing = False

    @property
    def is_open(self) -> bool:
        """True while calls are refused and no probe is due yet."""
        return self._opened_at is not None and self._clock() - self._opened_at < self._seconds

    @contextmanager
    def guard(self) -> Iterator[None]:
        """Around one call, retries included; raises ``ToneFailure("breaker_open")`` instead of entering."""
        self._enter()
        try:
            yield
        except ToneFailure as failure:
            self._leave(failure.reason)
            raise
        else:
            self._leave(None)
        finally:
            # Also after a cancellation, which is no verdict: the next call may probe.
            self._probing = False

    def _enter(self) -> None:
        if self._opened_at is None:
            return
        if self._probing or self.is_open:
            raise ToneFailure("breaker_open")
        self._probing = True

    def _leave(self, reason: Reason | None) -> None:
        if reason is None or reason in ANSWERED:
            self._row, self._opened_at = 0, None
        elif reason not in UNSENT:
            self._row += 1
            if self._row >= self._limit:
                self._opened_at = self._clock()
