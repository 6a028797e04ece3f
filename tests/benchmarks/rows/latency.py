"""Latency of jobs that come one by one, and of other writers' jobs while texts of 1 MiB are analysed.

Jobs are enqueued at 20 a second by the clock, however long the worker takes. The second experiment keeps two large
jobs in work all the time, under a lease of 3 s, and asks Redis every 20 ms how long an entry has gone without renewal.
"""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

from service.streams.keys import GROUP
from tests.benchmarks import jobs
from tests.benchmarks.lab import Lab, Stuck
from tests.benchmarks.listening import Journal
from tests.benchmarks.options import Options
from tests.benchmarks.processes import Program
from tests.benchmarks.results import Results, percentile

RATE = 20
WARM_JOBS = 60
LEASE_SECONDS = 3.0
LARGE_KB, LARGE_IN_WORK = 960.0, 2
LOOK_SECONDS = 0.02


def idle(lab: Lab, options: Options, results: Results) -> None:
    """A worker with nothing else to do."""
    lab.empty()
    journal = Journal()
    with lab.workers(heard=journal.hear, LEARNING_LOG_FORMAT="json") as programs:
        _warm_up(lab, options, programs)
        sent = _flow(lab, options, journal, lambda: None)
        lab.wait_completed(WARM_JOBS + sent, programs)
        lab.settled_properly()
        _wait_heard(lab, journal, "flow")
    _add(results, "latency/start", journal.milliseconds(journal.started, "flow"))
    _add(results, "latency/settled", journal.milliseconds(journal.settled, "flow"))


def beside_large(lab: Lab, options: Options, results: Results) -> None:
    """A worker that analyses large texts meanwhile."""
    lab.empty()
    journal = Journal()
    longest: list[float] = [0.0]
    done = threading.Event()
    lease: dict[str, Any] = {"LEARNING_LEASE_SECONDS": LEASE_SECONDS, "LEARNING_REDIS_TIMEOUT_SECONDS": 2}
    with lab.workers(heard=journal.hear, LEARNING_LOG_FORMAT="json", **lease) as programs:
        _warm_up(lab, options, programs)
        watch = threading.Thread(target=_watch_renewals, args=(lab, longest, done))
        watch.start()
        try:
            sent = _flow(lab, options, journal, lambda: _send_large(lab, journal))
            large = sum(job_id.startswith("large") for job_id in journal.enqueued)
            lab.wait_completed(WARM_JOBS + sent + large, programs)
        finally:
            done.set()
            watch.join()
        lab.settled_properly()
        _wait_heard(lab, journal, "large")
    _add(results, "loop/others start", journal.milliseconds(journal.started, "flow"))
    _add(results, "loop/others settled", journal.milliseconds(journal.settled, "flow"))
    _add(results, "loop/1 MiB settled", journal.milliseconds(journal.settled, "large"))
    results.add("loop/longest without renewal", longest[0], "s")
    results.add("loop/renewal to lease", longest[0] / LEASE_SECONDS, "x")


def _warm_up(lab: Lab, options: Options, programs: list[Program]) -> None:
    """Imports and connections are a matter of the start times."""
    lab.enqueue(jobs.in_turn(WARM_JOBS, options.writers, options.pair_kb, "warm"))
    lab.wait_completed(WARM_JOBS, programs)


def _flow(lab: Lab, options: Options, journal: Journal, between: Callable[[], None]) -> int:
    """Enqueue at a steady rate, calling ``between`` after each job; return how many."""
    count = round(options.seconds * RATE)
    begun = time.monotonic()
    for number, raw in enumerate(_payloads(count, options)):
        time.sleep(max(0.0, begun + number / RATE - time.monotonic()))
        journal.enqueued[f"flow-{number}"] = time.monotonic()
        lab.redis.xadd(lab.keys.jobs, {b"job": raw})
        between()
    return count


def _payloads(count: int, options: Options) -> Iterator[bytes]:
    rng = random.Random(1)
    for number in range(count):
        yield jobs.payload(number, f"w{rng.randrange(options.writers)}", options.pair_kb, "flow")


def _send_large(lab: Lab, journal: Journal) -> None:
    sent = [job_id for job_id in journal.enqueued if job_id.startswith("large")]
    if sum(job_id not in journal.settled for job_id in sent) < LARGE_IN_WORK:
        raw = jobs.payload(len(sent), f"large-{len(sent)}", LARGE_KB, "large")
        journal.enqueued[f"large-{len(sent)}"] = time.monotonic()
        lab.redis.xadd(lab.keys.jobs, {b"job": raw})


def _watch_renewals(lab: Lab, longest: list[float], done: threading.Event) -> None:
    while not done.wait(LOOK_SECONDS):
        rows: Any = lab.redis.xpending_range(lab.keys.jobs, GROUP, "-", "+", 1000)
        idle_ms = max((row["time_since_delivered"] for row in rows), default=0)
        longest[0] = max(longest[0], idle_ms / 1000)


def _wait_heard(lab: Lab, journal: Journal, prefix: str) -> None:
    """The last lines may still be in the pipe."""
    sent = sum(job_id.startswith(prefix) for job_id in journal.enqueued)

    def heard() -> int:
        return len(journal.milliseconds(journal.settled, prefix))

    try:
        lab.wait(lambda: heard() >= sent, seconds=10)
    except Stuck:
        raise Stuck(f"the log names {heard()} of {sent} settled jobs: too slow for {RATE} jobs/s") from None


def _add(results: Results, name: str, milliseconds: list[float]) -> None:
    results.add(f"{name} p50", percentile(milliseconds, 0.5), "ms")
    results.add(f"{name} p99", percentile(milliseconds, 0.99), "ms")
