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
from service.analysis.lexicon import Lexicon

SHORTEST: Final = 3
_CAPITALS: Final = regex.compile(rf"(?<![\p{{L}}\p{{N}}])\p{{Lu}}{{{SHORTEST},}}(?![\p{{L}}\p{{N}}])")
# Neither is less than what has three capitals in a row. The first is fastest: all capitals are made one letter, and so
# is what is not ASCII, which stands there as a question mark. In the second Han, kana and Hangul have no capitals.
_ONE_CAPITAL: Final = bytes(ord("A") if chr(code).isupper() or code == ord("?") else ord("a") for code in range(256))
_SHOUT: Final = SHORTEST * b"A"
_MAY_SHOUT: Final = re.compile(SHORTEST * "[A-Z\u00c0-\u1fff\u2100-\u2e7f\ua640-\uabff\uff21-\U0001ffff]")
_WORD: Final = regex.compile(r"\p{Ll}[\p{Ll}\p{M}]+")


def capitals(before: str, after: str, lexicon: Lexicon) -> Count:
    """Shouted words before and after, added and removed; texts with code, links and mentions masked."""
    found = [_CAPITALS.findall(text) if _may_shout(text) else [] for text in (before, after)]
    if not any(found):
        return balance(0, 0)
    small = {word.casefold() for text in (before, after) for word in _WORD.findall(text)}
    shouted = [[word for word in side if _is_word(word.casefold(), small, lexicon)] for side in found]
    return multiset(*shouted)


def _may_shout(text: str) -> bool:
    if _SHOUT not in text.encode("ascii", "replace").translate(_ONE_CAPITAL):
        return False
    return text.isascii() or _MAY_SHOUT.search(text) is not None


def _is_word(word: str, small: set[str], lexicon: Lexicon) -> bool:
    return word in small or word in lexicon.common or word in lexicon.function
