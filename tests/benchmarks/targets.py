"""What must be reached, as ratios or bounds on what one run measured."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from tests.benchmarks.results import Results

PEERS_PYTHON, PEERS_NODE = "peer/python: ", "peer/node: "


@dataclass(frozen=True, slots=True)
class Target:
    """``value`` is None when this run did not measure it."""

    text: str
    value: Callable[[Results], float | None]
    sense: Literal[">=", "<="]
    bound: float
    unit: str = "x"

    def reached(self, results: Results) -> bool | None:
        value = self.value(results)
        if value is None:
            return None
        return value >= self.bound if self.sense == ">=" else value <= self.bound


def _ratio(name: str, base: str) -> Callable[[Results], float | None]:
    return lambda results: results.ratio(name, base)


def _to_best(name: str, prefix: str) -> Callable[[Results], float | None]:
    def value(results: Results) -> float | None:
        best = results.best(prefix)
        return results.ratio(name, best) if best else None

    return value


def _median(name: str) -> Callable[[Results], float | None]:
    return lambda results: results.median(name)


ONE, TWO = "throughput/one process", "throughput/two processes, a partition each"
TARGETS = (
    Target("one process, full jobs, to the best Python peer's counter", _to_best(ONE, PEERS_PYTHON), ">=", 1.0),
    Target("two processes, a partition each, full jobs, to BullMQ's counter", _to_best(TWO, PEERS_NODE), ">=", 1.0),
    Target(
        "constant delta to the guarded floor, 2 reads in flight",
        _ratio("throughput/constant delta", "floor/guarded, 2 in flight"),
        ">=",
        0.7,
    ),
    Target(
        "CPU of a job with logs, metrics and 5 % of traces, to nothing",
        _median("overhead/logs, metrics, 5 % of traces: ratio"),
        "<=",
        1.05,
    ),
    Target("extraction of a 1 KB pair", _median("extraction/1 KB pair"), "<=", 1.0, "CPU ms"),
    Target("extraction of a 2 KB pair", _median("extraction/2 KB pair"), "<=", 0.3, "CPU ms"),
    Target("extraction of a 100 KB pair", _median("extraction/100 KB pair, no sentence twice"), "<=", 150.0, "CPU ms"),
    Target(
        "extraction of a 100 KB pair, heavily edited",
        _median("extraction/100 KB pair, heavily edited"),
        "<=",
        150.0,
        "CPU ms",
    ),
    Target(
        "1 MiB texts, worst repetition", _median("extraction/1 MiB texts, worst repetition"), "<=", 1000.0, "CPU ms"
    ),
    Target("enqueue to start, p50", _median("latency/start p50"), "<=", 1.5, "ms"),
    Target("enqueue to start, p99", _median("latency/start p99"), "<=", 5.0, "ms"),
    Target("enqueue to settled, p50", _median("latency/settled p50"), "<=", 8.0, "ms"),
    Target("cost of a job, largest backlog to 1,000", _median("growth/backlog ratio"), "<=", 1.15),
    Target("cost of a job, 5,000th edit to 1st", _median("growth/edits ratio"), "<=", 1.15),
    Target(
        "cost of a job, 5,000th edit to 50th, which fills a profile",
        _ratio("growth/edit 5,000: cost", "growth/edit 50: cost"),
        "<=",
        1.15,
    ),
    Target("memory of the worker, 20 writers in work", _median("memory/one process"), "<=", 150.0, "MB"),
    Target("memory of the worker, largest backlog to 1,000", _median("growth/memory ratio"), "<=", 1.15),
    Target("learnsvc --help", _median("start/--help"), "<=", 0.3, "s"),
    Target("consume to its first read", _median("start/consume"), "<=", 1.5, "s"),
    Target("two processes, a partition each, to one", _ratio(TWO, ONE), ">=", 1.8),
    Target("hot writer to spread", _ratio("throughput/hot writer", ONE), ">=", 0.8),
    Target("1 MiB texts: longest time without renewal to the lease", _median("loop/renewal to lease"), "<=", 1.0),
    Target("1 MiB texts: others settled, p99", _median("loop/others settled p99"), "<=", 100.0, "ms"),
)
