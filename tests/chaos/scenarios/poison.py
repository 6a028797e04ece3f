"""Jobs that raise, hang or kill their process, and one as large and hostile as a job may be, which is learned."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace

from anyio import to_thread

from service.streams import dead_letters
from tests.chaos.audit import audit
from tests.chaos.crew import open_crew
from tests.chaos.load import Job
from tests.chaos.report import Row
from tests.chaos.scenario import Plan, scenario
from tests.chaos.stage import Stage, open_stage

KINDS = ("raises", "hangs", "kills")
HOSTILE = {"original_text": "ab ba " * 87_000, "edited_text": "ba ab " * 87_000}  # just under 1 MiB
ATTEMPTS = 3


@scenario
async def poison(plan: Plan) -> Row:
    """Poison among the jobs of one writer: it alone is dead-lettered, and learned after a replay to a mended worker."""
    async with open_stage(
        plan,
        LEARNING_MAX_ATTEMPTS=str(ATTEMPTS),
        LEARNING_JOB_TIMEOUT_SECONDS="6",
        GEMINI_TIMEOUT_SECONDS="1",
    ) as stage:
        bad = [stage.load.next_job(user_id="one", content_id=kind) for kind in KINDS]
        good = [stage.load.next_job(user_id="one") for _ in range(6)]
        await stage.load.append([*good[:3], *bad, *good[3:]])
        async with open_crew(stage, 1, "--processes", "2"):
            await stage.drained(120)
        broken = await wrongly_dead(stage, bad)
        row = await stage.row("poison: raises, hangs, kills its process", injected=len(KINDS), broken=broken)
        return await mended(stage, row)


@scenario
async def hostile(plan: Plan) -> Row:
    """Hostile texts of the largest size among others of the same writer: learned like them."""
    async with open_stage(plan) as stage:
        jobs = [stage.load.next_job(user_id="one") for _ in range(4)]
        for _ in range(plan.rounds):
            jobs.insert(2, stage.load.next_job(user_id="one", **HOSTILE))
        await stage.load.append(jobs)
        async with open_crew(stage, 1):
            await stage.drained(120)
        row = await stage.row("poison: 1 MiB of hostile text", injected=plan.rounds)
    return replace(row, broken=(*row.broken, "it is dead")) if row.dead else row


async def wrongly_dead(stage: Stage, bad: list[Job]) -> tuple[str, ...]:
    """Say what of the dead letters is not as it must be: exactly the poison, after all its attempts."""
    letters = [dead_letters.parse(id, fields) async for _, id, fields in dead_letters.walk(stage.redis, stage.keys)]
    wrong = []
    if sorted(str(letter.job_id) for letter in letters) != sorted(job["job_id"] for job in bad):
        wrong.append(f"dead letters of {[letter.job_id for letter in letters]}")
    if any(letter.reason != "attempts" for letter in letters):
        wrong.append(f"reasons {[letter.reason for letter in letters]}")
    return tuple(wrong)


async def mended(stage: Stage, row: Row) -> Row:
    """Replay the dead letters to a worker without the bugs, and add what is wrong then."""
    command = [sys.executable, "-m", "service.cli", "dead", "replay", "--all"]
    done = await to_thread.run_sync(lambda: subprocess.run(command, env=stage.env, capture_output=True, text=True))
    async with stage.consumers(1):
        await stage.drained(60)
    found = await audit(stage.load.sent, stage.redis, stage.mongo, stage.keys, stage.settings().rules())
    after = [f"after the replay: {wrong}" for wrong in found.broken]
    if done.returncode or found.dead:
        after.append(f"the replay ended with {done.returncode} and left {found.dead} dead: {done.stderr[:200]}")
    return replace(row, broken=(*row.broken, *after))
