"""Phrases a writer took out or put in: maximal changed spans inside a sentence, as written.

From every content run one span is taken on each side, cut at sentence ends, colons, semicolons and stand-ins. Marks
at its edges, leading conjunctions and auxiliaries (`[is] a true testament`) go; trailing function words go when the
sentence went on after them (`look no further [than] the garden`) but not at the end of a clause (`let's dive in.`).
What is left must hold a content word.

What is no phrase:
* one side of a pair, a contraction, a hedge or an intensifier: these are counted elsewhere, as what they are;
* the replacement for something removed, unless it is set off by punctuation (`Bottom line:`) or longer than three
  words: what stands there instead is the topic's, not the writer's;
* a change of fewer than eight words, both sides together, in a sentence with two or more repairs of spelling or
  grammar: that is fluency too;
* one word that others replaced, unless hyphenated: the substitution says it; one everyday word put in or left out;
* more than ten words, or anything from a sentence less than a third of which survived, unless it was merely cut: a
  rewritten sentence;
* whole sentences of more than five words; shorter ones are phrases (`Let's dive in!`).

At most six a side, those of two to six words first; none is part of another; what is on both sides was only moved.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from service.analysis.document import Unit
from service.analysis.lexicon import Lexicon
from service.analysis.mask import MASKS
from service.analysis.spans import GroupDiff, Reason
from service.analysis.tokens import Tokens, is_character_script, is_word, tokenize

AT_MOST = 6
_LONGEST_WORDS = 10
_LONGEST_CHARACTERS = 24
_WHOLE_SENTENCE = 5
_SURVIVED = 0.34
_SHORTENED = 0.7
_REPLACEMENT = 3
_REPAIRS = frozenset((Reason.SPELLING, Reason.LETTERS, Reason.GRAMMAR))
_MENDED = 2
_SHORTEST_AMID_REPAIRS = 8
_BREAKS = frozenset(":;：；.!?。！？…—") | MASKS
_SET_OFF = frozenset(",:;.!?。！？、，：；—–")


def group_phrases(diff: GroupDiff, lexicon: Lexicon) -> tuple[list[str], list[str]]:
    """(removed, added) phrases of one compared group."""
    sizes = len(diff.before.keys), len(diff.after.keys)
    if 2 * diff.kept < _SURVIVED * sum(sizes) and diff.kept < _SHORTENED * min(sizes):
        return [], []
    removed: list[str] = []
    added: list[str] = []
    shortest = _SHORTEST_AMID_REPAIRS if _is_mended(diff) else 0
    for change in diff.changes:
        if change.reason is not Reason.CONTENT or change.words < shortest:
            continue
        run = change.run
        replaced = change.kind == "substitution"
        removed += _spans(diff.before, run.a0, run.a1, lexicon, replaced)
        found = _spans(diff.after, run.b0, run.b1, lexicon, replaced)
        if replaced and not _is_set_off(diff.after, run.b0, run.b1):
            found = [phrase for phrase in found if _length(phrase) > _REPLACEMENT]
        added += found
    return removed, added


def _is_mended(diff: GroupDiff) -> bool:
    """Whether the sentence had its language repaired in several places."""
    return sum(change.reason in _REPAIRS for change in diff.changes) >= _MENDED


def sentence_phrase(unit: Unit, lexicon: Lexicon) -> list[str]:
    """The phrase of a sentence that was added or dropped as a whole: itself, when it is short."""
    limit = _LONGEST_CHARACTERS // 2 if is_character_script(unit.words[0]) else _WHOLE_SENTENCE
    if len(unit.words) > limit:
        return []
    tokens = tokenize(unit.text)
    return _spans(tokens, 0, len(tokens.keys), lexicon, False)


def select(removed: Sequence[str], added: Sequence[str]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """At most six a side, no duplicates, no parts of others, nothing that is on both sides."""
    both = {phrase.lower() for phrase in removed} & {phrase.lower() for phrase in added}
    return _best(removed, both), _best(added, both)


def _best(phrases: Iterable[str], excluded: set[str]) -> tuple[str, ...]:
    unique: dict[str, str] = {}
    for phrase in phrases:
        if phrase.lower() not in excluded:
            unique.setdefault(phrase.lower(), phrase)
    ranked = sorted(unique, key=lambda phrase: not 2 <= _length(phrase) <= 6)[: 4 * AT_MOST]
    kept: list[str] = []
    for phrase in ranked:
        if len(kept) < AT_MOST and not any(_is_part(phrase, other) for other in ranked if other != phrase):
            kept.append(phrase)
    return tuple(unique[phrase] for phrase in unique if phrase in kept)


def _is_part(phrase: str, other: str) -> bool:
    if is_character_script(phrase[-1]):
        return phrase in other
    return f" {phrase} " in f" {other} "


def _length(phrase: str) -> int:
    return len(phrase) // 2 if is_character_script(phrase[0]) else phrase.count(" ") + 1


def _spans(tokens: Tokens, start: int, end: int, lexicon: Lexicon, replaced: bool) -> list[str]:
    """The phrases of one run on one side."""
    phrases: list[str] = []
    for first, last in _pieces(tokens, start, end):
        first, last = _trim(tokens, first, last, lexicon)
        if first < last and _is_phrase(tokens.keys[first:last], lexicon, replaced):
            phrases.append(tokens.raw(first, last))
    return phrases


def _pieces(tokens: Tokens, start: int, end: int) -> Iterable[tuple[int, int]]:
    first = start
    for index in range(start, end):
        if tokens.keys[index] in _BREAKS:
            yield first, index
            first = index + 1
        elif index > first and tokens.breaks_before(index):
            yield first, index
            first = index
    yield first, end


def _trim(tokens: Tokens, first: int, last: int, lexicon: Lexicon) -> tuple[int, int]:
    keys = tokens.keys
    while first < last and (not is_word(keys[first]) or keys[first] in lexicon.conjunctions):
        first += 1
    if first and keys[first - 1] not in _BREAKS and not tokens.breaks_before(first):
        while first < last and keys[first] in lexicon.auxiliaries:
            first += 1
    marks = last
    while first < last and not is_word(keys[last - 1]):
        last -= 1
    if last == marks and last < len(keys) and is_word(keys[last]) and not tokens.breaks_before(last):
        while first < last and (not is_word(keys[last - 1]) or lexicon.is_edge(keys[last - 1])):
            last -= 1
    while first < last and keys[last - 1] in lexicon.conjunctions:
        last -= 1
    return first, last


def _is_phrase(keys: Sequence[str], lexicon: Lexicon, replaced: bool) -> bool:
    found = [key for key in keys if is_word(key)]
    if is_character_script(found[0]):
        content = [key for key in found if not lexicon.is_function(key)]
        return 2 <= len(found) <= _LONGEST_CHARACTERS and len(content) >= 2
    content = [key for key in found if not lexicon.is_function(key)]
    if not content or len(found) > _LONGEST_WORDS or tuple(found) in lexicon.quiet:
        return False
    if sum(map(len, found)) > 120 or all(any(map(str.isdigit, key)) for key in content):
        return False
    if len(found) > 1:
        return True
    return len(found[0]) > 2 and found[0] not in lexicon.common and (not replaced or "-" in found[0])


def _is_set_off(tokens: Tokens, start: int, end: int) -> bool:
    """Whether a run is closed by punctuation and begins a clause: `Bottom line: ...`."""
    keys = tokens.keys
    opens = start == 0 or keys[start - 1] in _SET_OFF or tokens.breaks_before(start)
    closes = keys[end - 1] in _SET_OFF or end == len(keys) or keys[end] in _SET_OFF
    return opens and closes
