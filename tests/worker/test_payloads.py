"""Entries whose payload was let go while they waited, and was read again for their batch."""

from __future__ import annotations

import os
import signal
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

import anyio.lowlevel
import pytest
from pydantic import SecretStr
from pymongo.asynchronous.database import AsyncDatabase
from redis.asyncio import Redis

from schemas.delta import Analysis
from schemas.job import LearningJob
from service.embedded import EmbeddedRedis
from service.settings import Settings
from service.streams import dead_letters
from service.streams.forget import forget_writer
from service.streams.group import Membership
from service.streams.keys import GROUP, Keys
from service.worker import inwork
from service.worker.extraction import Extractor
from service.worker.loops import Worker
from tests.worker.conftest import drained, edit, enqueue, running, until

pytestmark = pytest.mark.anyio
Mongo = AsyncDatabase[dict[str, Any]]
OWN = frozenset(("job_id", "revision"))


@pytest.fixture
def let_go(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(inwork, "KEPT_BYTES", 0)


class Meanwhile:
    """Extraction that, at the first job of all, waits until ``more`` jobs are held as well, and then does something."""

    def __init__(self, more: Callable[[], Awaitable[object]], then: Callable[[], Awaitable[object]]) -> None:
        self.worker: Worker | None = None
        self._steps = [more, self._all_held, then]
        self._extract = Extractor()

    async def __call__(self, job: LearningJob) -> Analysis:
        while self._steps:
            await self._steps.pop(0)()
        return await self._extract(job)

    async def _all_held(self) -> None:
        async def held() -> bool:
            return self.worker is not None and len(self.worker.in_work) == 5

        await until(held)


async def learned(mongo: Mongo, user: str) -> list[dict[str, Any]]:
    """The learned edits of ``user``, less what tells them from those of another."""
    profile = await mongo.style_profiles.find_one({"_id": user}) or {}
    return [{name: value for name, value in one.items() if name not in OWN} for one in profile.get("recent_edits", [])]


async def test_what_was_let_go_is_learned_like_the_rest(
    settings: Settings, redis_client: Redis, mongo: Mongo, keys: Keys, monkeypatch: pytest.MonkeyPatch
) -> None:
    for user, kept in (("ana", inwork.KEPT_BYTES), ("ben", 0)):
        monkeypatch.setattr(inwork, "KEPT_BYTES", kept)
        await enqueue(redis_client, keys, *(edit(number, user) for number in range(30)))
        async with running(settings):
            await until(lambda: drained(redis_client, keys))
    assert len(await learned(mongo, "ana")) == 30
    assert await learned(mongo, "ana") == await learned(mongo, "ben")


@pytest.mark.usefixtures("let_go")
async def test_an_entry_deleted_while_it_waits_is_lost_and_its_batch_is_learned(
    settings: Settings, redis_client: Redis, mongo: Mongo, keys: Keys
) -> None:
    jobs = keys.partitions[0].jobs
    ids: list[str] = []

    async def more() -> None:
        ids.extend(await enqueue(redis_client, keys, *(edit(number) for number in range(1, 5))))

    async def delete() -> None:
        await redis_client.xack(jobs, GROUP, ids[1])
        await redis_client.xdel(jobs, ids[1])

    extract = Meanwhile(more, delete)
    await enqueue(redis_client, keys, edit(0))
    async with running(settings, extract=extract) as worker:
        extract.worker = worker
        await until(lambda: drained(redis_client, keys))
        assert worker.settler.counts["lost"] == 1
    profile = await mongo.style_profiles.find_one({"_id": "ana"})
    assert profile is not None
    assert [one["job_id"] for one in profile["recent_edits"]] == ["ana-0", "ana-1", "ana-3", "ana-4"]
    assert profile["edits_applied"] == 4


@pytest.mark.usefixtures("let_go")
async def test_of_a_writer_forgotten_meanwhile_nothing_more_is_learned(
    settings: Settings, redis_client: Redis, mongo: Mongo, keys: Keys
) -> None:
    async def more() -> None:
        await enqueue(redis_client, keys, *(edit(number) for number in range(1, 5)))

    extract = Meanwhile(more, lambda: forget_writer(redis_client, keys, "ana"))
    await enqueue(redis_client, keys, edit(0))
    async with running(settings, extract=extract) as worker:
        extract.worker = worker
        await until(lambda: _empty(worker))
    assert await drained(redis_client, keys)
    assert len(await learned(mongo, "ana")) == 1  # what was in work already


@pytest.mark.usefixtures("let_go")
async def test_redis_stopped_while_a_payload_is_read_again_is_not_held_against_the_entry(
    settings: Settings, mongo: Mongo, keys: Keys, monkeypatch: pytest.MonkeyPatch
) -> None:
    read = Membership.payloads
    stops = iter(["once"])

    with EmbeddedRedis() as server:

        async def stopped(self: Membership, ids: Sequence[str]) -> dict[str, bytes]:
            if next(stops, None):
                os.kill(server.pid, signal.SIGSTOP)
            return await read(self, ids)

        monkeypatch.setattr(Membership, "payloads", stopped)
        own = settings.model_copy(update={"redis_url": SecretStr(server.url), "learning_lease_seconds": 30})
        async with Redis.from_url(server.url) as redis, running(own) as worker:
            await enqueue(redis, keys, edit(1))
            await until(lambda: _is_away(worker))
            os.kill(server.pid, signal.SIGCONT)
            await until(lambda: drained(redis, keys))
    assert +worker.settler.counts == {"received": 1, "learned": 1}
    assert len(await learned(mongo, "ana")) == 1


@pytest.mark.usefixtures("let_go")
async def test_a_dead_letter_says_whose_it_is(
    settings: Settings, redis_client: Redis, mongo: Mongo, keys: Keys
) -> None:
    await enqueue(redis_client, keys, edit(1))

    async def fails(job: LearningJob) -> Analysis:
        raise ZeroDivisionError

    async with running(settings.model_copy(update={"learning_max_attempts": 1}), extract=fails):
        await until(lambda: drained(redis_client, keys))
    [letter] = [fields async for _, _, fields in dead_letters.walk(redis_client, keys)]
    assert (letter[b"reason"], letter[b"user_id"], letter[b"job_id"]) == (b"attempts", b"ana", b"ana-1")
    assert b"Pears" in letter[b"job"]


async def test_a_writer_in_two_partitions_is_learned_and_settled_in_both(
    settings: Settings, redis_client: Redis, mongo: Mongo, key_prefix: str
) -> None:
    first, second = [Keys((one,)) for one in Keys.of(key_prefix, 2).partitions]

    async def more() -> None:
        await enqueue(redis_client, second, edit(1), edit(2))
        await enqueue(redis_client, first, edit(3), edit(4))

    extract = Meanwhile(more, anyio.lowlevel.checkpoint)
    await enqueue(redis_client, first, edit(0))
    async with running(settings.model_copy(update={"learning_partitions": 2}), extract=extract) as worker:
        extract.worker = worker
        await until(lambda: _empty(worker))
        assert worker.settler.counts["learned"] == 5
    assert await drained(redis_client, first)
    assert await drained(redis_client, second)
    assert len(await learned(mongo, "ana")) == 5


async def _is_away(worker: Worker) -> bool:
    return "redis" in worker.down


async def _empty(worker: Worker) -> bool:
    """Whether ``worker`` held something once, and holds nothing any more."""
    return worker.settler.counts["received"] > 0 and len(worker.in_work) == 0
