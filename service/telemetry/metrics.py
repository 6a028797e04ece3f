"""Metrics for Prometheus and OTLP, collected when a reader asks.

Counters and gauges are observable: they read the newest snapshot, so the work itself pays nothing for them. What has a
distribution is counted in ``Histograms`` and joined in by ``Joined``. Nothing is set globally. Label values are closed
lists (outcomes, stages, services, loops, kinds of patterns, reasons of the tone room), so the number of series is
fixed, and no id of a writer or a job is among them.

``learnsvc_queue_*``, ``learnsvc_dead_letters`` and ``learnsvc_writers_*`` describe what all workers share: every
worker reports the same value, so take ``max`` of them. The rest is of one process: take ``sum``. ``messaging.*`` follow
OpenTelemetry's semantic conventions for messaging (1.30).
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from opentelemetry.exporter.prometheus import PrometheusMetricReader
from opentelemetry.metrics import CallbackOptions, Observation
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import (
    AggregationTemporality,
    HistogramDataPoint,
    Metric,
    MetricReader,
    MetricsData,
    PeriodicExportingMetricReader,
)
from opentelemetry.sdk.metrics.export import Histogram as Data
from prometheus_client import CollectorRegistry
from prometheus_client.exposition import CONTENT_TYPE_LATEST, generate_latest

from service.http.snapshot import JOB_OUTCOMES, SERVICES, Queue, Snapshot, Writers
from service.http.verdicts import ages
from service.learning.explain import KINDS
from service.streams.keys import GROUP
from service.telemetry.histograms import Histogram, Histograms
from service.telemetry.resource import resource

Latest = Callable[[], Snapshot]
Read = Callable[[Snapshot], Iterable[Observation]]

MESSAGING = {
    "messaging.system": "redis",
    "messaging.operation.name": "process",
    "messaging.consumer.group.name": GROUP,
}


# Counters without a label: their name in the worker's counts, and what they say.
COUNTED = {
    "conflicts": "Commits that found the profile changed by another worker and were learned again.",
    "redelivered": "Entries that were delivered before, here or elsewhere.",
    "reclaimed": "Entries taken over from a worker that did not renew them.",
    "released": "Entries given back unfinished, not counted as an attempt.",
}


class Joined:
    """A mixin for metric readers: adds our histograms to what the SDK collected."""

    histograms: Histograms
    attributes: Mapping[str, str]  # of the histograms that follow the conventions for messaging
    started = time.time_ns()

    def _receive_metrics(self, metrics_data: MetricsData, *args: Any, **kwargs: Any) -> None:
        parent: Any = super()
        parent._receive_metrics(self._joined(metrics_data), *args, **kwargs)

    def _joined(self, collected: MetricsData) -> MetricsData:
        resource = collected.resource_metrics[0]
        scope = resource.scope_metrics[0]
        ours = [self._metric(histogram) for histogram in self.histograms.all()]
        joined = replace(scope, metrics=[*scope.metrics, *ours])
        return MetricsData([replace(resource, scope_metrics=[joined, *resource.scope_metrics[1:]])])

    def _metric(self, histogram: Histogram) -> Metric:
        fixed = self.attributes if histogram.name.startswith("messaging.") else {}
        now = time.time_ns()
        points = [
            HistogramDataPoint(
                attributes={**fixed, **({histogram.label: value} if value else {})},
                start_time_unix_nano=self.started,
                time_unix_nano=now,
                count=sum(counts := series.counts.copy()),
                sum=series.total,
                bucket_counts=counts,
                explicit_bounds=histogram.bounds,
                min=None,  # type: ignore[arg-type]  # optional in OTLP, and Prometheus has none
                max=None,  # type: ignore[arg-type]
            )
            for value, series in histogram.series.items()
        ]
        return Metric(
            histogram.name, histogram.description, histogram.unit, Data(points, AggregationTemporality.CUMULATIVE)
        )


class Scraped(Joined, PrometheusMetricReader):
    """Collects when ``/metrics`` is read."""


class Pushing(Joined, PeriodicExportingMetricReader):
    """Collects now and then and gives all to an exporter."""


class Telemetry:
    """The instruments of one worker over ``latest`` and ``histograms``, and their text for Prometheus.

    ``readers`` push the same metrics elsewhere.
    """

    def __init__(
        self,
        latest: Latest,
        clock: Callable[[], float] = time.monotonic,
        *,
        histograms: Histograms | None = None,
        destination: str = "{learning}:jobs",
        readers: Sequence[MetricReader] = (),
    ) -> None:
        self._latest = latest
        self._clock = clock
        self._registry = CollectorRegistry()
        self._messaging = {**MESSAGING, "messaging.destination.name": destination}
        self._readers = [Scraped(registry=self._registry, scope_info_enabled=False), *readers]
        for reader in self._readers:
            if isinstance(reader, Joined):
                reader.histograms = histograms or Histograms()
                reader.attributes = self._messaging
        self._provider = MeterProvider(self._readers, resource(), shutdown_on_exit=False)
        self._meter = self._provider.get_meter("learnsvc")
        self._jobs()
        self._queue()
        self._process()
        self._gemini()

    def close(self) -> None:
        """Push what readers have not pushed yet."""
        self._provider.shutdown()

    def exposition(self) -> tuple[bytes, str]:
        """Return the text for Prometheus and its content type."""
        return generate_latest(self._registry), CONTENT_TYPE_LATEST

    def _jobs(self) -> None:
        self._counter(
            "learnsvc.jobs",
            "Jobs by what became of them; deferred ones are learned later, failed_attempt is one delivery of several.",
            lambda seen: labelled("outcome", {outcome: seen.counts.get(outcome, 0) for outcome in JOB_OUTCOMES}),
        )
        for name, about in COUNTED.items():
            self._counter(f"learnsvc.{name}", about, _of_counts(name))
        self._counter(
            "learnsvc.patterns",
            "Patterns that iterations detected, by kind.",
            lambda seen: labelled("kind", {kind: seen.counts.get(f"pattern {kind}", 0) for kind in KINDS}),
        )
        self._counter(
            "messaging.client.consumed.messages",
            "Entries delivered to this process, taken over ones included.",
            lambda seen: [Observation(seen.counts.get("received", 0), self._messaging)],
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
            "learnsvc.queue.pending_idle",
            "Longest time since one of the oldest entries in work was delivered or its lease renewed.",
            _of_queue(lambda queue: queue.pending_idle_seconds),
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
            "learnsvc.in_work.oldest",
            "How long this process has held the entry it has held longest.",
            lambda seen: [Observation(seen.oldest_in_work_seconds)],
            unit="s",
        )
        gauge("learnsvc.lease", "LEARNING_LEASE_SECONDS.", lambda seen: [Observation(seen.lease_seconds)], unit="s")
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


def _of_counts(name: str) -> Read:
    return lambda seen: [Observation(seen.counts.get(name, 0))]


def _of_queue(read: Callable[[Queue], float]) -> Read:
    """Nothing is reported before Redis has answered once: a zero would be a lie."""
    return lambda seen: [] if seen.queue is None else [Observation(read(seen.queue))]


def _of_writers(read: Callable[[Writers], float]) -> Read:
    return lambda seen: [] if seen.writers is None else [Observation(read(seen.writers))]
