"""What is sent: within the budget, valid JSON for any text, and nothing of a text outside a string."""

from __future__ import annotations

import json
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.tone.prompt import INSTRUCTIONS, SCHEMA_TOKENS, clean, estimate_tokens, pack

STRING = re.compile(r'"(?:[^"\\]|\\.)*"')
texts = st.text(st.characters(), max_size=400) | st.sampled_from(["", "a" * 50_000, "字" * 3_000, "🙂 " * 800])
edits = st.lists(st.lists(st.tuples(texts, texts), max_size=12).map(tuple), max_size=30)


@given(edits, st.integers(640, 3_000))
def test_any_texts_fit_and_stay_inside_their_strings(pairs: list[tuple[tuple[str, str], ...]], budget: int) -> None:
    prompt = pack(pairs, budget)
    if prompt is None:
        return
    spent = estimate_tokens(prompt.document) + estimate_tokens(INSTRUCTIONS) + SCHEMA_TOKENS
    assert spent <= budget
    parsed = json.loads(prompt.document)
    assert [edit["id"] for edit in parsed["edits"]] == list(range(len(prompt.positions)))
    assert list(prompt.positions) == sorted(set(prompt.positions))
    assert re.fullmatch(r"[{}\[\]:,0-9]*", STRING.sub("", prompt.document))
    assert not re.search(r"[<>&\x00-\x1f\x7f-\x9f\u202a-\u202e\u2028\u2029\ud800-\udfff]", prompt.document)
    prompt.document.encode()


def test_a_change_deep_in_a_sentence_is_shown() -> None:
    long = "word " * 600
    prompt = pack([((long + "slow end", long + "quick end"),)], 2_000)
    assert prompt is not None
    assert "quick" in prompt.document
    assert "slow" in prompt.document


def test_an_appended_end_is_shown() -> None:
    long = "word " * 300
    prompt = pack([((long.strip(), long + "haha"),)], 2_000)
    assert prompt is not None
    assert "haha" in prompt.document


def test_a_usual_batch_fits_whole() -> None:
    pairs = tuple((f"Sentence {n} of the draft is here.", f"Sentence {n} is here!") for n in range(3))
    prompt = pack([pairs] * 10, 2_000)
    assert prompt is not None
    assert len(prompt.positions) == 10


def test_nothing_to_show_is_no_prompt() -> None:
    assert pack([], 2_000) is None
    assert pack([((" same ", "same\n"),)], 2_000) is None


@pytest.mark.parametrize(
    ("text", "seen"),
    [
        ("a\x00b\x1b[31mc\x9bd", "ab[31mcd"),
        ("one\r\n two\u2028three", "one twothree"),
        ("\u202eevil\u2066", "evil"),
        ("hi\U000e0069\U000e0067", "hi"),
        ("\ud800x", "x"),
        ("👩‍👩‍👧 ❤️ é", "👩‍👩‍👧 ❤️ é"),
    ],
)
def test_hidden_characters_are_removed(text: str, seen: str) -> None:
    assert clean(text) == seen
