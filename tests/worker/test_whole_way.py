"""A job's whole way on real servers: appended, learned, committed, settled; and what must not happen on it."""

from typing import Any

import pytest
from pymongo.asynchronous.database import AsyncDatabase
from redis.asyncio import Redis

from schemas.delta import Analysis
from schemas.job import LearningJob
from service.learning.learn import learn
from service.ledger import items
from service.settings import Settings
from service.streams.depth import read_state
from service.streams.keys import GROUP, Keys
from service.worker.extraction import Extractor
from service.worker.running import reclaim_abandoned
from tests.worker.conftest import drained, edit, enqueue, running, until

pytestmark = pytest.mark.anyio
Mongo = AsyncDatabase[dict[str, Any]]


async def applied(mongo: Mongo) -> int:
    return sum([document["edits_applied"] async for document in mongo.style_profiles.find()])


async def test_edits_change_the_profile_and_are_settled(
    settings: Settings, redis_client: Redis, mongo: Mongo, keys: Keys
) -> None:
    await enqueue(redis_client, keys, *(edit(number) for number in range(6)))
    async with running(settings):
        await until(lambda: drained(redis_client, keys))
    profile = await mongo.style_profiles.find_one({"_id": "ana"})
    assert profile is not None
    assert profile["directions"]["emoji"] == "fewer"
    assert profile["edits_applied"] == 6
    assert len(items(profile["applied"])) == 6
    assert profile["evolution_score"] > 0
    assert profile["versions"]
    assert profile["evolution_timeline"]
    state = await read_state(redis_client, keys)
    assert (state.completed, state.waiting, state.active, state.dead) == (6, 0, 0, 0)
    assert await redis_client.xinfo_consumers(keys.partitions[0].jobs, GROUP) == []


