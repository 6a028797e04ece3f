"""What a model's label adds to what was counted, and what it cannot turn."""

from __future__ import annotations

from datetime import timedelta

import pytest

from schemas.delta import StyleDelta, ToneLabel, ToneScales, ToneShift
from service.learning.learn import learn, new_profile
from service.learning.votes import SCALES, signals
from tests.learning.handmade import RULES, START


def edit(counted: float, label: ToneLabel, confidence: float = 0.9, number: int = 0) -> StyleDelta:
    return StyleDelta(
        job_id=f"j{number:02}",
        edited_at=START + timedelta(hours=number),
        is_noise=False,
        tone_scales=ToneScales(enthusiasm=counted),
        tone_shift=ToneShift(label=label, confidence=confidence, source="gemini"),
    )


@pytest.mark.parametrize(
    ("counted", "label", "confidence", "expected"),
    [
        (0.0, "more enthusiastic", 0.9, 0.9),
        (0.5, "more enthusiastic", 0.9, 0.9),
        (0.95, "more enthusiastic", 0.9, 0.95),
        (-0.5, "more enthusiastic", 0.9, 0.9),  # one sign against it
        (-0.667, "more enthusiastic", 0.9, 0.0),  # two are facts
        (0.75, "more subdued", 1.0, 0.0),
        (-0.75, "more enthusiastic", 0.4, -0.75),  # a guess is no label
        (0.5, "no change", 1.0, 0.5),
        (0.5, "more casual", 1.0, 0.5),  # says nothing of this scale
    ],
)
def test_a_label_and_a_count(counted: float, label: ToneLabel, confidence: float, expected: float) -> None:
    assert signals(edit(counted, label, confidence))[SCALES.index("enthusiasm")] == expected


def claimed(*edits: StyleDelta) -> str:
    return learn(new_profile("ana", START), edits, RULES, START).profile.directions.tone.enthusiasm


def test_labels_against_the_facts_make_no_claim_of_their_own() -> None:
    assert claimed(*(edit(-0.75, "no change", number=n) for n in range(12))) == "lower"
    assert claimed(*(edit(-0.75, "more enthusiastic", 1.0, n) for n in range(12))) == "none"
    assert claimed(*(edit(0.0, "more enthusiastic", 1.0, n) for n in range(12))) == "higher"
