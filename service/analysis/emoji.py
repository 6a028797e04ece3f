"""Emoji as a reader counts them: a family, a flag, a skin tone, a keycap is one.

The pattern spells out what UTS 51 allows in one emoji instead of clustering all text with `\\X`, which costs twenty
times as much on a megabyte of emoji. Text-style symbols (the trade mark sign, arrows, plain digits) are emoji only
with the variation selector that asks for it. Texts without any candidate are told apart by one cheap search first.
"""

from __future__ import annotations

import re
from typing import Final

import regex  # type: ignore[import-untyped]

_BASE: Final = r"(?:\p{Emoji_Presentation}|\p{Emoji}\uFE0F|\p{Emoji_Modifier_Base}(?=\p{Emoji_Modifier}))"
_ONE: Final = rf"{_BASE}\uFE0F?\p{{Emoji_Modifier}}?[\U000E0020-\U000E007F]*"
_JOINED: Final = r"(?:\u200D(?:\p{Extended_Pictographic})\uFE0F?\p{Emoji_Modifier}?)*"
EMOJI: Final = regex.compile(
    rf"[0-9#*]\uFE0F?\u20E3|\p{{Regional_Indicator}}{{2}}|(?!\p{{Regional_Indicator}})(?![0-9#*]){_ONE}{_JOINED}"
)
# Whatever one emoji can consist of stands in one such run, so that the slow pattern sees nothing else of a text.
_PART: Final = (
    "[0-9#*©®\u200d\u203c\u2049\u20e3\u2122\u2139\u2190-\u2bff\u3030\u303d\u3297\u3299\ufe0f"
    "\U0001f000-\U0001ffff\U000e0020-\U000e007f]"
)
_RUN: Final = re.compile(f"({_PART}{_PART}*)")
_CANDIDATE: Final = re.compile(r"[\u20e3\ufe0f\u231a-\u2b55\U0001f000-\U0001faff]")
# Characters a candidate from which on it is cheaper to look for each than to look at all of a text.
_APART: Final = 40
LAUGHING: Final = frozenset("😂🤣😆😹😅")


def take_emoji(text: str, beyond: str, by: str) -> tuple[str, list[str]]:
    """`text` with every emoji replaced by `by`, and all emoji in order; `beyond` is what of it is not ASCII."""
    candidates = _CANDIDATE.findall(beyond)
    if not candidates:
        return text, []
    between, words = _words(text, candidates)
    parts = _RUN.split(" ".join(words))
    runs = parts[1::2]
    joined = "\n".join(runs)
    found: list[str] = EMOJI.findall(joined)
    if not found:
        return text, []
    parts[1::2] = [by] * len(runs) if found == runs else EMOJI.sub(by, joined).split("\n")
    pieces = [""] * (len(between) + len(words))
    pieces[::2], pieces[1::2] = between, "".join(parts).split(" ")
    return "".join(pieces), found


def _words(text: str, candidates: list[str]) -> tuple[list[str], list[str]]:
    """The words of `text` that hold `candidates`, up to the blanks, which no emoji reaches over; what is around them.

    They are looked for one after the other, unless they stand so close that all words are had for less.
    """
    if len(candidates) * _APART > len(text):
        words = text.split(" ")
        return ["", *[" "] * (len(words) - 1), ""], words
    between: list[str] = []
    words = []
    end = index = 0
    while index < len(candidates):
        place = text.index(candidates[index], end)
        start = text.rfind(" ", end, place) + 1
        between.append(text[end:start])
        end = text.find(" ", place)
        end = len(text) if end < 0 else end
        words.append(text[start:end])
        index += len(_CANDIDATE.findall(words[-1]))
    between.append(text[end:])
    return between, words
