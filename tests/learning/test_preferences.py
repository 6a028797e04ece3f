"""Preferences: statements of a model as evidence that grows, fades, is contradicted, and is never more than that."""

from __future__ import annotations

import random
from datetime import timedelta

import pytest

from schemas.delta import StyleDelta, ToneShift
from schemas.profile import Profile
from service.learning.edit import override, seed
from service.learning.guide import guide_lines, render_guide
from service.learning.learn import learn, new_profile
from service.learning.preferences import meaning
from tests.learning.handmade import RULES, START

SHORT = "Splits long sentences into short ones"
SEEN = ToneShift(source="gemini", confidence=0.9)


def said(number: int, *statements: str, seen: bool = True) -> StyleDelta:
    return StyleDelta(
        job_id=f"j{number:03}",
        edited_at=START + timedelta(hours=number),
        is_noise=False,
        statements=statements,
        tone_shift=SEEN if seen else ToneShift(),
    )


def learned(edits: list[StyleDelta], profile: Profile | None = None) -> Profile:
    return learn(profile or new_profile("ana", START), edits, RULES, START).profile


def held(profile: Profile) -> list[tuple[str, int]]:
    return [(one.statement, one.support) for one in profile.preferences]


def test_a_statement_needs_as_many_edits_as_a_common_phrase() -> None:
    assert held(learned([said(n, SHORT) for n in range(2)])) == []
    profile = learned([said(n, SHORT) for n in range(3)])
    assert held(profile) == [(SHORT, 3)]
    assert profile.preferences[0].edits == ["j000", "j001", "j002"]
    assert profile.preferences[0].last_seen == START + timedelta(hours=2)


def test_other_words_for_the_same_add_up_and_the_usual_ones_are_shown() -> None:
    words = ("Removes hedges", "Removes hedging", "Uses fewer hedges", "Removes hedges")
    edits = [said(number, text) for number, text in enumerate(words)]
    assert held(learned(edits)) == [("Removes hedges", 4)]


@pytest.mark.parametrize(
    ("one", "other", "relation"),
    [
        ("Prefers shorter sentences", "Uses short sentences overall", 1),
        ("Prefers shorter sentences", "Prefers longer sentences", -1),
        ("Avoids long sentences", "Prefers short sentences", 1),
        ("Adds emoji", "Removes emoji", -1),
        ("Uses fewer emoji", "Removes emoji", 1),
        ("Adds emoji", "Adds bullet points", 0),
        ("Splits long sentences into short ones", "Prefers shorter sentences", 1),
        ("Merges short sentences into longer ones", "Prefers shorter sentences", -1),
        ("Prefers fewer sentences", "Prefers shorter sentences", 0),
        ("Replaces formal words with casual ones", "Uses formal words", -1),
        ("Writes casually", "Prefers casual words", 1),
        ("Prefers the usual", "Often uses text", 0),
        ("Adds hedging words", "Cuts hedging words", -1),
        ("Writes more formally", "Writes in a casual tone", 0),
    ],
)
def test_what_statements_are_about(one: str, other: str, relation: int) -> None:
    first, second = meaning(one), meaning(other)
    assert (first.side * second.side if first.same_topic(second) else 0) == relation


def test_what_nobody_sees_any_more_is_taken_back() -> None:
    edits = [said(n, SHORT) for n in range(5)]
    gone = next(n for n in range(1, 15) if not held(learned([*edits, *(said(5 + m) for m in range(n))])))
    assert 4 <= gone <= 9


def test_edits_no_model_saw_say_nothing() -> None:
    edits = [said(n, SHORT) for n in range(4)]
    assert held(learned([*edits, *(said(4 + n, seen=False) for n in range(12))])) == [(SHORT, 4)]


def test_it_ages_with_the_edits_that_showed_it() -> None:
    edits = [said(n, SHORT) for n in range(4)]
    assert held(learned([*edits, *(said(4 + n, seen=False) for n in range(20))])) == []


def test_the_opposite_takes_it_back_and_takes_its_place() -> None:
    edits = [said(n, "Adds emoji") for n in range(5)]
    edits += [said(10 + n, "Removes all emoji") for n in range(5)]
    profile = learned(edits)
    assert held(profile) == [("Removes all emoji", 5)]


def test_never_more_than_ten() -> None:
    words = [
        "commas",
        "dashes",
        "verbs",
        "nouns",
        "titles",
        "quotes",
        "dates",
        "jokes",
        "names",
        "tables",
        "units",
        "rhymes",
    ]
    edits = [
        said(3 * part + n, *(f"Reworks {word}" for word in words[part * 4 : part * 4 + 4]), seen=False)
        for part in range(3)
        for n in range(3)
    ]
    profile = learned(edits)
    assert len(profile.preferences) == 10
    assert all(one.support == 3 for one in profile.preferences)


def test_order_batches_and_repeats_do_not_matter() -> None:
    edits = [said(n, SHORT, *(["Adds emoji"] if n % 2 else ["Removes hedges"])) for n in range(12)]
    whole = learned(edits)
    parts = learned(edits[:5])
    parts = learned([*edits[3:9]], parts)
    parts = learned(random.Random(3).sample(edits, len(edits)), parts)
    assert parts.preferences == whole.preferences
    assert whole.preferences


def test_they_move_nothing_else() -> None:
    plain = [said(n) for n in range(6)]
    with_words = [edit.model_copy(update={"statements": (SHORT, "Adds emoji")}) for edit in plain]
    one, other = learned(plain), learned(with_words)
    assert other.preferences
    assert one.directions == other.directions
    assert one.evolution_score == other.evolution_score
    assert one.learning_iterations == other.learning_iterations


def test_the_guide_quotes_them_with_their_count() -> None:
    profile = learned([said(n, SHORT) for n in range(4)])
    assert f'- Seems to keep to this: "{SHORT}" (seen in 4 of 4 edits).' in render_guide(profile).splitlines()
    assert profile.style_guide == render_guide(profile)


def test_a_person_sets_them_and_learning_never_touches_them_again() -> None:
    profile = learned([said(n, SHORT) for n in range(4)])
    profile = override(profile, "preferences", ["Never shouts"], RULES, START).profile
    profile = learned([said(n, "Adds emoji") for n in range(10, 15)], profile)
    assert held(profile) == [("Never shouts", 0)]
    assert guide_lines(profile)[0].text == 'Keeps to this: "Never shouts" (set by hand).'


def test_a_seed_holds_until_edits_speak_against_it() -> None:
    profile = seed(new_profile("ana", START), {"preferences": ["Adds emoji"]}, RULES, START).profile
    profile = learned([said(n) for n in range(3)], profile)
    assert [one.statement for one in profile.preferences] == ["Adds emoji"]
    profile = learned([said(n, "Removes emoji") for n in range(3, 10)], profile)
    assert [one.statement for one in profile.preferences] == ["Removes emoji"]


def test_a_change_is_explained() -> None:
    outcome = learn(new_profile("ana", START), [said(n, SHORT) for n in range(3)], RULES, START)
    assert outcome.milestone.changes == [f'preference "{SHORT}" (3 edits)']
    assert outcome.patterns == ["preference"]  # the log has the kind, never the words
