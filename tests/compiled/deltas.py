"""``python -m tests.compiled.deltas``: a line for each of some thousand pairs of texts, with the hash of its analysis.

Drafts and their edits, random words, the sample edits, and all of these with what texts are odd for strewn in.
"""

from __future__ import annotations

import hashlib
import random
from collections.abc import Iterator
from pathlib import Path

import orjson

import service
from service.analysis import analyze
from tests.benchmarks import jobs
from tests.benchmarks.rows.extraction import unrepeated

SAMPLE = Path(service.__path__[0]) / "sample" / "edits.jsonl"
DRAFTS, RANDOM, STREWN = 200, 30, 2_000
MOST_CHARACTERS, MOST_STREWN, MOST_REPLACED = 1_500, 6, 12
ODD = (
    *("\ud800", "\ufdd0", "\u2028", "\r\n", "\u0301", "# A\n", "- x\n- y\n", "1. a\n2. b\n", "```\nx\n```\n", "`code`"),
    *("@bob ", "#tag ", "https://a.io/x ", "me@a.io", "*so* "),
    *("🎉", "🇩🇪", "田中さん。", "花园开放了。", "สวัสดี", "정원"),
    *("NOT ", "¿", "— ", "...", "!!!", "May 5 ", "3.14% ", "don’t ", "Herr Schmidt ", "z. B. ", "\n\n", "x" * 50),
)

Pair = tuple[str, str]


def pairs() -> Iterator[Pair]:
    """The same pairs each time."""
    plain = [jobs.pair(seed, kb) for seed in range(DRAFTS) for kb in (0.5, 2.0, 6.0)]
    plain += [unrepeated(seed, kb, every) for seed in range(RANDOM) for kb in (1.0, 4.0, 20.0) for every in (5, 40)]
    edits = map(orjson.loads, SAMPLE.read_bytes().splitlines())
    plain += [(edit["original_text"], edit["edited_text"]) for edit in edits]
    yield from plain
    rng = random.Random(0)
    for _ in range(STREWN):
        before, after = rng.choice(plain)
        yield _strewn(before, rng), _strewn(after, rng)


def _strewn(text: str, rng: random.Random) -> str:
    """``text`` with odd things in some places, and without what stood there."""
    characters = list(text[:MOST_CHARACTERS])
    for _ in range(rng.randint(0, MOST_STREWN)):
        place = rng.randint(0, len(characters))
        characters[place : place + rng.randint(0, MOST_REPLACED)] = rng.choice(ODD)
    return "".join(characters)


def main() -> None:
    for before, after in pairs():
        found = analyze(before, after)
        shown = repr((found.delta.model_dump(), found.spans, found.pairs))
        print(hashlib.sha256(shown.encode("utf-8", "surrogatepass")).hexdigest())


if __name__ == "__main__":
    main()
