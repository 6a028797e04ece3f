"""The evolution score: how far a profile has come, 0..100, with its four parts.

    20 when there are sample posts
    40 x min(iterations / 10, 1)      iterations that carried evidence; noise does not count
    20 x completeness                 share of the aspects below that are known
    20 x consistency                  how far recent edits agree with what is claimed

*Completeness* asks of eight aspects whether edits support a claim on one of their paths, or a person set one.
A writer about whom nothing can be claimed has none of them, however many edits there are.

*Consistency* is, over all claims of the recent edits, the share of the edits that offered the chance and took
it, averaged. No claim, no consistency: somebody who repairs facts agrees with nothing. Preferences are left out: they
are a model's words about edits and not the edits themselves.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import cache
from typing import Final

from schemas.profile import Claim, ScoreComponents

ASPECTS: Final[dict[str, tuple[str, ...]]] = {
    "sentence length": ("directions.sentence_length", "writing_traits.avg_sentence_length"),
    "emoji": ("directions.emoji", "writing_traits.uses_emojis", "writing_traits.emoji_frequency"),
    "layout": (
        "directions.bullets",
        "directions.headings",
        "directions.paragraphs",
        "writing_traits.uses_bullet_points",
        "writing_traits.uses_short_paragraphs",
        "structure_preferences.body",
    ),
    "opening and ending": (
        "directions.ending",
        "structure_preferences.ending",
        "structure_preferences.intro",
        "writing_traits.uses_hooks",
        "writing_traits.uses_questions_often",
    ),
    "tone": ("directions.tone.", "tone."),
    "vocabulary and voice": ("vocabulary_level", "voice_type"),
    "phrases": ("banned_phrases", "common_phrases"),
    "samples": ("sample_posts",),
}


def components(iterations: int, claims: Sequence[Claim], own: Iterable[str], has_samples: bool) -> ScoreComponents:
    """The parts of the score, in points."""
    return ScoreComponents(
        samples=20.0 if has_samples else 0.0,
        iterations=round(40 * min(iterations / 10, 1.0), 1),
        completeness=round(20 * completeness(claims, own, has_samples), 1),
        consistency=round(20 * consistency(claims), 1),
    )


def total(parts: ScoreComponents) -> float:
    return round(parts.samples + parts.iterations + parts.completeness + parts.consistency, 1)


def completeness(claims: Sequence[Claim], own: Iterable[str], has_samples: bool) -> float:
    known = {claim.path for claim in claims} | set(own)
    if has_samples:
        known.add("sample_posts")
    return len(frozenset().union(*map(_aspects, known))) / len(ASPECTS)


@cache
def _aspects(path: str) -> frozenset[str]:
    """What ``path`` tells about."""
    return frozenset(name for name, prefixes in ASPECTS.items() if path.startswith(prefixes))


def consistency(claims: Sequence[Claim]) -> float:
    counted = [claim for claim in claims if claim.opportunities and claim.path != "preferences"]
    seen = [claim.support / claim.opportunities for claim in counted]
    return sum(seen) / len(seen) if seen else 0.0
