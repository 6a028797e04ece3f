"""Many jobs of one writer, and several processes that race for the profile."""

from __future__ import annotations

from tests.chaos.report import Row
from tests.chaos.scenario import Plan, scenario
from tests.chaos.stage import open_stage

JOBS = 200


@scenario
async def conflicts(plan: Plan) -> Row:
    """Two processes and 200 jobs of one writer: exact, and soon done."""
    async with open_stage(plan, MAX_EDIT_METADATA_PER_USER="200") as stage:
        jobs = [stage.load.next_job(user_id="one") for _ in range(JOBS)]
        await stage.load.append(jobs)
        async with stage.consumers(2):
            seconds = await stage.drained()
        return await stage.row("200 jobs of one writer in two processes", injected=1, resume_seconds=seconds)
