"""What holds for any two texts."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import TypeAdapter

from schemas.delta import Analysis, Count, StyleDelta
from service.analysis import analyze

AS_JSON = TypeAdapter(Analysis)
ANYTHING = st.text(st.characters(), max_size=120)
LIVELY = st.text(
    st.sampled_from("ab .,!?\n-*#_`@:/1é’“—…。、温かな🎉👍\u200d\ufe0f\U0001f3fd\u0301\ud800"), max_size=60
)
PLAIN = ("the", "a", "garden", "opens", "very", "use", "utilize", "it's", "it is", "is not", "do not", "don't")
MARKED = ("think", "I", "perhaps", "Monday", "3.5", ".", ",", "!", ";", "\n\n", "\n- ")
WORDS = st.lists(st.sampled_from(PLAIN + MARKED), max_size=30).map(" ".join)
TEXTS = ANYTHING | LIVELY | WORDS
POSTS = TEXTS | st.lists(TEXTS, min_size=1, max_size=4)


@given(POSTS, POSTS)
def test_any_unicode_survives_and_counts_balance(before: str | list[str], after: str | list[str]) -> None:
    found = analyze(before, after)
    for name in StyleDelta.model_fields:
        value = getattr(found.delta, name)
        if isinstance(value, Count):
            assert value.added - value.removed == value.after - value.before, name
    assert AS_JSON.validate_json(AS_JSON.dump_json(found)) == found


@given(POSTS)
def test_equal_texts_are_noise(text: str | list[str]) -> None:
    found = analyze(text, text).delta
    assert found.is_noise
    assert found.change_ratio == 0
    assert found.phrases_added == found.phrases_removed == ()
    assert not found.substitutions


@given(POSTS, POSTS)
@settings(max_examples=30)
def test_the_same_texts_give_the_same_delta(before: str | list[str], after: str | list[str]) -> None:
    assert analyze(before, after) == analyze(before, after)


PARAGRAPHS = ("One is here.", "Two went home early.", "Three came by bike!", "四人が来た。", "- five\n- six")


@given(st.permutations(PARAGRAPHS), st.permutations(PARAGRAPHS))
def test_moved_paragraphs_are_noise(before: list[str], after: list[str]) -> None:
    assert analyze("\n\n".join(before), "\n\n".join(after)).delta.is_noise


@given(TEXTS, TEXTS)
def test_no_phrase_is_part_of_another(before: str, after: str) -> None:
    found = analyze(before, after).delta
    for phrases in (found.phrases_added, found.phrases_removed):
        assert len(phrases) <= 10
        assert not any(
            one != other and f" {one} ".lower() in f" {other} ".lower() for one in phrases for other in phrases
        )
