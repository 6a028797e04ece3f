"""Signed lexical evidence on the five tone scales, from what changed.

Each scale adds up its signs and divides by their number plus one: one sign says 0.5, three of a kind 0.75, contrary
ones cancel. A formal word that was exchanged for its casual twin counts once, through the pair or through the lists.
Emoji say nothing here: writers who add them are not more enthusiastic in what they write, and emoji have their own
counts.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from functools import lru_cache
from typing import Final, Literal

from schemas.delta import Count, Measure, ToneScales
from service.analysis.lexicon import Lexicon
from service.analysis.markers import find_marks
from service.analysis.spans import Change, Reason
from service.analysis.tokens import words

# For and against.
Signs = tuple[float, float]
_SHORTER_WORD: Final = 1.0
_OTHER_WORD: Final = 1.5
_SHARE: Final = 0.04
_MUCH: Final = 0.3


def scale(up: float, down: float) -> float:
    """Signs for and against, as -1..1."""
    total = up + down
    return round((up - down) / (total + 1), 3) if total else 0.0


def tone_scales(counts: dict[str, Count], pair_signs: Iterable[int]) -> ToneScales:
    """The scales from the counts of one delta and the signs of exchanged pairs that no list counts."""
    signs = list(pair_signs)
    formal_up = counts["formal"].added + counts["casual"].removed + counts["contractions"].removed
    formal_down = counts["formal"].removed + counts["casual"].added + counts["contractions"].added
    return _of_signs(
        (formal_up + signs.count(1), formal_down + signs.count(-1)),
        _both(counts, "exclamations", "intensifiers", "enthusiastic"),
        _both(counts, "hedges")[::-1],
        _both(counts, "laughter"),
        _both(counts, "emotional"),
    )


@lru_cache(maxsize=4096)
def _of_signs(formality: Signs, enthusiasm: Signs, directness: Signs, humor: Signs, emotionality: Signs) -> ToneScales:
    """The scales, shared: most edits bring few signs, and the same few."""
    return ToneScales(
        formality=scale(*formality),
        enthusiasm=scale(*enthusiasm),
        directness=scale(*directness),
        humor=scale(*humor),
        emotionality=scale(*emotionality),
    )


def phrase_signs(phrase: str, lexicon: Lexicon) -> tuple[float, ...]:
    """The signs that `phrase` alone brings on each scale of `ToneScales`, in their order."""
    marks = Counter(name for name, _ in find_marks(phrase, words(phrase), lexicon))
    return (
        marks["formal"] - marks["casual"] - marks["contractions"],
        phrase.count("!") + phrase.count("！") + marks["intensifiers"] + marks["enthusiastic"],
        -marks["hedges"],
        marks["laughter"],
        marks["emotional"],
    )


def _both(counts: dict[str, Count], *names: str) -> Signs:
    return sum([counts[name].added for name in names]), sum([counts[name].removed for name in names])


def complexity_shift(exchanged: Iterable[Change], long_words: Measure, ratio: float) -> Literal[-1, 0, 1]:
    """Whether the words became simpler or harder.

    Exchanged words say it best: their mean length must differ by a letter, by one and a half when
    no known pair is among them. Without any, the share of long words must
    have moved by four points in a text three tenths of which changed.
    """
    old: list[str] = []
    new: list[str] = []
    needed = _OTHER_WORD
    for change in exchanged:
        if change.reason is Reason.PAIR:
            needed = _SHORTER_WORD
        if change.reason in (Reason.PAIR, Reason.CONTENT):
            old += words(change.before)
            new += words(change.after)
    if old and new:
        shift = _mean(new) - _mean(old)
        return 0 if abs(shift) < needed else 1 if shift > 0 else -1
    if ratio < _MUCH or abs(long_words.difference) < _SHARE:
        return 0
    return 1 if long_words.difference > 0 else -1


def _mean(found: list[str]) -> float:
    return sum(map(len, found)) / len(found)
