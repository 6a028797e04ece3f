"""Copies made without pydantic are what pydantic's own would be, and share nothing that is changed in place."""

from __future__ import annotations

from schemas.made import assign, copied, made
from schemas.profile import Phrase, Style, Tone
from service.learning.learn import learn
from service.learning.paths import LEAVES, copy_style, get, put, values
from tests.learning.handmade import RULES, START, edit, shorter, taught


def test_a_copy_is_that_of_pydantic() -> None:
    delta = shorter(1)
    for own, theirs in (
        (copied(delta), delta.model_copy()),
        (copied(delta, {"revision": 3}), delta.model_copy(update={"revision": 3})),
    ):
        assert own == theirs
        assert own.model_fields_set == theirs.model_fields_set
        assert own.model_dump_json() == theirs.model_dump_json()
    assert delta.revision == 0


def test_what_is_made_and_assigned_is_an_object_of_the_model() -> None:
    fields = Tone(formality=7.0).model_dump()
    tone = made(Tone, fields)
    assign(tone, {"humor": 3.0})
    assert tone == Tone(formality=7.0, humor=3.0)
    assert tone.model_fields_set == set(Tone.model_fields)


def test_a_copied_style_is_its_own() -> None:
    style = Style(common_phrases=[Phrase(phrase="by the way")])
    before, copy = style.model_dump_json(), copy_style(style)
    assert copy == style
    put(copy, "tone.formality", 9.0)
    put(copy, "directions.tone.humor", "higher")
    put(copy, "vocabulary_level", "simple")
    copy.common_phrases.clear()
    assert style.model_dump_json() == before
    assert values(copy) == tuple(get(copy, path) for path in LEAVES)


def test_learning_changes_neither_the_profile_nor_its_versions() -> None:
    profile = taught(*(shorter(index, phrases_removed=("a true classic",)) for index in range(8)))
    before = profile.model_dump_json()
    updated = learn(profile, [edit(index, tone_scales={"formality": -0.6}) for index in range(8, 14)], RULES, START)
    assert profile.model_dump_json() == before
    assert updated.profile.versions[:-1] == profile.versions
    assert updated.profile.versions[-1].style.directions == updated.profile.directions
