"""How much of a text is looked at closely, so that no input costs more than a fraction of a second.

A side of up to 131,072 characters (22,000 words; twenty times the longest post people write) is analysed whole. Of a
longer one a window of that size is, which starts half a window before the first difference: what changed is in view
wherever it stands. The rest is only compared for equality, and the delta says `truncated`.
"""

from __future__ import annotations

from typing import Final

WINDOW: Final = 131_072
_LEAST_POST: Final = 1_024


def bounded(before: list[str], after: list[str]) -> tuple[list[str], list[str], bool]:
    """The posts of both sides cut to the window, and whether anything that was cut off differs."""
    if max(_size(before), _size(after)) <= WINDOW:
        return before, after, False
    if len(before) == len(after) == 1:
        start = _before_difference(before[0], after[0])
        return [before[0][start : start + WINDOW]], [after[0][start : start + WINDOW]], True
    limit = max(_LEAST_POST, WINDOW // max(len(before), len(after)))
    return [post[:limit] for post in before], [post[:limit] for post in after], True


def _size(posts: list[str]) -> int:
    return sum(map(len, posts))


def _before_difference(before: str, after: str) -> int:
    """Where the window begins: at a line or word half a window before the first difference."""
    start = _common_prefix(before, after) - WINDOW // 2
    if start <= 0:
        return 0
    line = before.rfind("\n", start - WINDOW // 8, start)
    blank = before.rfind(" ", start - WINDOW // 8, start)
    return max(line, blank, start - 1 if max(line, blank) < 0 else 0) + 1


def _common_prefix(one: str, other: str) -> int:
    """Length of the common prefix, by bisection: twenty comparisons of memory instead of a loop over characters."""
    low, high = 0, min(len(one), len(other))
    while low < high:
        middle = (low + high + 1) // 2
        if one[low:middle] == other[low:middle]:
            low = middle
        else:
            high = middle - 1
    return low
