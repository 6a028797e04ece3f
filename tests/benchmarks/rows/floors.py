"""What redis-py and pymongo reach when nothing is learned; see ``tests.benchmarks.floors``."""

from __future__ import annotations

import asyncio

from tests.benchmarks import floors, jobs
from tests.benchmarks.lab import Lab
from tests.benchmarks.options import Options
from tests.benchmarks.results import Results

LEAST = 10_000  # fewer are over before a clock can tell
FLOORS: tuple[tuple[str, floors.Write, int], ...] = (
    ("read and settle", "none", 1),
    ("unguarded, 1 in flight", "unguarded", 1),
    ("unguarded, 2 in flight", "unguarded", 2),
    ("guarded, 1 in flight", "guarded", 1),
    ("guarded, 2 in flight", "guarded", 2),
)


def measure(lab: Lab, options: Options, results: Results) -> None:
    count = max(options.jobs, LEAST)
    for name, write, in_flight in FLOORS:
        lab.empty()
        floors.prepare(lab, options.writers)
        lab.enqueue(jobs.in_turn(count, options.writers, options.pair_kb))
        rate, cpu_ms = asyncio.run(floors.drain(lab, count, write, in_flight))
        lab.settled_properly()
        results.add(f"floor/{name}", rate, "jobs/s")
        results.add(f"floor/{name}: client", cpu_ms, "CPU ms/job")
