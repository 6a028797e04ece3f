"""Three consumers of two processes each, enqueuers, and a killer."""

from __future__ import annotations

import os
import random
import signal
from collections import Counter
from contextlib import suppress

import anyio

from tests.chaos.crew import Crew, open_crew, taken
from tests.chaos.orders import MOMENTS
from tests.chaos.report import Row
from tests.chaos.scenario import Plan, scenario
from tests.chaos.stage import LEASE_SECONDS, open_stage

CONSUMERS, PROCESSES, ENQUEUERS = 3, 2, 2
PAUSE_SECONDS = 0.45  # mean between two faults: about as fast as the dead are replaced
JOBS_A_SECOND = 12  # six workers on two cores under fire: more would only measure a backlog
MOST_WAITING = 60  # on a slow machine jobs come as they are done
ATTEMPTS = 20  # at two kills a second an innocent entry dies with several workers; poison has its own scenario
EXACT = 0.5  # share of faults at an exact moment
GENTLE = 8  # a SIGTERM and a SIGSTOP for so many SIGKILL


class Killer:
    """Plays the faults of one seed."""

    def __init__(self, crew: Crew, plan: Plan) -> None:
        self.counts: Counter[str] = Counter()
        self._crew = crew
        self._random = random.Random(plan.seed)
        gentle = max(1, plan.kills // GENTLE)
        self._faults = [signal.SIGKILL] * plan.kills + [signal.SIGTERM, signal.SIGSTOP] * gentle
        self._random.shuffle(self._faults)

    async def run(self) -> None:
        """Inject all faults; return when every frozen worker was woken up."""
        async with anyio.create_task_group() as frozen:
            for signum in self._faults:
                exact = signum != signal.SIGTERM and self._random.random() < EXACT
                pid = await (self._at_a_moment(signum) if exact else self._at_random(signum))
                self.counts[signum.name] += 1
                if signum == signal.SIGSTOP:
                    frozen.start_soon(self._wake, pid)
                await anyio.sleep(self._random.uniform(0.5, 1.5) * PAUSE_SECONDS)

    async def _at_a_moment(self, signum: signal.Signals) -> int:
        return await taken(self._crew.orders.give(self._random.choice(MOMENTS), signum), 60)

    async def _at_random(self, signum: signal.Signals) -> int:
        """Send ``signum`` to a worker, rather to one with entries in work."""
        while True:
            consumers = await self._crew.consumers()
            busy = sorted(pid for pid, pending in consumers.items() if pending)
            with suppress(ProcessLookupError):
                if victims := busy or sorted(consumers):
                    pid = self._random.choice(victims)
                    os.kill(pid, signum)
                    return pid
            await anyio.sleep(0.02)

    async def _wake(self, pid: int) -> None:
        await anyio.sleep(LEASE_SECONDS * 1.5)
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGCONT)


@scenario
async def kill_storm(plan: Plan) -> Row:
    """Kill, end and freeze workers at random and exact moments while jobs keep coming."""
    async with (
        open_stage(plan, LEARNING_MAX_ATTEMPTS=str(ATTEMPTS)) as stage,
        open_crew(stage, CONSUMERS, "--processes", str(PROCESSES)) as crew,
    ):
        await crew.joined(CONSUMERS * PROCESSES)
        killer, enough = Killer(crew, plan), anyio.Event()
        async with anyio.create_task_group() as enqueuers:
            for _ in range(ENQUEUERS):
                enqueuers.start_soon(stage.load.flow, enough, JOBS_A_SECOND / ENQUEUERS, 6, MOST_WAITING)
            await killer.run()
            enough.set()
        seconds = await stage.drained()
        codes = await crew.stop()
        broken = () if codes == [0] * CONSUMERS else (f"the consumers ended with {codes}",)
        return await stage.row(
            "workers: SIGKILL, SIGTERM and SIGSTOP at random and exact moments",
            injected=killer.counts.total(),
            resume_seconds=seconds,
            broken=broken,
        )
