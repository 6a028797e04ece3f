"""Tone through a model on a job's way: one call a batch, and never a reason to fail."""

from pathlib import Path
from typing import Any

import pytest
from pymongo.asynchronous.database import AsyncDatabase
from redis.asyncio import Redis

from service.settings import InvalidSettings, Settings, load_settings
from service.streams.keys import Keys
from service.tone.fake import FakeGemini
from service.tone.shared import ToneKeys
from service.tone.usage import read_usage
from tests.tone.accounts import service_account
from tests.tone.attacks import ATTACKS
from tests.tone.obedient import obey
from tests.worker.conftest import drained, edit, enqueue, running, until

pytestmark = pytest.mark.anyio
Mongo = AsyncDatabase[dict[str, Any]]


def asking(settings: Settings, fake: FakeGemini) -> Settings:
    told = {"gemini_api_key": fake.key, "gemini_base_url": fake.base_url, "gemini_timeout_seconds": 2}
    plain = {name: value for name, value in settings.model_dump().items() if name != "gemini_api_key"}
    return Settings.model_validate({**plain, **told})


async def test_answers_and_cost_are_shared_and_seen_without_a_worker(
    settings: Settings, redis_client: Redis, mongo: Mongo, keys: Keys
) -> None:
    with FakeGemini() as fake:
        for user in ("ana", "ben"):  # the same texts, another worker and writer: answered from Redis
            await enqueue(redis_client, keys, *(edit(number, user) for number in range(5)))
            async with running(asking(settings, fake)) as worker:
                await until(lambda: drained(redis_client, keys))
        assert len(fake.requests) == 1
        assert (worker.tone.stats.calls, worker.tone.stats.hit_rate) == (0, 1.0)
    usage = await read_usage(redis_client, ToneKeys.of(settings.learning_key_prefix))
    assert (usage.calls, usage.cache_misses, usage.cache_hits, usage.fallbacks) == (1, 5, 5, 0)
    assert min(usage.tokens_in, usage.tokens_out) > 0
    assert usage.calls_this_minute == 1


async def test_the_ceiling_of_a_day_stops_the_calls_of_all_workers(
    settings: Settings, redis_client: Redis, mongo: Mongo, keys: Keys
) -> None:
    with FakeGemini() as fake:
        frugal = asking(settings, fake).model_copy(update={"gemini_max_tokens_per_day": 2_000})
        for number in range(4):
            await enqueue(redis_client, keys, edit(number))
            async with running(frugal) as worker:
                await until(lambda: drained(redis_client, keys))
        assert 1 <= len(fake.requests) < 4
        assert worker.tone.stats.failures["ceiling"] >= 1
        assert worker.tone.state() == "available"
    spent = int(await redis_client.get(ToneKeys.of(settings.learning_key_prefix).tokens) or 0)
    usage = await read_usage(redis_client, ToneKeys.of(settings.learning_key_prefix))
    assert spent == usage.tokens_in + usage.tokens_out <= 2_000


async def test_vertex_ai_by_the_environment_alone(
    settings: Settings,
    redis_client: Redis,
    mongo: Mongo,
    keys: Keys,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    with FakeGemini() as fake:
        monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", str(service_account(fake, tmp_path)))
        monkeypatch.setenv("GOOGLE_GENAI_USE_VERTEXAI", "true")
        monkeypatch.setenv("GOOGLE_CLOUD_PROJECT", "p-1")
        monkeypatch.setenv("GOOGLE_CLOUD_LOCATION", "europe-west4")
        monkeypatch.setenv("GEMINI_BASE_URL", fake.base_url)
        given = {name: getattr(settings, name) for name in settings.model_fields_set}
        await enqueue(redis_client, keys, edit())
        async with running(load_settings(**given)):
            await until(lambda: drained(redis_client, keys))
        path = "/v1/projects/p-1/locations/europe-west4/publishers/google/models/gemini-2.5-flash:generateContent"
        assert [request.path for request in fake.requests if request.path != "/token"] == [path]
    assert await sources(mongo) == {"gemini"}


def test_vertex_ai_without_a_project_stops_the_start(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GOOGLE_GENAI_USE_VERTEXAI", "true")
    with pytest.raises(InvalidSettings, match="GOOGLE_CLOUD_PROJECT"):
        load_settings()


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


async def test_a_text_that_gives_orders_changes_at_most_its_own_label(
    settings: Settings, redis_client: Redis, mongo: Mongo, keys: Keys
) -> None:
    with FakeGemini() as fake:
        fake.answer = obey
        sendable = [attack for attack in ATTACKS if "\ud800" not in attack]  # which JSON cannot hold
        for number, attack in enumerate(sendable):
            first = edit(
                0, f"w{number}", original_text=f"Menu {number} has soup.", edited_text=f"Menu {number} has soup!!"
            )
            order = edit(1, f"w{number}", original_text="We open the shop on Monday.", edited_text=attack)
            await enqueue(redis_client, keys, first, order)
        patient = asking(settings, fake).model_copy(update={"gemini_max_calls_per_minute": 1_000})
        async with running(patient) as worker:
            await until(lambda: drained(redis_client, keys), seconds=60)
        assert len(fake.requests) >= 30
    labels: dict[str, set[str]] = {"0": set(), "1": set()}
    async for profile in mongo.style_profiles.find():
        for delta in profile["recent_edits"]:
            labels[delta["job_id"][-1]].add(delta.get("tone_shift", {}).get("label", "no change"))
    assert labels["0"] == {"more enthusiastic"}
    assert "more humorous" in labels["1"]  # the orders reached the model, as data
    assert worker.tone.state() == "available"


async def test_the_client_is_closed_with_the_worker(
    settings: Settings, redis_client: Redis, mongo: Mongo, keys: Keys
) -> None:
    with FakeGemini() as fake:
        async with running(asking(settings, fake)) as worker:
            model: Any = worker.tone
            assert not model._model._http.is_closed
        assert model._model._http.is_closed
