"""Phrases as text: words for comparison, function words, and how a phrase is shown.

Phrases are compared by their words, folded as the analysis folds them (case, apostrophes, hyphens; Japanese and
Chinese, which write no spaces, by character), and shown as the writer wrote them. The word lists are those of the
analysis, all languages together, because the language of a two-word span cannot be told.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache, lru_cache
from typing import Final

from service.analysis.lexicon import LANGUAGES, lexicon
from service.analysis.tokens import is_character_script, is_word, tokenize

# Shorter single words are hardly ever what a writer minds; the same for a run of characters.
SHORTEST_WORD: Final = 4
SHORTEST_RUN: Final = 4


@dataclass(frozen=True, slots=True)
class Piece:
    """One changed span: its text, its folded words, where each stands in the text, and which have content."""

    text: str
    words: tuple[str, ...]
    places: tuple[tuple[int, int], ...]
    key: str
    content: frozenset[str]

    def written(self, start: int, end: int) -> str:
        """Words ``start`` to ``end`` (exclusive) as written."""
        return self.text[self.places[start][0] : self.places[end - 1][1]]


@lru_cache(maxsize=8192)
def piece(text: str) -> Piece:
    tokens = tokenize(text)
    at = [index for index, word in enumerate(tokens.keys) if is_word(word)]
    words = tuple(tokens.keys[index] for index in at)
    places = tuple((tokens.starts[index], tokens.ends[index]) for index in at)
    return Piece(text, words, places, key(words), frozenset(filter(is_content, words)))


def key(words: Iterable[str]) -> str:
    """Words as one string in which ``key(a) in key(b)`` means that a is a contiguous run of b."""
    return f" {' '.join(words)} "


@cache
def _function_words() -> frozenset[str]:
    return frozenset().union(*(lexicon(language).function for language in LANGUAGES))


@cache
def _prepositions() -> frozenset[str]:
    return frozenset().union(*(lexicon(language).prepositions for language in LANGUAGES))


@cache
def _everyday() -> frozenset[str]:
    """Words that alone are no phrase: common ones, and hedges and intensifiers, which are tone."""
    quiet = {" ".join(words) for language in LANGUAGES for words in lexicon(language).quiet}
    return frozenset(quiet).union(*(lexicon(language).common for language in LANGUAGES))


def is_content(word: str) -> bool:
    return not word.isdigit() and word not in _function_words()


@lru_cache(maxsize=8192)
def content_words(words: tuple[str, ...]) -> int:
    return sum(map(is_content, words))


@lru_cache(maxsize=8192)
def trimmed(words: tuple[str, ...]) -> tuple[int, int]:
    """The part of ``words`` without function words at its ends, as a range."""
    start, end = 0, len(words)
    while start < end and not is_content(words[start]):
        start += 1
    while end > start and not is_content(words[end - 1]):
        end -= 1
    return start, end


@lru_cache(maxsize=8192)
def is_junk(words: tuple[str, ...]) -> bool:
    """Function words only, numbers, a fragment of a word, one everyday or very short word."""
    if not any(character.isalpha() for word in words for character in word) or " ".join(words) in _everyday():
        return True
    if all(map(is_character_script, words)):
        return len(words) < SHORTEST_RUN or "".join(words) in _function_words() or not content_words(words)
    content = [word for word in words if is_content(word)]
    if len(content) == 1 and len(words) <= 2 and content[0] in _everyday() and not _is_set_phrase(words):
        return True
    return not content or (len(words) == 1 and len(words[0]) < SHORTEST_WORD)


def _is_set_phrase(words: tuple[str, ...]) -> bool:
    """Whether an everyday word comes with an adverb after it (`simples assim`), not an article or preposition."""
    return len(words) == 2 and is_content(words[0]) and words[1] not in _prepositions()


def shown(forms: Sequence[str]) -> str:
    """The most common form as written; with a small first letter if it was ever seen with one.

    A capital seen only at the start of a sentence says nothing; one that is there each time may be a name.
    """
    if len(set(forms)) == 1:
        return forms[0]
    counts = Counter(forms)
    best = max(counts, key=lambda form: (counts[form], form))
    lowered = best[:1].lower() + best[1:]
    return lowered if lowered in counts else best
