"""The store of profiles: compare-and-swap, the ledger in the document, durability, anyio's cancellations."""

from collections.abc import AsyncIterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import anyio
import pytest
from pymongo.asynchronous.database import AsyncDatabase

from schemas.delta import Count, StyleDelta
from schemas.profile import LateTone, MarkedEdit, Profile, StyleProfile
from service import ledger
from service.analysis import analyze
from service.errors import DependencyDown, RevisionConflict
from service.learning.facts import FIELDS
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
    loaded = await store.load("ana")
    assert loaded.ledger.size == 3
    assert [loaded.ledger.judge(ledger.item(number.to_bytes(16, "big"), b"cccc", 9)) for number in (1, 3, 4)] == [
        "applied",
        "applied",
        "new",
    ]


async def test_the_ledger_is_trimmed_and_keeps_what_may_come_again(store: ProfileStore, mongo: Mongo) -> None:
    await commit(store, *(job(number, ms=number) for number in range(1_000)))
    await commit(store, *(job(number, ms=number) for number in range(1_000, 1_240)))
    loaded = await store.load("ana")

    async def oldest() -> int:
        return 100

    applied = [job(number, ms=number) for number in range(1_240, 1_300)]
    await store.commit(loaded, next_of(loaded.profile), applied, oldest, max_versions=3)
    document = await mongo.style_profiles.find_one({"_id": "ana"})
    assert document is not None
    assert document["applied"] == [b"".join(job(number, ms=number) for number in range(100, 1_300))]


async def test_many_small_commits_leave_few_pages_of_the_ledger(store: ProfileStore, mongo: Mongo) -> None:
    for number in range(ledger.MAX_PAGES + 3):
        await commit(store, job(number))
    document = await mongo.style_profiles.find_one({"_id": "ana"})
    assert document is not None
    assert len(document["applied"]) == 3
    assert ledger.items(document["applied"]) == [job(number) for number in range(ledger.MAX_PAGES + 3)]


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
    counts = Count(before=number % 3, after=2, added=2, removed=number % 3)
    saved = NOW + timedelta(minutes=at)
    phrases = (f"phrase {number}",)
    return StyleDelta(job_id=f"j{number}", edited_at=saved, is_noise=noise, phrases_added=phrases, emoji=counts)


async def _learned(
    store: ProfileStore, batch: Sequence[StyleDelta], rules: LearningRules, toned: Sequence[StyleDelta] = ()
) -> Profile:
    """Learn as a worker does; return the profile as it is stored then, history and all."""
    loaded = await store.load("ana")
    learned = learn(loaded.profile or new_profile("ana", NOW), batch, rules, NOW, toned).profile
    loaded = replace(loaded, stored=loaded.stored - {edit.job_id for edit in toned})
    await store.commit(loaded, learned, [], nothing_in_the_stream, max_versions=3)
    stored = await store.history("ana")
    assert stored is not None
    return stored


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
    kept = new_profile("ana", NOW)
    for batch in batches:
        kept = learn(kept, batch, rules, NOW).profile
        assert _lasting(await _learned(store, batch, rules)) == _lasting(kept)
    toned = [kept.recent_edits[-1].model_copy(update={"statements": ("Brief",)})]
    kept = learn(kept, [_edit(40, at=40)], rules, NOW, toned).profile
    stored = await _learned(store, [_edit(40, at=40)], rules, toned)
    assert _lasting(stored) == _lasting(kept)
    assert stored.recent_edits[-2].statements == ("Brief",)


def _lasting(profile: Profile) -> dict[str, Any]:
    return profile.model_dump(exclude={"versions", "created_at", "edits_applied", "pending"})


async def test_a_worker_loads_of_learned_edits_what_learning_reads(store: ProfileStore) -> None:
    whole = (await _learned(store, [_edit(1, at=1)], RULES)).recent_edits[0]
    profile = (await store.load("ana")).profile
    assert profile is not None
    [edit] = profile.recent_edits
    assert edit.__dict__ == {name: getattr(whole, name) for name in FIELDS}


async def test_edits_that_a_model_is_to_be_asked_about_are_loaded_whole(store: ProfileStore) -> None:
    await _learned(store, [_edit(1, at=1)], RULES)
    loaded = (await store.load("ana")).profile
    assert loaded is not None
    await store.mark(loaded, LateTone(edits=[MarkedEdit(job_id="j1")], due_at=NOW))
    profile, stored = (await store.load("ana")).profile, await store.history("ana")
    assert profile is not None
    assert stored is not None
    assert profile.recent_edits == stored.recent_edits


@pytest.mark.parametrize(
    "found",
    [{"$unset": {"recent_edits.1.facts": 1}}, *({"$set": {"recent_edits.1.facts": one}} for one in (b"?", b"\1"))],
)
async def test_edits_without_present_facts_are_loaded_whole_and_get_them(
    store: ProfileStore, mongo: Mongo, found: dict[str, Any]
) -> None:
    rules = replace(RULES, max_edits=3)
    kept = await _learned(store, [_edit(number, at=number) for number in range(3)], rules)
    await mongo.style_profiles.update_one({"_id": "ana"}, found)
    kept = learn(kept, [_edit(3, at=3)], rules, NOW).profile
    assert _lasting(await _learned(store, [_edit(3, at=3)], rules)) == _lasting(kept)
    profile = (await store.load("ana")).profile
    assert profile is not None
    assert [set(edit.__dict__) for edit in profile.recent_edits] == [set(FIELDS)] * 3


async def test_edits_changed_by_another_while_they_are_rewritten_are_a_conflict(store: ProfileStore) -> None:
    rules = replace(RULES, max_edits=3)
    await _learned(store, [_edit(number, at=number) for number in range(3)], rules)
    loaded = await store.load("ana")
    assert loaded.profile is not None
    late = learn(loaded.profile, [_edit(9, at=1)], rules, NOW).profile
    await _learned(store, [_edit(number, at=number) for number in range(20, 24)], rules)
    with pytest.raises(RevisionConflict):
        await store.commit(loaded, late, [], nothing_in_the_stream, max_versions=3)


async def test_due_writers_are_found_the_longest_overdue_first(store: ProfileStore, mongo: Mongo) -> None:
    for user, minute in (("late", 5), ("later", 3), ("not yet", 50)):
        due = {"_id": user, "learn_due_at": NOW.replace(minute=minute)}
        await mongo.style_profiles.insert_one(due)
    await mongo.style_profiles.insert_one({"_id": "nothing waits", "learn_due_at": None})
    assert await store.due(NOW.replace(minute=10)) == ["later", "late"]
    assert await store.count_due(NOW.replace(minute=10)) == (3, 2)
