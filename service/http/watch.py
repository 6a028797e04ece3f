"""The worker's side: two tasks in the worker's loop that keep ``latest`` new, and nothing else is shared.

* ``_publish`` makes a snapshot every second from memory alone. Its being made is the event loop's heartbeat.
* ``_look`` asks Redis and MongoDB, at their own pace, and leaves what they said for the next snapshot. A service is
  away from the moment an unanswered question was put, or the worker said so, until a question is answered and the
  worker does not say so either: the worker's word alone flickers while it tries again.

Depth is asked for every second (one round trip a partition); the counts of MongoDB walk an index and are asked for
every ``DUE_SECONDS``, with a ping in between. Reasons of dead letters are counted again when their number changed.
"""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import asdict, replace
from typing import TYPE_CHECKING

import anyio

from service.errors import name
from service.http.snapshot import AWAITED, Gemini, Phase, Queue, Snapshot, Writers, frozen
from service.logs import get_logger
from service.streams.depth import QueueState, read_state
from service.streams.minutes import LastHour, Minute
from service.streams.reasons import count_reasons
from service.streams.recent import Learnt, share_recent
from service.telemetry.observer import Observer
from service.tone.base import ToneClassifier

if TYPE_CHECKING:
    from service.worker.loops import Worker

SECONDS = 1.0
DUE_SECONDS = 5.0
HISTORY_SECONDS = 2.0


