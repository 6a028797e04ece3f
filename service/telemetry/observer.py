"""What the worker calls when something happens to an entry or a batch.

``Observer`` hears nothing: it is what a worker has unless metrics or traces are asked for. ``Recorder`` counts into
histograms and hands the same events to ``Spans``, when traces are exported. Neither may raise into the work.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Sequence
from contextlib import AbstractContextManager, nullcontext
from types import TracebackType
from typing import Literal, Protocol

from service.errors import classify
from service.learning.learn import Outcome
from service.streams.entry import Delivery, Work
from service.streams.keys import PartitionKeys
from service.telemetry.histograms import NO_ERROR, Histograms
from service.telemetry.stages import Timeline
from service.telemetry.traceparent import trace_id

Ending = Literal["learned", "deferred", "duplicate", "dead", "failed_attempt", "released", "lost"]


class Observer:
    """Hears nothing."""

    def received(self) -> None:
        """Entries were handed out and are about to be decoded, one after the other."""

    def decoded(self, delivery: Delivery, work: Work | None) -> None:
        """The next of them was decoded; ``work`` is None when it never can be."""

    def batch(self, works: Sequence[Work]) -> AbstractContextManager[None]:
        """Return the context in which a batch is learned and settled; without ``works`` waiting edits are due."""
        return nullcontext()

    def learned(self, jobs: int, outcome: Outcome | None) -> None:
        """A batch was committed."""

    def closed(self, keys: PartitionKeys, ids: Iterable[str], ending: Ending) -> None:
        """Entries left this process."""

    def lagged(self, seconds: float) -> None:
        """The event loop came back ``seconds`` later than asked for."""

    def trace_id(self, delivery: Delivery) -> str | None:
        """Return the trace an entry belongs to: its producer's, unless spans say otherwise."""
        return trace_id(delivery.others)


class Spans(Protocol):
    """What makes spans of the same events (``tracing.Tracing``)."""

    def decoded(self, delivery: Delivery, work: Work | None, started: int, ended: int) -> None: ...
    def batch(self, works: Sequence[Work], timeline: Timeline) -> AbstractContextManager[None]: ...
    def closed(self, keys: PartitionKeys, ids: Iterable[str], ending: Ending) -> None: ...
    def trace_id(self, delivery: Delivery) -> str | None: ...


class Recorder(Observer):
    """Counts into ``histograms``; with ``spans`` it traces too. Called from the worker's loop only."""

    def __init__(self, histograms: Histograms, spans: Spans | None = None) -> None:
        self._histograms = histograms
        self._spans = spans
        self._since = 0

    def received(self) -> None:
        self._since = time.time_ns()

    def decoded(self, delivery: Delivery, work: Work | None) -> None:
        started, self._since = self._since, (ended := time.time_ns())
        self._histograms.stage.record(max(0.0, (ended - started) / 1e9), "decode")
        if self._spans is not None:
            self._spans.decoded(delivery, work, started, ended)

    def batch(self, works: Sequence[Work]) -> AbstractContextManager[None]:
        timeline = Timeline()
        spans = nullcontext() if self._spans is None else self._spans.batch(works, timeline)
        return _Batch(self._histograms, timeline, spans)

    def learned(self, jobs: int, outcome: Outcome | None) -> None:
        if jobs:
            self._histograms.batch_size.record(jobs)
        if outcome is not None:
            change = outcome.score_after - outcome.score_before
            direction = "up" if change > 0 else "down" if change < 0 else "same"
            self._histograms.score_change.record(abs(change), direction)

    def closed(self, keys: PartitionKeys, ids: Iterable[str], ending: Ending) -> None:
        if self._spans is not None:
            self._spans.closed(keys, ids, ending)

    def lagged(self, seconds: float) -> None:
        self._histograms.loop_lag.record(seconds)

    def trace_id(self, delivery: Delivery) -> str | None:
        return super().trace_id(delivery) if self._spans is None else self._spans.trace_id(delivery)


class _Batch(AbstractContextManager[None]):
    """Records one batch. A class, as to enter and leave a generator costs more than what is recorded at the end."""

    __slots__ = ("_clock", "_histograms", "_spans", "_timeline")

    def __init__(self, histograms: Histograms, timeline: Timeline, spans: AbstractContextManager[None]) -> None:
        self._histograms = histograms
        self._timeline = timeline
        self._spans = spans

    def __enter__(self) -> None:
        self._clock = time.perf_counter()
        self._timeline.__enter__()
        self._spans.__enter__()

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None) -> None:
        self._spans.__exit__(kind, error, tb)
        self._timeline.__exit__(kind, error, tb)
        failed = classify(error).value if isinstance(error, Exception) else NO_ERROR
        self._histograms.process.record(time.perf_counter() - self._clock, failed)
        record = self._histograms.stage.record
        for stage in self._timeline.stages:
            record(stage.seconds, stage.name)
