"""What `analyze` says about whole edits: hard cases, each with the fact it is there for."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from schemas.delta import StyleDelta
from service.analysis import analyze, contains

EDITS = Path(__file__).parents[2] / "service" / "sample" / "edits.jsonl"


def delta(before: str | list[str], after: str | list[str]) -> StyleDelta:
    """The delta of two texts."""
    return analyze(before, after).delta


@pytest.mark.parametrize(
    ("before", "after"),
    [
        pytest.param("The garden is open.", "The garden is open.", id="nothing"),
        pytest.param("The garedn is oepn beihnd teh pond.", "The garden is open behind the pond.", id="typos"),
        pytest.param("We met alot  of people , once.", "We met a lot of people, once.", id="spacing"),
        pytest.param("It opens on monday in berlin.", "It opens on Monday in Berlin.", id="case"),
        pytest.param("The shop sold eleven bikes in 2023.", "The shop sold twelve bikes in 2024.", id="numbers"),
        pytest.param("On Monday we met with Maria.", "On Tuesday we met with Anna.", id="names"),
        pytest.param("We meet on Monday at 10 a.m. with Maria.", "We meet on Tuesday at 9:30 with Anna.", id="facts"),
        pytest.param("He go home. She have a apple.", "He goes home. She has an apple.", id="grammar"),
        pytest.param("It depend of the weather today.", "It depends on the weather today.", id="preposition"),
        pytest.param("One is here. Two went.\n\nThree came.", "Three came.\n\nOne is here. Two went.", id="moved"),
        pytest.param("Run `foo` at https://a.com now.", "Run `bar` at https://b.org/x now.", id="code and links"),
        pytest.param("Look:\n```\na = 1\n```\nDone now.", "Look:\n```\nb = 2\n```\nDone now.", id="fence"),
        pytest.param("The children’s corner’s open.", "The children's corner's open.", id="apostrophes"),
        pytest.param("Ask @anna about the pump.", "Ask @ben about the pump.", id="mention"),
    ],
)
def test_repairs_facts_and_moves_are_noise(before: str, after: str) -> None:
    found = delta(before, after)
    assert found.is_noise
    assert found.phrases_added == found.phrases_removed == ()
    assert found.substitutions == ()


@pytest.mark.parametrize(
    ("before", "after"),
    [
        pytest.param("The market is great.", "The market is great!", id="exclamation"),
        pytest.param("Great day today.", "Great day today. 🎉", id="emoji"),
        pytest.param("Great day 🎉", "Great day 🚀", id="emoji swapped"),
        pytest.param("One is here. Two went.", "One is here.\n\nTwo went.", id="paragraph"),
        pytest.param("The bread is ready, and the cake is warm.", "The bread is ready. The cake is warm.", id="split"),
        pytest.param("The bread is ready. The cake is warm.", "The bread is ready; the cake is warm.", id="merged"),
        pytest.param("It is late. We do not know.", "It's late. We don't know.", id="contractions"),
        pytest.param("We utilize it.", "We use it.", id="pair"),
        pytest.param("Das können Sie heute sehen.", "Das kannst du heute sehen.", id="address"),
        pytest.param("Come, see and taste it.", "- Come\n- See\n- Taste it", id="bullets"),
    ],
)
def test_style_is_no_noise(before: str, after: str) -> None:
    assert not delta(before, after).is_noise
    assert not delta(after, before).is_noise


@pytest.mark.parametrize(
    ("before", "after", "removed"),
    [
        (
            "For a calm afternoon, look no further than the garden.",
            "For a calm afternoon, visit the garden.",
            ["look no further"],
        ),
        (
            "The market is a feast for the senses every Sunday.",
            "The market is lively every Sunday.",
            ["a feast for the senses"],
        ),
        ("In today's fast-paced world, we build tools.", "We build tools.", ["In today's fast-paced world"]),
        ("It is important to note that the garden is open.", "The garden is open.", ["It is important to note"]),
        ("Our game-changer is here. It is big.", "Our tool is here. It is big.", ["game-changer"]),
        ("We leverage the power of wind daily.", "We use wind daily.", ["leverage the power"]),
        (
            "The café is a true testament to the power of art.",
            "The café shows the power of art.",
            ["a true testament"],
        ),
        ("Let's dive in! The market opens at nine.", "The market opens at nine.", ["Let's dive in"]),
        ("We offer fresh bread, fresh cake and tea today.", "We offer fresh cake and tea today.", ["fresh bread"]),
        ("Discover the vibrant tapestry of flavors here.", "Discover the flavors here.", ["vibrant tapestry"]),
        (
            "In der heutigen schnelllebigen Welt backen wir Brot.",
            "Wir backen Brot.",
            ["In der heutigen schnelllebigen Welt"],
        ),
        (
            "El mercado es un festín para los sentidos hoy.",
            "El mercado es alegre hoy.",
            ["un festín para los sentidos"],
        ),
        ("C'est un véritable festin pour les sens.", "C'est bon.", ["un véritable festin pour les sens"]),
        ("この記事では、良い方法を紹介します。", "良い方法を紹介します。", ["この記事では"]),
        ("在当今快节奏的世界里，我们做面包。", "我们做面包。", ["在当今快节奏的世界里"]),
    ],
)
def test_removed_phrases(before: str, after: str, removed: list[str]) -> None:
    assert list(delta(before, after).phrases_removed) == removed
    assert delta(before, after).phrases_added == ()


@pytest.mark.parametrize(
    ("before", "after", "added"),
    [
        ("The greenhouse gets a new door.", "Quick reminder: the greenhouse gets a new door.", ["Quick reminder"]),
        ("We open at nine every day.", "Here's the thing: we open at nine every day.", ["Here's the thing"]),
        ("In conclusion, the pump works well.", "Bottom line: the pump works well.", ["Bottom line"]),
        ("The pump works well.", "The pump works well.\n\nSign up at the desk.", []),
    ],
)
def test_added_phrases(before: str, after: str, added: list[str]) -> None:
    assert list(delta(before, after).phrases_added) == added


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("We utilize tools. The team selected it.", "We use tools. The team picked it."),
        ("I think it works. Perhaps it is late.", "It works. It is late."),
        ("It is very big and really new.", "It is big and new."),
        ("The bread is ready, because the oven is hot.", "The bread is ready. The oven is hot."),
        (
            "温室には新しい扉が必要です、そして図書館は探しています。",
            "温室には新しい扉が必要です。図書館は探しています。",
        ),
    ],
)
def test_what_is_counted_elsewhere_is_no_phrase(before: str, after: str) -> None:
    assert delta(before, after).phrases_removed == ()
    assert delta(after, before).phrases_added == ()


def test_substitutions_are_paired_by_place() -> None:
    before = "We utilize it. The library seeks help; it does not close."
    found = delta(before, "We use it. The library looks for help; it doesn't close.")
    assert [(s.before, s.after) for s in found.substitutions] == [
        ("utilize", "use"),
        ("seeks", "looks for"),
        ("does not", "doesn't"),
    ]
    assert found.tone_scales.formality < -0.5
    assert found.contractions.added == 1
    assert found.formal_words.removed == 1


def test_tone_scales_are_signed() -> None:
    assert delta("It's fine. We don't know.", "It is fine. We do not know.").tone_scales.formality > 0.5
    assert delta("I think it might rain.", "It will rain.").tone_scales.directness > 0.5
    assert delta("It will rain.", "Perhaps it might rain.").tone_scales.directness < -0.5
    assert delta("It is here!! Amazing!", "It is here. Good.").tone_scales.enthusiasm < -0.5
    assert delta("Sie können Ihren Platz buchen.", "Du kannst deinen Platz buchen.").tone_scales.formality < -0.3
    assert delta("講座は満席です。春が来ました。", "講座は満席だ。春が来た。").tone_scales.formality < -0.3


def test_emoji_are_compared_as_multisets() -> None:
    found = delta("a 👨‍👩‍👧 b 🇩🇪 c 👍", "a 🇩🇪 b 👍🏽 c 1️⃣ ™ © → 7")
    assert found.emoji_added == ("👍🏽", "1️⃣")
    assert found.emoji_removed == ("👨‍👩‍👧", "👍")
    assert (found.emoji.before, found.emoji.after) == (3, 3)


def test_list_made_of_a_sentence_shortens_nothing() -> None:
    before = "The pond is quiet in the early morning. Please bring a bottle, a front light and a tube.\n\nThe end."
    after = "The pond is quiet in the early morning. Please bring:\n- a bottle\n- a front light\n- a tube\n\nThe end."
    found = delta(before, after)
    assert found.bullets.added == 3
    assert found.phrases_added == found.phrases_removed == ()
    assert found.paragraph_length.difference == 0
    assert abs(found.sentence_length.difference) < 3


def test_call_to_action_does_not_shorten_paragraphs() -> None:
    body = "The pond is quiet in the early morning. The bakery opens an hour earlier. The route ends at the lighthouse."
    found = delta(body, f"{body}\n\nSign up at the desk.")
    assert found.paragraphs.added == 1
    assert found.paragraph_length.difference == 0
    assert (found.ending_before, found.ending_after) == ("none", "cta")


def test_paragraph_breaks_change_paragraph_length() -> None:
    found = delta("One is here.\n\nTwo went home.\n\nThree came.", "One is here. Two went home. Three came.")
    assert (found.paragraphs.before, found.paragraphs.after, found.paragraphs.removed) == (3, 1, 2)
    assert found.paragraph_length.difference > 4


def test_rewrite_keeps_a_sample_and_no_phrases() -> None:
    mine = "I wanted something else entirely: slow mornings, cold water, nobody talking. " * 20
    found = delta("The market is a feast for the senses every Sunday.", mine)
    assert found.is_rewrite
    assert not found.is_noise
    assert found.sample is not None
    assert len(found.sample) <= 800
    assert found.phrases_added == found.phrases_removed == ()
    assert not found.substitutions
    assert contains(found.kept_words, "cold water")


@pytest.mark.parametrize(
    ("text", "ending"),
    [
        ("It works. Let us know what you think!", "cta"),
        ("It works. Reserve your seat by Friday.", "cta"),
        ("It works. What do you do?", "question"),
        ("It works. In short, less is more.", "summary"),
        ("It works. Looking back, it taught me patience.", "reflection"),
        ("It works. The pond is quiet.", "none"),
        ("Es geht. Melde dich bis Freitag an.", "cta"),
        ("Todo funciona. Reserva tu plaza hoy.", "cta"),
        ("Tout marche. Inscrivez-vous avant vendredi.", "cta"),
        ("Tudo funciona. Inscreva-se hoje.", "cta"),
        ("春が来ました。ぜひお申し込みください。", "cta"),
        ("花园开放了。欢迎报名参加。", "cta"),
    ],
)
def test_endings(text: str, ending: str) -> None:
    assert delta("", text).ending_after == ending


def test_threads_are_summed_and_posts_aligned() -> None:
    before = ["One is here today 🎉.", "Two went home early.", "Three came by bike."]
    after = ["One is here today.", "Three came by bike.", "Four is something new entirely, 🚀 said Ann."]
    found = delta(before, after)
    assert (found.posts.before, found.posts.after, found.posts.added, found.posts.removed) == (3, 3, 1, 1)
    assert (found.emoji.added, found.emoji.removed) == (1, 1)
    split = delta("One is here today. Two went home early.", ["One is here today.", "Two went home early."])
    assert (split.posts.added, split.posts.removed) == (1, 0)
    assert split.change_ratio == 0


def test_spans_and_pairs_show_the_evidence() -> None:
    found = analyze("A is here. B went home. We utilize the pump.", "B went home. A is here. We use the pump.")
    assert {span.kind for span in found.spans} == {"moved", "substitution"}
    assert found.pairs == (("We utilize the pump.", "We use the pump."),)


def test_sample_writers() -> None:
    """The sample edits: what each writer is about shows in their deltas, and the typo writer shows nothing."""
    deltas: dict[str, list[StyleDelta]] = {}
    for line in EDITS.read_text("utf-8").splitlines():
        edit = json.loads(line)
        deltas.setdefault(edit["user_id"], []).append(delta(edit["original_text"], edit["edited_text"]))
    assert all(found.is_noise for found in deltas["finn"])
    assert sum(found.sentence_length.difference < -1 for found in deltas["ana"]) >= 5
    assert sum(found.sentence_length.difference < -1 for found in deltas["emi"]) >= 5
    assert sum(found.tone_scales.formality < 0 for found in deltas["ben"]) >= 5
    assert sum(found.tone_scales.formality > 0 for found in deltas["dev"]) >= 5
    assert not any(found.tone_scales.formality for name in ("ana", "chloe", "emi", "gia") for found in deltas[name])
    removed = {phrase for found in deltas["chloe"] for phrase in found.phrases_removed}
    assert removed == {"look no further", "a feast for the senses"}
    assert {phrase for found in deltas["gia"] for phrase in found.phrases_added} == {"Quick reminder"}
    for name in ("ana", "ben", "dev", "emi", "hugo"):
        assert not any(found.phrases_added or found.phrases_removed for found in deltas[name])


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (
            "One long line about the old harbour. It rains.",
            "One long line about the old harbour. It rains.\n\nJoin us.",
        ),
        ("Look here. Bring gloves, a map and fresh bread.", "Look here. Bring:\n- gloves\n- a map\n- fresh bread"),
        ("It works at the end of the day. It rains here.", "It works. It rains here."),
        ("A short one. A much longer sentence about rain.", "A much longer sentence about rain."),
    ],
)
def test_shared_sentences_keep_their_length(before: str, after: str) -> None:
    found = delta(before, after)
    assert found.shared_length.difference == 0
    assert found.sentence_length.difference != 0


def test_splitting_shortens_shared_sentences() -> None:
    found = delta(
        "The ferry is late, and the bus is full. It rains.", "The ferry is late. The bus is full. It rains. Join us!"
    )
    assert found.shared_length.before > found.shared_length.after > 3
