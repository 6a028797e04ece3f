"""What the Python peers share: the counter, and the clock from the first to the last finished job."""

from __future__ import annotations

import json
import sys
import time

CONCURRENCY = 20
WRITERS = 500


class Progress:
    """Counts finished jobs and knows when all are done."""

    def __init__(self, total: int) -> None:
        self.total, self.done = total, 0
        self.first = self.last = self.cpu = 0.0

    def finished(self) -> bool:
        """Count one job; return True for the last one."""
        self.last = time.perf_counter()
        if not self.done:
            self.first, self.cpu = self.last, time.process_time()
        self.done += 1
        return self.done >= self.total

    def report(self) -> None:
        cpu = time.process_time() - self.cpu
        print(json.dumps({"seconds": self.last - self.first, "cpu": cpu, "jobs": self.done}), flush=True)


def arguments() -> tuple[str, str, int]:
    """Return the URLs and the number of jobs."""
    redis_url, mongodb_uri, jobs = sys.argv[1:]
    return redis_url, mongodb_uri, int(jobs)
