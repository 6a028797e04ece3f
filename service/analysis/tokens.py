"""Words and marks of a text, and the hashes that stand for words.

A *word* is a run of letters, digits and the signs that live inside words (`Node.js`, `game-changer`, `3.14%`,
`don't`). Scripts written without spaces (Han, kana, Thai, Lao, Khmer, Burmese) give one word a character. Everything
else that is not a blank is a *mark* of one character.

There are four patterns, each faster than the next: ASCII, stdlib `re` (which splits words at combining marks), the same
with Han and kana, and `regex`, for texts that hold a script that needs it. All are linear: no part can match what
follows it. They run over the folded text, which has the same length, so places in one are places in the other.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import accumulate
from operator import sub
from typing import Final

import regex  # type: ignore[import-untyped]

CHARACTER_SCRIPT: Final = (
    r"\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3005-\u3007\u3041-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff"
    r"\uff66-\uff9f\U00020000-\U0003ffff"
)
# The first branch is for words that no sign follows which could go on inside a word: most are, and it costs half.
_ASCII_WORD: Final = r"[a-z0-9_]++(?!['.\-,:/%])|[a-z0-9_]+(?:['.\-_]+[a-z0-9_]+|(?<=[0-9])[,:/](?=[0-9])[a-z0-9_]+)*%?"
_ASCII: Final = re.compile(rf"\s*+(?:{_ASCII_WORD}|[^\sa-z0-9_])")
# Bytes are translated by a table, and searched for two of them, faster than strings by a dictionary and a pattern.
_BLANKED: Final = bytes(code if chr(code).isalnum() or chr(code) in "_\n" else ord(" ") for code in range(128)) * 2
# All that words consist of is one letter, a full stop the signs that may be inside one, with more of it behind.
_OUTLINED: Final = bytes(
    ord("a" if chr(code).isalnum() or code == ord("_") else "." if chr(code) in "'.-,:/" else chr(code))
    for code in range(128)
) + bytes(128)
_ASCII_WORDS: Final = re.compile(_ASCII_WORD)
_PLAIN_WORD: Final = r"\w++(?!['.\-·,:/%‰°])|\w+(?:['.\-·_]+\w+|(?<=\d)[,:/](?=\d)\w+)*[%‰°]?"
_PLAIN: Final = re.compile(rf"\s*+(?:{_PLAIN_WORD}|[^\w\s])")
_PLAIN_WORDS: Final = re.compile(_PLAIN_WORD)
# Scripts with combining marks or without spaces: these need the slower pattern.
_NEEDS_FULL: Final = re.compile(
    r"[\u0300-\u036f\u0483-\u0489\u0590-\u1dff\u2c00-\u2dff\u3005-\u3007\u3041-\ud7ff\uf900-\ufdff\ufe20-\ufe2f"
    r"\uff66-\uffdf\U00010000-\U0001cfff\U00020000-\U0003ffff]"
)
_LETTER: Final = rf"[^\W{CHARACTER_SCRIPT}]"
_LETTERS: Final = rf"{_LETTER}+(?:['.\-·_]+{_LETTER}+|(?<=\d)[,:/](?=\d){_LETTER}+)*[%‰°]?"
# Of the character scripts, Han and kana alone need no more than stdlib `re`, when all else is plain, too.
_BEYOND_KANA: Final = re.compile(
    r"[^\t\n\x20-\xb1\xb4-\xb8\xba\xbb\xbf-\u02af\u2010-\u2027\u2030-\u203e\u2041-\u2053\u2190-\u23ff\u2500-\u2775\u3001-\u3029"
    r"\u3030-\u3035\u3041-\u3096\u309b-\u30ff\u4e00-\u9fef\uff01-\uff3e\uff40-\uff9f\ufdd0-\ufdd4]"
)
_KANA_WORD: Final = rf"[{CHARACTER_SCRIPT}]|{_LETTERS}"
_KANA: Final = re.compile(rf"\s*+(?:{_KANA_WORD}|[^\w\s])")
_KANA_WORDS: Final = re.compile(_KANA_WORD)
_FULL_WORD: Final = rf"[{CHARACTER_SCRIPT}]\p{{M}}*|{_LETTERS}"
_FULL: Final = regex.compile(rf"{_FULL_WORD}|[^\w\s]")
_FULL_WORDS: Final = regex.compile(_FULL_WORD)
_STRAIGHT: Final = tuple(zip("’ʼ‘‑‐", "'''--", strict=True))
_FIRST_CHARACTER: Final = "\u0e00"
_ONE_CHARACTER: Final = re.compile(f"[{CHARACTER_SCRIPT}]")


def is_character_script(word: str) -> bool:
    """Whether `word` is one character of a script written without spaces."""
    return word >= _FIRST_CHARACTER and _ONE_CHARACTER.match(word) is not None


def fold(text: str) -> str:
    """`text` in the form words are compared in, of the same length: lower case, straight apostrophes and hyphens."""
    folded = text.lower()
    if folded.isascii():
        return folded
    if len(folded) != len(text):
        folded = "".join([low if len(low := character.lower()) == 1 else character for character in text])
    for curly, straight in _STRAIGHT:
        folded = folded.replace(curly, straight)
    return folded


def words(text: str) -> list[str]:
    """The words of `text`, folded, in order."""
    folded = fold(text)
    if folded.isascii():
        raw = folded.encode()
        if _has_signs_inside(raw.translate(_OUTLINED)):
            return _ASCII_WORDS.findall(folded)
        return raw.translate(_BLANKED).decode().split()
    if _NEEDS_FULL.search(folded) is None:
        return _PLAIN_WORDS.findall(folded)
    if _BEYOND_KANA.search(folded) is None:
        return _KANA_WORDS.findall(folded)
    found: list[str] = _FULL_WORDS.findall(folded)
    return found


def words_of_each(texts: Sequence[str]) -> list[list[str]]:
    """The words of each of several texts without line breaks.

    Those in ASCII are blanked and split together, which takes half as long, and only those with a sign inside a word
    are looked at alone.
    """
    folded = fold("\n".join(texts))
    if not folded.isascii() or not texts:
        plain = [text for text in texts if text.isascii()]
        of_plain = iter(words_of_each(plain) if plain else ())
        return [next(of_plain) if text.isascii() else words(text) for text in texts]
    raw = folded.encode()
    found = list(map(str.split, raw.translate(_BLANKED).decode().split("\n")))
    outlined = raw.translate(_OUTLINED)
    if _has_signs_inside(outlined):
        lines = folded.split("\n")
        for place, line in enumerate(outlined.split(b"\n")):
            if _has_signs_inside(line):
                found[place] = _ASCII_WORDS.findall(lines[place])
    return found


def _has_signs_inside(outlined: bytes) -> bool:
    """Whether a sign is inside a word, or may be; else all signs only separate words."""
    return b".a" in outlined or b"%" in outlined


class Tokens:
    """Words and marks of `text`: `keys` for comparing, `starts` and `ends` to cut them out as written."""

    def __init__(self, text: str, keys: list[str], starts: list[int], ends: list[int]) -> None:
        self.text = text
        self.keys = keys
        self.starts = starts
        self.ends = ends

    def raw(self, start: int, end: int) -> str:
        """Tokens start..end as the writer wrote them."""
        return self.text[self.starts[start] : self.ends[end - 1]] if start < end else ""

    def breaks_before(self, index: int) -> bool:
        """Whether a line break stands before a token: another sentence begins."""
        return 0 < index < len(self.starts) and "\n" in self.text[self.ends[index - 1] : self.starts[index]]

    def at(self, index: int) -> str:
        """One token as written."""
        return self.text[self.starts[index] : self.ends[index]]


def tokenize(text: str) -> Tokens:
    """All words and marks of `text` with their places."""
    folded = fold(text)
    if folded.isascii():
        return _laid_out(text, _ASCII.findall(folded))
    if _NEEDS_FULL.search(folded) is None:
        return _laid_out(text, _PLAIN.findall(folded))
    if _BEYOND_KANA.search(folded) is None:
        return _laid_out(text, _KANA.findall(folded))
    spans = [match.span() for match in _FULL.finditer(folded)]
    keys = [folded[start:end] for start, end in spans]
    return Tokens(text, keys, [start for start, _ in spans], [end for _, end in spans])


def _laid_out(text: str, pieces: list[str]) -> Tokens:
    """Tokens that were found together with the blanks before them, which tell their places without a match of each."""
    keys = [piece.lstrip() for piece in pieces]
    ends = list(accumulate(map(len, pieces)))
    return Tokens(text, keys, list(map(sub, ends, map(len, keys))), ends)


def is_word(key: str) -> bool:
    """Whether a token is a word and not a mark."""
    return key[0].isalnum() or (len(key) > 1 and key[0] == "_")
