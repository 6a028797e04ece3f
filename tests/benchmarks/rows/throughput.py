"""Jobs a second, and the CPU of a job: full jobs, with a constant delta, of one hot writer.

The stream is filled first, so nothing is enqueued while it is measured. The clock starts when all workers have joined
and 5 % of the jobs are settled (imports and first connections are a matter of the start times), and stops at 95 %,
while every worker still has work; the rest is waited for, and must be settled too. On a slow machine ``--limit`` cuts
the run off instead.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

from tests.benchmarks import jobs
from tests.benchmarks.lab import Cost, Lab
from tests.benchmarks.options import Options
from tests.benchmarks.processes import module
from tests.benchmarks.results import Results

WARM, DONE = 0.05, 0.95
RUNS = (("one process", 1, 1), ("two processes", 2, 1), ("two processes, a partition each", 2, 2))


def drain(
    lab: Lab,
    payloads: Iterable[bytes],
    *,
    limit: float | None = None,
    workers: int = 1,
    partitions: int = 1,
    command: Sequence[str] | None = None,
    prepare: Callable[[], object] = lambda: None,
    **settings: Any,
) -> tuple[Cost, float]:
    """Let ``workers`` learn ``payloads``; return the cost and the most memory the first worker held, in MB.

    ``prepare`` is called with nothing stored yet.
    """
    lab.empty(partitions)
    prepare()
    total = lab.enqueue(payloads)
    with lab.workers(workers, command=command, **settings) as programs:
        lab.wait_completed(round(total * WARM), programs)
        first = lab.read(programs)
        lab.wait_completed(round(total * DONE), programs, limit)
        last = lab.read(programs)
        peak = programs[0].peak_mb()
        if last.completed >= total * DONE:
            lab.wait_completed(total, programs)
            lab.settled_properly()
    return last.since(first), peak


def full(lab: Lab, options: Options, results: Results) -> None:
    for name, workers, partitions in RUNS:
        cost, peak = drain(lab, _spread(options), limit=options.limit, workers=workers, partitions=partitions)
        add_cost(results, f"throughput/{name}", cost)
        if workers == 1:
            results.add("memory/one process", peak, "MB")


def constant(lab: Lab, options: Options, results: Results) -> None:
    cost, _ = drain(lab, _spread(options), limit=options.limit, command=module("constant"))
    add_cost(results, "throughput/constant delta", cost)


def hot(lab: Lab, options: Options, results: Results) -> None:
    cost, _ = drain(lab, jobs.of_one(options.jobs, options.pair_kb), limit=options.limit)
    add_cost(results, "throughput/hot writer", cost)


def _spread(options: Options) -> Iterable[bytes]:
    return jobs.spread(options.jobs, options.writers, options.pair_kb)


def add_cost(results: Results, name: str, cost: Cost) -> None:
    results.add(name, cost.rate, "jobs/s")
    results.add(f"{name}: worker", cost.worker_ms, "CPU ms/job")
    results.add(f"{name}: redis", cost.redis_ms, "CPU ms/job")
    results.add(f"{name}: mongod", cost.mongo_ms, "CPU ms/job")
