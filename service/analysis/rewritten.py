"""Clauses that were not taken out or put in but written anew, elsewhere in the edit.

A short sentence that was moved, joined to another or taken out of a list, and changed on the way, may find no partner:
`It was a good evening.` is then gone, and `it was a truly fantastic evening` has come. Neither is a phrase of the
writer. So a clause of four words or characters and more of which half came back in a span or sentence of the other
side is none, if at least one content word did: a clause is recognised by its frame, and its frame is mostly function
words, which is why all words count. A phrase that a writer put in place of another shares less.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Final

from service.analysis.lexicon import Lexicon
from service.analysis.repairs import is_inflection, is_typo
from service.analysis.spans import Change, Reason
from service.analysis.tokens import is_character_script, words

_FEWEST_WORDS: Final = 4
_FEWEST_CHARACTERS: Final = 4
_CAME_BACK: Final = 0.5
# Half of what came back must be unaltered, so that few clauses are compared letter by letter.
_UNALTERED: Final = 0.5 * _CAME_BACK
# Clauses looked at, texts of the other side they are looked for in, and the most words of one: with more changed the
# text is a rewrite. The bounds keep the cost at some milliseconds, whatever the edit.
_MOST: Final = 64
_LONGEST: Final = 40
_LONGEST_TEXT: Final = 12 * _LONGEST

Bag = Counter[str]


def without_rewritten(
    removed: Sequence[str], added: Sequence[str], changes: Sequence[Change], lexicon: Lexicon
) -> tuple[list[str], list[str]]:
    """The phrases of both sides without clauses that stand, written anew, on the other side."""
    whole = [change for change in changes if change.reason in (Reason.CONTENT, Reason.WHOLE)]
    return (
        _left(removed, (change.after for change in whole), lexicon),
        _left(added, (change.before for change in whole), lexicon),
    )


def _bags(texts: Iterable[str]) -> list[Bag]:
    bags: list[Bag] = []
    for text in texts:
        if 0 < len(text) <= _LONGEST_TEXT and 1 < len(found := words(text)) <= _LONGEST:
            bags.append(Counter(found))
            if len(bags) == _MOST:
                break
    return bags


def _left(phrases: Sequence[str], texts: Iterable[str], lexicon: Lexicon) -> list[str]:
    """The phrases that none of the `texts` of the other side says anew; these are only read for a clause."""
    clauses = {phrase: found for phrase in phrases[:_MOST] if _is_clause(found := words(phrase))}
    others = _bags(texts) if clauses else []
    if not others:
        return list(phrases)
    gone = {phrase for phrase, found in clauses.items() if _is_rewritten(found, others, lexicon)}
    return [phrase for phrase in phrases[:_MOST] if phrase not in gone] + list(phrases[_MOST:])


def _is_clause(found: Sequence[str]) -> bool:
    return len(found) >= (_FEWEST_CHARACTERS if found and is_character_script(found[0]) else _FEWEST_WORDS)


def _is_rewritten(found: Sequence[str], others: Iterable[Bag], lexicon: Lexicon) -> bool:
    clause = Counter(found)
    return any(_comes_back(clause, other, lexicon) for other in others)


def _comes_back(clause: Bag, other: Bag, lexicon: Lexicon) -> bool:
    shared = clause & other
    if shared.total() < _UNALTERED * clause.total():
        return False
    repaired = _repaired(clause - other, other - clause, lexicon)
    content = sum(count for word, count in shared.items() if not lexicon.is_function(word)) + repaired
    return content > 0 and shared.total() + repaired >= _CAME_BACK * clause.total()


def _repaired(missing: Bag, rest: Bag, lexicon: Lexicon) -> int:
    """Words that came back in another form or spelled right."""
    return sum(
        any(is_typo(word, other, lexicon) or is_inflection(word, other, lexicon) for other in rest) for word in missing
    )
