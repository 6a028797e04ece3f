"""A sketch of a text: two bytes a word, so that "was this phrase left standing?" can be asked without the text.

Each word is folded and becomes the low 16 bits of its CRC-32 (stable over versions, processes and machines). A phrase
of three words is then found by accident in a 500-word text about once in 5 * 10^11 texts, one of two words once in
10^7, a single word once in 130 - rare enough for counter-evidence, which is only ever one vote.

Longer texts keep their first and last 250 words with an empty slot between, so that no phrase bridges the gap: 1 kB
at most is stored for an edit.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from operator import itemgetter
from typing import Final
from zlib import crc32

from service.analysis.tokens import words

CAP: Final = 500
_MOST_KEPT: Final = 1 << 14
_GAP: Final = b"\0\0"


def sketch(text: str) -> bytes:
    """Two-byte hashes of the words of `text` in order, little-endian; the middle of long texts is left out."""
    return sketch_words(words(text))


def sketch_words(found: Sequence[str]) -> bytes:
    """`sketch` of words that are already folded."""
    if len(found) <= CAP:
        return _hashes(found)
    half = CAP // 2
    return _hashes(found[:half]) + _GAP + _hashes(found[-half:])


def contains(sketch: bytes, phrase: str) -> bool:
    """Whether the words of `phrase` stand next to each other in the sketched text."""
    wanted = _wanted(phrase)
    if not wanted:
        return False
    at = sketch.find(wanted)
    while at % 2 and at >= 0:
        at = sketch.find(wanted, at + 1)
    return at >= 0


@lru_cache(maxsize=4096)
def _wanted(phrase: str) -> bytes:
    """The hashes of a phrase; one phrase is looked for in many texts."""
    return _hashes(words(phrase))


class _Kept(dict[str, bytes]):
    """The hashes of words, kept, for texts share their common words: a look-up costs a third of a call."""

    def __missing__(self, word: str) -> bytes:
        if len(self) >= _MOST_KEPT:
            self.clear()
        found = self[word] = (crc32(word.encode("utf-8", "replace")) & 0xFFFF).to_bytes(2, "little")
        return found


_kept = _Kept()


def _hashes(found: Sequence[str]) -> bytes:
    if len(found) < 2:  # a getter of one thing gives no tuple
        return b"".join([_kept[word] for word in found])
    return b"".join(itemgetter(*found)(_kept))
