"""How soon the work of a worker that is gone goes on: killed, after its lease; asked to stop, at once."""

from __future__ import annotations

import os
import signal

import anyio

from service.streams.keys import GROUP
from service.streams.replies import pending
from tests.chaos.crew import open_crew
from tests.chaos.orders import Moment
from tests.chaos.report import Row
from tests.chaos.scenario import Plan, scenario
from tests.chaos.stage import Stage, open_stage, until

LEASE_SECONDS, GRACE_SECONDS = 3.0, 0.3


async def killed(plan: Plan, moment: Moment, fault: str, mutant: str = "") -> Row:
    """Kill the worker that reaches ``moment`` and time how long its entries wait."""
    async with (
        open_stage(plan, LEARNING_LEASE_SECONDS=str(LEASE_SECONDS)) as stage,
        open_crew(stage, 1, "--processes", "3", mutant=mutant) as crew,
    ):
        slowest = 0.0
        for _ in range(plan.rounds):
            await crew.joined(3)
            order = crew.orders.give(moment, signal.SIGKILL)
            jobs = [stage.load.next_job(user_id=f"{moment}{plan.seed}") for _ in range(5)]
            await stage.load.append(jobs)

            async def is_taken() -> bool:
                return order.pid is not None  # noqa: B023 - called in this round only

            await until(is_taken)
            slowest = max(slowest, await stage.drained())
        return await stage.row(fault, injected=plan.rounds, resume_seconds=slowest, limit_seconds=LEASE_SECONDS * 1.5)


@scenario
async def killed_before_commit(plan: Plan) -> Row:
    """SIGKILL between load and commit: another worker learns it after the lease."""
    return await killed(plan, "loaded", "worker: SIGKILL between load and commit")


@scenario
async def killed_before_settle(plan: Plan) -> Row:
    """SIGKILL between commit and settle: another worker recognises it after the lease."""
    return await killed(plan, "committed", "worker: SIGKILL between commit and settle")


async def owner(stage: Stage) -> int | None:
    """Return the process that the only entry is pending under."""
    rows = pending(await stage.redis.xpending_range(stage.keys.partitions[0].jobs, GROUP, "-", "+", 1))
    return int(rows[0].consumer.split("-")[-2]) if rows else None


@scenario
async def released(plan: Plan) -> Row:
    """SIGTERM while a job takes longer than the grace: it is another worker's within a second of the grace's end."""
    async with (
        open_stage(plan, LEARNING_LEASE_SECONDS="10", LEARNING_GRACE_SECONDS=str(GRACE_SECONDS)) as stage,
        open_crew(stage, 1, "--processes", "3") as crew,
    ):
        slowest = 0.0
        for _ in range(plan.rounds):
            await crew.joined(3)
            crew.orders.hold()
            await stage.load.send(1, content_id="waits")
            victim = await crew.orders.waiting()
            os.kill(victim, signal.SIGTERM)
            asked = anyio.current_time()

            async def is_others() -> bool:
                return await owner(stage) not in (victim, None)  # noqa: B023 - called in this round only

            await until(is_others)
            slowest = max(slowest, anyio.current_time() - asked - GRACE_SECONDS)
            crew.orders.release()
            await stage.drained()
        return await stage.row(
            "worker: SIGTERM, its work released", injected=plan.rounds, resume_seconds=slowest, limit_seconds=1.0
        )


@scenario
async def stopped_under_load(plan: Plan) -> Row:
    """SIGTERM to one of two consumers while jobs keep coming: it exits 0 within its grace, the other goes on."""
    async with open_stage(plan) as stage, open_crew(stage, 2) as crew:
        await crew.joined(2)
        enough = anyio.Event()
        async with anyio.create_task_group() as enqueuers:
            enqueuers.start_soon(stage.load.flow, enough)
            await until_applied(stage, 10)
            crew.parents[0].send_signal(signal.SIGTERM)
            asked = anyio.current_time()
            with anyio.fail_after(30):
                code = await crew.parents[0].wait()
            seconds = anyio.current_time() - asked
            enough.set()
        await stage.drained()
        codes = [code, *await crew.stop()]
        broken = () if set(codes) == {0} else (f"exit codes {codes}",)
        grace = stage.settings().learning_grace_seconds + 2
        return await stage.row(
            "worker: SIGTERM under load, exit", injected=1, resume_seconds=seconds, limit_seconds=grace, broken=broken
        )


@scenario
async def stopped_twice(plan: Plan) -> Row:
    """A second signal ends at once what the first would let finish; the entry is another's after the lease."""
    async with (
        open_stage(plan, LEARNING_LEASE_SECONDS=str(LEASE_SECONDS), LEARNING_GRACE_SECONDS="60") as stage,
        open_crew(stage, 2) as crew,
    ):
        await crew.joined(2)
        crew.orders.hold()
        await stage.load.send(1, content_id="waits")
        victim = await crew.orders.waiting()
        [process] = [parent for parent in crew.parents if parent.pid == victim]
        with anyio.fail_after(20):  # two signals sent together may arrive as one
            while process.returncode is None:
                process.send_signal(signal.SIGTERM)
                await anyio.sleep(0.2)
        broken = () if process.returncode == 128 + signal.SIGTERM else (f"exit code {process.returncode}",)
        crew.orders.release()
        seconds = await stage.drained()
        return await stage.row(
            "worker: SIGTERM twice",
            injected=1,
            resume_seconds=seconds,
            limit_seconds=LEASE_SECONDS * 1.5,
            broken=broken,
        )


async def until_applied(stage: Stage, count: int) -> None:
    """Wait until ``count`` jobs were learned."""

    async def are_applied() -> bool:
        profiles = stage.mongo.style_profiles.find({}, {"edits_applied": 1})
        return sum([int(profile["edits_applied"]) async for profile in profiles]) >= count

    await until(are_applied, 60)
