"""Phrases a writer took out or put in: maximal changed spans inside a sentence, as written.

From every content run one span is taken on each side, cut at sentence ends, colons, semicolons and stand-ins. Marks
at its edges, conjunctions that join it to what stands before and leading auxiliaries (`[is] a true testament`) go;
trailing function words go when the sentence went on after them (`look no further [than] the garden`) but not at the
end of a clause (`let's dive in.`), and not the preposition of a lone verb (`delve into`) nor what follows its negation
(`n'oublions pas que`). A hedge at an edge goes too.
What is left must hold a content word.

What is no phrase:
* one side of a pair, a contraction, a hedge, an intensifier, words of enthusiasm or of a register alone: these are
  counted elsewhere, as what they are;
* the replacement for something removed, unless it is set off by punctuation (`Bottom line:`) or longer than three
  words: what stands there instead is the topic's, not the writer's;
* a span half of whose content words come back elsewhere in the sentence: it was turned around;
* a change of fewer than eight words, both sides together, in a sentence with two or more repairs of spelling or
  grammar: that is fluency too;
* one word that others replaced, unless hyphenated: the substitution says it; one everyday word put in or left out;
* words that order a sentence, two of them or more in one (`zuerst`, `zum Schluss`): they became a list;
* more than ten words, or anything from a sentence less than a third of which survived, unless it was merely cut: a
  rewritten sentence;
* whole sentences of more than five words; shorter ones are phrases (`Let's dive in!`). Headings are structure.

At most six a side, those of two to four words first, and up to eight of these among the removed: a short one is more
likely to recur than a clause. None is part of another; what is on both sides was only moved.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final

from service.analysis.document import Unit
from service.analysis.lexicon import Lexicon
from service.analysis.mask import MASKS
from service.analysis.repairs import is_inflection, is_typo
from service.analysis.spans import Change, GroupDiff, Reason
from service.analysis.tokens import Tokens, is_character_script, is_word, tokenize, words

MOST_REMOVED: Final = 8
MOST_ADDED: Final = 6
_SHORT: Final = 4
_LONGEST_WORDS: Final = 10
_LONGEST_CHARACTERS: Final = 24
_WHOLE_SENTENCE: Final = 5
_SURVIVED: Final = 0.34
_SHORTENED: Final = 0.7
_REPLACEMENT: Final = 3
_LONGEST_HEDGE: Final = 5
# Characters that a span needs when only one of them is no kana (`ここだけの話`).
_WITH_KANA: Final = 5
_REPAIRS: Final = frozenset((Reason.SPELLING, Reason.LETTERS, Reason.GRAMMAR))
_MENDED: Final = 2
_ORDERED: Final = 2
_SHORTEST_AMID_REPAIRS: Final = 8
_BREAKS: Final = frozenset(":;：；.!?。！？…—") | MASKS
_SET_OFF: Final = frozenset(",:;.!?。！？、，：；—–")


def group_phrases(diff: GroupDiff, lexicon: Lexicon) -> tuple[list[str], list[str]]:
    """(removed, added) phrases of one compared group."""
    sizes = len(diff.before.keys), len(diff.after.keys)
    if 2 * diff.kept < _SURVIVED * sum(sizes) and diff.kept < _SHORTENED * min(sizes):
        return [], []
    removed: list[str] = []
    added: list[str] = []
    shortest = _SHORTEST_AMID_REPAIRS if _is_mended(diff) else 0
    telling = [one for one in diff.changes if one.reason is Reason.CONTENT and one.words >= shortest]
    telling = [one for one in telling if not _is_exchange(one, diff)]
    gone, come = _changed_words(diff) if telling else (frozenset(), frozenset())
    for change in telling:
        run = change.run
        replaced = change.kind == "substitution"
        removed += _spans(diff.before, (run.a0, run.a1), lexicon, replaced, come)
        found = _spans(diff.after, (run.b0, run.b1), lexicon, replaced, gone)
        if replaced and found and not _is_set_off(diff.after, run.b0, run.b1):
            found = [phrase for phrase in found if _length(phrase) > _REPLACEMENT]
        added += found
    return _without_steps(removed, lexicon), _without_steps(added, lexicon)


def _without_steps(phrases: list[str], lexicon: Lexicon) -> list[str]:
    """Without the words that order a sentence, if there are several."""
    if len(phrases) < _ORDERED:
        return phrases
    rest = [phrase for phrase in phrases if tuple(words(phrase)) not in lexicon.steps]
    return phrases if len(phrases) - len(rest) < _ORDERED else rest


def _changed_words(diff: GroupDiff) -> tuple[frozenset[str], frozenset[str]]:
    """The words that changed on either side of a group."""
    gone = (key for change in diff.changes for key in diff.before.keys[change.run.a0 : change.run.a1])
    come = (key for change in diff.changes for key in diff.after.keys[change.run.b0 : change.run.b1])
    return frozenset(filter(is_word, gone)), frozenset(filter(is_word, come))


def _is_mended(diff: GroupDiff) -> bool:
    """Whether the sentence had its language repaired in several places."""
    return len(diff.changes) >= _MENDED and sum(change.reason in _REPAIRS for change in diff.changes) >= _MENDED


def sentence_phrase(unit: Unit, lexicon: Lexicon) -> list[str]:
    """The phrase of a sentence that was added or dropped as a whole: itself, when it is short."""
    limit = _LONGEST_CHARACTERS // 2 if is_character_script(unit.words[0]) else _WHOLE_SENTENCE
    if unit.kind == "heading" or len(unit.words) > limit:
        return []
    tokens = tokenize(unit.text)
    return _spans(tokens, (0, len(tokens.keys)), lexicon, False, frozenset())


def select(removed: Sequence[str], added: Sequence[str]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """At most eight removed and six added, no duplicates, no parts of others, nothing that is on both sides."""
    if not removed and not added:
        return (), ()
    both = {phrase.lower() for phrase in removed} & {phrase.lower() for phrase in added}
    return _best(removed, both, MOST_REMOVED), _best(added, both, MOST_ADDED)


def _best(phrases: Iterable[str], excluded: set[str], most: int) -> tuple[str, ...]:
    unique: dict[str, str] = {}
    for phrase in phrases:
        if phrase.lower() not in excluded:
            unique.setdefault(phrase.lower(), phrase)
    ranked = sorted(unique, key=lambda phrase: not 2 <= _length(phrase) <= _SHORT)[: 4 * most]
    kept: list[str] = []
    for phrase in ranked:
        # Only short ones make the list longer than `MOST_ADDED`.
        room = most if 2 <= _length(phrase) <= _SHORT else MOST_ADDED
        if len(kept) < room and not any(_is_part(phrase, other) for other in ranked if other != phrase):
            kept.append(phrase)
    return tuple(unique[phrase] for phrase in unique if phrase in kept)


def _is_part(phrase: str, other: str) -> bool:
    if is_character_script(phrase[-1]):
        return phrase in other
    return f" {phrase} " in f" {other} "


def _length(phrase: str) -> int:
    return len(phrase) // 2 if is_character_script(phrase[0]) else phrase.count(" ") + 1


def _spans(tokens: Tokens, run: tuple[int, int], lexicon: Lexicon, replaced: bool, others: frozenset[str]) -> list[str]:
    """The phrases of one run on one side; `others` are the words that changed on the other side."""
    if replaced and _is_lone(tokens, run):
        return []  # others stand for it: `_is_phrase` says no, whatever it is
    phrases: list[str] = []
    for first, last in _pieces(tokens, *run):
        first, last = _trim(tokens, first, last, lexicon)
        found = [key for key in tokens.keys[first:last] if is_word(key)]
        if found and _is_phrase(found, lexicon, replaced) and not _comes_back(found, lexicon, others):
            phrases.append(tokens.raw(first, last))
    return phrases


def _is_exchange(change: Change, diff: GroupDiff) -> bool:
    """Whether one word stands for one other: the substitution says it, and neither is a phrase."""
    run = change.run
    lone = _is_lone(diff.before, (run.a0, run.a1)) and _is_lone(diff.after, (run.b0, run.b1))
    return lone and change.kind == "substitution"


def _is_lone(tokens: Tokens, run: tuple[int, int]) -> bool:
    """Whether a run is one word without a hyphen."""
    return run[1] - run[0] == 1 and "-" not in tokens.keys[run[0]]


def _comes_back(found: Sequence[str], lexicon: Lexicon, others: frozenset[str]) -> bool:
    """Whether what carries the meaning of a span stands on the other side too, at another place or form."""
    content = [key for key in found if not lexicon.is_function(key) and (key,) not in lexicon.quiet]
    back = sum(
        key in others or any(is_typo(key, other, lexicon) or is_inflection(key, other, lexicon) for other in others)
        for key in content
    )
    return bool(content) and 2 * back >= len(content)


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
    first = _trimmed_start(tokens, first, last, lexicon)
    marks = last
    while first < last and not is_word(keys[last - 1]):
        last -= 1
    if last == marks and last < len(keys) and is_word(keys[last]) and not tokens.breaks_before(last):
        end = _trimmed_end(keys, first, _without_hedge(keys, first, last, lexicon), lexicon)
        if first < end < last and keys[end] in lexicon.negations:
            return first, last
        last = end
    while first < last and keys[last - 1] in lexicon.conjunctions:
        last -= 1
    return first, last


def _trimmed_start(tokens: Tokens, first: int, last: int, lexicon: Lexicon) -> int:
    """Without marks, joining conjunctions (the first word of a sentence joins nothing), auxiliaries and a hedge."""
    keys = tokens.keys
    while first < last and not is_word(keys[first]):
        first += 1
    opens = first == 0 or keys[first - 1] in _BREAKS or tokens.breaks_before(first)
    while first < last and not opens and (not is_word(keys[first]) or _joins(keys[first], lexicon)):
        first += 1
    if not opens:
        while first < last and keys[first] in lexicon.auxiliaries:
            first += 1
    if first == last or keys[first] not in lexicon.hedge_firsts:
        return first
    hedge = next((n for n in range(_LONGEST_HEDGE, 0, -1) if tuple(keys[first : first + n]) in lexicon.hedges), 0)
    return min(first + hedge, last)


def _without_hedge(keys: Sequence[str], first: int, last: int, lexicon: Lexicon) -> int:
    """The end without a hedge that begins in the span and reaches to its end or beyond (`[だと思いま]す`)."""
    if not lexicon.substrings:
        return last
    for start in range(max(first, last - _LONGEST_HEDGE), last):
        if any(tuple(keys[start:end]) in lexicon.hedges for end in range(last, start + _LONGEST_HEDGE + 1)):
            return start
    return last


def _joins(key: str, lexicon: Lexicon) -> bool:
    return key in lexicon.conjunctions and key not in lexicon.grammar


def _trimmed_end(keys: Sequence[str], first: int, last: int, lexicon: Lexicon) -> int:
    """Without function words, but with the preposition that belongs to a lone content word (`delve into`)."""
    end = last
    while first < end and (not is_word(keys[end - 1]) or lexicon.is_edge(keys[end - 1])):
        end -= 1
    content = sum(is_word(key) and not lexicon.is_function(key) for key in keys[first:end])
    belongs = (
        content == 1 and end < last and keys[end] in lexicon.prepositions and keys[end] not in lexicon.conjunctions
    )
    return end + 1 if belongs else end


def _is_phrase(found: Sequence[str], lexicon: Lexicon, replaced: bool) -> bool:
    content = [key for key in found if not lexicon.is_function(key)]
    if is_character_script(found[0]):
        text = "".join(found)
        says = len(content) >= 2 or (len(content) == 1 and len(found) >= _WITH_KANA)
        return says and len(found) <= _LONGEST_CHARACTERS and not _is_tone([text], lexicon)
    if not content or len(found) > _LONGEST_WORDS or _is_tone(content, lexicon):
        return False
    if tuple(found) in lexicon.quiet or " ".join(found) in lexicon.tone:
        return False
    if sum(map(len, found)) > 120 or all(any(map(str.isdigit, key)) for key in content):
        return False
    if len(found) > 1:
        return True
    return len(found[0]) > 2 and found[0] not in lexicon.common and (not replaced or "-" in found[0])


def _is_tone(content: Sequence[str], lexicon: Lexicon) -> bool:
    """Whether words only make a text warmer, surer or more formal."""
    return all(key in lexicon.tone for key in content)


def _is_set_off(tokens: Tokens, start: int, end: int) -> bool:
    """Whether a run is closed by punctuation and begins a clause: `Bottom line: ...`."""
    keys = tokens.keys
    opens = start == 0 or keys[start - 1] in _SET_OFF or tokens.breaks_before(start)
    closes = keys[end - 1] in _SET_OFF or end == len(keys) or keys[end] in _SET_OFF
    return opens and closes
