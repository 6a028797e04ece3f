"""Words in capitals for emphasis: "we are NOT closed", "a GREAT day". Acronyms and names are none.

A word shouts when it stands in capitals, has three letters or more, and is an everyday or function word of its language
or stands in the other text in small letters. "PDF", "NATO" and a heading in capitals that was one before are therefore
left alone. Scripts without case have none.
"""

from __future__ import annotations

import re
from typing import Final

import regex  # type: ignore[import-untyped]

from schemas.delta import Count
from service.analysis.counts import balance, multiset
from service.analysis.document import Document
from service.analysis.lexicon import Lexicon

SHORTEST: Final = 3
_CAPITALS: Final = regex.compile(rf"(?<![\p{{L}}\p{{N}}])\p{{Lu}}{{{SHORTEST},}}(?![\p{{L}}\p{{N}}])")
# Not less than what has three capitals in a row, and cheap. Those of ASCII are made one letter and all other bytes
# another. Of other capitals a text has none unless one of these is in it, as few have; of three in a row, unless three
# are. Han, kana and Hangul have no capitals, nor have emoji.
_ONE_CAPITAL: Final = bytes(ord("A" if code < 128 and chr(code).isupper() else "a") for code in range(256))
_SHOUT: Final = SHORTEST * b"A"
_CAPITAL_BEYOND: Final = re.compile(
    "[\u00c0-\u00de\u0100-\u1fff\u2100-\u218f\u2c00-\u2e7f\ua640-\uabff\uff21-\uff3a\U00010000-\U0001efff]"
)
_MAY_SHOUT: Final = re.compile(SHORTEST * "[A-Z\u00c0-\u1fff\u2100-\u2e7f\ua640-\uabff\uff21-\U0001ffff]")
_WORD: Final = regex.compile(r"\p{Ll}[\p{Ll}\p{M}]+")


def capitals(before: Document, after: Document, lexicon: Lexicon) -> Count:
    """Shouted words before and after, added and removed; not in code, links and mentions."""
    found = [_CAPITALS.findall(side.text) if _may_shout(side) else [] for side in (before, after)]
    if not any(found):
        return balance(0, 0)
    small = {word.casefold() for side in (before, after) for word in _WORD.findall(side.text)}
    shouted = [[word for word in side if _is_word(word.casefold(), small, lexicon)] for side in found]
    return multiset(*shouted)


def _may_shout(side: Document) -> bool:
    if _SHOUT in side.utf8.translate(_ONE_CAPITAL) or side.collect("links"):  # whose words join what is before them
        return True
    return _CAPITAL_BEYOND.search(side.beyond) is not None and _MAY_SHOUT.search(side.text) is not None


def _is_word(word: str, small: set[str], lexicon: Lexicon) -> bool:
    return word in small or word in lexicon.common or word in lexicon.function
