"""The parts of a batch, timed where they happen: ``with stage("commit"): ...``.

A batch that is observed sets a ``Timeline`` for its task; what runs inside it, however deep, adds its stages there.
Outside of one, or when nobody observes, a stage costs one look into a context variable.
"""

from __future__ import annotations

from contextvars import ContextVar
from time import perf_counter_ns, time_ns
from types import TracebackType
from typing import Literal, NamedTuple, Self, get_args

from service.errors import name

StageName = Literal["decode", "analyse", "tone", "learn", "commit", "settle"]
STAGES: tuple[StageName, ...] = get_args(StageName)

_timeline: ContextVar[Timeline | None] = ContextVar("timeline", default=None)


class Stage(NamedTuple):
    """One part of a batch, in nanoseconds since 1970. ``entry`` names the only entry it was for, ``error`` its end."""

    name: StageName
    started: int
    ended: int
    entry: str = ""
    error: str = ""

    @property
    def seconds(self) -> float:
        return (self.ended - self.started) / 1e9


class Timeline:
    """The stages of one batch. A context manager: inside it is what ``stage`` adds to.

    ``offset`` makes the nanoseconds of the clock that is never set those since 1970.
    """

    __slots__ = ("_outer", "offset", "stages")

    def __init__(self) -> None:
        self.stages: list[Stage] = []

    def __enter__(self) -> Self:
        self.offset = time_ns() - perf_counter_ns()
        self._outer = _timeline.get()
        _timeline.set(self)
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None) -> None:
        _timeline.set(self._outer)


class stage:
    """Times its block as a part of the batch at work, if one is observed."""

    __slots__ = ("_clock", "_entry", "_name", "_timeline")

    def __init__(self, name: StageName, entry: str = "") -> None:
        self._name = name
        self._entry = entry

    def __enter__(self) -> None:
        self._timeline = _timeline.get()
        if self._timeline is not None:
            self._clock = perf_counter_ns()

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None) -> None:
        timeline = self._timeline
        if timeline is not None:
            started, ended = self._clock + timeline.offset, perf_counter_ns() + timeline.offset
            failed = name(error) if error is not None else ""
            timeline.stages.append(Stage(self._name, started, ended, self._entry, failed))
