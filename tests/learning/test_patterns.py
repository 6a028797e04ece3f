"""What several edits say: thresholds, opportunities, contradiction, retraction."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from schemas.delta import StyleDelta, ToneScales, ToneShift
from service.learning.paths import get
from tests.learning.handmade import RULES, count, edit, longer, measure, noise, shorter, taught

CASES: list[tuple[str, str, int, dict[str, Any]]] = [
    ("directions.sentence_length", "shorter", 3, {"sentences": count(6, 9), "words": count(96, 93)}),
    ("directions.sentence_length", "longer", 3, {"sentences": count(8, 6), "words": count(96, 98)}),
    ("directions.emoji", "more", 3, {"emoji": count(0, 2)}),
    ("directions.emoji", "fewer", 3, {"emoji": count(3, 0)}),
    ("directions.bullets", "more", 3, {"bullets": count(0, 4), "sentences": count(6, 5), "words": count(96, 84)}),
    ("directions.bullets", "fewer", 3, {"bullets": count(4, 0), "sentences": count(5, 6), "words": count(84, 96)}),
    ("directions.headings", "more", 3, {"headings": count(0, 2)}),
    ("directions.headings", "fewer", 3, {"headings": count(2, 0)}),
    ("directions.paragraphs", "shorter", 3, {"paragraphs": count(2, 5), "paragraph_length": measure(48, 19)}),
    ("directions.paragraphs", "longer", 3, {"paragraphs": count(5, 2), "paragraph_length": measure(19, 48)}),
    ("directions.ending", "cta", 3, {"ending_after": "cta"}),
    ("directions.ending", "question", 3, {"ending_before": "summary", "ending_after": "question"}),
    ("directions.tone.formality", "lower", 5, {"tone_scales": ToneScales(formality=-0.6)}),
    ("directions.tone.enthusiasm", "lower", 5, {"tone_scales": ToneScales(enthusiasm=-0.6)}),
    ("directions.tone.directness", "higher", 5, {"tone_scales": ToneScales(directness=0.6)}),
    ("vocabulary_level", "simple", 5, {"complexity_shift": -1}),
    ("voice_type", "storytelling", 5, {"voice_after": "storytelling", "change_ratio": 0.5}),
    (
        "structure_preferences.body",
        "bullets",
        3,
        {"bullets": count(0, 4), "sentences": count(6, 5), "words": count(96, 84)},
    ),
    (
        "structure_preferences.body",
        "steps",
        3,
        {"numbered": count(0, 4), "sentences": count(6, 5), "words": count(96, 84)},
    ),
    ("structure_preferences.body", "analysis", 3, {"body_after": "analysis", "change_ratio": 0.5}),
    ("structure_preferences.intro", "hook", 3, {"opening_after": "hook"}),
    ("writing_traits.uses_hooks", "True", 3, {"opening_after": "hook"}),
    ("writing_traits.uses_questions_often", "True", 3, {"questions": count(0, 1)}),
    (
        "writing_traits.uses_bullet_points",
        "True",
        3,
        {"bullets": count(0, 4), "sentences": count(6, 5), "words": count(96, 84)},
    ),
    (
        "writing_traits.uses_short_paragraphs",
        "True",
        3,
        {"paragraphs": count(2, 5), "paragraph_length": measure(48, 19)},
    ),
    ("writing_traits.uses_emojis", "True", 3, {"emoji": count(0, 2)}),
]


def _neutral(value: str) -> str:
    neutral = {"True": "False", "simple": "medium", "storytelling": "professional", "hook": "statement"}
    return {**neutral, **dict.fromkeys(("bullets", "steps", "analysis"), "narrative")}.get(value, "none")


# These follow from directions, and so do their claims.
FOLLOWING = ("writing_traits.uses_bullet_points", "writing_traits.uses_short_paragraphs", "writing_traits.uses_emojis")


@pytest.mark.parametrize(("path", "fields"), [(case[0], case[3]) for case in CASES if case[0] not in FOLLOWING])
def test_a_claim_names_its_newest_edits_and_when_it_was_last_seen(path: str, fields: dict[str, Any]) -> None:
    profile = taught(*(edit(index, **fields) for index in range(7)), edit(7))
    (claim,) = (one for one in profile.claims if one.path == path)
    assert claim.support == 7
    assert claim.edits == [f"job-{index}" for index in range(2, 7)]
    assert claim.last_seen == profile.recent_edits[6].edited_at


@pytest.mark.parametrize(("path", "value", "threshold", "fields"), CASES)
def test_claimed_at_its_threshold_and_not_before(path: str, value: str, threshold: int, fields: dict[str, Any]) -> None:
    before = taught(*(edit(index, **fields) for index in range(threshold - 1)))
    after = taught(*(edit(index, **fields) for index in range(threshold)))
    assert str(get(before, path)) == _neutral(value)
    assert str(get(after, path)) == value


def test_a_higher_threshold_asks_for_more_edits() -> None:
    rules = replace(RULES, threshold_emoji=6)
    edits = [edit(index, emoji=count(2, 0)) for index in range(6)]
    assert taught(*edits[:5], rules=rules).directions.emoji == "none"
    assert taught(*edits, rules=rules).directions.emoji == "fewer"


SIDE_EFFECTS: list[tuple[str, dict[str, Any]]] = [
    ("a call to action is a short sentence and a short paragraph", {
        "words": count(96, 101), "sentences": count(6, 7), "paragraphs": count(3, 4), "ending_after": "cta",
        "shared_length": measure(16, 16),
    }),
    ("a list is made of one sentence", {
        "words": count(96, 84), "sentences": count(6, 5), "paragraphs": count(3, 4), "bullets": count(0, 4),
    }),
    ("a sentence that was a paragraph goes", {
        "words": count(96, 86), "sentences": count(6, 5), "paragraphs": count(3, 2),
    }),
    ("a removed phrase shortens a little", {"words": count(96, 91), "phrases_removed": ("look no further",)}),
    ("an emoji is swapped", {"emoji": count(2, 2), "emoji_added": ("🎉",), "emoji_removed": ("🚲",)}),
]  # fmt: skip


@pytest.mark.parametrize("fields", [fields for _, fields in SIDE_EFFECTS], ids=[name for name, _ in SIDE_EFFECTS])
def test_side_effects_are_no_habit(fields: dict[str, Any]) -> None:
    directions = taught(*(edit(index, **fields) for index in range(8))).directions
    assert directions.sentence_length == "none"
    assert directions.paragraphs == "none"
    assert directions.emoji == "none"


@pytest.mark.parametrize("kept", [0, 1, 2, 3, 4])
def test_a_habit_holds_in_most_of_its_opportunities(kept: int) -> None:
    taken = [edit(index, emoji=count(2, 0)) for index in (0, 2, 4, 6, 8)]
    left = [edit(2 * index + 1, emoji=count(2, 2)) for index in range(kept)]
    edits = sorted([*taken, *left], key=lambda one: one.edited_at or 0)
    assert taught(*edits).directions.emoji == "fewer"


def test_a_few_of_many_opportunities_are_no_habit() -> None:
    edits = [edit(index, emoji=count(2, 0 if index in (2, 7, 11) else 2)) for index in range(14)]
    assert taught(*edits).directions.emoji == "none"


def test_drafts_that_offer_no_chance_say_nothing() -> None:
    edits = [edit(index, emoji=count(2, 0)) for index in range(4)]
    edits += [edit(4 + index) for index in range(12)]
    assert taught(*edits).directions.emoji == "fewer"


def _emoji(signs: str) -> list[StyleDelta]:
    counts = {"+": count(0, 2), "-": count(2, 0), "0": count(1, 1)}
    return [edit(index, emoji=counts[sign]) for index, sign in enumerate(signs)]


@pytest.mark.parametrize(
    ("signs", "expected"),
    [
        ("++++----", "fewer"),
        ("----++++", "more"),
        ("++++++++++----", "fewer"),
        ("+++++++++++++++----", "fewer"),
        ("+++++++++++++++0-0-0--", "fewer"),
        ("+-+-+-+-", "none"),
        ("++--++--", "none"),
        ("+-++-+--+-", "none"),
        ("+++---+++---", "none"),
        ("++++++-+++", "more"),
        ("+0++0+0+", "more"),
        ("0-000000-0", "none"),
    ],
)
def test_reversals_are_followed_and_wavering_is_not(signs: str, expected: str) -> None:
    assert taught(*_emoji(signs)).directions.emoji == expected


def test_a_reversed_habit_is_followed_within_five_edits() -> None:
    for before in range(3, 16):
        for opposite in ("+", "-"):
            signs = ("-" if opposite == "+" else "+") * before + opposite * 5
            wanted = "more" if opposite == "+" else "fewer"
            assert taught(*_emoji(signs)).directions.emoji == wanted


def test_an_emoji_user_who_stops_is_one_no_more() -> None:
    profile = taught(*_emoji("++++++++"))
    assert profile.writing_traits.uses_emojis
    profile = taught(*(edit(20 + index, emoji=count(2, 0)) for index in range(5)), profile=profile)
    assert not profile.writing_traits.uses_emojis
    assert profile.writing_traits.emoji_frequency < 0.5


def test_hugo_lengthens_and_then_shortens() -> None:
    edits = [*(longer(index) for index in range(4)), *(shorter(4 + index) for index in range(4))]
    assert taught(*edits[:4]).directions.sentence_length == "longer"
    assert taught(*edits).directions.sentence_length == "shorter"


def test_noise_moves_nothing() -> None:
    before = taught(*(shorter(index) for index in range(4)))
    after = taught(*(noise(10 + index) for index in range(12)), profile=before)
    for path in ("directions", "writing_traits", "tone", "claims", "learning_iterations", "evolution_score"):
        assert getattr(after, path) == getattr(before, path)


def test_a_confident_model_label_decides_its_scale() -> None:
    label = ToneShift(label="more casual", confidence=0.8, source="gemini")
    scales = ToneScales(formality=0.4)
    profile = taught(*(edit(index, tone_shift=label, tone_scales=scales) for index in range(5)))
    assert profile.directions.tone.formality == "lower"
    assert profile.tone.formality < 5
    unsure = label.model_copy(update={"confidence": 0.3})
    profile = taught(*(edit(index, tone_shift=unsure, tone_scales=scales) for index in range(5)))
    assert profile.directions.tone.formality == "higher"


def test_endings_taken_away_leave_no_ending() -> None:
    profile = taught(*(edit(index, ending_after="cta") for index in range(4)))
    assert profile.structure_preferences.ending == "cta"
    away = (edit(10 + index, ending_before="cta") for index in range(5))
    profile = taught(*away, profile=profile)
    assert profile.directions.ending == "none"
    assert profile.structure_preferences.ending == "none"


def test_claims_name_their_evidence() -> None:
    profile = taught(*_emoji("--0-----"))
    claim = next(one for one in profile.claims if one.path == "directions.emoji")
    assert (claim.value, claim.support, claim.against, claim.opportunities) == ("fewer", 7, 0, 8)
    assert claim.edits == ["job-3", "job-4", "job-5", "job-6", "job-7"]
    assert claim.last_seen == profile.recent_edits[-1].edited_at
