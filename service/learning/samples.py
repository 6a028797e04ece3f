"""Sample posts: at most ten texts of the writer's own, chosen for variety.

A rewrite (more than 80 % changed) is kept as a sample. When an eleventh comes, the two most alike are found
and the older of them goes, so ten versions of one announcement never crowd out everything else. One text at a
time, oldest first, this is a left fold, so samples stay when the edits they came from age out.
"""

from __future__ import annotations

import re
from functools import lru_cache
from itertools import combinations
from typing import Final

MOST: Final = 10
_WORD: Final = re.compile(r"[぀-ヿ㐀-鿿]|\w+")


def with_sample(samples: list[str], text: str) -> list[str]:
    """``samples`` and one more text, again at most ten."""
    if not text or text in samples:
        return samples
    samples = [*samples, text]
    if len(samples) <= MOST:
        return samples
    older, _ = max(combinations(range(len(samples)), 2), key=lambda pair: (_alike(samples, pair), -pair[0], -pair[1]))
    return samples[:older] + samples[older + 1 :]


def _alike(samples: list[str], pair: tuple[int, int]) -> float:
    first, second = _vocabulary(samples[pair[0]]), _vocabulary(samples[pair[1]])
    union = len(first | second)
    return len(first & second) / union if union else 1.0


@lru_cache(maxsize=256)
def _vocabulary(text: str) -> frozenset[str]:
    return frozenset(_WORD.findall(text.casefold()))
