"""A classifier that is always right never makes a profile worse: direction F1 with and without it, same edits."""

from __future__ import annotations

import json
import random
from collections.abc import Iterable
from datetime import timedelta
from typing import Any

import pytest

from schemas.delta import StyleDelta, ToneLabel
from schemas.profile import Profile
from service.analysis import analyze
from service.learning.learn import learn, new_profile
from service.tone import ToneRequest
from service.tone.fake import FakeGemini
from service.tone.lexical import label
from tests.learning.handmade import RULES, START
from tests.learning.simulated import HABITS, Writer, claims, random_writer, written

from .conftest import OpenTone

LABELS: dict[str, ToneLabel] = {
    "tone.formality:lower": "more casual",
    "tone.formality:higher": "more professional",
    "tone.enthusiasm:lower": "more subdued",
    "tone.enthusiasm:higher": "more enthusiastic",
    "tone.directness:higher": "more direct",
    "tone.directness:lower": "more indirect",
    "tone.humor:higher": "more humorous",
    "tone.humor:lower": "more serious",
}
SEEDS = range(500, 520)


class Truth:
    """What the model behind the double answers: the true label of the edit at hand."""

    def __init__(self) -> None:
        self.label: ToneLabel = "no change"

    def __call__(self, body: dict[str, Any]) -> str:
        document = json.loads(body["contents"][0]["parts"][0]["text"])
        edits = [{"id": edit["id"], "label": self.label, "confidence": 0.95} for edit in document["edits"]]
        return json.dumps({"edits": edits, "statements": []})


def edits_of(writer: Writer) -> Iterable[tuple[str, str, ToneLabel]]:
    """Draft, saved text and true label of each edit; habits are followed now and then, as the writer does."""
    rng = random.Random(writer.seed)
    for _ in range(writer.edits):
        draft = writer.draft()
        text = [list(paragraph) for paragraph in draft]
        true: list[ToneLabel] = []
        for name in writer.habits:
            if rng.random() < writer.share:
                before = written(text)
                text = HABITS[name](text, rng)
                if name in LABELS and written(text) != before:
                    true.append(LABELS[name])
        yield written(draft), written(text), true[0] if true else "no change"


def learned(deltas: list[StyleDelta]) -> Profile:
    profile = new_profile("ana", START)
    for delta in deltas:
        profile = learn(profile, [delta], RULES, START).profile
    return profile


def f1(found: set[str], expected: set[str]) -> float:
    hits = len(found & expected)
    return 2 * hits / max(len(found) + len(expected), 1)


@pytest.mark.anyio
async def test_a_perfect_classifier_never_ends_worse(fake: FakeGemini, opened: OpenTone) -> None:
    fake.answer = truth = Truth()
    tone = opened(max_calls_per_minute=10_000)
    scores: list[tuple[float, float]] = []
    for seed in SEEDS:
        writer, expected = random_writer(seed)
        alone: list[StyleDelta] = []
        judged: list[StyleDelta] = []
        for number, (draft, saved, truth.label) in enumerate(edits_of(writer)):
            analysis = analyze(draft, saved)
            named = {"job_id": f"j{number:02}", "edited_at": START + timedelta(hours=6 * number)}
            delta = analysis.delta.model_copy(update={**named, "tone_shift": label(analysis.delta)})
            (said,) = await tone.classify([ToneRequest(delta.job_id, delta, analysis.pairs)])
            alone.append(delta)
            judged.append(delta.model_copy(update={"tone_shift": said.shift}))
        scores.append((f1(claims(learned(alone)), expected), f1(claims(learned(judged)), expected)))
    assert len(fake.requests) > 100  # it was asked
    assert tone.stats.fallbacks == 0
    assert [pair for pair in scores if pair[1] < pair[0]] == []
    assert sum(judged for _, judged in scores) >= sum(alone for alone, _ in scores) > 0.7 * len(scores)
