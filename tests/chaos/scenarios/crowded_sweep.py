"""One abandoned entry behind a crowd of entries that are being renewed."""

from __future__ import annotations

import anyio

from service.streams.group import Membership
from service.streams.keys import GROUP
from tests.chaos.crew import open_crew
from tests.chaos.report import Row
from tests.chaos.scenario import Plan, scenario
from tests.chaos.stage import LEASE_SECONDS, Stage, open_stage, until

CROWD = 60  # XAUTOCLAIM looks at ten times COUNT entries, and COUNT is what there is room for: 2
LEASES = 4  # sweeps come five times a second


@scenario
async def crowded_sweep(plan: Plan) -> Row:
    """A sweep that followed no cursor would never get there."""
    return await crowded(plan)


async def crowded(plan: Plan, mutant: str = "") -> Row:
    async with open_stage(plan, LEARNING_QUEUE_CONCURRENCY="1", LEARNING_PREFETCH="1") as stage:
        busy = Membership(stage.redis, stage.redis, stage.keys.partitions[0], "busy-0-0")
        dead = Membership(stage.redis, stage.redis, stage.keys.partitions[0], "dead-0-0")
        await busy.join()
        await stage.load.append([stage.load.next_job() for _ in range(CROWD)])
        crowd = [delivery.id for delivery in await busy.read(CROWD, stage.settings().lease)]
        await stage.load.append([stage.load.next_job()])
        await dead.read(1, stage.settings().lease)
        async with anyio.create_task_group() as group, open_crew(stage, 1, mutant=mutant) as crew:
            group.start_soon(renew, busy, crowd)
            await crew.joined(1)
            seconds, broken = await taken_over(stage)
            group.cancel_scope.cancel()
        await busy.release(crowd, idle=stage.settings().lease, uncount=True)
        async with open_crew(stage, 1):
            await stage.drained()
        return await stage.row(
            f"an abandoned entry behind {CROWD} renewed ones",
            injected=1,
            resume_seconds=seconds,
            limit_seconds=LEASE_SECONDS * LEASES,
            broken=broken,
        )


async def renew(member: Membership, ids: list[str]) -> None:
    while True:
        await member.renew(ids)
        await anyio.sleep(LEASE_SECONDS / 5)


async def taken_over(stage: Stage) -> tuple[float, tuple[str, ...]]:
    """Wait until the crowd alone is pending; return how long it took, and what to say if it took too long."""

    async def is_settled() -> bool:
        pending = await stage.redis.xpending(stage.keys.partitions[0].jobs, GROUP)
        return bool(pending["pending"] == CROWD)

    try:
        return await until(is_settled, LEASE_SECONDS * LEASES), ()
    except TimeoutError:
        return LEASE_SECONDS * LEASES, ("the sweep never reached the abandoned entry",)
