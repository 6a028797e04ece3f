"""Consumers as processes, and what can be done to them: faults at random moments, faults at exact ones, a stop."""

from __future__ import annotations

import os
import signal
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any

import anyio
from anyio.abc import Process

from service.streams.keys import GROUP
from tests.chaos import mutants, orders
from tests.chaos.orders import Moment, Order, Orders
from tests.chaos.stage import Stage, until


class Crew:
    """Consumers, each one process or a parent with several."""

    def __init__(self, stage: Stage, parents: list[Process], given: Orders) -> None:
        self.stage = stage
        self.parents = parents
        self.orders = given

    def workers(self) -> list[int]:
        """Return the process ids of those that work: children of parents, or a parent without any."""
        return [pid for parent in self.parents if alive(parent.pid) for pid in children(parent.pid) or [parent.pid]]

    async def consumers(self) -> dict[int, int]:
        """Return how many entries are pending under each living worker that has joined the group, by process id."""
        living = set(self.workers())
        infos: Any = await self.stage.redis.xinfo_consumers(self.stage.keys.partitions[0].jobs, GROUP)
        pending = {int(info["name"].split(b"-")[-2]): info["pending"] for info in infos}
        return {pid: count for pid, count in pending.items() if pid in living}

    async def joined(self, count: int) -> None:
        """Wait until ``count`` workers are members of the group."""

        async def there() -> bool:
            try:
                return len(await self.consumers()) >= count
            except Exception:  # noqa: BLE001 - the stream is not there yet
                return False

        await until(there, 60)

    async def obeyed(self, moment: Moment, signum: signal.Signals, seconds: float = 30) -> int:
        """Order a fault, wait until a worker did it to itself, return its process id."""
        return await taken(self.orders.give(moment, signum), seconds)

    async def stop(self, seconds: float = 30) -> list[int]:
        """SIGTERM all; return their exit codes."""
        with anyio.fail_after(seconds):
            for parent in self.parents:
                with suppress(ProcessLookupError):
                    parent.send_signal(signal.SIGTERM)
            return [await parent.wait() for parent in self.parents]


@asynccontextmanager
async def open_crew(stage: Stage, count: int, *arguments: str, mutant: str = "", **env: str) -> AsyncIterator[Crew]:
    """Run ``count`` consumers with switches (``tests.chaos.worker``); kill at the end whoever is left."""
    with tempfile.TemporaryDirectory(prefix="learnsvc-chaos-") as folder:
        own = {orders.VARIABLE: folder, mutants.VARIABLE: mutant, **env}
        async with stage.consumers(count, *arguments, module="tests.chaos.worker", **own) as parents:
            crew = Crew(stage, parents, Orders(Path(folder)))
            try:
                yield crew
            finally:
                for pid in crew.workers():
                    with suppress(ProcessLookupError):
                        os.kill(pid, signal.SIGKILL)


async def taken(order: Order, seconds: float = 30) -> int:
    """Wait until a worker took ``order``, and return its process id."""

    async def is_taken() -> bool:
        return order.pid is not None

    await until(is_taken, seconds)
    assert order.pid is not None
    return order.pid


def children(pid: int) -> list[int]:
    """Return the living child processes of ``pid`` (Linux)."""
    try:
        found = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    except FileNotFoundError:
        return []
    return [int(child) for child in found if alive(int(child))]


def alive(pid: int) -> bool:
    """Whether ``pid`` is there and no zombie."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False
