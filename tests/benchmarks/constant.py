"""A worker that extracts nothing: every job has the same delta. ``python -m tests.benchmarks.constant``

It tells what reading, learning, writing and settling cost. It is the worker of ``consume`` with another ``extract``;
there is no setting for this.
"""

from __future__ import annotations

import gc
import signal

import anyio

from schemas.delta import Analysis
from schemas.job import LearningJob
from service.analysis import analyze
from service.logs import configure
from service.settings import load_settings
from service.worker.fleet import end_with_parent
from service.worker.loops import Worker
from service.worker.running import COLLECTOR, open_worker
from tests.benchmarks import jobs

CONSTANT = analyze(*jobs.pair(seed=1, kb=2.0))


async def extract(job: LearningJob) -> Analysis:
    return CONSTANT


async def run() -> None:
    gc.set_threshold(*COLLECTOR)
    async with open_worker(load_settings(), extract=extract) as worker, anyio.create_task_group() as group:
        group.start_soon(_stop_on_signal, worker)
        await worker.run()
        group.cancel_scope.cancel()


async def _stop_on_signal(worker: Worker) -> None:
    with anyio.open_signal_receiver(signal.SIGTERM, signal.SIGINT) as signals:
        async for _ in signals:
            worker.stop()
            return


if __name__ == "__main__":
    configure("info", None)
    end_with_parent()
    anyio.run(run)
