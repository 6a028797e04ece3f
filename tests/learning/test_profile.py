"""The profile as a function of its edits; seeds, overrides, rollback, explanations, score."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.delta import StyleDelta, ToneScales
from service.learning.edit import override, rollback, seed
from service.learning.guide import guide_lines, render_guide
from service.learning.learn import learn, new_profile, relearn
from tests.learning.handmade import RULES, START, at, count, edit, essence, longer, noise, shorter, taught


@st.composite
def histories(draw: st.DrawFn) -> list[StyleDelta]:
    """Up to 30 edits at times that collide and cluster."""
    times = draw(st.lists(st.integers(0, 400), max_size=30))
    return [_drawn(draw, index, minute) for index, minute in enumerate(times)]


def _drawn(draw: st.DrawFn, index: int, minute: int) -> StyleDelta:
    fields: dict[str, Any] = {
        "is_noise": draw(st.integers(0, 4)) == 0,
        "sentences": count(6, draw(st.integers(4, 9))),
        "emoji": count(draw(st.integers(0, 2)), draw(st.integers(0, 2))),
        "tone_scales": ToneScales(formality=draw(st.sampled_from([-0.8, 0.0, 0.5]))),
        "phrases_removed": tuple(draw(st.lists(st.sampled_from(["look no further", "delve into data"]), max_size=2))),
        "ending_after": draw(st.sampled_from(["none", "cta", "question"])),
        "sample": draw(st.sampled_from([None, None, "My own words.", "Something else, quite different."])),
    }
    return edit(index, **fields).model_copy(update={"edited_at": at(minute / 100)})


@settings(max_examples=60, deadline=None)
@given(histories(), st.randoms(use_true_random=False), st.integers(1, 7))
def test_order_duplicates_and_batches_do_not_matter(edits: list[StyleDelta], random: Any, size: int) -> None:
    at_once = learn(new_profile("w", START), edits, RULES, at(99)).profile
    shuffled = [*edits, *edits[::3]]
    random.shuffle(shuffled)
    profile = learn(new_profile("w", START), [], RULES, START).profile
    for start in range(0, len(shuffled), size):
        profile = learn(profile, shuffled[start : start + size], RULES, at(start)).profile
    assert essence(profile) == essence(at_once)


@settings(max_examples=30, deadline=None)
@given(histories())
def test_a_stored_profile_learns_on_as_the_one_in_memory(edits: list[StyleDelta]) -> None:
    half = taught(*edits[: len(edits) // 2])
    stored = type(half).model_validate_json(half.model_dump_json())
    rest = edits[len(edits) // 2 :]
    assert essence(taught(*rest, profile=stored)) == essence(taught(*rest, profile=half))


def test_learning_changes_no_profile_in_place() -> None:
    profile = taught(*(shorter(index) for index in range(3)))
    before = profile.model_dump()
    taught(*(longer(10 + index) for index in range(6)), profile=profile)
    override(profile, "tone.formality", 9, RULES, START)
    assert profile.model_dump() == before


def test_what_belongs_to_the_worker_is_left_alone() -> None:
    profile = new_profile("w", START).model_copy(update={"edits_applied": 7, "learn_due_at": at(3)})
    after = taught(shorter(0), profile=profile)
    assert (after.edits_applied, after.learn_due_at, after.pending) == (7, at(3), [])


def test_revisions_versions_and_timeline() -> None:
    profile = taught(*(shorter(index) for index in range(60)))
    assert profile.revision == 60
    assert [one.revision for one in profile.versions] == list(range(51, 61))
    assert len(profile.evolution_timeline) == 50
    assert profile.versions[-1].style.directions == profile.directions
    assert [one.revision for one in profile.recent_edits] == list(range(11, 61))


def test_a_milestone_says_what_changed_and_why() -> None:
    profile = taught(shorter(0), shorter(1))
    outcome = learn(profile, [shorter(2, emoji=count(1, 0))], RULES, at(2))
    assert outcome.patterns == ["sentence length change"]
    assert outcome.milestone.patterns == ["sentence length: shorter"]
    assert "directions.sentence_length: none -> shorter (3 of 3 edits)" in outcome.milestone.changes
    assert outcome.milestone.edits == ["job-2"]
    assert outcome.score_after > outcome.score_before


class TestSeed:
    def test_values_hold_until_edits_speak(self) -> None:
        partial = {
            "tone": {"formality": 8},
            "voice_type": "analytical",
            "directions": {"emoji": "more"},
            "banned_phrases": ["synergy", {"phrase": "circle back", "support": 4}],
        }
        profile = seed(new_profile("w", START), partial, RULES, START, "archetype").profile
        profile = taught(shorter(0), shorter(1), profile=profile)
        assert profile.tone.formality == 8
        assert profile.voice_type == "analytical"
        assert profile.profile_source == "archetype"
        assert [one.phrase for one in profile.banned_phrases] == ["circle back", "synergy"]
        assert profile.directions.emoji == "more"

    def test_edits_speak_against_a_seed(self) -> None:
        partial = {"directions": {"emoji": "more"}, "writing_traits": {"uses_emojis": True, "emoji_frequency": 3}}
        profile = seed(new_profile("w", START), partial, RULES, START).profile
        profile = taught(*(edit(index, emoji=count(2, 0)) for index in range(5)), profile=profile)
        assert profile.directions.emoji == "fewer"
        assert not profile.writing_traits.uses_emojis

    def test_a_shown_profile_is_a_valid_seed(self) -> None:
        shown = taught(*(shorter(index) for index in range(5))).model_dump(mode="json")
        profile = seed(new_profile("w", START), shown, RULES, START).profile
        assert profile.directions.sentence_length == "shorter"
        assert profile.learning_iterations == 5

    @pytest.mark.parametrize(
        ("partial", "words"),
        [
            ({"tone": {"formality": 11}}, ("tone.formality", "10", "11")),
            ({"tone": {"warmth": 3}}, ("tone.warmth", "formality")),
            ({"voice_type": "pirate"}, ("voice_type", "educational", "pirate")),
            ({"mood": 1}, ("mood", "voice_type")),
            ({"tone": 3}, ("tone", "formality")),
            ({"manual_overrides": ["tone.formalty"]}, ("tone.formalty", "tone.formality")),
            ({"profile_source": "dream"}, ("profile_source", "archetype")),
            ({"banned_phrases": [7]}, ("banned_phrases.0",)),
        ],
    )
    def test_wrong_values_are_named(self, partial: dict[str, Any], words: tuple[str, ...]) -> None:
        with pytest.raises(ValueError) as caught:  # noqa: PT011 - the words are asserted below
            seed(new_profile("w", START), partial, RULES, START)
        message = str(caught.value)
        assert "\n" not in message
        for word in words:
            assert word in message


class TestOverride:
    def test_learning_never_touches_it(self) -> None:
        profile = override(new_profile("w", START), "directions.emoji", "more", RULES, START).profile
        profile = override(profile, "writing_traits.avg_sentence_length", 30, RULES, START).profile
        profile = override(profile, "banned_phrases", ["synergy"], RULES, START).profile
        edits = (shorter(index, emoji=count(2, 0), phrases_removed=("look no further",)) for index in range(6))
        profile = taught(*edits, profile=profile)
        assert profile.directions.emoji == "more"
        assert profile.writing_traits.avg_sentence_length == 30
        assert [one.phrase for one in profile.banned_phrases] == ["synergy"]
        assert profile.directions.sentence_length == "shorter"

    def test_a_group_is_held_whole(self) -> None:
        profile = override(new_profile("w", START), "tone", {"formality": 9}, RULES, START).profile
        edits = (edit(index, tone_scales=ToneScales(formality=-1, humor=1)) for index in range(6))
        profile = taught(*edits, profile=profile)
        assert (profile.tone.formality, profile.tone.humor) == (9, 5)
        assert profile.directions.tone.humor == "higher"

    def test_given_back_to_learning(self) -> None:
        edits = [edit(index, emoji=count(2, 0)) for index in range(4)]
        profile = override(taught(*edits), "directions.emoji", "more", RULES, START).profile
        assert profile.directions.emoji == "more"
        profile = override(profile, "directions.emoji", None, RULES, START).profile
        assert profile.directions.emoji == "fewer"
        assert profile.manual_overrides == []

    @pytest.mark.parametrize(
        ("path", "value", "word"),
        [
            ("tone.formalty", 3, "tone.formality"),
            ("tone.formality", 12, "tone.formality"),
            ("tone.formality", None, "not overridden"),
            ("vocabulary_level", "arcane", "simple"),
        ],
    )
    def test_wrong_paths_and_values_are_named(self, path: str, value: Any, word: str) -> None:
        with pytest.raises(ValueError, match=word):
            override(new_profile("w", START), path, value, RULES, START)


class TestRollback:
    def test_the_style_of_then_and_learning_on_from_there(self) -> None:
        good = taught(*(shorter(index) for index in range(4)))
        bad = taught(*(longer(10 + index) for index in range(5)), profile=good)
        assert bad.directions.sentence_length == "longer"
        back = rollback(bad, 4, RULES, at(30)).profile
        assert back.revision == 10
        assert back.directions.sentence_length == "shorter"
        assert back.writing_traits == good.writing_traits
        assert back.learning_iterations == 4
        straight = taught(shorter(40), profile=good)
        assert essence(taught(shorter(40), profile=back)) == essence(straight)

    def test_past_a_seed(self) -> None:
        before = taught(*(shorter(index) for index in range(3)))
        partial = {"writing_traits": {"avg_sentence_length": 40}, "voice_type": "casual"}
        seeded = seed(before, partial, RULES, START).profile
        back = rollback(seeded, 3, RULES, at(9)).profile
        assert back.voice_type == "professional"
        assert back.writing_traits == before.writing_traits
        again = relearn(back, RULES, at(10)).profile
        assert again.voice_type == "professional"
        length = again.writing_traits.avg_sentence_length
        assert length == pytest.approx(before.writing_traits.avg_sentence_length, abs=0.1)

    def test_unknown_revisions_are_refused_with_the_known_ones(self) -> None:
        with pytest.raises(ValueError, match="1, 2, 3"):
            rollback(taught(*(shorter(index) for index in range(3))), 9, RULES, START)

    def test_what_a_person_set_stays(self) -> None:
        profile = taught(*(shorter(index) for index in range(4)))
        profile = override(profile, "voice_type", "casual", RULES, START).profile
        back = rollback(profile, 2, RULES, START).profile
        assert back.voice_type == "casual"
        assert back.directions.sentence_length == "none"


class TestGuide:
    def test_lines_with_evidence_strongest_first(self) -> None:
        edits = [shorter(index, emoji=count(2, 0) if index else count(0, 0)) for index in range(6)]
        edits += [shorter(6 + index, phrases_removed=("look no further",)) for index in range(3)]
        profile = taught(*edits)
        lines = profile.style_guide.splitlines()
        assert lines[0] == "- Keeps sentences near 10 words, shorter than drafts (9 of 9 edits)."
        assert lines[1] == "- Takes emoji out (5 of 5 edits)."
        assert '- Never writes "look no further" (removed in 3 of 3 drafts).' in lines
        supports = [line.support for line in guide_lines(profile)]
        assert supports == sorted(supports, reverse=True)

    def test_overrides_come_first_and_the_budget_is_kept(self) -> None:
        profile = taught(*(shorter(index) for index in range(6)))
        profile = override(profile, "tone.formality", 8, RULES, START).profile
        assert profile.style_guide.splitlines()[0] == "- Formality 8 of 10 (set by hand)."
        assert render_guide(profile, 12) == "- Formality 8 of 10 (set by hand)."
        assert render_guide(profile, 3) == ""

    def test_other_scripts_have_a_token_a_character(self) -> None:
        liked = ["春の京都を静かに歩く朝"]
        profile = override(new_profile("ana", START), "common_phrases", liked, RULES, START).profile
        line = '- Likes to write "春の京都を静かに歩く朝" (set by hand).'  # 11 characters of Japanese, 34 of English
        assert render_guide(profile, 20) == line
        assert render_guide(profile, 15) == ""  # 60 characters would have had room

    def test_nothing_known_is_an_empty_guide(self) -> None:
        assert taught(*(noise(index) for index in range(5))).style_guide == ""


def test_the_score_is_the_sum_of_its_parts_and_separates_writers() -> None:
    habits = taught(*(shorter(index, emoji=count(2, 0)) for index in range(10)))
    parts = habits.evolution_components
    assert habits.evolution_score == pytest.approx(
        parts.samples + parts.iterations + parts.completeness + parts.consistency
    )
    assert parts.iterations == 40
    assert parts.consistency == 20
    facts = taught(*(edit(index) for index in range(10)))
    assert facts.evolution_components.consistency == 0
    assert habits.evolution_score > facts.evolution_score + 20


def test_samples_are_chosen_for_variety() -> None:
    same = [edit(index, is_rewrite=True, sample=f"One more note about our garden number {index}") for index in range(9)]
    other = [edit(20 + index, is_rewrite=True, sample=text) for index, text in enumerate(TEXTS)]
    samples = taught(*same, *other).sample_posts
    assert len(samples) == 10
    assert set(TEXTS) <= set(samples)


TEXTS = ("Soup today, pie tomorrow.", "Why do pumps fail in June?", "Call your mother.", "Rain again. Bring a book.")