async def test_writers_whose_edits_come_together_are_learned_in_step(
    settings: Settings, redis_client: Redis, keys: Keys, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each step is done for all of them before the next: one after the other, they would fill the caches in turn."""
    steps: list[str] = []
    analyse = Extractor()

    async def extract(job: LearningJob) -> Analysis:
        steps.append("analyse")
        return await analyse(job)

    def learned(*args: Any) -> Any:
        steps.append("learn")
        return learn(*args)

    monkeypatch.setattr("service.worker.batch.learn", learned)
    await enqueue(redis_client, keys, *(edit(0, user) for user in ("ana", "ben", "cleo", "dora")))
    async with running(settings, extract=extract):
        await until(lambda: drained(redis_client, keys))
    assert steps == ["analyse"] * 4 + ["learn"] * 4


async def test_the_same_jobs_again_change_nothing(
    settings: Settings, redis_client: Redis, mongo: Mongo, keys: Keys
) -> None:
    jobs = [edit(number, user) for number in range(5) for user in ("ana", "ben")]
    await enqueue(redis_client, keys, *jobs)
    async with running(settings):
        await until(lambda: drained(redis_client, keys))
        before = [document async for document in mongo.style_profiles.find().sort("_id")]
        await enqueue(redis_client, keys, *jobs)
        await until(lambda: drained(redis_client, keys))
    assert [document async for document in mongo.style_profiles.find().sort("_id")] == before
    assert await applied(mongo) == 10
    assert (await read_state(redis_client, keys)).duplicates == 10


async def test_arrival_order_does_not_matter(settings: Settings, redis_client: Redis, mongo: Mongo, keys: Keys) -> None:
    forwards = [edit(number, "ana") for number in range(8)]
    backwards = [edit(number, "ben") for number in reversed(range(8))]
    async with running(settings):
        for first, second in zip(forwards, backwards, strict=True):
            await enqueue(redis_client, keys, first, second)
            await until(lambda: drained(redis_client, keys))
    profiles = {document["_id"]: document async for document in mongo.style_profiles.find()}
    for part in ("directions", "writing_traits", "tone", "learning_iterations", "evolution_score", "vocabulary_level"):
        assert profiles["ana"][part] == profiles["ben"][part], part


async def test_the_application_is_told(settings: Settings, redis_client: Redis, keys: Keys) -> None:
    await redis_client.mset({"profile:ana": "old", "evolution:ana": "old", "profile:ben": "other"})
    async with redis_client.pubsub() as channel:
        await channel.subscribe("learning:profile-updated")
        await channel.get_message(timeout=5)
        await enqueue(redis_client, keys, edit(1))
        async with running(settings):
            await until(lambda: drained(redis_client, keys))
        message = await channel.get_message(timeout=5)
    assert message is not None
    assert b'"user_id":"ana","revision":1' in message["data"]
    assert await redis_client.mget("profile:ana", "evolution:ana", "profile:ben") == [None, None, b"other"]


async def test_edits_within_the_rate_limit_wait_and_are_learned_together(
    settings: Settings, redis_client: Redis, mongo: Mongo, keys: Keys
) -> None:
    limited = settings.model_copy(update={"learning_rate_limit_minutes": 2 / 60, "edit_batch_window_minutes": 1 / 60})
    fresh = [{key: value for key, value in edit(number).items() if key != "edited_at"} for number in range(5)]
    async with running(limited):
        await enqueue(redis_client, keys, fresh[0])
        await until(lambda: drained(redis_client, keys))
        for job in fresh[1:]:
            await enqueue(redis_client, keys, job)
        await until(lambda: drained(redis_client, keys))
        waiting = await mongo.style_profiles.find_one({"_id": "ana"})
        assert waiting is not None
        assert (waiting["learning_iterations"], len(waiting["pending"]), waiting["edits_applied"]) == (1, 4, 5)
        assert waiting["learn_due_at"] is not None

        async def learned() -> bool:
            return bool(await mongo.style_profiles.count_documents({"_id": "ana", "pending": []}))

        await until(learned)
    profile = await mongo.style_profiles.find_one({"_id": "ana"})
    assert profile is not None
    assert (profile["learning_iterations"], profile["edits_applied"], profile["learn_due_at"]) == (2, 5, None)
    assert len(profile["recent_edits"]) == 5


async def test_a_sweep_without_workers_learns_what_is_due_when_asked(
    settings: Settings, redis_client: Redis, mongo: Mongo, keys: Keys
) -> None:
    limited = settings.model_copy(update={"learning_rate_limit_minutes": 1 / 60, "edit_batch_window_minutes": 0})
    fresh = [{key: value for key, value in edit(number).items() if key != "edited_at"} for number in range(3)]
    async with running(limited.model_copy(update={"learning_due_seconds": 600})):  # looks for due ones once, at start
        await enqueue(redis_client, keys, fresh[0])
        await until(lambda: drained(redis_client, keys))
        await enqueue(redis_client, keys, *fresh[1:])
        await until(lambda: drained(redis_client, keys))
    assert await reclaim_abandoned(limited, min_idle=None, watch=False) == 0
    assert await mongo.style_profiles.count_documents({"_id": "ana", "pending": {"$ne": []}}) == 1

    async def learned() -> bool:
        assert await reclaim_abandoned(limited, min_idle=None, watch=False, due=True) == 0
        return bool(await mongo.style_profiles.count_documents({"_id": "ana", "pending": []}))

    await until(learned)
    profile = await mongo.style_profiles.find_one({"_id": "ana"})
    assert profile is not None
    assert (profile["edits_applied"], profile["learn_due_at"]) == (3, None)


async def test_jobs_spread_over_partitions_by_writer(
    settings: Settings, redis_client: Redis, mongo: Mongo, key_prefix: str
) -> None:
    spread = Keys.of(key_prefix, 3)
    await enqueue(redis_client, spread, *(edit(number, f"writer{number % 12}") for number in range(60)))
    assert all([await redis_client.xlen(partition.jobs) for partition in spread.partitions])

    async def done() -> bool:
        return (await read_state(redis_client, spread)).completed == 60

    async with running(settings.model_copy(update={"learning_partitions": 3})):
        await until(done)
    assert await applied(mongo) == 60
    state = await read_state(redis_client, spread)
    assert (state.waiting, state.active, state.dead, state.consumers) == (0, 0, 0, [])
