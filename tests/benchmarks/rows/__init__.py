"""The experiments, in the order in which a round runs them: what is compared follows at once, in the same mood."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from tests.benchmarks.lab import Lab
from tests.benchmarks.options import Options
from tests.benchmarks.results import Results
from tests.benchmarks.rows import extraction, floors, growth, latency, overhead, peers, start, throughput

Measure = Callable[[Lab, Options, Results], None]


@dataclass(frozen=True, slots=True)
class Row:
    """``measure`` adds one sample a name to the results; ``once`` for what takes long and is compared within itself."""

    name: str
    about: str
    measure: Measure
    once: bool = False


ROWS = (
    Row("floors", "redis-py and pymongo without learning", floors.measure),
    Row("constant", "full jobs with a constant delta", throughput.constant),
    Row("peers", "other task queues that count (needs --peers)", peers.measure),
    Row("throughput", "full jobs, one and two processes", throughput.full),
    Row("hot", "all jobs of one writer", throughput.hot),
    Row("extraction", "CPU of the delta of a pair, 1 KB to 1 MiB", extraction.measure),
    Row("latency", "enqueue to start and to settled, 20 jobs/s", latency.idle),
    Row("loop", "the same beside texts of 1 MiB; renewals", latency.beside_large),
    Row("start", "--help, and consume to its first read", start.measure),
    Row("backlog", "cost of a job before a short and a long backlog", growth.backlog),
    Row("overhead", "full jobs with logs, metrics and traces, and without", overhead.measure),
    Row("edits", "cost of a writer's 1st to 5,000th edit", growth.edits, once=True),
)
