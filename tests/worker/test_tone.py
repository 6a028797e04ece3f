"""Tone through a model on a job's way: one call a batch, and never a reason to fail."""

from typing import Any

import pytest
from pymongo.asynchronous.database import AsyncDatabase
from redis.asyncio import Redis

from service.settings import Settings
from service.streams.keys import Keys
from service.tone.fake import FakeGemini
from tests.worker.conftest import drained, edit, enqueue, running, until

pytestmark = pytest.mark.anyio
Mongo = AsyncDatabase[dict[str, Any]]


def asking(settings: Settings, fake: FakeGemini) -> Settings:
    told = {"gemini_api_key": fake.key, "gemini_base_url": fake.base_url, "gemini_timeout_seconds": 2}
    plain = {name: value for name, value in settings.model_dump().items() if name != "gemini_api_key"}
    return Settings.model_validate({**plain, **told})


async def sources(mongo: Mongo) -> set[str]:
    profile = await mongo.style_profiles.find_one({"_id": "ana"})
    assert profile is not None
    return {edit.get("tone_shift", {}).get("source", "lexical") for edit in profile["recent_edits"]}


async def test_one_call_judges_the_edits_of_a_batch(
    settings: Settings, redis_client: Redis, mongo: Mongo, keys: Keys
) -> None:
    await enqueue(redis_client, keys, *(edit(number) for number in range(5)))
    with FakeGemini() as fake:
        async with running(asking(settings, fake)):
            await until(lambda: drained(redis_client, keys))
        assert len(fake.requests) == 1
    assert await sources(mongo) == {"gemini"}


async def test_without_an_answer_the_words_decide(
    settings: Settings, redis_client: Redis, mongo: Mongo, keys: Keys
) -> None:
    await enqueue(redis_client, keys, *(edit(number) for number in range(5)))
    with FakeGemini(key="another") as fake:
        wrong = asking(settings, fake).model_copy(update={"gemini_base_url": "http://127.0.0.1:1"})
        async with running(wrong):
            await until(lambda: drained(redis_client, keys))
        assert not fake.requests
    assert await sources(mongo) == {"lexical"}
