"""What the worker's loop tells the HTTP thread: frozen, so that it can be read there without a lock.

All times are of ``time.monotonic()``, which the threads of a process share. ``taken`` is renewed every second from
memory alone; ``queue`` and ``writers`` come from servers and may be older: each carries when it was read.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Literal

from service.streams.depth import ConsumerState
from service.streams.minutes import Minute
from service.streams.recent import Learnt

Phase = Literal["starting", "working", "draining"]
SERVICES = ("mongodb", "redis")
AWAITED = ("mongodb", "index", "redis", "group")  # what must have been good once before a worker is ready
LOOPS = ("read", "sweep", "due", "lease")
JOB_OUTCOMES = ("learned", "deferred", "duplicate", "dead", "lost", "failed_attempt")


def frozen(values: Mapping[str, float]) -> Mapping[str, float]:
    """Return a copy that nobody can change."""
    return MappingProxyType(dict(values))


@dataclass(frozen=True, slots=True)
class Queue:
    """The stream, the group and the dead letters, as Redis counted them; of all workers together."""

    read_at: float
    waiting: int = 0
    active: int = 0
    completed: int = 0
    failed: int = 0
    dead: int = 0
    dead_by_reason: tuple[tuple[str, int], ...] = ()
    oldest_pending_seconds: float = 0.0
    oldest_waiting_seconds: float = 0.0
    pending_idle_seconds: float = 0.0
    consumers: tuple[ConsumerState, ...] = ()

    @property
    def length(self) -> int:
        """Entries not settled yet: XLEN."""
        return self.waiting + self.active


@dataclass(frozen=True, slots=True)
class Writers:
    """How many writers have recorded edits, and for how many of them the time to learn has come."""

    read_at: float
    due: int = 0
    overdue: int = 0


@dataclass(frozen=True, slots=True)
class Gemini:
    """The tone classifier: its state and its counters since the start of the process."""

    state: str = "disabled"
    calls: int = 0
    tokens_in: int = 0
    tokens_out: int = 0
    cache_hits: int = 0
    cache_misses: int = 0
    fallbacks: int = 0
    hit_rate: float = 0.0
    failures: Mapping[str, float] = field(default_factory=lambda: frozen({}))


@dataclass(frozen=True, slots=True)
class Snapshot:
    """One second of a worker. ``away`` says since when a service does not answer; one that never did is there too."""

    taken: float
    started: float
    phase: Phase = "starting"
    joined_at: float | None = None
    consumer: str = ""
    concurrency: int = 0
    writers_in_work: int = 0
    entries_in_work: int = 0
    oldest_in_work_seconds: float = 0.0
    lease_seconds: float = 0.0
    awaiting: tuple[str, ...] = AWAITED
    away: Mapping[str, float] = field(default_factory=lambda: frozen({}))
    heartbeats: Mapping[str, float] = field(default_factory=lambda: frozen({}))
    counts: Mapping[str, float] = field(default_factory=lambda: frozen({}))
    gemini: Gemini = Gemini()
    queue: Queue | None = None
    writers: Writers | None = None
    minutes: tuple[Minute, ...] = ()
    recent: tuple[Learnt, ...] = ()  # by all workers; ``at`` turned into monotonic seconds
