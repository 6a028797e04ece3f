"""Metrics: OpenTelemetry instruments that read the newest snapshot when they are scraped.

Every instrument is observable, so the work itself pays nothing: no call, no lock, no allocation a job. The reader has
a Prometheus registry of its own; nothing is set globally. Label values are closed lists (outcomes, services, loops,
reasons of the tone room), so the number of series is fixed, and no id of a writer or a job is among them.

``learnsvc_queue_*``, ``learnsvc_dead_letters`` and ``learnsvc_writers_*`` describe what all workers share: every
worker reports the same value, so take ``max`` of them. The rest is of one process: take ``sum``.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping
from importlib.metadata import PackageNotFoundError, version

from opentelemetry.exporter.prometheus import PrometheusMetricReader
from opentelemetry.metrics import CallbackOptions, Observation
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.resources import Resource
from prometheus_client import CollectorRegistry
from prometheus_client.exposition import CONTENT_TYPE_LATEST, generate_latest

from service.http.snapshot import JOB_OUTCOMES, SERVICES, Queue, Snapshot, Writers
from service.http.verdicts import ages

Latest = Callable[[], Snapshot]
Read = Callable[[Snapshot], Iterable[Observation]]


class Telemetry:
    """The instruments of one worker over ``latest``, and their text for Prometheus."""

    def __init__(self, latest: Latest, clock: Callable[[], float] = time.monotonic) -> None:
        self._latest = latest
        self._clock = clock
        self._registry = CollectorRegistry()
        reader = PrometheusMetricReader(registry=self._registry, scope_info_enabled=False)
        resource = Resource.create({"service.name": "learnsvc", "service.version": _version()})
        self._provider = MeterProvider([reader], resource, shutdown_on_exit=False)
        self._meter = self._provider.get_meter("learnsvc")
        self._jobs()
        self._queue()
        self._process()
        self._gemini()

    def exposition(self) -> tuple[bytes, str]:
        """Return the text for Prometheus and its content type."""
        return generate_latest(self._registry), CONTENT_TYPE_LATEST

    def _jobs(self) -> None:
        self._counter(
            "learnsvc.jobs",
            "Jobs by what became of them; failed_attempt is one delivery of a job that comes again.",
            lambda seen: labelled("outcome", {outcome: seen.counts.get(outcome, 0) for outcome in JOB_OUTCOMES}),
        )
        self._counter(
            "learnsvc.conflicts",
            "Commits that found the profile changed by another worker and were learned again.",
            lambda seen: [Observation(seen.counts.get("conflict", 0))],
        )

    def _queue(self) -> None:
        gauge = self._gauge
        gauge("learnsvc.queue.depth", "Entries of the stream not settled yet.", _of_queue(lambda queue: queue.length))
        gauge("learnsvc.queue.pending", "Entries in work anywhere.", _of_queue(lambda queue: queue.active))
        gauge(
            "learnsvc.queue.oldest_pending",
            "Age of the oldest entry in work, since it was added.",
            _of_queue(lambda queue: queue.oldest_pending_seconds),
            unit="s",
        )
        gauge(
            "learnsvc.queue.oldest_waiting",
            "Age of the oldest entry of the stream.",
            _of_queue(lambda queue: queue.oldest_waiting_seconds),
            unit="s",
        )
        gauge("learnsvc.queue.consumers", "Consumers in the group.", _of_queue(lambda queue: len(queue.consumers)))
        gauge("learnsvc.dead_letters", "Dead letters that wait for somebody.", _of_queue(lambda queue: queue.dead))
        gauge("learnsvc.writers.due", "Writers with recorded edits.", _of_writers(lambda writers: writers.due))
        gauge(
            "learnsvc.writers.overdue",
            "Writers whose recorded edits should have been learned by now.",
            _of_writers(lambda writers: writers.overdue),
        )

    def _process(self) -> None:
        gauge = self._gauge
        gauge("learnsvc.in_work", "Entries this process holds.", lambda seen: [Observation(seen.entries_in_work)])
        gauge(
            "learnsvc.heartbeat.age",
            "Time since a loop of this process last came round.",
            lambda seen: labelled("loop", ages(seen, self._clock())),
            unit="s",
        )
        gauge(
            "learnsvc.dependency.up",
            "1 while the service answers, else 0.",
            lambda seen: labelled("service", {service: int(service not in seen.away) for service in SERVICES}),
        )

    def _gemini(self) -> None:
        counter = self._counter
        self._gauge(
            "learnsvc.gemini.up",
            "0 while the circuit breaker refuses calls, else 1; absent without a key.",
            lambda seen: [] if seen.gemini.state == "disabled" else [Observation(int(seen.gemini.state != "open"))],
        )
        counter("learnsvc.gemini.calls", "Requests sent.", lambda seen: [Observation(seen.gemini.calls)])
        counter(
            "learnsvc.gemini.tokens",
            "Tokens by direction.",
            lambda seen: labelled("direction", {"in": seen.gemini.tokens_in, "out": seen.gemini.tokens_out}),
        )
        counter("learnsvc.gemini.failures", "Failed questions.", lambda seen: labelled("reason", seen.gemini.failures))
        counter(
            "learnsvc.gemini.fallbacks",
            "Edits that kept the label of the word lists although the model was wanted.",
            lambda seen: [Observation(seen.gemini.fallbacks)],
        )
        counter(
            "learnsvc.gemini.cache",
            "Edits the model was wanted for, by whether its answer was known.",
            lambda seen: labelled("result", {"hit": seen.gemini.cache_hits, "miss": seen.gemini.cache_misses}),
        )

    def _counter(self, name: str, description: str, read: Read) -> None:
        self._meter.create_observable_counter(name, [self._reading(read)], description=description)

    def _gauge(self, name: str, description: str, read: Read, unit: str = "") -> None:
        self._meter.create_observable_gauge(name, [self._reading(read)], unit, description)

    def _reading(self, read: Read) -> Callable[[CallbackOptions], Iterable[Observation]]:
        return lambda options: read(self._latest())


def labelled(label: str, values: Mapping[str, float]) -> list[Observation]:
    """Return one observation a label value."""
    return [Observation(number, {label: value}) for value, number in values.items()]


def _of_queue(read: Callable[[Queue], float]) -> Read:
    """Nothing is reported before Redis has answered once: a zero would be a lie."""
    return lambda seen: [] if seen.queue is None else [Observation(read(seen.queue))]


def _of_writers(read: Callable[[Writers], float]) -> Read:
    return lambda seen: [] if seen.writers is None else [Observation(read(seen.writers))]


def _version() -> str:
    try:
        return version("learnsvc")
    except PackageNotFoundError:
        return "unknown"
