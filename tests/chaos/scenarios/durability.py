"""mongod killed at the moments at which a write may be visible and not yet durable.

The journal is flushed every 500 ms at most instead of every 100, so that the window is wide open; a write with
``j: true`` waits for its flush all the same.
"""

from __future__ import annotations

import time

import orjson
from anyio import to_thread

from service.embedded import EmbeddedMongo
from service.streams.entry import Delivery, decode
from service.worker.loops import Worker
from service.worker.running import open_worker
from tests.chaos.crew import open_crew
from tests.chaos.load import Job
from tests.chaos.report import Row
from tests.chaos.scenario import Plan, scenario
from tests.chaos.stage import Stage, open_stage


def slow_to_flush() -> EmbeddedMongo:
    return EmbeddedMongo(extra_args=["--journalCommitInterval", "500"])


async def crash(stage: Stage) -> None:
    """SIGKILL mongod and start it again."""
    stage.mongo_server.kill()
    await to_thread.run_sync(stage.mongo_server.start)


@scenario
async def mongod_killed_after_settle(plan: Plan) -> Row:
    """An entry is settled, and mongod dies: the effect is durable by then."""
    return await after_settle(plan)


async def after_settle(plan: Plan, mutant: str = "") -> Row:
    async with open_stage(plan, mongo=slow_to_flush()) as stage, open_crew(stage, 1, mutant=mutant) as crew:
        await crew.joined(1)
        for _ in range(plan.rounds):
            await stage.load.append([stage.load.next_job()])
            await stage.drained()
            await crash(stage)
        await stage.load.append([stage.load.next_job()])
        seconds = await stage.drained()
        return await stage.row(
            "mongod: SIGKILL the moment jobs are settled", injected=plan.rounds, resume_seconds=seconds
        )


@scenario
async def seen_before_durable(plan: Plan) -> Row:
    """A second worker sees a job applied by a write that is not durable yet, settles, and mongod dies."""
    return await barrier(plan)


async def barrier(plan: Plan, mutant: str = "") -> Row:
    """The first worker writes with ``w: 1, j: false`` and never settles; the second finds the job applied."""
    async with open_stage(plan, mongo=slow_to_flush()) as stage, open_crew(stage, 1, mutant=mutant) as crew:
        await crew.joined(1)
        hasty = stage.mongo_server.uri("chaos") + "?w=1&journal=false"
        async with open_worker(stage.settings(mongodb_uri=hasty)) as first:
            for _ in range(plan.rounds):
                job = stage.load.next_job()
                await apply(first, stage, job)
                await stage.load.append([job])
                await stage.drained()
                await crash(stage)
        duplicates = int(await stage.redis.hget(stage.keys.partitions[0].stats, "duplicate") or 0)
        broken = () if duplicates == plan.rounds else (f"{duplicates} of {plan.rounds} jobs were seen as applied",)
        return await stage.row(
            "mongod: SIGKILL the moment a job seen as applied is settled", injected=plan.rounds, broken=broken
        )


async def apply(worker: Worker, stage: Stage, job: Job) -> None:
    """Let ``worker`` learn ``job`` up to its commit, as if it had read the entry."""
    await worker.clock.sync(stage.redis)
    delivery = Delivery(stage.keys.partitions[0], "1-1", orjson.dumps(job))
    work = decode(delivery, now=worker.clock.now(), max_bytes=1_048_576)
    worker.in_work.add(delivery, time.monotonic())
    learned = await worker.settler._learner.learn(work.user_id, [work])
    worker.in_work.drop(delivery.keys, [delivery.id])
    assert learned.applied == [work]
