"""Jobs as an application would send them: mostly unchanged text, a few changed sentences, different for every seed.

The texts are drafts of simulated writers (``tests.learning.simulated``), repeated with other sentences until a pair
has the size asked for, and edited by two habits in two places. A pool of different pairs is dealt out to many writers,
for making a million texts would take longer than learning from them.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from functools import lru_cache

import orjson

from tests.learning.simulated import CLICHES, HABITS, Writer, written

POOL = 1000
EDITED_PARAGRAPHS = 2
EDITS = tuple(sorted(HABITS))


def pair(seed: int, kb: float) -> tuple[str, str]:
    """Return a draft and what its writer left of it, about ``kb`` KB together."""
    writer = Writer(seed, (), banned=(CLICHES[seed % len(CLICHES)],), share=0.7)
    draft = list(_paragraphs(writer, round(kb * 1024 / 2)))
    edited = [list(paragraph) for paragraph in draft]
    for place in writer.rng.sample(range(len(draft)), min(EDITED_PARAGRAPHS, len(draft))):
        edited[place] = [writer.edit([edited[place]], (writer.rng.choice(EDITS),))]
    return written(draft), written(edited)


def _paragraphs(writer: Writer, size: int) -> Iterator[list[str]]:
    """Yield paragraphs of ``size`` characters together, up to the end of a sentence."""
    while size > 0:
        for paragraph in writer.draft():
            kept = []
            while paragraph and size > 0:
                size -= len(paragraph[0]) + 1
                kept.append(paragraph.pop(0))
            if kept:
                yield kept


@lru_cache(maxsize=4)
def pool(kb: float) -> tuple[tuple[str, str], ...]:
    return tuple(pair(seed, kb) for seed in range(POOL if kb < 100 else 8))


def payload(number: int, user: str, kb: float, label: str = "j") -> bytes:
    """Return the field ``job`` of job ``number``; ``label`` keeps the ids of two series apart."""
    pairs = pool(kb)
    original, edited = pairs[number % len(pairs)]
    return orjson.dumps(
        {
            "job_id": f"{label}-{number}",
            "user_id": user,
            "content_id": f"c-{number}",
            "original_text": original,
            "edited_text": edited,
        }
    )


def spread(count: int, writers: int, kb: float, seed: int = 0, name: str = "w") -> Iterator[bytes]:
    """Yield ``count`` jobs of random writers, called ``name`` and a number."""
    rng = random.Random(seed)
    return (payload(number, f"{name}{rng.randrange(writers)}", kb) for number in range(count))


def in_turn(count: int, writers: int, kb: float, label: str = "j") -> Iterator[bytes]:
    """Yield ``count`` jobs, each writer in turn: no read of fewer than ``writers`` holds one twice."""
    return (payload(number, f"w{number % writers}", kb, label) for number in range(count))


def of_one(count: int, kb: float, label: str = "j") -> Iterator[bytes]:
    """Yield ``count`` jobs of one writer."""
    return (payload(number, "hot", kb, label) for number in range(count))
