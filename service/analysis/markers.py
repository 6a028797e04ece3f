"""Hedges, intensifiers, contractions, formal and casual words: which of them stand in a sentence.

All lists of a language are one index - single words, and pairs of words that longer expressions start with - so a
pass over the words finds them all, whatever their number. The longest expression wins within a list; different lists
may overlap (`super` is casual and an intensifier). For Japanese and Chinese the lists hold strings that are looked
for in the sentence itself.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from itertools import pairwise
from operator import add
from typing import Final

from service.analysis.lexicon import Lexicon

Marks = tuple[tuple[str, str], ...]
Found = dict[str, list[str]]
# An English hedge, and a month.
MAY: Final = "may"
_NO_HEDGE: Final = ""
_END: Final = ""


def find_marks(sentence: str, words: list[str], lexicon: Lexicon) -> Marks:
    """(list, expression) for every marker in one sentence."""
    if lexicon.substrings:
        return tuple(_substrings(sentence, lexicon))
    signs = lexicon.marker_signs.intersection(words)
    if not signs:
        return ()
    singles = lexicon.single_markers
    if MAY in signs:
        words = [_NO_HEDGE if _is_month(sentence, words, i) else word for i, word in enumerate(words)]
    if lexicon.expression_signs.isdisjoint(signs) or lexicon.marker_starts.keys().isdisjoint(pairwise(words)):
        return tuple([(name, word) for word in words if word in singles for name in singles[word]])
    return tuple(_expressions(words, lexicon))


def _is_month(sentence: str, words: list[str], index: int) -> bool:
    """Whether the word there is the month of May: capitalised inside the sentence, beside a day, or after `in`."""
    if words[index] != MAY:
        return False
    before, after = words[max(0, index - 1) : index], words[index + 1 : index + 2]
    if any(word[0].isdigit() for word in before + after) or before in (["in"], ["since"], ["until"], ["last"]):
        return True
    return index > 0 and f" {MAY.capitalize()}" in sentence


def collect(marks: Iterable[Marks]) -> Found:
    """List -> its expressions, over all sentences."""
    found: Found = defaultdict(list)
    for sentence in marks:
        for name, expression in sentence:
            found[name].append(expression)
    return found


def _expressions(words: list[str], lexicon: Lexicon) -> list[tuple[str, str]]:
    """Markers of a sentence that may hold some of several words: the longest wins within its list."""
    found: list[tuple[str, str]] = []
    taken: dict[str, int] = {}
    starts, singles = lexicon.marker_starts, lexicon.single_markers
    for index, pair in enumerate(pairwise([*words, _END])):
        if pair in starts:
            for expression, name in starts[pair]:
                if index >= taken.get(name, 0) and tuple(words[index : index + len(expression)]) == expression:
                    taken[name] = index + len(expression)
                    found.append((name, " ".join(expression)))
        word = pair[0]
        if word in singles:
            found += [(name, word) for name in singles[word] if index >= taken.get(name, 0)]
    return found


def _substrings(sentence: str, lexicon: Lexicon) -> Iterable[tuple[str, str]]:
    starts = lexicon.substring_starts
    beginnings = {*sentence, *map(add, sentence, sentence[1:])}
    present = [place for first in starts.keys() & beginnings for place, text in starts[first] if text in sentence]
    left, of = sentence, ""
    for name, expression, holders in [lexicon.substrings[place] for place in sorted(present)]:
        if name != of:
            left, of = sentence, name
        count = left.count(expression)
        if count and holders:
            count -= sum(left.count(holder) * holder.count(expression) for holder in holders)
        if count > 0:
            yield from [(name, expression)] * count
            left = left.replace(expression, "\n")
