"""Histograms that cost a microsecond an observation: a bisection and two additions.

OpenTelemetry's own take nearly twenty (measured on Python 3.11: locks, attribute sets, exemplars), which a job of two
milliseconds feels. Its SDK has no histogram that is read when it is asked for, as its counters can be; so these are
counted here, by the worker's loop alone, and become OpenTelemetry data when a reader collects (``metrics.Reading``).

Every series exists from the start, at zero, and label values are closed lists: the number of series is fixed.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass, field

from service.errors import Fault
from service.telemetry.stages import STAGES

SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30)
# The buckets that the semantic conventions for messaging ask for.
MESSAGING_SECONDS = (0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10)
NO_ERROR = ""


class Series:
    """The buckets of one label value; an observation on a bound belongs below it."""

    __slots__ = ("counts", "total")

    def __init__(self, bounds: Sequence[float]) -> None:
        self.counts = [0] * (len(bounds) + 1)
        self.total = 0.0


class Histogram:
    """One histogram with at most one label."""

    def __init__(
        self,
        name: str,
        description: str,
        bounds: Sequence[float],
        *,
        unit: str = "",
        label: str = "",
        values: Sequence[str] = ("",),
    ) -> None:
        self.name, self.description, self.unit, self.label = name, description, unit, label
        self.bounds = tuple(bounds)
        self.series = {value: Series(bounds) for value in values}

    def record(self, amount: float, value: str = "") -> None:
        series = self.series[value]
        series.counts[bisect_left(self.bounds, amount)] += 1
        series.total += amount


def _stage() -> Histogram:
    return Histogram(
        "learnsvc.stage.duration",
        "Time of one part of a batch; decode and analyse are of one job.",
        SECONDS,
        unit="s",
        label="stage",
        values=STAGES,
    )


def _batch_size() -> Histogram:
    about = "Jobs of one writer in one commit."
    return Histogram("learnsvc.batch.size", about, (1, 2, 5, 10, 20, 50, 100, 200), unit="")


def _score_change() -> Histogram:
    return Histogram(
        "learnsvc.score.change",
        "By how many points an iteration moved an evolution score.",
        (0, 0.5, 1, 2, 5, 10, 20, 40),
        label="direction",
        values=("up", "down", "same"),
    )


def _loop_lag() -> Histogram:
    about = "How much later than asked for the event loop came back, looked at once a second."
    return Histogram("learnsvc.loop.lag", about, SECONDS, unit="s")


def _process() -> Histogram:
    return Histogram(
        "messaging.process.duration",
        "Time to process one batch of one writer, from the first look at it until it is settled.",
        MESSAGING_SECONDS,
        unit="s",
        label="error.type",
        values=(NO_ERROR, *(fault.value for fault in Fault)),
    )


@dataclass(frozen=True, slots=True)
class Histograms:
    """All of a worker."""

    stage: Histogram = field(default_factory=_stage)
    batch_size: Histogram = field(default_factory=_batch_size)
    score_change: Histogram = field(default_factory=_score_change)
    loop_lag: Histogram = field(default_factory=_loop_lag)
    process: Histogram = field(default_factory=_process)

    def all(self) -> tuple[Histogram, ...]:
        return (self.stage, self.batch_size, self.score_change, self.loop_lag, self.process)
