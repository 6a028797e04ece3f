"""The tone that a phrase brings with it.

A writer who puts "Here's the thing:" before every post adds a contraction each time, and is no more casual for it: the
phrase is the habit, and it is learned as a phrase. So what the learned phrases of an edit account for is taken off the
tone signal of that edit before it votes. What a phrase accounts for are its own words, in the lists of the edits'
language.

The analysis turns ``n`` more signs one way into ``n / (n + 1)``; ``_signs`` is the inverse.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

from schemas.delta import StyleDelta
from service.analysis.lexicon import lexicon
from service.analysis.scales import phrase_signs
from service.learning import votes
from service.learning.belief import Vote
from service.learning.phrase_text import piece
from service.learning.phrases import Found, Sides, Spans

# Less than half a sign left is nothing.
LEFT = 0.5
NOTHING = Vote(0, 0.0, 0.0)


def _signs(value: float) -> float:
    return value / max(1.0 - abs(value), 0.1)


@lru_cache(maxsize=4096)
def tone_of(phrase: str, language: str) -> tuple[float, ...]:
    """The signs a phrase brings on each of ``votes.SCALES`` when it is put in."""
    return phrase_signs(phrase, lexicon(language))


def tone_votes(edits: Sequence[StyleDelta], sides: Sides, learned: Sequence[Found]) -> dict[str, list[Vote]]:
    """The votes of ``edits`` on each tone scale, less what the learned phrases account for."""
    language = edits[-1].language if edits else "und"
    marked = [(piece(one.phrase.phrase).key, tone_of(one.phrase.phrase, language)) for one in learned]
    moves = [votes.signals(edit) for edit in edits]
    result: dict[str, list[Vote]] = {}
    for index, scale in enumerate(votes.SCALES):
        moved = [move[index] for move in moves]
        brings = [(wanted, tones[index]) for wanted, tones in marked if tones[index]]
        if not any(moved) or not brings:
            result[scale] = list(map(votes.tone, moved))
            continue
        result[scale] = [
            votes.tone(value) if _is_left(value, out, put, brings) else NOTHING
            for value, out, put in zip(moved, *sides, strict=True)
        ]
    return result


def _is_left(value: float, out: Spans, put: Spans, brings: Sequence[tuple[str, float]]) -> bool:
    """Whether a signal remains without the phrases of the edit; no signal is no matter of phrases."""
    if not value:
        return True
    brought = sum(sign * (put.has(wanted) - out.has(wanted)) for wanted, sign in brings)
    return abs(_signs(value) - brought) >= LEFT and (_signs(value) - brought) * value > 0
