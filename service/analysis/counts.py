"""Counts before and after, with what was added and removed.

Things that can be told apart (emoji, links, hedges, words) are compared as multisets: a swap is one added and one
removed, a move is nothing. Things that are all alike (paragraphs, bullets, exclamation marks) only have a balance.
Small counts repeat endlessly and the models are frozen, so equal ones share one object.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from functools import lru_cache
from typing import Final

from schemas.delta import NOTHING, Count, Measure
from schemas.made import made

_MEASURED: Final = {"before", "after", "difference"}


@lru_cache(maxsize=8192)
def counted(before: int, after: int, added: int, removed: int) -> Count:
    """A `Count`, shared."""
    if not (before or after or added or removed):
        return NOTHING
    return Count(before=before, after=after, added=added, removed=removed)


@lru_cache(maxsize=8192)
def balance(before: int, after: int) -> Count:
    """The count of things that are all alike."""
    return counted(before, after, max(0, after - before), max(0, before - after))


def multiset(before: Sequence[str], after: Sequence[str]) -> Count:
    """The count of things that can be told apart."""
    if before == after:
        return counted(len(before), len(after), 0, 0)
    return counted(len(before), len(after), *sizes(before, after))


def differences(before: Iterable[str], after: Iterable[str]) -> tuple[list[str], list[str]]:
    """(added, removed) of two multisets, in order of first appearance."""
    one, other = Counter(before), Counter(after)
    return list((other - one).elements()), list((one - other).elements())


def sizes(before: Sequence[str], after: Sequence[str]) -> tuple[int, int]:
    """How many `differences` there are: (added, removed)."""
    left: dict[str, int] = {}
    for value in before:
        left[value] = left.get(value, 0) + 1
    added = 0
    for value in after:
        if count := left.get(value):
            left[value] = count - 1
        else:
            added += 1
    return added, len(before) - len(after) + added


def measure(before: float, after: float) -> Measure:
    """Two means and their difference, rounded to four digits so that stored deltas stay short."""
    one, other = _ten_thousandths(before), _ten_thousandths(after)
    fields = {"before": one / 10_000, "after": other / 10_000, "difference": (other - one) / 10_000}
    return made(Measure, fields, _MEASURED)


def _ten_thousandths(mean: float) -> int:
    """`round(mean, 4)`, counted in these; near the middle between two only `round` can tell, which takes long."""
    scaled = mean * 10_000
    whole = int(scaled + 0.5)
    return whole if abs(scaled - whole) < 0.499 else round(round(mean, 4) * 10_000)
