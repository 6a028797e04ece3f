"""What the model costs and what its faults cost: five hundred edits, and each fault of the list, through a worker."""

from __future__ import annotations

import time
from typing import Any

import pytest
from pymongo.asynchronous.database import AsyncDatabase
from redis.asyncio import Redis

from service.settings import Settings
from service.streams.keys import Keys
from service.tone.base import FINAL, Reason
from service.tone.breaker import ANSWERED
from service.tone.fake import FakeGemini, Fault
from service.tone.shared import ToneKeys
from service.tone.usage import read_usage
from service.worker.loops import Worker
from tests.worker.conftest import drained, enqueue, running, until
from tests.worker.test_tone import asking

pytestmark = pytest.mark.anyio
Mongo = AsyncDatabase[dict[str, Any]]

WRITERS, EDITS = 20, 25


def subtle(number: int, user: str) -> dict[str, Any]:
    """An edit whose words alone do not decide its tone; no two are alike."""
    place = f"Shed {number} of {user}"
    return {
        "job_id": f"{user}-{number}",
        "user_id": user,
        "content_id": f"c{number}",
        "original_text": f"{place} is not open today. We paint the fence.",
        "edited_text": f"{place} isn't open today. We paint the fence!",
        "edited_at": f"2025-{number // 25 + 1:02d}-{number % 25 + 1:02d}T10:00:00Z",
    }


async def applied(mongo: Mongo) -> int:
    profiles = await mongo.style_profiles.find({}, {"edits_applied": 1}).to_list()
    return sum(profile["edits_applied"] for profile in profiles)


async def test_five_hundred_edits_cost_a_call_a_batch_and_nothing_the_second_time(
    settings: Settings, redis_client: Redis, mongo: Mongo, keys: Keys, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("service.tone.sharing.STEP_SECONDS", 10.0)  # a busy machine must not look like a lost Redis
    patient = {"gemini_max_calls_per_minute": 10_000, "gemini_timeout_seconds": 50.0}
    jobs = [subtle(number, f"w{writer}") for writer in range(WRITERS) for number in range(EDITS)]
    with FakeGemini() as fake:
        asked = asking(settings, fake).model_copy(update=patient)
        await enqueue(redis_client, keys, *jobs)
        async with running(asked) as first:
            await until(lambda: drained(redis_client, keys), 60)
        batches = await commits(mongo)
        calls = len(fake.requests)
        assert await applied(mongo) == WRITERS * EDITS
        assert WRITERS <= calls <= batches < WRITERS * EDITS / 2
        assert first.tone.stats.fallbacks == 0

        guides = await style_guides(mongo)
        await mongo.style_profiles.delete_many({})
        await enqueue(redis_client, keys, *jobs)
        async with running(asked) as second:
            await until(lambda: drained(redis_client, keys), 60)
        assert (len(fake.requests), second.tone.stats.calls, second.tone.stats.hit_rate) == (calls, 0, 1.0)
    assert await applied(mongo) == WRITERS * EDITS
    assert await style_guides(mongo) == guides
    usage = await read_usage(redis_client, ToneKeys.of(settings.learning_key_prefix))
    assert (usage.calls, usage.cache_misses, usage.cache_hits) == (calls, 500, 500)


async def commits(mongo: Mongo) -> int:
    profiles = await mongo.style_profiles.find({}, {"revision": 1}).to_list()
    return sum(profile["revision"] for profile in profiles)


async def style_guides(mongo: Mongo) -> dict[str, str]:
    profiles = await mongo.style_profiles.find({}, {"style_guide": 1}).to_list()
    return {profile["_id"]: profile["style_guide"] for profile in profiles}


# Fault, the counter it is counted under, requests of the first batch with retries.
FAULTS: list[tuple[Fault, Reason, int]] = [
    ("429", "rate_limited", 2),
    ("500", "server_error", 2),
    ("503", "server_error", 2),
    ("hang", "timeout", 1),
    ("drip", "timeout", 1),
    ("cut", "network", 2),
    ("reset", "network", 2),
    ("bad-json", "bad_answer", 2),
    ("not-json", "bad_answer", 2),
    ("wrong-enum", "bad_answer", 2),
    ("max-tokens", "truncated", 1),
    ("prompt-blocked", "blocked", 1),
    ("safety", "blocked", 1),
    ("no-candidates", "empty", 2),
    ("empty-body", "empty", 2),
    ("401", "refused", 1),
    ("redirect", "redirect", 1),
    ("huge", "too_large", 1),
]


@pytest.mark.parametrize(("fault", "reason", "requests"), FAULTS)
async def test_a_fault_costs_no_job_and_bounded_time(
    settings: Settings, redis_client: Redis, mongo: Mongo, keys: Keys, fault: Fault, reason: Reason, requests: int
) -> None:
    users = [f"w{number}" for number in range(8)]
    jobs = [subtle(number, user) for number in range(3) for user in users]
    with FakeGemini() as fake:
        fake.always, fake.redirect_to = fault, fake.base_url
        asked = asking(settings, fake)
        await enqueue(redis_client, keys, *jobs)
        started = time.monotonic()
        async with running(asked) as worker:
            await until(lambda: drained(redis_client, keys), 60)
            seconds = time.monotonic() - started
            stats = worker.tone.stats
        # Two rounds of the five lanes at most wait for a time-out each; then the breaker is open. The rest is slack.
        assert seconds < 2 * (asked.gemini_timeout_seconds + 0.5) + 10
        assert await applied(mongo) == len(jobs)
        profiles = await mongo.style_profiles.find({}).to_list()
        assert {edit["tone_shift"].get("source", "lexical") for one in profiles for edit in one["recent_edits"]} == {
            "lexical"
        }
        failed = {name: count for name, count in stats.failures.items() if count}
        assert set(failed) <= {reason, "breaker_open", "busy", "timeout"}  # a busy machine is late now and then
        assert failed[reason] >= requests
        assert stats.fallbacks >= len(jobs)  # marked edits that a next batch asks about again fall back again
        assert (worker.tone.state() == "open") == (reason not in ANSWERED)
        marked = [edit["job_id"] for one in profiles for edit in (one["late_tone"] or {"edits": []})["edits"]]
        if reason in ANSWERED:
            assert marked == []  # the model has read them and will not say more
        elif reason not in FINAL:
            assert len(marked) == len(jobs)
    await assert_told(worker, redis_client, settings)


async def assert_told(worker: Worker, redis: Redis, settings: Settings) -> None:
    usage = await read_usage(redis, ToneKeys.of(settings.learning_key_prefix))
    assert (usage.calls, usage.fallbacks) == (worker.tone.stats.calls, worker.tone.stats.fallbacks)
    assert usage.failures == sum(worker.tone.stats.failures.values())
