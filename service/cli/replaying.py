"""Edits to profiles without servers: the pure part of ``replay``.

Each edit is learned on its own, at the time it was saved. The profile is a function of its baseline and the ordered
deltas, and counts iterations by ``edited_at`` and the rate limit, so it is the one that a worker would have.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from schemas.delta import StyleDelta
from schemas.profile import Profile
from service.learning.edit import seed
from service.learning.learn import learn, new_profile, order
from service.learning.rules import LearningRules

START = datetime(2000, 1, 1, tzinfo=UTC)  # of a writer whose first edit has no time
STEP = timedelta(minutes=1)  # from the edit before one that has no time


@dataclass(slots=True)
class Writer:
    """The deltas of one writer, and the last time seen in the file."""

    deltas: dict[str, StyleDelta] = field(default_factory=dict)
    last: datetime = START - STEP

    def add(self, delta: StyleDelta) -> None:
        """Take a delta, the first of each job_id, and give it a time if it has none."""
        if delta.job_id in self.deltas:
            return
        saved = delta.edited_at or self.last + STEP
        # Learning and MongoDB count milliseconds; so must what is compared with them.
        saved = saved.replace(microsecond=saved.microsecond // 1000 * 1000)
        self.last = saved
        self.deltas[delta.job_id] = delta.model_copy(update={"edited_at": saved})

    def ordered(self) -> list[StyleDelta]:
        return sorted(self.deltas.values(), key=order)


def collect(deltas: Iterable[tuple[str, StyleDelta]]) -> dict[str, Writer]:
    """Sort (writer, delta) pairs by writer, in the order of the file."""
    writers: dict[str, Writer] = {}
    for user_id, delta in deltas:
        writers.setdefault(user_id, Writer()).add(delta)
    return writers


def start(user_id: str, partial: Mapping[str, Any] | None, rules: LearningRules, now: datetime) -> Profile:
    """A neutral profile, or one seeded with ``partial``. Raises ValueError when that is wrong."""
    profile = new_profile(user_id, now)
    return profile if partial is None else seed(profile, partial, rules, now).profile


def states(profile: Profile, deltas: Iterable[StyleDelta], rules: LearningRules) -> Iterator[Profile]:
    """Yield the profile after each edit."""
    for delta in deltas:
        now = delta.edited_at or START
        learned = learn(profile, [delta], rules, now).profile
        profile = learned.model_copy(update={"edits_applied": profile.edits_applied + 1})
        yield profile
