"""The numbers a caller may set: how much evidence a claim needs, how far and how often the profile moves.

Defaults are those of the settings with the same meaning (``PATTERN_THRESHOLD_*``,
``MAX_EDIT_METADATA_PER_USER``, ``MAX_PROFILE_VERSIONS``, ``LEARNING_RATE_LIMIT_MINUTES``,
``EDIT_BATCH_WINDOW_MINUTES``). Learning takes them as values and never reads the environment.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Final


@dataclass(frozen=True, slots=True)
class LearningRules:
    """Thresholds and ``window`` in edits, ``step`` as a share of the way (0.10..0.20)."""

    threshold_sentence_length: int = 3
    threshold_emoji: int = 3
    threshold_structure: int = 3
    threshold_common_phrase: int = 3
    threshold_banned_phrase: int = 2
    threshold_major_change: int = 5
    window: int = 20
    step: float = 0.15
    max_edits: int = 50
    max_versions: int = 10
    rate_limit: timedelta = timedelta(minutes=5)
    batch_window: timedelta = timedelta(minutes=5)


DEFAULT_RULES: Final = LearningRules()
