"""Jobs a second, and the CPU of a job: full jobs, with a constant delta, of one hot writer.

A twentieth of the jobs comes first, for imports and first connections are a matter of the start times. The others are
appended where workers do not see them yet, and the clock runs from the moment they do, with nothing in hand, until the
last is settled: an entry that was read ahead and not yet learned is work half done, and with any at the beginning or
the end of what is measured, a job would seem cheaper or dearer than it is. On a slow machine ``--limit`` cuts the run
off.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from itertools import islice
from typing import Any

from tests.benchmarks import jobs
from tests.benchmarks.lab import Cost, Lab
from tests.benchmarks.options import Options
from tests.benchmarks.processes import module
from tests.benchmarks.results import Results

WARM = 0.05
RUNS = (("one process", 1, 1), ("two processes", 2, 1), ("two processes, a partition each", 2, 2))


def drain(
    lab: Lab,
    payloads: Iterator[bytes],
    count: int,
    *,
    limit: float | None = None,
    workers: int = 1,
    partitions: int = 1,
    command: Sequence[str] | None = None,
    prepare: Callable[[], object] = lambda: None,
    **settings: Any,
) -> tuple[Cost, float]:
    """Let ``workers`` learn ``count`` payloads; return the cost and the most memory the first worker held, in MB.

    ``prepare`` is called with nothing stored yet.
    """
    lab.empty(partitions)
    prepare()
    with lab.workers(workers, command=command, **settings) as programs:
        lab.wait_completed(lab.enqueue(islice(payloads, round(count * WARM))), programs)
        with lab.unseen():
            lab.enqueue(payloads)
            first = lab.read(programs)
        lab.wait_completed(count, programs, limit)
        last = lab.read(programs)
        if last.completed == count:
            lab.settled_properly()
        return last.since(first), programs[0].peak_mb()


def full(lab: Lab, options: Options, results: Results) -> None:
    for name, workers, partitions in RUNS:
        cost, peak = _drain(lab, options, workers=workers, partitions=partitions)
        add_cost(results, f"throughput/{name}", cost)
        if workers == 1:
            results.add("memory/one process", peak, "MB")


def constant(lab: Lab, options: Options, results: Results) -> None:
    cost, _ = _drain(lab, options, command=module("constant"))
    add_cost(results, "throughput/constant delta", cost)


def hot(lab: Lab, options: Options, results: Results) -> None:
    cost, _ = drain(lab, jobs.of_one(options.jobs, options.pair_kb), options.jobs, limit=options.limit)
    add_cost(results, "throughput/hot writer", cost)


def _drain(lab: Lab, options: Options, **how: Any) -> tuple[Cost, float]:
    """Drain jobs spread over all writers."""
    payloads = jobs.spread(options.jobs, options.writers, options.pair_kb)
    return drain(lab, payloads, options.jobs, limit=options.limit, **how)


def add_cost(results: Results, name: str, cost: Cost) -> None:
    results.add(name, cost.rate, "jobs/s")
    results.add(f"{name}: worker", cost.worker_ms, "CPU ms/job")
    results.add(f"{name}: redis", cost.redis_ms, "CPU ms/job")
    results.add(f"{name}: mongod", cost.mongo_ms, "CPU ms/job")
