"""Whether a job costs more when more wait, or when its writer has saved thousands of edits before.

Cost is CPU time of worker, Redis and mongod together. *Backlog*: a short and a long stream, each drained by a worker of
its own. Of either as many edits of a writer wait as a worker holds at a time, and his profile has as many learned ones
as it keeps: fewer would share a load and a write, or profiles would grow, and that is no matter of the stream's length.
*Edits*: one writer's edits are learned in small batches up to the 5,000th; the profile as it was after some of them is
given to many new writers, and one more edit of each is measured, all by one warm worker.
"""

from __future__ import annotations

from functools import partial
from typing import Any

import bson

from service.settings import Settings
from tests.benchmarks import jobs
from tests.benchmarks.lab import Cost, Lab
from tests.benchmarks.options import Options
from tests.benchmarks.processes import Program
from tests.benchmarks.results import Results
from tests.benchmarks.rows.throughput import drain

BACKLOGS, QUICK_BACKLOGS, LONG_BACKLOGS = (1_000, 10_000, 100_000), (1_000, 10_000), (1_000, 100_000, 1_000_000)
HELD = Settings.model_fields["learning_prefetch"].default
FULL = Settings.model_fields["max_edit_metadata_per_user"].default + 1  # an edit that meets all a profile keeps
EDITS, QUICK_EDITS = (1, 20, 50, 500, 5_000), (1, 20, 50, 500)
CLONES = 200
CHUNK, LARGE_CHUNK, LARGE_FROM = 10, 50, 1_000  # edits of one writer at a time: a batch is one iteration

Document = dict[str, Any]


def backlog(lab: Lab, options: Options, results: Results) -> None:
    sizes = QUICK_BACKLOGS if options.quick else LONG_BACKLOGS if options.long else BACKLOGS
    lab.empty()
    with lab.workers() as programs:
        profile = _grow(lab, programs, (FULL,), options)[FULL]
    costs, peaks = [], []
    for size in sizes:
        writers = round(options.writers * min(1.0, size / HELD))
        names = [f"w{number}" for number in range(writers)]
        payloads = jobs.spread(size, writers, options.pair_kb)
        cost, peak = drain(lab, payloads, size, prepare=partial(_give, lab, profile, names))
        costs.append(cost.cpu_ms)
        peaks.append(peak)
        results.add(f"growth/backlog {size:,}: cost", costs[-1], "CPU ms/job")
        results.add(f"growth/backlog {size:,}: memory", peaks[-1], "MB")
    results.add("growth/backlog ratio", costs[-1] / costs[0], "x")
    results.add("growth/memory ratio", peaks[-1] / peaks[0], "x")


def edits(lab: Lab, options: Options, results: Results) -> None:
    points = QUICK_EDITS if options.quick else EDITS
    lab.empty()
    with lab.workers() as programs:
        profiles = _grow(lab, programs, points, options)
        for number, profile in profiles.items():
            size = len(bson.encode(profile)) if profile else 0
            results.add(f"growth/profile before edit {number:,}", size / 1024, "KB")
        for turn in range(max(2, options.rounds)):
            costs = {
                number: _one_more(lab, programs, profile, f"e{number}-{turn}", options)
                for number, profile in profiles.items()
            }
            for number, cost in costs.items():
                results.add(f"growth/edit {number:,}: cost", cost.cpu_ms, "CPU ms/job")
                results.add(f"growth/edit {number:,}: worker", cost.worker_ms, "CPU ms/job")
                results.add(f"growth/edit {number:,}: mongod", cost.mongo_ms, "CPU ms/job")
            results.add("growth/edits ratio", costs[points[-1]].cpu_ms / costs[points[0]].cpu_ms, "x")


def _grow(lab: Lab, programs: list[Program], points: tuple[int, ...], options: Options) -> dict[int, Document | None]:
    """Return the profile that each of ``points``, a writer's n-th edit, meets.

    Its ledger knows jobs that nobody else sends: those who are given it could not learn them again.
    """
    found: dict[int, Document | None] = {}
    series, learned = list(jobs.of_one(points[-1], options.pair_kb, "grown")), 0
    for point in points:
        while learned < point - 1:
            chunk = LARGE_CHUNK if learned >= LARGE_FROM else CHUNK
            upto = min(point - 1, learned + chunk)
            lab.enqueue(series[learned:upto])
            lab.wait_completed(upto, programs)
            learned = upto
        found[point] = lab.profiles.find_one({"_id": "hot"})
    return found


def _one_more(lab: Lab, programs: list[Program], profile: Document | None, label: str, options: Options) -> Cost:
    """Return what one more edit of a writer with ``profile`` costs."""
    writers = [f"{label}-{number}" for number in range(CLONES)]
    _give(lab, profile, writers)
    before = lab.read(programs)
    lab.enqueue(jobs.payload(number, writer, options.pair_kb, label) for number, writer in enumerate(writers))
    lab.wait_completed(before.completed + CLONES, programs)
    cost = lab.read(programs).since(before)
    lab.settled_properly()
    return cost


def _give(lab: Lab, profile: Document | None, writers: list[str]) -> None:
    """Store ``profile`` as that of each of ``writers``."""
    if profile:
        lab.profiles.insert_many({**profile, "_id": writer, "user_id": writer} for writer in writers)
        lab.mongo.admin.command("fsync")  # or mongod would go on writing these while something is measured
