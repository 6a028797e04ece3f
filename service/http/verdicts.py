"""Alive, ready, healthy: three answers from one snapshot and the time, each with its reasons. Pure.

* **Alive** is a matter of this process alone: is its event loop turning, does every loop come round. A dependency
  that is away must never have a process killed, so neither Redis nor MongoDB is asked.
* **Ready** is what a rolling update waits for: joined once, not draining, no dependency away for longer than a grace.
* **Healthy** is what a person asks for: the state as it is this second.

How old a heartbeat may be is what one turn of its loop takes at most, and a lease on top: a worker that is silent for
a lease has lost what it held to the others anyway. The event loop itself, whose heartbeat is the snapshot, gets one
lease. While draining only the renewal goes on, so only it is watched.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from service.http.snapshot import LOOPS, SERVICES, Gemini, Snapshot
from service.settings import Settings
from service.streams.client import READ_MARGIN_SECONDS

GRACE_SECONDS = 10.0  # a failover or a restart of a dependency: no reason to call every worker unready
PAUSE_SECONDS = 2.0  # the longest pause of a loop after a fault

AWAITED_WORDS = {
    "mongodb": "MongoDB has not answered yet",
    "index": "the index of what is due has not been looked after yet",
    "redis": "Redis has not answered yet",
    "group": "the consumer group has not been joined yet",
}

Answer = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Limits:
    """How old each heartbeat may be, and how long a dependency may be away, in seconds."""

    heartbeats: Mapping[str, float]
    grace: float = GRACE_SECONDS

    @classmethod
    def of(cls, settings: Settings, grace: float = GRACE_SECONDS) -> Limits:
        lease = settings.learning_lease_seconds
        redis, mongodb = settings.learning_redis_timeout_seconds, settings.learning_mongodb_timeout_seconds
        turns = {
            "read": settings.learning_block_seconds + max(READ_MARGIN_SECONDS, mongodb) + redis,
            "sweep": settings.learning_sweep_seconds + 2 * redis,
            "due": settings.learning_due_seconds + mongodb,
            "lease": lease / 3 + redis,
        }
        limits = {loop: seconds + PAUSE_SECONDS + lease for loop, seconds in turns.items()}
        return cls({"event loop": lease, **limits}, grace)


def ages(snapshot: Snapshot, now: float) -> dict[str, float]:
    """Return the age of each watched heartbeat; of several readers the oldest, of a silent loop since the join."""
    found = {"event loop": now - snapshot.taken}
    if snapshot.joined_at is None:
        return found
    for loop in ("lease",) if snapshot.phase == "draining" else LOOPS:
        beats = [at for name, at in snapshot.heartbeats.items() if name.partition(" ")[0] == loop]
        found[loop] = now - min(beats, default=snapshot.joined_at)
    return found


def stale(snapshot: Snapshot, limits: Limits, now: float) -> list[str]:
    """Say which heartbeats are too old."""
    return [
        f"{loop}: no heartbeat for {age:.0f} s, at most {limits.heartbeats[loop]:.0f} s are well"
        for loop, age in ages(snapshot, now).items()
        if age > limits.heartbeats[loop]
    ]


def liveness(snapshot: Snapshot, limits: Limits, now: float) -> tuple[int, Answer]:
    """Return status and body of ``/livez``."""
    reasons = stale(snapshot, limits, now)
    seconds = {loop: round(age, 1) for loop, age in ages(snapshot, now).items()}
    return _status(reasons), {"status": "stalled" if reasons else "ok", "ages": seconds, "reasons": reasons}


def readiness(snapshot: Snapshot, limits: Limits, now: float) -> tuple[int, Answer]:
    """Return status and body of ``/readyz``."""
    reasons = stale(snapshot, limits, now)
    if snapshot.phase == "draining":
        reasons.append("draining: no new jobs are read")
    elif snapshot.joined_at is None:
        reasons += [f"starting: {AWAITED_WORDS[one]}" for one in snapshot.awaiting]
    else:
        reasons += [
            f"{service} away for {now - since:.0f} s"
            for service, since in snapshot.away.items()
            if now - since > limits.grace
        ]
    return _status(reasons), {"status": "unready" if reasons else "ready", "reasons": reasons}


def health(snapshot: Snapshot, limits: Limits, now: float) -> tuple[int, Answer]:
    """Return status and body of ``/health``. Gemini is no reason to be unwell: word lists stand in for it."""
    reasons = stale(snapshot, limits, now)
    services = {service: "disconnected" if service in snapshot.away else "connected" for service in SERVICES}
    reasons += [f"{service} is away" for service in SERVICES if service in snapshot.away]
    if snapshot.phase != "working":
        reasons.append(f"the worker is {snapshot.phase}")
    services |= {"gemini": gemini_word(snapshot.gemini), "queue": queue_word(snapshot, limits, now)}
    body = {
        "status": "unavailable" if reasons else "ok",
        "services": services,
        "metrics": _metrics(snapshot, now),
        "reasons": reasons,
        "consumer": snapshot.consumer,
        "phase": snapshot.phase,
        "uptimeSeconds": round(now - snapshot.started, 1),
    }
    return _status(reasons), body


def gemini_word(gemini: Gemini) -> str:
    return "unavailable" if gemini.state == "open" else gemini.state


def queue_word(snapshot: Snapshot, limits: Limits, now: float) -> str:
    """Say whether this worker carries entries from the stream to their end."""
    if "redis" in snapshot.away or snapshot.queue is None:
        return "unavailable"
    if snapshot.phase != "working":
        return snapshot.phase
    return "stalled" if stale(snapshot, limits, now) else "healthy"


def _metrics(snapshot: Snapshot, now: float) -> Answer:
    """Return the numbers; null where no server has told one yet. ``activeWorkers`` are the lanes that take work."""
    queue, writers = snapshot.queue, snapshot.writers
    lanes = snapshot.concurrency if snapshot.phase == "working" else snapshot.writers_in_work
    return {
        "queueLength": queue and queue.length,
        "activeWorkers": lanes,
        "cacheHitRate": round(snapshot.gemini.hit_rate, 2),
        "waiting": queue and queue.waiting,
        "pending": queue and queue.active,
        "oldestPendingSeconds": queue and round(queue.oldest_pending_seconds, 1),
        "oldestWaitingSeconds": queue and round(queue.oldest_waiting_seconds, 1),
        "completed": queue and queue.completed,
        "failed": queue and queue.failed,
        "deadLetters": queue and queue.dead,
        "consumers": queue and len(queue.consumers),
        "inWork": snapshot.entries_in_work,
        "writersDue": writers and writers.due,
        "writersOverdue": writers and writers.overdue,
        "queueAgeSeconds": queue and round(now - queue.read_at, 1),
    }


def _status(reasons: list[str]) -> int:
    return 503 if reasons else 200
