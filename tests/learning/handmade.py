"""Deltas made by hand: one keyword a habit, so that a test reads like the edit it stands for."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from schemas.delta import Count, Measure, StyleDelta
from schemas.profile import Profile
from service.analysis.sketch import sketch
from service.learning.learn import learn, new_profile
from service.learning.rules import LearningRules

START = datetime(2026, 3, 1, 9, 0, tzinfo=UTC)
RULES = LearningRules()
# What an update writes down about itself and not about the writer.
BOOKKEEPING = {"evolution_timeline", "versions", "revision", "created_at", "updated_at", "last_learned_at"}


def at(index: float) -> datetime:
    """Edits of a test are six hours apart, so each is an iteration of its own."""
    return START + timedelta(hours=6 * index)


def count(before: int, after: int) -> Count:
    return Count(before=before, after=after, added=max(after - before, 0), removed=max(before - after, 0))


def measure(before: float, after: float) -> Measure:
    return Measure(before=before, after=after, difference=after - before)


def edit(index: float, *, kept: str = "", **fields: Any) -> StyleDelta:
    """An evidence edit of a draft of six sentences in three paragraphs that leaves all as it was."""
    values: dict[str, Any] = {
        "words": count(96, 96),
        "sentences": count(6, 6),
        "paragraphs": count(3, 3),
        "change_ratio": 0.2,
        "is_noise": False,
    }
    values |= fields
    words, sentences = values["words"], values["sentences"]
    before, after = words.before / max(sentences.before, 1), words.after / max(sentences.after, 1)
    return StyleDelta(
        job_id=f"job-{index:g}",
        edited_at=at(index),
        sentence_length=measure(before, after),
        kept_words=sketch(kept),
        **values,
    )


def shorter(index: float, **fields: Any) -> StyleDelta:
    """Three sentences split in two."""
    return edit(index, sentences=count(6, 9), words=count(96, 93), **fields)


def longer(index: float, **fields: Any) -> StyleDelta:
    return edit(index, sentences=count(8, 6), words=count(96, 98), **fields)


def noise(index: float) -> StyleDelta:
    return edit(index, is_noise=True, change_ratio=0.02)


def taught(*edits: StyleDelta, rules: LearningRules = RULES, profile: Profile | None = None) -> Profile:
    """The profile after learning ``edits`` one at a time."""
    profile = profile or new_profile("writer", START)
    for delta in edits:
        profile = learn(profile, [delta], rules, delta.edited_at or START).profile
    return profile


def essence(profile: Profile) -> dict[str, Any]:
    """What must not depend on how the edits arrived."""
    stored = profile.model_dump(exclude=BOOKKEEPING)
    for delta in stored["recent_edits"]:
        delta["revision"] = 0
    return stored
