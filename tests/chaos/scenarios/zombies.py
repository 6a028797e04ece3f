"""Workers frozen for longer than their lease, that wake up when others have done their work."""

from __future__ import annotations

import os
import signal
from typing import Any

import anyio

from service.streams.keys import GROUP
from service.streams.replies import pending
from tests.chaos.crew import Crew, open_crew
from tests.chaos.orders import Moment
from tests.chaos.report import Row
from tests.chaos.scenario import Plan, scenario
from tests.chaos.stage import Stage, open_stage, until

WRITER = "frozen"


async def frozen(plan: Plan, moment: Moment, fault: str, *, dead: int = 0, last: bool = False) -> Row:
    """Freeze the worker that reaches ``moment``, let another do its work, wake it up: it changes nothing.

    What it holds is one job at its ``last`` attempt, or several at their first. Of each round's jobs ``dead`` are to
    end as dead letters.
    """
    async with open_stage(plan) as stage:
        broken: list[str] = []
        slowest = 0.0
        for _ in range(plan.rounds):
            async with open_crew(stage, 2) as crew:
                await crew.joined(2)
                order = crew.orders.give(moment, signal.SIGSTOP)
                await stage.load.append([stage.load.next_job(user_id=WRITER) for _ in range(1 if last else 5)])

                async def is_taken() -> bool:
                    return order.pid is not None  # noqa: B023 - called in this round only

                await until(is_taken)
                if last:
                    await wear_out(stage)
                slowest = max(slowest, await stage.drained())
                before = await state(stage)
                assert order.pid is not None
                os.kill(order.pid, signal.SIGCONT)
                if codes := [code for code in await crew.stop() if code]:
                    broken.append(f"exit codes {codes}")
                if await state(stage) != before:
                    broken.append("the zombie changed something")
        letters = await stage.redis.xlen(stage.keys.partitions[0].dead)
        if letters != dead * plan.rounds:
            broken.append(f"{letters} dead letters, not {dead * plan.rounds}")
        return await stage.row(
            fault,
            injected=plan.rounds,
            resume_seconds=slowest,
            limit_seconds=stage.settings().learning_lease_seconds * 1.5,
            broken=tuple(broken),
        )


async def wear_out(stage: Stage) -> None:
    """Let what is pending be at its last attempt, as if it had been taken over before."""
    keys, attempts = stage.keys.partitions[0], stage.settings().learning_max_attempts
    for row in pending(await stage.redis.xpending_range(keys.jobs, GROUP, "-", "+", 1)):
        await stage.redis.xclaim(keys.jobs, GROUP, row.consumer, 0, [row.id], retrycount=attempts, justid=True)


async def state(stage: Stage) -> tuple[Any, Any]:
    """Return the profile as stored, and what the stream counts."""
    return (
        await stage.mongo.style_profiles.find_one({"_id": WRITER}),
        await stage.redis.hgetall(stage.keys.partitions[0].stats),
    )


@scenario
async def zombie_before_commit(plan: Plan) -> Row:
    """SIGSTOP between load and commit."""
    return await frozen(plan, "loaded", "worker: SIGSTOP > lease between load and commit, SIGCONT")


@scenario
async def zombie_before_settle(plan: Plan) -> Row:
    """SIGSTOP between commit and settle."""
    return await frozen(plan, "committed", "worker: SIGSTOP > lease between commit and settle, SIGCONT")


@scenario
async def given_up_before_load(plan: Plan) -> Row:
    """SIGSTOP before the load; another gives the entries up."""
    fault = "worker: SIGSTOP > lease before the load, the jobs given up, SIGCONT"
    return await frozen(plan, "taken", fault, dead=1, last=True)


@scenario
async def given_up_before_commit(plan: Plan) -> Row:
    """SIGSTOP between load and commit; another gives the entries up."""
    fault = "worker: SIGSTOP > lease before the commit, the jobs given up, SIGCONT"
    return await frozen(plan, "loaded", fault, dead=1, last=True)


@scenario
async def given_up_before_settle(plan: Plan) -> Row:
    """SIGSTOP between commit and settle; another finds the entries out of attempts, and applied."""
    fault = "worker: SIGSTOP > lease before settling a last attempt, SIGCONT"
    return await frozen(plan, "committed", fault, last=True)


@scenario
async def zombie_renews(plan: Plan) -> Row:
    """SIGSTOP while a job is being extracted: the zombie must not renew what is another's by now."""
    return await renewing(plan)


async def renewing(plan: Plan, mutant: str = "") -> Row:
    """Freeze a worker amid its work; another takes the entry and keeps it when the first wakes up."""
    async with open_stage(plan) as stage, open_crew(stage, 2, mutant=mutant) as crew:
        await crew.joined(2)
        crew.orders.hold()
        await stage.load.append([stage.load.next_job(user_id=WRITER, content_id="waits")])
        zombie = await crew.orders.waiting()
        os.kill(zombie, signal.SIGSTOP)
        [heir] = [parent.pid for parent in crew.parents if parent.pid != zombie]
        seconds = await held_by(stage, heir)
        os.kill(zombie, signal.SIGCONT)
        owners = await owners_until_it_ends(crew, zombie)
        broken = () if owners == {heir} else ("the zombie took the entry back",)
        crew.orders.release()
        await stage.drained()
        return await stage.row(
            "worker: SIGSTOP > lease amid a job, SIGCONT", injected=1, resume_seconds=seconds, broken=broken
        )


async def owner(stage: Stage) -> int | None:
    """Return the process that the first entry is pending under."""
    rows = pending(await stage.redis.xpending_range(stage.keys.partitions[0].jobs, GROUP, "-", "+", 1))
    return int(rows[0].consumer.split("-")[-2]) if rows else None


async def held_by(stage: Stage, pid: int) -> float:
    async def is_its() -> bool:
        return await owner(stage) == pid

    return await until(is_its)


async def owners_until_it_ends(crew: Crew, zombie: int) -> set[int | None]:
    """Ask ``zombie`` to stop, and return whose the entry was until it did.

    It ends when its work is cancelled because a renewal found the entry lost; a thief renews until its grace is over.
    """
    [process] = [parent for parent in crew.parents if parent.pid == zombie]
    process.send_signal(signal.SIGTERM)
    owners = {await owner(crew.stage)}
    with anyio.fail_after(30):
        while process.returncode is None:
            owners.add(await owner(crew.stage))
            await anyio.sleep(0.01)
    return owners
