"""Tone that comes later: marked edits are judged when the model is back, and nothing counts a second time."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import anyio
import pytest
from pymongo.asynchronous.database import AsyncDatabase
from redis.asyncio import Redis

from schemas.delta import StyleDelta, ToneShift
from schemas.profile import LateTone, MarkedEdit, PendingEdit, Profile
from service.ledger import items
from service.settings import Settings
from service.streams.keys import Keys
from service.tone.base import Judgement, Reason
from service.tone.fake import FakeGemini
from service.worker import late
from tests.worker.conftest import drained, enqueue, running, until
from tests.worker.test_tone import asking

pytestmark = pytest.mark.anyio
Mongo = AsyncDatabase[dict[str, Any]]
NOW = datetime(2026, 1, 1, tzinfo=UTC)
FORMAL, CASUAL = "They are not open today and it is quiet.", "They aren't open today and it's quiet."


def softer(number: int, user: str = "ana") -> dict[str, Any]:
    """A job whose tone words alone do not decide."""
    return {
        "job_id": f"{user}-{number}",
        "user_id": user,
        "content_id": f"c{number}",
        "original_text": f"Plums follow pears in week {number}. {FORMAL}",
        "edited_text": f"Plums follow pears in week {number}. {CASUAL}",
        "edited_at": f"2025-05-{number % 27 + 1:02d}T10:00:00Z",
    }


async def stored(mongo: Mongo, user: str = "ana") -> dict[str, Any]:
    profile = await mongo.style_profiles.find_one({"_id": user})
    assert profile is not None
    return profile


def sources(profile: dict[str, Any]) -> list[str]:
    return [edit.get("tone_shift", {}).get("source", "lexical") for edit in profile["recent_edits"]]


async def make_due(mongo: Mongo) -> None:
    """Let the waiting time of all marks be over."""
    long_ago = datetime(2020, 1, 1, tzinfo=UTC)
    await mongo.style_profiles.update_many({"late_tone": {"$ne": None}}, {"$set": {"late_tone.due_at": long_ago}})


async def learn_all(settings: Settings, redis: Redis, keys: Keys, *jobs: dict[str, Any]) -> None:
    await enqueue(redis, keys, *jobs)
    async with running(settings):
        await until(lambda: drained(redis, keys))


TIMES = ("updated_at", "created_at", "last_learned_at", "revision", "evolution_timeline", "versions", "_id", "applied")


def essence(profile: dict[str, Any]) -> dict[str, Any]:
    """The profile less times, history, ids of the writer, and the revisions its edits were learned at."""
    edits = [{**edit, "revision": 0} for edit in profile["recent_edits"]]
    marks = ("user_id", "ledger_floor", "commit_mark")
    named = {key: value for key, value in profile.items() if key not in (*TIMES, *marks)}
    return {**named, "recent_edits": edits}


async def test_late_tone_makes_the_profile_it_would_have_been(
    settings: Settings, redis_client: Redis, mongo: Mongo, keys: Keys
) -> None:
    jobs = [softer(number) for number in range(6)]
    with FakeGemini() as fake:
        asked = asking(settings, fake)
        fake.always = "503"
        await learn_all(asked, redis_client, keys, *jobs)
        before = await stored(mongo)
        assert set(sources(before)) == {"lexical"}
        assert [edit["job_id"] for edit in before["late_tone"]["edits"]] == [job["job_id"] for job in jobs]
        fake.always = "ok"
        await make_due(mongo)
        sent = len(fake.requests)
        async with running(asked):
            await until(lambda: _toned(mongo))
        assert len(fake.requests) == sent + 1
        after = await stored(mongo)
        await mongo.style_profiles.delete_one({"_id": "ana"})
        await redis_client.flushdb()
        await learn_all(asked, redis_client, keys, *jobs)
    assert essence(after) == essence(await stored(mongo))
    assert after["late_tone"] is None
    assert after["edits_applied"] == before["edits_applied"] == 6
    assert len(items(after["applied"])) == 6
    assert after["revision"] == before["revision"] + 1
    assert sum(one["toned"] for one in after["evolution_timeline"]) == after["evolution_timeline"][-1]["toned"] == 6
    assert sum(one["edit_count"] for one in after["evolution_timeline"]) == 6


async def _toned(mongo: Mongo) -> bool:
    return (await stored(mongo))["late_tone"] is None


async def test_the_next_batch_brings_it_along_in_its_one_call(
    settings: Settings, redis_client: Redis, mongo: Mongo, keys: Keys
) -> None:
    with FakeGemini() as fake:
        asked = asking(settings, fake)
        broke = asked.model_copy(update={"gemini_max_tokens_per_day": 100})  # refused before anything is sent
        await learn_all(broke, redis_client, keys, *(softer(number) for number in range(3)))
        assert len((await stored(mongo))["late_tone"]["edits"]) == 3
        assert not fake.requests
        await learn_all(asked, redis_client, keys, softer(3), softer(4))
        assert len(fake.requests) == 1
    profile = await stored(mongo)
    assert sources(profile) == ["gemini"] * 5
    assert (profile["late_tone"], profile["edits_applied"]) == (None, 5)


async def test_recorded_edits_go_on_waiting_while_tone_is_added(
    settings: Settings, redis_client: Redis, mongo: Mongo, keys: Keys
) -> None:
    slow = settings.model_copy(update={"learning_rate_limit_minutes": 60.0, "edit_batch_window_minutes": 60.0})
    with FakeGemini() as fake:
        asked = asking(slow, fake)
        fake.always = "503"
        await learn_all(asked, redis_client, keys, softer(0))
        await learn_all(asked, redis_client, keys, softer(1))
        before = await stored(mongo)
        assert len(before["pending"]) == 1
        fake.always = "ok"
        await make_due(mongo)
        async with running(asked):
            await until(lambda: _toned(mongo))
    after = await stored(mongo)
    assert sources(after) == ["gemini"]
    kept = ("pending", "learn_due_at", "last_learned_at", "learning_iterations", "edits_applied")
    assert [after[name] for name in kept] == [before[name] for name in kept]


async def test_a_model_that_is_back_is_not_stormed(
    settings: Settings, redis_client: Redis, mongo: Mongo, keys: Keys
) -> None:
    users = [f"w{number}" for number in range(12)]
    with FakeGemini() as fake:
        asked = asking(settings, fake).model_copy(update={"gemini_max_calls_per_minute": 12})
        broke = asked.model_copy(update={"gemini_max_tokens_per_day": 100})
        own = [{**softer(n, user), "edited_text": f"{CASUAL} {user}!"} for n, user in enumerate(users)]
        await learn_all(broke, redis_client, keys, *own)
        assert await mongo.style_profiles.count_documents({"late_tone": {"$ne": None}}) == 12
        await make_due(mongo)
        async with running(asked) as worker:
            await until(lambda: _left(mongo, 6))
            refused = worker.tone.stats.failures["budget"]
            await until(lambda: _refused(worker, refused + 1))
            assert len(fake.requests) == 6  # half of a minute's calls: the other half is for new edits
            await enqueue(redis_client, keys, softer(20, "new"))
            await until(lambda: drained(redis_client, keys))
        assert len(fake.requests) == 7
        assert sources(await stored(mongo, "new")) == ["gemini"]
        left = await mongo.style_profiles.find({"late_tone": {"$ne": None}}).to_list()
        assert {profile["late_tone"]["tries"] for profile in left} == {0}  # a refusal before sending is no try


async def _left(mongo: Mongo, count: int) -> bool:
    return await mongo.style_profiles.count_documents({"late_tone": {"$ne": None}}) == count


async def _refused(worker: Any, count: int) -> bool:
    return bool(worker.tone.stats.failures["budget"] >= count)


async def test_two_workers_add_tone_once(settings: Settings, redis_client: Redis, mongo: Mongo, keys: Keys) -> None:
    with FakeGemini() as fake:
        asked = asking(settings, fake)
        fake.always = "503"
        await learn_all(asked, redis_client, keys, *(softer(number) for number in range(4)))
        before = await stored(mongo)
        fake.always = "ok"
        await make_due(mongo)
        async with running(asked), running(asked):
            await until(lambda: _toned(mongo))
            await anyio.lowlevel.checkpoint()
    after = await stored(mongo)
    assert after["revision"] == before["revision"] + 1
    assert after["edits_applied"] == 4


async def test_without_a_model_nothing_is_marked(
    settings: Settings, redis_client: Redis, mongo: Mongo, keys: Keys
) -> None:
    await learn_all(settings, redis_client, keys, softer(0))
    assert (await stored(mongo))["late_tone"] is None


async def test_what_the_model_refuses_to_read_is_not_asked_again(
    settings: Settings, redis_client: Redis, mongo: Mongo, keys: Keys
) -> None:
    with FakeGemini() as fake:
        fake.always = "prompt-blocked"
        await learn_all(asking(settings, fake), redis_client, keys, softer(0))
    assert (await stored(mongo))["late_tone"] is None


# ---- the marks alone


def profile_with(*ids: str, tries: int = 0, marked: tuple[str, ...] = ()) -> Profile:
    edits = [StyleDelta(job_id=id, is_noise=False) for id in ids]
    marks = [MarkedEdit(job_id=id, pairs=[("a", "b")]) for id in marked]
    tone = LateTone(edits=marks, due_at=NOW, tries=tries) if marks else None
    return Profile(user_id="ana", recent_edits=edits, late_tone=tone)


def judged(profile: Profile, missed: Reason | None, *ids: str) -> tuple[list[PendingEdit], dict[str, Judgement]]:
    source = ToneShift(source="gemini") if missed is None else ToneShift()
    edits = [PendingEdit(delta=StyleDelta(job_id=id), pairs=[("a", "b")]) for id in ids]
    return edits, {id: Judgement(source, missed=missed) for id in ids}


def left(profile: Profile, missed: Reason | None, *ids: str, alone: bool = True) -> LateTone | None:
    edits, said = judged(profile, missed, *ids)
    return late.left_over(profile, edits, said, NOW, alone=alone, chance=lambda: 0.0)


def test_waits_grow_and_end() -> None:
    profile = profile_with("a", marked=("a",))
    waits = []
    while (marks := left(profile, "timeout", "a")) is not None:
        waits.append((marks.due_at - NOW).total_seconds())
        profile.late_tone = marks
    assert waits == [60, 240, 960, 3_840]


def test_what_was_not_sent_is_no_try_and_stays_due() -> None:
    for reason in ("breaker_open", "budget", "ceiling", "busy"):
        marks = left(profile_with("a", marked=("a",), tries=2), reason, "a")
        assert marks is not None
        assert (marks.tries, marks.due_at) == (2, NOW)


def test_a_failed_batch_is_the_first_try_and_its_edits_are_not_mixed_with_others() -> None:
    profile = profile_with("a", "b")
    marks = left(profile, "bad_answer", "a", alone=False)
    assert marks is not None
    assert (marks.tries, marks.due_at - NOW) == (1, timedelta(seconds=60))
    profile.late_tone = marks
    assert late.companions(profile) == []
    assert [edit.delta.job_id for edit in late.marked(profile)] == ["a"]
    again = left(profile, "bad_answer", "b", alone=False)
    assert again is not None
    assert (again.tries, [edit.job_id for edit in again.edits]) == (1, ["a", "b"])


def test_marks_leave_with_their_edits_and_the_oldest_first() -> None:
    ids = tuple(f"j{number:02}" for number in range(30))
    marks = left(profile_with(*ids[2:]), "timeout", *ids)
    assert marks is not None
    assert [edit.job_id for edit in marks.edits] == list(ids[10:])


def test_few_writers_a_look() -> None:
    users = [f"w{number}" for number in range(40)]
    chosen = late.some_of(users)
    assert len(set(chosen)) == late.WRITERS
    assert set(chosen) <= set(users)
    assert late.some_of(["one"]) == ["one"]
