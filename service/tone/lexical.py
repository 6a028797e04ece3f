"""The tone of an edit from what can be counted: the answer that is always there.

Each label is one direction of one scale. A scale's score joins two witnesses: the value the analysis put on
the scale (word lists of the language, -1..1) and the markers counted in the delta. Markers are weighted by
how much one of them says alone: a ``lol`` is nearly proof (0.5), an exclamation mark, a word in capitals or a
contraction is a good hint (0.25), a hedge or an intensifier a hint (0.2), a "you" hardly one (0.1, four of them
are needed to be heard). Their sum saturates as ``1 - exp(-|sum|)``, so that ten exclamation marks are not ten
times one.
Agreeing witnesses count as the stronger of the two, because they have largely seen the same words;
disagreeing ones are subtracted.

The strongest scale names the label. Below 0.25 - one hint by itself scores 0.22 - the answer is "no change"
rather than a guess. Confidence is ``0.35 + 0.6 * score``, less up to a quarter when another scale is as
strong: 0.59 for two contractions, 0.9 ("decisive": no model is asked) only from a score of 0.92 without a
rival. It never reaches 1: words out of context do not prove a tone. Only "nothing happened" is certain: a
noise edit is "no change" with confidence 1.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

from schemas.delta import Count, StyleDelta, ToneLabel, ToneShift
from service.tone.base import Judgement, State, ToneRequest, ToneStats

FLOOR = 0.25
# The names of each scale's directions, up and down. Ties fall to the first: a joke is rarer, hence says more, than a
# contraction.
LABELS: dict[str, tuple[ToneLabel, ToneLabel]] = {
    "humor": ("more humorous", "more serious"),
    "formality": ("more professional", "more casual"),
    "enthusiasm": ("more enthusiastic", "more subdued"),
    "directness": ("more direct", "more indirect"),
}
_DIRECTIONS = tuple(LABELS.values())
NOTHING_HAPPENED = ToneShift(label="no change", confidence=1.0, source="lexical")
NOTHING_HEARD = ToneShift(label="no change", confidence=0.0, source="lexical")


def label(delta: StyleDelta) -> ToneShift:
    """The lexical tone of one edit; pure, total, and the same for the same delta."""
    if delta.is_noise:
        return NOTHING_HAPPENED
    scores = _scores(delta)
    strengths = [abs(score) for score in scores]
    rival, best = sorted(strengths)[-2:]
    if best < FLOOR:
        return NOTHING_HEARD
    scale = strengths.index(best)
    up, down = _DIRECTIONS[scale]
    confidence = (0.35 + 0.6 * best) * (1 - 0.25 * max(0.0, rival - FLOOR) / best)
    return ToneShift(label=up if scores[scale] > 0 else down, confidence=round(confidence, 3), source="lexical")


def _scores(delta: StyleDelta) -> tuple[float, float, float, float]:
    """The scores of the scales of ``LABELS``, in their order."""
    scales = delta.tone_scales
    loudness = 0.25 * (_net(delta.exclamations) + _net(delta.capitals)) + 0.2 * _net(delta.intensifiers)
    formal = 0.25 * (_net(delta.formal_words) - _net(delta.casual_words) - _net(delta.contractions))
    return (
        _join(scales.humor, 0.5 * _net(delta.laughter)),
        _join(scales.formality, formal),
        # Feeling is no label of its own; strong words of either kind are heard as enthusiasm, at half weight.
        _join(_stronger(scales.enthusiasm, scales.emotionality / 2), loudness),
        _join(scales.directness, 0.1 * _net(delta.second_person) - 0.2 * _net(delta.hedges)),
    )


def _net(count: Count) -> int:
    return count.added - count.removed


def _join(scale: float, markers: float) -> float:
    if not markers:
        return scale
    counted = math.copysign(1 - math.exp(-abs(markers)), markers)
    return scale + counted if scale * counted < 0 else _stronger(scale, counted)


def _stronger(first: float, second: float) -> float:
    return first if abs(first) >= abs(second) else second


class LexicalTone:
    """The classifier without a model."""

    def __init__(self) -> None:
        self.stats = ToneStats()

    async def classify(self, edits: Sequence[ToneRequest], *, late: bool = False) -> list[Judgement]:
        return [Judgement(label(edit.delta)) for edit in edits]

    async def aclose(self) -> None:
        return None

    def state(self) -> State:
        return "disabled"
