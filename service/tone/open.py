"""Opens the classifier that the options ask for.

With a model this imports Google's SDK (about a second), so call it when a worker starts and not on the way of
a job; without one nothing is imported.
"""

from __future__ import annotations

import random
import time

from service.tone.base import ToneClassifier
from service.tone.breaker import Breaker
from service.tone.budget import LocalCallBudget
from service.tone.cache import MemoryToneCache
from service.tone.lexical import LexicalTone
from service.tone.options import InvalidToneOptions, ToneOptions
from service.tone.remote import RemoteTone
from service.tone.retry import RetryPolicy

__all__ = ["InvalidToneOptions", "ToneOptions", "open_tone"]


def open_tone(options: ToneOptions) -> ToneClassifier:
    """The classifier for these options; close it with ``aclose``."""
    if not options.uses_model:
        return LexicalTone()
    from service.tone.gemini import open_gemini

    return RemoteTone(
        open_gemini(options),
        options,
        cache=options.cache or MemoryToneCache(),
        budget=options.budget or LocalCallBudget(options.max_calls_per_minute, time.monotonic, options.daily_tokens),
        breaker=Breaker(options.breaker_failures, options.breaker_seconds, time.monotonic),
        # Jitter spreads retries; nobody is kept from guessing it.
        retries=RetryPolicy(attempts=options.attempts, random=random.random),
    )