class Watch:
    """Publishes ``latest``, which any thread may read; everything else belongs to the worker's loop."""

    def __init__(self, clock: Callable[[], float] = time.monotonic, observer: Observer | None = None) -> None:
        self._clock = clock
        self._observer = observer or Observer()
        now = clock()
        self.latest = Snapshot(now, now)
        self._worker: Worker | None = None
        self._joined_at: float | None = None
        self._unanswered: dict[str, float] = {"mongodb": now, "redis": now}
        self._away = dict(self._unanswered)
        self._queue: Queue | None = None
        self._writers: Writers | None = None
        self._minutes: tuple[Minute, ...] = ()
        self._hour = LastHour(clock)
        self._history_due = 0.0
        self._recent: tuple[Learnt, ...] = ()
        self._shared = 0.0  # until when what was learned here has been told

    @asynccontextmanager
    async def publishing(self) -> AsyncIterator[None]:
        """Keep ``latest`` new inside the block."""
        async with anyio.create_task_group() as group:
            group.start_soon(self._publish)
            yield
            group.cancel_scope.cancel()

    @asynccontextmanager
    async def looking(self, worker: Worker) -> AsyncIterator[None]:
        """Watch ``worker`` from now on; its connections are used inside the block only."""
        self._worker = worker
        worker.observer = self._observer
        async with anyio.create_task_group() as group:
            group.start_soon(self._look, "redis", lambda: self._ask_redis(worker))
            group.start_soon(self._look, "mongodb", lambda: self._ask_mongodb(worker))
            yield
            group.cancel_scope.cancel()

    async def _publish(self) -> None:
        while True:
            self.publish()
            asked = self._clock()
            await anyio.sleep(SECONDS)
            self._observer.lagged(max(0.0, self._clock() - asked - SECONDS))

    def publish(self) -> None:
        self.latest = self.compose()

    def compose(self) -> Snapshot:
        """Return what is known now, without asking anybody."""
        now, worker = self._clock(), self._worker
        if worker is None:
            return replace(self.latest, taken=now, away=frozen(self._away))
        if worker.joined and self._joined_at is None:
            self._joined_at = now
        self._note_away(worker.down, now)
        return Snapshot(
            taken=now,
            started=self.latest.started,
            phase=_phase(worker),
            awaiting=tuple(one for one in AWAITED if one in worker.awaiting),
            joined_at=self._joined_at,
            consumer=worker.consumer,
            concurrency=worker.settings.learning_queue_concurrency,
            writers_in_work=worker.lanes.writers,
            entries_in_work=len(worker.in_work),
            oldest_in_work_seconds=worker.in_work.oldest_seconds(),
            lease_seconds=worker.settings.learning_lease_seconds,
            away=frozen(self._away),
            heartbeats=frozen(worker.heartbeats),
            counts=frozen(worker.settler.counts),
            gemini=_gemini(worker.tone),
            queue=self._queue,
            writers=self._writers,
            minutes=self._minutes,
            recent=self._recent,
        )

    def _note_away(self, down: set[str], now: float) -> None:
        for service in ("mongodb", "redis"):
            if service in self._unanswered:
                self._away.setdefault(service, self._unanswered[service])
            elif service in down:
                self._away.setdefault(service, now)
            else:
                self._away.pop(service, None)

    async def _look(self, service: str, ask: Callable[[], Awaitable[None]]) -> None:
        """Ask ``service`` every second. It must outlive every error: the page of a broken system is the one needed."""
        while True:
            asked = self._clock()
            try:
                await ask()
            except Exception as error:  # noqa: BLE001 - whatever it is, the service gave no answer
                self._unanswered.setdefault(service, asked)
                get_logger().debug(f"{service} was asked for its state and gave none ({name(error)})")
            else:
                self._unanswered.pop(service, None)
            await anyio.sleep(max(0.1, asked + SECONDS - self._clock()))

    async def _ask_redis(self, worker: Worker) -> None:
        before = self._queue
        state = await read_state(worker.redis, worker.keys, worker.clock.now())
        if not state.dead:
            reasons: tuple[tuple[str, int], ...] = ()
        elif before is None or before.dead != state.dead:
            reasons = await count_reasons(worker.redis, worker.keys)
        else:
            reasons = before.dead_by_reason
        self._queue = _queue(state, reasons, self._clock())
        await self._share_recent(worker)
        if self._clock() >= self._history_due:
            self._minutes = await self._hour.read(worker.redis, worker.keys)
            self._history_due = self._clock() + HISTORY_SECONDS

    async def _share_recent(self, worker: Worker) -> None:
        """Tell the others what was learned here since the last look, and keep what all learned last."""
        ahead = worker.clock.now().timestamp() - time.monotonic()  # of the clock in ``settler.recent``
        fresh = [one for one in worker.settler.recent if one[0] > self._shared]
        shared = await share_recent(worker.redis, worker.keys, [Learnt(one[0] + ahead, *one[1:]) for one in fresh])
        self._shared = max([self._shared, *(one[0] for one in fresh)])
        apart = worker.clock.now().timestamp() - self._clock()
        self._recent = tuple(replace(one, at=one.at - apart) for one in shared)

    async def _ask_mongodb(self, worker: Worker) -> None:
        now = self._clock()
        if self._writers is not None and now - self._writers.read_at < DUE_SECONDS:
            return await worker.store.ping()
        due, overdue = await worker.store.count_due(worker.clock.now())
        self._writers = Writers(now, due, overdue)
        return None


def _phase(worker: Worker) -> Phase:
    if worker.stopping:
        return "draining"
    return "working" if worker.joined else "starting"


def _queue(state: QueueState, reasons: tuple[tuple[str, int], ...], now: float) -> Queue:
    return Queue(
        read_at=now,
        waiting=state.waiting,
        active=state.active,
        completed=state.completed,
        failed=state.failed,
        dead=state.dead,
        dead_by_reason=reasons,
        oldest_pending_seconds=state.oldest_pending_seconds,
        oldest_waiting_seconds=state.oldest_waiting_seconds,
        pending_idle_seconds=state.pending_idle_seconds,
        consumers=tuple(state.consumers),
    )


def _gemini(tone: ToneClassifier) -> Gemini:
    stats = asdict(tone.stats)
    failures = frozen(stats.pop("failures"))
    return Gemini(state=tone.state(), hit_rate=tone.stats.hit_rate, failures=failures, **stats)
