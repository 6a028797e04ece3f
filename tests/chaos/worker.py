"""``learnsvc`` with switches: ``python -m tests.chaos.worker consume ...`` runs the shipped command, and beside it

* lets go of all payloads, as in a backlog, in every other process;
* obeys orders to fault itself before the load, before the commit and before settling (``CHAOS_ORDERS``: a folder);
* is a mutant, if ``CHAOS_MUTANT`` names one;
* fails on poison: jobs whose ``content_id`` is ``raises``, ``hangs`` or ``kills`` do so when they are extracted, and
  those of ``waits`` wait for the harness;
* forks the children of ``--processes`` instead of starting interpreters, and at once: 200 kills in two minutes.
"""

from __future__ import annotations

import os
import signal
import sys
import time
from pathlib import Path
from typing import Any

import anyio
import anyio._backends._asyncio

import service.worker.running  # noqa: F401 - both loaded before children are forked
from schemas.delta import Analysis
from schemas.job import LearningJob
from service.cli import main
from service.profiles import Loaded, ProfileStore
from service.worker import fleet, inwork
from service.worker.batch import Learned
from service.worker.extraction import Extractor
from service.worker.fleet import Fleet
from service.worker.settling import Settler
from tests.chaos import mutants, orders
from tests.chaos.orders import Orders


class Forked:
    """A forked child, as much of ``subprocess.Popen`` as a fleet uses."""

    def __init__(self, pid: int) -> None:
        self.pid = pid
        self._code: int | None = None

    def poll(self) -> int | None:
        if self._code is None:
            pid, status = os.waitpid(self.pid, os.WNOHANG)
            self._code = os.waitstatus_to_exitcode(status) if pid else None
        return self._code

    def send_signal(self, signum: int) -> None:
        if self.poll() is None:
            os.kill(self.pid, signum)


def hold_as_in_a_backlog() -> None:
    """Read the payloads of every batch again; mutants and the processes with an even id hold them."""
    if os.getpid() % 2 and not os.environ.get(mutants.VARIABLE):
        inwork.KEPT_BYTES = 0


def fork_children() -> None:
    """Let a fleet fork its children, and start them again without waiting."""
    fleet.RESTART_SECONDS = 0.0
    fleet.POLL_SECONDS = 0.02

    def start(self: Fleet, slot: int) -> None:
        environment = fleet._environment(os.environ, self._port, slot)
        pid = os.fork()
        if not pid:
            _run_child(environment, self._command[3:])
        self._children[slot] = Forked(pid)  # type: ignore[call-overload]
        self._born[slot] = time.monotonic()

    Fleet._start = start  # type: ignore[method-assign]


def _run_child(environment: dict[str, str], arguments: list[str]) -> None:
    """Be what ``python -m service.cli ARGUMENTS`` would be, and never return."""
    code: Any = 1
    try:
        for signum in (signal.SIGTERM, signal.SIGINT):
            signal.signal(signum, signal.SIG_DFL)
        hold_as_in_a_backlog()
        os.environ.update(environment)
        sys.argv = ["learnsvc", *arguments]
        main()
        code = 0
    except SystemExit as end:
        code = end.code
    finally:
        sys.stderr.flush()
        os._exit(code if isinstance(code, int) else int(code is not None))


def obey_orders(given: Orders) -> None:
    """Look for orders at the exact moments."""
    load, commit, record, finish = ProfileStore.load, ProfileStore.commit, ProfileStore.record, Settler._finish

    async def ordered_load(self: ProfileStore, *arguments: Any, **options: Any) -> Loaded:
        given.obey("taken")
        return await load(self, *arguments, **options)

    async def ordered_commit(self: ProfileStore, *arguments: Any, **options: Any) -> None:
        given.obey("loaded")
        await commit(self, *arguments, **options)

    async def ordered_record(self: ProfileStore, *arguments: Any, **options: Any) -> None:
        given.obey("loaded")
        await record(self, *arguments, **options)

    async def ordered_finish(self: Settler, user_id: str, learned: Learned) -> None:
        if learned.applied:
            given.obey("committed")
        await finish(self, user_id, learned)

    ProfileStore.load = ordered_load  # type: ignore[method-assign]
    ProfileStore.commit = ordered_commit  # type: ignore[method-assign]
    ProfileStore.record = ordered_record  # type: ignore[method-assign]
    Settler._finish = ordered_finish  # type: ignore[method-assign]


def fail_on_poison(given: Orders | None) -> None:
    """Let extraction have bugs that certain jobs meet, and wait for the harness with others."""
    extract = Extractor.__call__

    async def poisoned(self: Extractor, job: LearningJob) -> Analysis:
        if job.content_id == "raises":
            raise ZeroDivisionError
        if job.content_id == "hangs":
            await anyio.sleep_forever()
        if job.content_id == "kills":
            os.kill(os.getpid(), signal.SIGKILL)
        if job.content_id == "waits" and given is not None:
            await given.wait()
        return await extract(self, job)

    Extractor.__call__ = poisoned  # type: ignore[method-assign]


if __name__ == "__main__":
    folder = os.environ.get(orders.VARIABLE)
    harness = Orders(Path(folder)) if folder else None
    if harness is not None:
        obey_orders(harness)
    if mutant := os.environ.get(mutants.VARIABLE):
        mutants.MUTANTS[mutant]()
    fail_on_poison(harness)
    hold_as_in_a_backlog()
    fork_children()
    main()
