"""However large and strange the two texts, what is said about them is small, and the same each time."""

import random
from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from service.analysis import analyze
from service.analysis.compare import CHANGE_BUDGET

PIECES = st.lists(
    st.sampled_from(
        ("word ", "a", "é", "日本", "🎉", "\u200d", "\u202e", "\x00", "\ud800", ". ", "\n", "- ", "```", "[x](y)")
    )
    | st.text(max_size=4),
    min_size=1,
    max_size=8,
).map("".join)
MAX_BYTES = 40_000  # of one delta as JSON: fifty of them stand in a profile, which may have 16 MB


@given(PIECES, PIECES, st.integers(1, 1_500))
@settings(max_examples=40)
def test_repeated_pieces(before: str, after: str, times: int) -> None:
    found = analyze(before * times, after * times)
    assert len(found.delta.model_dump_json()) < MAX_BYTES
    assert found == analyze(before * times, after * times)


def words(seed: int, count: int, alphabet: int) -> str:
    chosen = random.Random(seed)
    return " ".join(f"w{chosen.randrange(alphabet)}" for _ in range(count))


HOSTILE: dict[str, Callable[[int], str]] = {
    "other words everywhere": lambda seed: words(seed, 30_000, 1_000_000),
    "few words, shuffled": lambda seed: words(seed, 30_000, 100),
    "a sentence a word": lambda seed: words(seed, 15_000, 500).replace(" ", ". "),
    "a page of blanks first": lambda seed: " " * 2_000 + words(seed, 20, 1_000_000),
    "a post of one word": lambda seed: ("x" if seed else "y") * 200_000,
}


@pytest.mark.parametrize("case", HOSTILE)
def test_large_rewrites(case: str) -> None:
    found = analyze(HOSTILE[case](0), HOSTILE[case](1))
    assert len(found.delta.model_dump_json()) < MAX_BYTES
    assert 0 <= found.delta.change_ratio <= 1


def many(sentences: int, word: str) -> str:
    return " ".join(f"The number w{place} of the harbour shows a {word} every morning." for place in range(sentences))


def test_of_many_changes_some_are_compared_and_all_are_counted() -> None:
    found = analyze(many(600, "lantern"), many(600, "barge"))
    assert found.delta.truncated
    assert not found.delta.is_noise
    assert CHANGE_BUDGET <= len(found.spans) < CHANGE_BUDGET + 10
    assert found.delta.change_ratio == pytest.approx(1 / 10, abs=0.01)


def test_many_repairs_are_noise_still() -> None:
    found = analyze(many(600, "lantenr"), many(600, "lantern"))
    assert found.delta.truncated
    assert found.delta.is_noise


def test_one_huge_sentence_that_changed_is_evidence() -> None:
    found = analyze(words(0, 24_000, 1_000), words(0, 24_000, 1_000) + " and more of it")
    assert found.delta.truncated
    assert not found.delta.is_noise
