"""Edits to ask about."""

from __future__ import annotations

from schemas.delta import Count, StyleDelta, ToneScales
from service.tone import ToneRequest

CASUAL = ("We are glad that you are here.", "We're glad you're here.")
LOUD = ("The menu has soup.", "The menu has soup!!")


def edit(*pairs: tuple[str, str], job: str = "job-1", **delta: object) -> ToneRequest:
    """An edit whose countable evidence decides nothing."""
    fields = {"job_id": job, "is_noise": False, **delta}
    return ToneRequest(job, StyleDelta.model_validate(fields), pairs or (CASUAL,))


def decided(job: str = "job-1") -> ToneRequest:
    """An edit whose countable evidence decides."""
    delta = {"tone_scales": ToneScales(humor=1.0), "laughter": Count(after=4, added=4)}
    return edit(("Fine.", "Fine lol lol lol lol"), job=job, **delta)
