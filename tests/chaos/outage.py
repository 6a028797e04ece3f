"""One outage, played on a worker of this process with jobs coming in, and everything a worker owes during it.

Whatever happens: nothing is lost or doubled, nothing is dead-lettered, ``/livez`` answers 200 all the time, the log
says so in a few lines, and the worker goes on by itself. ``/readyz`` must turn when the outage outlasts its grace.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

import anyio
import structlog

from service.http.verdicts import GRACE_SECONDS
from service.worker.loops import Worker
from tests.chaos.report import Row
from tests.chaos.stage import Stage, until
from tests.http.conftest import Reply, Site, free_port, served

RESUME_SECONDS = 5.0  # from the return of the server to the next settled job
PROBE_SECONDS = 0.25
TIME_OUT_SECONDS = 5.0  # the longest of the stage's: what a frozen server answers within it was no outage
NOTICE_SECONDS = 3.0  # until a loop that waits for an answer has noticed, and a probe has seen it
LINES = 6  # warnings and errors of one outage: one a server, its consequences, and no more


@dataclass
class Scene:
    """What a harm may touch."""

    stage: Stage
    worker: Worker
    seconds: float
    stop: anyio.Event = field(default_factory=anyio.Event)
    stopped: anyio.Event = field(default_factory=anyio.Event)

    async def flow(self) -> None:
        await self.stage.load.flow(self.stop, per_second=60, burst=10)
        self.stopped.set()

    async def quiet(self, jobs: int = 0) -> None:
        """End the flow, and leave ``jobs`` waiting."""
        self.stop.set()
        await self.stopped.wait()
        await self.stage.load.send(jobs)

    @property
    def learned(self) -> int:
        return self.worker.settler.counts["learned"]


@dataclass
class Probes:
    """What the probes answered, as long as the outage lasted and after it."""

    dead: list[str] = field(default_factory=list)
    unready: int = 0

    async def watch(self, site: Site) -> None:
        while True:
            alive, ready = await site.get("/livez"), await site.get("/readyz")
            if alive.status != 200:
                self.dead.append(alive.text)
            self.unready += ready.status != 200
            await anyio.sleep(PROBE_SECONDS)


Harm = Callable[[Scene], Awaitable[int]]


async def play(
    stage: Stage, fault: str, harm: Harm, seconds: float, *, away: bool = True, limit: float = RESUME_SECONDS
) -> Row:
    """Play ``harm``, which returns when the servers are back, with how often it did harm. ``away``: somebody was."""
    settings = stage.settings(learning_http_port=free_port())
    probes = Probes()
    with structlog.testing.capture_logs() as lines:
        async with served(settings) as site, anyio.create_task_group() as watching:
            await site.until("/readyz", 200)
            scene = Scene(stage, site.worker, seconds)
            watching.start_soon(probes.watch, site)
            watching.start_soon(scene.flow)
            await until(lambda: _more(scene, 0))
            before = len(lines)
            injected = await harm(scene)
            told = [line for line in lines[before:] if line["log_level"] in ("warning", "error")]
            resumed = await _resumed(scene, limit)
            scene.stop.set()
            await stage.drained()
            broken = [f"unready for good: {reply.text}" for reply in [await _ready(site)] if reply.status != 200]
            watching.cancel_scope.cancel()
    broken += _judge(probes, [str(line["event"]) for line in told], injected, away and seconds)
    return await stage.row(fault, injected=injected, resume_seconds=resumed, limit_seconds=limit, broken=tuple(broken))


async def _resumed(scene: Scene, limit: float) -> float:
    """Return the seconds until another job was settled, sending one in case none waits."""
    count = scene.learned
    if scene.stop.is_set():
        await scene.stage.load.send(1)
    return await until(lambda: _more(scene, count), seconds=limit * 6)


async def _more(scene: Scene, count: int) -> bool:
    return scene.learned > count


async def _ready(site: Site) -> Reply:
    with anyio.move_on_after(10):
        return await site.until("/readyz", 200)
    return await site.get("/readyz")


def _judge(probes: Probes, told: list[str], injected: int, away_seconds: float) -> list[str]:
    wrong = [f"/livez said {text}" for text in probes.dead[:1]]
    if away_seconds > GRACE_SECONDS + TIME_OUT_SECONDS + NOTICE_SECONDS and not probes.unready:
        wrong.append(f"/readyz stayed 200 through {away_seconds:g} s")
    if away_seconds and away_seconds < GRACE_SECONDS and probes.unready:
        wrong.append("/readyz turned within its grace")
    if away_seconds > TIME_OUT_SECONDS + NOTICE_SECONDS and not told:
        wrong.append("the log said nothing")
    if len(told) > LINES * injected:
        wrong.append(f"the log said {len(told)} lines: {told[:10]}")
    return wrong
