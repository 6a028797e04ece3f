"""CPU of the delta of a pair, by size: drafts whose sentences come back, texts without any sentence twice, repetition.

The pairs of a round differ from each other, and those of another round from all of them, so that nothing is measured
that a text seen before would make cheaper. Of more than 128 KB a side only a window is looked at
(``service.analysis.bounds``). All is done by a process of its own, which imports the analysis that the workers have:
``python -m tests.benchmarks.rows.extraction SEED``.
"""

from __future__ import annotations

import random
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import cache
from itertools import count

import orjson

from service.analysis import analyze
from service.analysis.lexicon import lexicon
from tests.benchmarks import jobs
from tests.benchmarks.lab import Lab
from tests.benchmarks.options import Options
from tests.benchmarks.processes import ProcessFailed, module
from tests.benchmarks.results import Results

Pair = tuple[str, str]
MIB = 1 << 20
WARM = 40
# KB of a pair, how it is called, and how many are measured.
SIZES = ((1.0, "1 KB", 1_000), (2.0, "2 KB", 1_000), (10.0, "10 KB", 100), (100.0, "100 KB", 4), (1024.0, "1 MiB", 1))
WORDS_A_CHANGE = 40
WORDS_A_HEAVY_CHANGE = 5
REPEATED = (
    ("word ", "wort "),
    ("A cat sat. ", "A dog sat. "),
    ("- a b\n", "- a c\n"),
    ("[x](y) ", "[x](z) "),
    ("🎉 ", "🚀 "),
    ("これはペン。", "これはパン。"),
    ("```", "~~~"),
)
_first_seeds = count(1_000_000, 1_000_000)


def measure(lab: Lab, options: Options, results: Results) -> None:
    command = module("rows.extraction", str(next(_first_seeds)))
    done = subprocess.run(command, env=lab.environment(), capture_output=True, check=False)
    if done.returncode:
        raise ProcessFailed(f"extraction ended with status {done.returncode}:\n{done.stderr.decode()[-1000:]}")
    for name, value in orjson.loads(done.stdout).items():
        results.add(f"extraction/{name}", value, "CPU ms")


def measured(seeds: Iterator[int]) -> Iterator[tuple[str, float]]:
    """Yield what was measured and CPU milliseconds."""
    for pair, about in ((jobs.pair, "pair"), (unrepeated, "pair, no sentence twice")):
        _cpu_ms(_made(pair, 2.0, WARM, seeds))
        for kb, size, pairs in SIZES:
            yield f"{size} {about}", _cpu_ms(_made(pair, kb, pairs, seeds))
    heavy = [unrepeated(next(seeds), 100.0, WORDS_A_HEAVY_CHANGE) for _ in range(4)]
    yield "100 KB pair, heavily edited", _cpu_ms(heavy)
    yield "1 MiB texts, worst repetition", max(_cpu_ms([pair]) for pair in repetitions())


def _made(pair: Callable[[int, float], Pair], kb: float, pairs: int, seeds: Iterator[int]) -> list[Pair]:
    return [pair(next(seeds), kb) for _ in range(pairs)]


def _cpu_ms(pairs: Sequence[Pair]) -> float:
    """Return CPU milliseconds a pair, in this process."""
    started = time.process_time()
    for original, edited in pairs:
        analyze(original, edited)
    return (time.process_time() - started) * 1000 / len(pairs)


def unrepeated(seed: int, kb: float, words_a_change: int = WORDS_A_CHANGE) -> Pair:
    """Return a draft of random words, about ``kb`` KB together with its edit, in which some words are others."""
    rng = random.Random(seed)
    draft = "".join(_sentences(rng, round(kb * 1024 / 2)))
    words = draft.split(" ")
    for place in rng.sample(range(len(words)), max(1, len(words) // words_a_change)):
        words[place] = rng.choice(_vocabulary())
    return draft, " ".join(words)


def _sentences(rng: random.Random, size: int) -> Iterator[str]:
    while size > 0:
        sentence = " ".join(rng.choices(_vocabulary(), k=rng.randint(6, 22))).capitalize()
        sentence += rng.choice("....!?") + rng.choice((" ", " ", " ", "\n\n"))
        size -= len(sentence)
        yield sentence


@cache
def _vocabulary() -> Sequence[str]:
    """Function words (often), everyday words, and words that no list knows."""
    rng, english = random.Random(0), lexicon("en")
    unknown = ["".join(rng.choices("abcdefghilmnoprstu", k=rng.randint(4, 10))) for _ in range(4000)]
    return [*sorted(english.function) * 4, *sorted(english.common), *unknown]


def repetitions() -> Iterable[Pair]:
    """Texts of 1 MiB that say one thing over and over, and their edits that say another."""
    return ((one * (MIB // len(one)), other * (MIB // len(other))) for one, other in REPEATED)


if __name__ == "__main__":
    sys.stdout.buffer.write(orjson.dumps(dict(measured(count(int(sys.argv[1]))))))
