"""What a run may be asked for."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

EXAMPLES = """\
examples:
  make bench                                     everything; up to three quarters of an hour on two cores
  make bench ARGS=--quick                        the same rows, smaller, once: about five minutes
  make bench ARGS="--rows floors,throughput --json before.json"
  make bench ARGS="--rows floors,throughput --compare before.json"
  make bench ARGS="--rows throughput,peers --peers /tmp/peers"    see tests/benchmarks/peers/README.md
"""


@dataclass(frozen=True, slots=True)
class Options:
    """The sizes of a run."""

    rows: tuple[str, ...] = ()
    rounds: int = 3
    jobs: int = 20_000
    writers: int = 500
    pair_kb: float = 2.0
    seconds: float = 20.0
    limit: float = 40.0
    long: bool = False
    quick: bool = False
    json: Path | None = None
    compare: Path | None = None
    peers: Path | None = None
    readme: bool = False
    interpreted: bool = False


QUICK = {"rounds": 1, "jobs": 2000, "seconds": 6.0, "limit": 10.0}


def parse(arguments: Sequence[str], rows: Mapping[str, str]) -> Options:
    """Return the options in ``arguments``; ``rows`` says what each measures. Exits with usage when they are wrong."""
    explained = "\n".join(f"  {name:12}{about}" for name, about in rows.items())
    parser = argparse.ArgumentParser(
        prog="python -m tests.benchmarks",
        description="Measure learnsvc against its floors, on servers of its own.",
        epilog=f"rows:\n{explained}\n\n{EXAMPLES}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add, count, size = parser.add_argument, _at_least(int, 1), _at_least(float, 0.1)
    add("--rows", type=_names_of(tuple(rows)), default=tuple(rows), metavar="A,B", help="only these rows")
    add("--quick", action="store_true", help="smaller and once: for a first look, not for a comparison")
    add("--long", action="store_true", help="also a backlog of 1,000,000: a quarter of an hour a round, 4 GB for Redis")
    add("--rounds", type=count, metavar="N", help="rounds of everything that is compared (3)")
    add("--jobs", type=count, metavar="N", help="jobs of a throughput run (20,000)")
    add("--writers", type=_at_least(int, 200), default=500, metavar="N", help="writers they are spread over (500)")
    add("--pair-kb", type=size, default=2.0, metavar="KB", help="KB of original and edited text together (2)")
    add("--seconds", type=size, metavar="S", help="seconds of a latency run (20)")
    add("--limit", type=size, metavar="S", help="seconds after which a throughput run is cut off (40)")
    add("--json", type=Path, metavar="FILE", help="save the run")
    add("--compare", type=Path, metavar="FILE", help="show a saved run beside this one")
    add("--interpreted", action="store_true", help="not compiled as in the image: Python alone")
    add("--readme", action="store_true", help="put the targets into tests/README.md")
    add("--peers", type=Path, metavar="DIR", help="where the peers are installed: tests/benchmarks/peers/README.md")
    given = vars(parser.parse_args(arguments))
    sizes = QUICK if given["quick"] else {}
    return Options(**{**sizes, **{name: value for name, value in given.items() if value is not None}})


def _names_of(rows: Sequence[str]) -> Callable[[str], tuple[str, ...]]:
    def names(text: str) -> tuple[str, ...]:
        wanted = [name.strip() for name in text.split(",") if name.strip()]
        for name in wanted:
            if name not in rows:
                raise argparse.ArgumentTypeError(f"no row is called {name!r}: choose from {', '.join(rows)}")
        return tuple(name for name in rows if name in wanted)

    return names


def _at_least(kind: type[int] | type[float], least: float) -> Callable[[str], float]:
    def number(text: str) -> float:
        value = kind(text)
        if not value >= least:
            raise argparse.ArgumentTypeError(f"must be at least {least:g}")
        return value

    number.__name__ = "number"
    return number
