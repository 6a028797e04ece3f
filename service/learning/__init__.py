"""Learning: style deltas become patterns, a profile and its score. Pure: no I/O, no clock, no settings."""

from __future__ import annotations

from service.learning.edit import override, rollback, seed
from service.learning.guide import GuideLine, guide_lines, render_guide
from service.learning.learn import Outcome, learn, new_profile, relearn
from service.learning.rules import LearningRules
from service.learning.schedule import due_at, learn_now

__all__ = [
    "GuideLine",
    "LearningRules",
    "Outcome",
    "due_at",
    "guide_lines",
    "learn",
    "learn_now",
    "new_profile",
    "override",
    "relearn",
    "render_guide",
    "rollback",
    "seed",
]
