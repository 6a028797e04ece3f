"""What it costs to be seen: full jobs with logs, metrics and traces switched on one by one, beside a worker with none.

Both workers run at the same time on one core, each with a stream and writers of its own, then again with places
exchanged. What is compared is their CPU for a job, which bounds the throughput of a process. One after the other, or on
a core each, two runs of the same worker differ by more on a shared machine than what is measured here; ``nothing``
beside nothing shows what the comparison itself is worth.

``/metrics`` is scraped every five seconds and metrics are pushed as often, more than is usual; spans go to a collector
in a process of its own, and CPU is read when they are sent. The share of sampled jobs is what traces cost, hence a row
with the share that is recommended under load and one with all.
"""

from __future__ import annotations

import os
import socket
import statistics
import threading
import time
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from itertools import islice
from typing import Any

from tests.benchmarks import jobs
from tests.benchmarks.lab import PIPELINE, Lab, Reading
from tests.benchmarks.options import Options
from tests.benchmarks.processes import Program, module
from tests.benchmarks.results import Results
from tests.benchmarks.rows.throughput import WARM
from tests.http.conftest import free_port

SCRAPE_SECONDS = 5.0
SENT_SECONDS = 6.0  # the SDK lets spans wait for five; then all are sent
SHARE = 2  # of the jobs and writers of a throughput run is what a worker here is given
Settings = Mapping[str, Any]
NOTHING: dict[str, Any] = {"LEARNING_LOG_LEVEL": "error"}


def measure(lab: Lab, options: Options, results: Results) -> None:
    with _collector(lab) as endpoint:
        for name, settings in _variants(endpoint).items():
            pairs = [
                _side_by_side(lab, options, NOTHING, settings),
                _side_by_side(lab, options, settings, NOTHING)[::-1],
            ]
            plain, watched = (statistics.fmean(costs) for costs in zip(*pairs, strict=True))
            results.add(f"overhead/{name}: worker", watched, "CPU ms/job")
            results.add(f"overhead/{name}: worker beside it", plain, "CPU ms/job")
            results.add(f"overhead/{name}: ratio", watched / plain, "x")


def _side_by_side(lab: Lab, options: Options, *settings: Settings) -> list[float]:
    """Return the CPU milliseconds of a job of one worker for each of ``settings``, all at work at the same time.

    From one moment at which nothing is in work, and no span waits, to the next: what is half done when CPU is read
    would weigh more than what is measured. The wait for the spans is taken off at the price of an idle worker: who is
    asked for his metrics then is not asked by a job.
    """
    lab.empty()
    labs = [lab.beside(f"learning-{place}") for place in range(len(settings))]
    count = options.jobs // SHARE
    warm = round(count * WARM)
    with ExitStack() as stack:
        with _on_one_core():
            programs = [stack.enter_context(one.workers(**own)) for one, own in zip(labs, settings, strict=True)]
        for own in settings:
            stack.enter_context(_scraped(own))
        series = _series(labs, options)
        _enqueue(labs, series, warm)
        first = _read_when_quiet(labs, programs, warm)
        _enqueue(labs, series, count - warm)
        last = _read_when_quiet(labs, programs, count)
        idle = _read_when_quiet(labs, programs, count)
        for one in labs:
            one.settled_properly()
    return [_cost(*readings) for readings in zip(first, last, idle, strict=True)]


def _cost(first: Reading, last: Reading, idle: Reading) -> float:
    """Return the CPU milliseconds of a job between two quiet moments, without those of the wait before the second."""
    busy, waiting = last.worker - first.worker, idle.worker - last.worker
    return (busy - waiting) * 1000 / (last.completed - first.completed)


@contextmanager
def _on_one_core() -> Iterator[None]:
    """Start programs on one core: on two, what differs most is who shares his with MongoDB."""
    if not hasattr(os, "sched_setaffinity"):
        yield
        return
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {max(before)})
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)


def _read_when_quiet(labs: Sequence[Lab], programs: Sequence[list[Program]], count: int) -> list[Reading]:
    """Read all workers when each has settled ``count`` jobs in all and sent its spans."""
    for one, of in zip(labs, programs, strict=True):
        one.wait_completed(count, of)
    time.sleep(SENT_SECONDS)
    return [one.read(of) for one, of in zip(labs, programs, strict=True)]


def _series(labs: Sequence[Lab], options: Options) -> list[Iterator[bytes]]:
    """Return the jobs of each worker, the same texts of writers of its own."""
    return [
        jobs.spread(options.jobs // SHARE, options.writers // SHARE, options.pair_kb, name=f"w{place}-")
        for place in range(len(labs))
    ]


def _enqueue(labs: Sequence[Lab], series: Sequence[Iterator[bytes]], count: int) -> None:
    """Give each worker ``count`` jobs, in turn: who began earlier would be ahead in his backlog all the way."""
    for start in range(0, count, PIPELINE):
        for one, payloads in zip(labs, series, strict=True):
            one.enqueue(islice(payloads, min(PIPELINE, count - start)))


def _variants(endpoint: str) -> dict[str, Settings]:
    logs = {"LEARNING_LOG_LEVEL": "info"}
    pushed = {
        "OTEL_EXPORTER_OTLP_METRICS_ENDPOINT": f"{endpoint}/v1/metrics",
        "OTEL_METRIC_EXPORT_INTERVAL": round(SCRAPE_SECONDS * 1000),
    }
    metrics = {**logs, **pushed, "LEARNING_HTTP_PORT": free_port()}
    traces = {"OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": f"{endpoint}/v1/traces"}
    some = {**traces, "OTEL_TRACES_SAMPLER": "parentbased_traceidratio", "OTEL_TRACES_SAMPLER_ARG": 0.05}
    return {
        "nothing": NOTHING,
        "logs": logs,
        "logs, metrics": metrics,
        "logs, metrics, 5 % of traces": {**metrics, **some},
        "logs, metrics, all traces": {**metrics, **traces},
    }


@contextmanager
def _collector(lab: Lab) -> Iterator[str]:
    port = free_port()
    with Program(module("collector", str(port)), lab.folder, lab.environment()) as program:

        def listens() -> bool:
            with socket.socket() as probe:
                return probe.connect_ex(("127.0.0.1", port)) == 0

        lab.wait(listens, [program])
        yield f"http://127.0.0.1:{port}"


@contextmanager
def _scraped(settings: Settings) -> Iterator[None]:
    """Read ``/metrics`` of the worker all the time, when it has a port."""
    port = settings.get("LEARNING_HTTP_PORT")
    over = threading.Event()

    def scrape() -> None:
        while port and not over.wait(SCRAPE_SECONDS):
            with suppress(OSError):  # not yet there, or gone already
                urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=5).read()

    thread = threading.Thread(target=scrape, daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()
