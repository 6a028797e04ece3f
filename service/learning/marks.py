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
from typing import Final

from schemas.delta import StyleDelta
from service.analysis.lexicon import lexicon
from service.analysis.scales import phrase_signs
from service.learning import votes
from service.learning.belief import Vote
from service.learning.facts import Facts
from service.learning.phrase_text import piece
from service.learning.phrases import Found, Sides, Spans

# Less than half a sign left is nothing.
LEFT: Final = 0.5


def _signs(value: float) -> float:
    return value / max(1.0 - abs(value), 0.1)


@lru_cache(maxsize=4096)
def tone_of(phrase: str, language: str) -> tuple[float, ...]:
    """The signs a phrase brings on each of ``votes.SCALES`` when it is put in."""
    return phrase_signs(phrase, lexicon(language))


def tone_votes(
    edits: Sequence[StyleDelta], facts: Sequence[Facts], sides: Sides, learned: Sequence[Found]
) -> dict[str, list[Vote]]:
    """The votes of ``edits`` on each tone scale, less what the learned phrases account for."""
    language = edits[-1].language if edits else "und"
    marked = {piece(one.phrase.phrase).key: tone_of(one.phrase.phrase, language) for one in learned}
    brought = [_brought(edit, out, put, marked) for edit, out, put in zip(edits, *sides, strict=True)]
    moves = [one.moves for one in facts]
    if not edits:
        return {scale: [] for scale in votes.SCALES}
    columns = zip(votes.SCALES, zip(*moves, strict=True), zip(*brought, strict=True), strict=True)
    return {scale: _column(values, signs) for scale, values, signs in columns}


def _column(values: Sequence[float], brought: Sequence[float]) -> list[Vote]:
    """The votes on one scale."""
    if not any(brought):
        return [votes.TONE[(value > 0) - (value < 0)] for value in values]
    both = zip(values, brought, strict=True)
    return [votes.tone(value) if _is_left(value, signs) else votes.NOTHING for value, signs in both]


def _brought(edit: StyleDelta, out: Spans, put: Spans, marked: dict[str, tuple[float, ...]]) -> tuple[float, ...]:
    """The signs on each scale that learned phrases put in or taken out brought, and what took their place."""
    if not out.text and not put.text:
        return votes.SILENT
    signs = votes.SILENT
    for wanted, tones in marked.items():
        times = (wanted in put.text) - (wanted in out.text)
        if times < 0 and edit.substitutions:
            instead = [swap.after for swap in edit.substitutions if wanted in piece(swap.before).key]
            signs = tuple(map(sum, zip(signs, *(tone_of(one, edit.language) for one in instead), strict=True)))
        if times:
            signs = tuple([sign + times * tone for sign, tone in zip(signs, tones, strict=True)])
    return signs


def _is_left(value: float, brought: float) -> bool:
    """Whether a signal remains without what phrases brought; no signal is no matter of phrases."""
    if not value or not brought:
        return True
    return abs(_signs(value) - brought) >= LEFT and (_signs(value) - brought) * value > 0
