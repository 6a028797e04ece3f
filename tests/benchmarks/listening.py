"""When a worker starts and settles each job, heard from outside: the log lines that the service promises to write.

``Processing job`` is written when a lane takes the job, before it loads anything; ``completed in`` after Redis has
acknowledged it. A thread reads the worker's pipe and notes the time at which each line arrives, so the numbers include
the way through the pipe (about 0.1 ms) and nothing in the worker is changed for them. A batch of several jobs has one
line with all their ids.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, field

import orjson

STARTED, SETTLED = b"[Learning] Processing ", b" completed in "


@dataclass(slots=True)
class Journal:
    """Monotonic times by job id."""

    enqueued: dict[str, float] = field(default_factory=dict)
    started: dict[str, float] = field(default_factory=dict)
    settled: dict[str, float] = field(default_factory=dict)

    def hear(self, line: bytes) -> None:
        """Note what a log line says."""
        now = time.monotonic()
        for words, moments in ((STARTED, self.started), (SETTLED, self.settled)):
            if words in line:
                for job_id in _job_ids(line):
                    moments.setdefault(job_id, now)

    def milliseconds(self, moments: dict[str, float], prefix: str) -> list[float]:
        """Return the times from enqueue to ``moments`` of the jobs whose id starts with ``prefix``."""
        return [
            (moments[job_id] - enqueued) * 1000
            for job_id, enqueued in self.enqueued.items()
            if job_id.startswith(prefix) and job_id in moments
        ]


def _job_ids(line: bytes) -> list[str]:
    found = orjson.loads(line)
    return [str(job_id) for job_id in found.get("job_ids") or [found.get("job_id", "")]]
