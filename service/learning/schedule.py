"""When a style is learned, and how many iterations a history of edits amounts to.

A style is learned at most once every ``rate_limit``. The first edit after a quiet time is learned at once;
edits that come earlier wait and are learned *together*, when both the limit since the last learning and the
batch window since the first waiting edit have passed.

The same rule, run over the times at which edits were saved, counts iterations. Counting by ``edited_at`` and
not by the moment a worker woke up is what makes ``learning_iterations`` independent of outages, retries and
the number of workers: it is a left fold over the ordered edits, ``Clock`` being its state.
"""

from __future__ import annotations

from datetime import datetime

from service.learning.rules import LearningRules


def due_at(last_learned_at: datetime | None, first_waiting_at: datetime, rules: LearningRules) -> datetime:
    """When edits waiting since ``first_waiting_at`` are to be learned."""
    window_ends = first_waiting_at + rules.batch_window
    if last_learned_at is None:
        return window_ends
    return max(last_learned_at + rules.rate_limit, window_ends)


def learn_now(last_learned_at: datetime | None, waiting: bool, now: datetime, rules: LearningRules) -> bool:
    """Whether an edit that arrives ``now`` is learned at once; if not it waits until ``due_at``."""
    if waiting:
        return False
    return last_learned_at is None or now >= last_learned_at + rules.rate_limit


class Clock:
    """Iterations so far, when the last one was, and since when edits wait for the next."""

    def __init__(
        self, iterations: int = 0, last_learned_at: datetime | None = None, waiting_since: datetime | None = None
    ) -> None:
        self.iterations = iterations
        self.last_learned_at = last_learned_at
        self.waiting_since = waiting_since

    def overdue(self, at: datetime, rules: LearningRules) -> bool:
        """Whether the waiting edits were learned before an edit saved at ``at``."""
        return self.waiting_since is not None and at > due_at(self.last_learned_at, self.waiting_since, rules)

    def learn_waiting(self, rules: LearningRules) -> Clock:
        """The waiting edits become one iteration."""
        if self.waiting_since is None:
            return self
        return Clock(self.iterations + 1, due_at(self.last_learned_at, self.waiting_since, rules))

    def see(self, at: datetime, rules: LearningRules) -> Clock:
        """An edit saved at ``at``: an iteration of its own, or one that waits."""
        if learn_now(self.last_learned_at, self.waiting_since is not None, at, rules):
            return Clock(self.iterations + 1, at)
        return Clock(self.iterations, self.last_learned_at, self.waiting_since or at)
