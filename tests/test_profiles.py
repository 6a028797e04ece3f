"""The store of profiles: compare-and-swap, the ledger in the document, durability, anyio's cancellations."""

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import anyio
import pytest
from pymongo.asynchronous.database import AsyncDatabase

from schemas.delta import StyleDelta
from schemas.profile import Profile, StyleProfile
from service import ledger
from service.analysis import analyze
from service.errors import DependencyDown, RevisionConflict
from service.learning.learn import learn, new_profile
from service.learning.rules import LearningRules
from service.profiles import ProfileStore, open_profiles

pytestmark = pytest.mark.anyio
NOW = datetime(2025, 5, 1, tzinfo=UTC)
RULES = LearningRules()
Mongo = AsyncDatabase[dict[str, Any]]


@pytest.fixture
async def store(mongodb_uri: str) -> AsyncIterator[ProfileStore]:
    async with open_profiles(mongodb_uri, timeout=5, connections=10) as opened:
        yield opened


async def nothing_in_the_stream() -> int:
    return 0


def job(number: int, ms: int = 1) -> bytes:
    return ledger.item(number.to_bytes(16, "big"), b"cccc", ms)


def next_of(profile: Profile | None) -> Profile:
    profile = profile or new_profile("ana", NOW)
    return profile.model_copy(update={"revision": profile.revision + 1, "edits_applied": profile.edits_applied + 1})


async def commit(store: ProfileStore, *applied: bytes) -> None:
    loaded = await store.load("ana")
    await store.commit(loaded, next_of(loaded.profile), applied, nothing_in_the_stream, max_versions=3)


async def test_writes_are_durable_unless_the_uri_says_otherwise(store: ProfileStore, mongodb_uri: str) -> None:
    assert store.write_concern.document == {"w": "majority", "j": True}
    options = f"{'&' if '?' in mongodb_uri else '?'}w=1&journal=false"
    async with open_profiles(mongodb_uri + options, timeout=5, connections=2) as other:
        assert other.write_concern.document == {"w": 1, "j": False}


async def test_of_two_that_loaded_the_same_revision_one_wins(store: ProfileStore) -> None:
    for _ in range(2):
        first, second = await store.load("ana"), await store.load("ana")
        await store.commit(first, next_of(first.profile), [job(1)], nothing_in_the_stream, max_versions=3)
        with pytest.raises(RevisionConflict):
            await store.commit(second, next_of(second.profile), [job(2)], nothing_in_the_stream, max_versions=3)


async def test_the_ledger_answers_for_the_jobs_asked(store: ProfileStore) -> None:
    await commit(store, job(1), job(2))
    await commit(store, job(3))
    loaded = await store.load("ana", [number.to_bytes(16, "big") for number in (1, 3, 4)])
    assert loaded.ledger.size == 3
    assert [loaded.ledger.judge(number.to_bytes(16, "big"), b"cccc", 9) for number in (1, 3, 4)] == [
        "applied",
        "applied",
        "new",
    ]


async def test_the_ledger_is_trimmed_and_keeps_what_may_come_again(store: ProfileStore, mongo: Mongo) -> None:
    await commit(store, *(job(number, ms=number) for number in range(1_240)))
    loaded = await store.load("ana")

    async def oldest() -> int:
        return 100

    applied = [job(number, ms=number) for number in range(1_240, 1_300)]
    await store.commit(loaded, next_of(loaded.profile), applied, oldest, max_versions=3)
    document = await mongo.style_profiles.find_one({"_id": "ana"})
    assert document is not None
    assert document["applied"] == [job(number, ms=number) for number in range(100, 1_300)]


async def test_a_storm_of_cancellations_leaves_the_pool_whole(store: ProfileStore) -> None:
    await commit(store, job(1))

    async def impatient() -> None:
        for _ in range(10):
            with anyio.move_on_after(0.002):
                await store.load("ana")

    with anyio.fail_after(30):
        async with anyio.create_task_group() as group:
            for _ in range(30):
                group.start_soon(impatient)
        for _ in range(20):
            assert (await store.load("ana")).profile is not None


async def test_a_server_that_is_away_is_named_in_time() -> None:
    with anyio.fail_after(5), pytest.raises(DependencyDown, match="mongodb is away"):
        async with open_profiles("mongodb://127.0.0.1:1/x", timeout=0.5, connections=2):
            pass


async def test_what_is_committed_is_read_through_the_beanie_model(store: ProfileStore) -> None:
    delta = analyze("We open at nine, and we close at five.", "We open at nine. We close at five.").delta
    learned = learn(new_profile("ana", NOW), [delta.model_copy(update={"job_id": "1", "edited_at": NOW})], RULES, NOW)
    await store.commit(await store.load("ana"), learned.profile, [job(1)], nothing_in_the_stream, max_versions=3)
    stored = await StyleProfile.get("ana")
    assert stored is not None
    assert (stored.id, stored.user_id, stored.revision) == ("ana", "ana", 1)
    assert stored.recent_edits == learned.profile.recent_edits
    assert stored.directions == learned.profile.directions
    assert stored.evolution_timeline == learned.profile.evolution_timeline


def _edit(number: int, *, at: int, noise: bool = False) -> StyleDelta:
    saved = NOW + timedelta(minutes=at)
    return StyleDelta(job_id=f"j{number}", edited_at=saved, is_noise=noise, phrases_added=(f"phrase {number}",))


async def test_edits_are_stored_as_learned_whichever_come_go_and_change(store: ProfileStore) -> None:
    rules = replace(RULES, max_edits=6)
    batches = [
        [_edit(1, at=1), _edit(2, at=2, noise=True), _edit(3, at=3)],
        [_edit(4, at=4), _edit(5, at=5)],  # follow
        [_edit(6, at=6), _edit(7, at=7)],  # the noise in the middle goes
        [_edit(8, at=0)],  # saved before all others
        [_edit(9, at=9), _edit(10, at=10)],  # the oldest go
        [_edit(number, at=number) for number in range(20, 32)],  # all go
    ]
    for batch in batches:
        loaded = await store.load("ana")
        learned = learn(loaded.profile or new_profile("ana", NOW), batch, rules, NOW).profile
        await store.commit(loaded, learned, [], nothing_in_the_stream, max_versions=3)
        stored = await store.load("ana")
        assert stored.profile is not None
        assert stored.profile.recent_edits == learned.recent_edits
    loaded = await store.load("ana")
    assert loaded.profile is not None
    toned = [loaded.profile.recent_edits[-1].model_copy(update={"statements": ("Brief",)})]
    learned = learn(loaded.profile, [_edit(40, at=40)], rules, NOW, toned).profile
    loaded.stored_edits.pop(toned[0].job_id)
    await store.commit(loaded, learned, [], nothing_in_the_stream, max_versions=3)
    again = (await store.load("ana")).profile
    assert again is not None
    assert again.recent_edits == learned.recent_edits
    assert again.recent_edits[-2].statements == ("Brief",)


async def test_due_writers_are_found_the_longest_overdue_first(store: ProfileStore, mongo: Mongo) -> None:
    for user, minute in (("late", 5), ("later", 3), ("not yet", 50)):
        due = {"_id": user, "learn_due_at": NOW.replace(minute=minute)}
        await mongo.style_profiles.insert_one(due)
    await mongo.style_profiles.insert_one({"_id": "nothing waits", "learn_due_at": None})
    assert await store.due(NOW.replace(minute=10)) == ["later", "late"]
    assert await store.count_due(NOW.replace(minute=10)) == (3, 2)
