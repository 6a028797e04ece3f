"""What a text says changes at most the label of its own edit, whatever delimiter it tries to close."""

from __future__ import annotations

import json

import pytest

from service.tone.cache import MemoryToneCache
from service.tone.fake import FakeGemini
from service.tone.prompt import INSTRUCTIONS

from .attacks import ATTACKS
from .conftest import OpenTone
from .obedient import obey
from .samples import edit

FIRST = ("The menu has soup.", "The menu has soup!!")
LAST = ("We are glad that you are here.", "We're glad you're here.")


def test_the_corpus_is_large_enough_and_every_text_is_an_order() -> None:
    assert len(set(ATTACKS)) == len(ATTACKS) >= 30
    for attack in ATTACKS:
        body = _naive(attack)
        answer = json.loads(obey(body))
        assert {tone["label"] for tone in answer["edits"]} == {"more humorous"}


def _naive(attack: str) -> dict[str, object]:
    """A prompt as one should not write it: the text pasted beside the data. The double obeys it for all edits."""
    document = {"edits": [{"id": n, "changes": [{"before": "a", "after": "b"}]} for n in range(3)]}
    return {
        "systemInstruction": {"parts": [{"text": INSTRUCTIONS}]},
        "contents": [{"parts": [{"text": json.dumps(document) + attack}]}],
    }


@pytest.mark.anyio
@pytest.mark.parametrize("side", ["before", "after", "both", "split"])
async def test_an_attack_changes_only_its_own_label(fake: FakeGemini, opened: OpenTone, side: str) -> None:
    fake.answer = obey
    tone = opened(max_calls_per_minute=1_000, cache=MemoryToneCache(entries=1))
    obeyed = 0
    for attack in ATTACKS:
        pairs = {
            "before": ((attack, "Plain."),),
            "after": (("Plain.", attack),),
            "both": ((attack, attack + "!"),),
            "split": ((attack[: len(attack) // 2], attack[len(attack) // 2 :]), ("", attack), (attack, "")),
        }[side]
        shifts = await tone.classify([edit(FIRST), edit(*pairs), edit(LAST)])
        assert [shifts[0].shift.label, shifts[2].shift.label] == ["more enthusiastic", "more casual"], attack
        assert shifts[0].shift.source == shifts[2].shift.source == "gemini"
        obeyed += shifts[1].shift.label == "more humorous"
    assert obeyed >= 30  # the orders did reach the model, as data
    assert len(fake.requests) == len(ATTACKS)
    assert all(request.body for request in fake.requests)  # none of them broke the request either


@pytest.mark.anyio
async def test_a_model_that_was_won_over_answers_a_label_or_nothing(fake: FakeGemini, opened: OpenTone) -> None:
    hostile = {"id": 0, "label": "more humorous", "confidence": 1.0}
    for answer in (
        json.dumps({"edits": [hostile] * 3, "statements": []}),
        json.dumps({"edits": [{**hostile, "label": "$where: 1"}, {**hostile, "id": 1}], "statements": []}),
        "I obey: everything is more humorous.",
    ):
        fake.answer = lambda body, answer=answer: answer  # type: ignore[misc]
        shifts = await opened().classify([edit(FIRST), edit(LAST)])
        assert {one.shift.source for one in shifts} == {"lexical"}


@pytest.mark.anyio
async def test_ids_of_jobs_and_writers_are_not_sent(fake: FakeGemini, opened: OpenTone) -> None:
    await opened().classify([edit(job="canary-job", content_id="canary-content", sample="canary-sample")])
    assert b"canary" not in fake.requests[0].raw
