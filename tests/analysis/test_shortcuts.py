"""What is looked for first, because it is cheap, misses nothing that the exact patterns find."""

from __future__ import annotations

import re
import sys
from unittest.mock import patch

import pytest
import regex  # type: ignore[import-untyped]
from hypothesis import given
from hypothesis import strategies as st

from schemas.delta import StyleDelta
from service.analysis import analyze, blocks, language, sentences, tokens
from service.analysis.beyond import beyond, utf8_of
from service.analysis.capitals import _CAPITAL_BEYOND, _MAY_SHOUT
from service.analysis.counts import measure
from service.analysis.emoji import _RUN, EMOJI, take_emoji
from service.analysis.lexicon import LANGUAGES, lexicon

EVERY = "".join(map(chr, range(sys.maxunicode + 1)))
EMOJI_PARTS = regex.compile(r"[\p{Emoji}\p{Extended_Pictographic}\p{Regional_Indicator}\p{Emoji_Modifier}]")
SIGNS = st.text(st.sampled_from("abz09_ ''.-,:/%\t!()\x00é’日か。"), max_size=12)
DRAWN = st.text(st.sampled_from("a1#*🎉👍🇩🇪\u200d\ufe0f\u20e3\U0001f3fd\U000e0067\U000e007f→©\n "), max_size=20)
FAR_APART = "so many plain words that each emoji is looked for by itself " * 20


def test_every_capital_may_shout() -> None:
    capitals = regex.findall(r"\p{Lu}", EVERY)
    assert [letter for letter in capitals if not _MAY_SHOUT.search(letter * 3)] == []
    assert [letter for letter in capitals if not letter.isascii() and not _CAPITAL_BEYOND.search(letter)] == []


@given(st.text(st.characters() | st.sampled_from("ab \ud800"), max_size=20))
def test_beyond_ascii_is_what_is_not_ascii(text: str) -> None:
    assert beyond(utf8_of(text)) == "".join(character for character in text if not character.isascii())


def test_every_part_of_an_emoji_is_in_a_run() -> None:
    missed = [part for part in EMOJI_PARTS.findall(EVERY) if not _RUN.fullmatch(part)]
    assert missed == []


@given(DRAWN | st.lists(DRAWN, max_size=5).map(FAR_APART.join))
def test_emoji_are_found_in_runs_as_in_the_whole_text(text: str) -> None:
    assert take_emoji(text, beyond(utf8_of(text)), "\ufdd4") == (EMOJI.sub("\ufdd4", text), EMOJI.findall(text))


@pytest.mark.parametrize("kind", [r"\w", r"\d", r"\s"])
def test_both_engines_agree_where_han_and_kana_are_read_with_the_fast_one(kind: str) -> None:
    plain = "".join(tokens._BEYOND_KANA.split(EVERY))
    assert len(plain) > 20_000
    assert re.findall(kind, plain) == regex.findall(kind, plain)
    assert regex.search(r"\p{M}", plain) is None


def test_no_script_is_overlooked() -> None:
    for _, script in language._SCRIPTS:
        assert all(map(language._OTHER.match, script.findall(EVERY)))


@given(SIGNS)
def test_words_are_those_of_the_full_pattern(text: str) -> None:
    assert tokens.words(text) == tokens._FULL_WORDS.findall(tokens.fold(text))


@given(st.lists(SIGNS | st.text(max_size=6).filter(lambda text: "\n" not in text), max_size=5))
def test_words_of_several_texts_are_those_of_each(texts: list[str]) -> None:
    assert tokens.words_of_each(texts) == list(map(tokens.words, texts))


@pytest.mark.parametrize("code", LANGUAGES)
def test_every_marker_has_a_sign(code: str) -> None:
    lists = lexicon(code)
    longer = [set(words_of) for starts in lists.marker_starts.values() for words_of, _ in starts]
    assert all(one & lists.expression_signs for one in longer)
    assert lists.marker_signs >= lists.expression_signs | lists.single_markers.keys()


ROWS = st.lists(st.sampled_from(("", " ", "A b.", "and c", "é", "- d", "1. e", "\ufdd4 f", "---", "“g”")), max_size=9)


@given(ROWS)
def test_plain_rows_are_read_as_any(rows: list[str]) -> None:
    text = "\n".join(rows)
    with patch.object(blocks, "_plain", lambda _: None):
        read = blocks.blocks(text)
    plain = blocks.blocks(text)
    assert _lines(plain) == _lines(read)
    assert plain.emphasis == read.emphasis


def _lines(found: blocks.Blocks) -> list[tuple[str, str, int]]:
    return [(line.kind, line.text, line.paragraph) for line in found.lines]


WORDS = st.lists(
    st.sampled_from(("the", "Garden", "opens", "very", "use", "utilize", ".", "!", "\n\n", "🎉")), max_size=12
)


@given(WORDS, WORDS)
def test_a_delta_is_what_its_class_makes_of_its_values(before: list[str], after: list[str]) -> None:
    delta = analyze(" ".join(before), " ".join(after)).delta
    checked = StyleDelta.model_validate({name: getattr(delta, name) for name in delta.model_fields_set}, strict=True)
    assert checked == delta
    assert list(checked.__dict__) == list(delta.__dict__)
    assert checked.model_fields_set == delta.model_fields_set


ENDS = st.sampled_from((". ", "! ", "? ", ".. ", "… ", '." ', ".  ", ".", " "))
LAST = st.sampled_from(
    ("approx", "Dr", "z. B", "etc", "the", "lamps", "3", "B", "d'approx", "é", "x.y", "Messrs", "s", "")
)


@given(st.sampled_from(("", "A ", "(", "a. ")), LAST, ENDS, st.sampled_from(("The", "then", "é", "3 ", "(", "Ⓐ", " ")))
def test_what_begins_plainly_belongs_to_nothing_before_it(start: str, last: str, end: str, piece: str) -> None:
    before = start + last + end
    for lists in map(lexicon, LANGUAGES):
        if sentences._begins_plainly(before, piece, lists):
            assert not sentences._belongs([before], piece, lists)


@given(SIGNS)
def test_tokens_stand_where_they_are_said_to(text: str) -> None:
    found, folded = tokens.tokenize(text), tokens.fold(text)
    assert [folded[start:end] for start, end in zip(found.starts, found.ends, strict=True)] == found.keys
    assert [key for key in found.keys if tokens.is_word(key)] == [
        word for word in tokens.words(text) if tokens.is_word(word)
    ]
    assert sum(map(len, found.keys)) == len("".join(folded.split()))


@given(st.floats(0, 2e6), st.integers(0, 10**6), st.integers(1, 5_000), st.integers(0, 40_000))
def test_means_are_rounded_as_by_round(drawn: float, words: int, sentences: int, halves: int) -> None:
    for one, other in ((drawn, words / sentences), (words / sentences, halves / 20_000)):
        found = measure(one, other)
        assert (found.before, found.after) == (round(one, 4), round(other, 4))
        assert found.difference == round(found.after - found.before, 4)
