"""What it costs to be seen: full jobs with nothing on, then with logs, metrics and traces switched on one by one.

``/metrics`` is scraped every five seconds and metrics are pushed as often, more than is usual; spans go to a collector
in a process of its own. The share of sampled jobs is what traces cost, hence two rows of them. What is compared is the
CPU of the worker for a job: it is what bounds the throughput of a process, and it is steadier than the clock on a
machine that does other things as well.
"""

from __future__ import annotations

import socket
import threading
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from typing import Any

from tests.benchmarks import jobs
from tests.benchmarks.lab import Lab
from tests.benchmarks.options import Options
from tests.benchmarks.processes import Program, module
from tests.benchmarks.results import Results
from tests.benchmarks.rows.throughput import add_cost, drain
from tests.http.conftest import free_port

SCRAPE_SECONDS = 5.0
Settings = Mapping[str, Any]


def measure(lab: Lab, options: Options, results: Results) -> None:
    with _collector(lab) as endpoint:
        for name, settings in _variants(endpoint).items():
            payloads = jobs.spread(options.jobs, options.writers, options.pair_kb)
            with _scraped(settings):
                cost, _ = drain(lab, payloads, limit=options.limit, **settings)
            add_cost(results, f"overhead/{name}", cost)


def _variants(endpoint: str) -> dict[str, Settings]:
    nothing = {"LEARNING_LOG_LEVEL": "error"}
    logs = {"LEARNING_LOG_LEVEL": "info"}
    pushed = {
        "OTEL_EXPORTER_OTLP_METRICS_ENDPOINT": f"{endpoint}/v1/metrics",
        "OTEL_METRIC_EXPORT_INTERVAL": round(SCRAPE_SECONDS * 1000),
    }
    metrics = {**logs, **pushed, "LEARNING_HTTP_PORT": free_port()}
    traces = {"OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": f"{endpoint}/v1/traces"}
    some = {**traces, "OTEL_TRACES_SAMPLER": "parentbased_traceidratio", "OTEL_TRACES_SAMPLER_ARG": 0.05}
    return {
        "nothing": nothing,
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
