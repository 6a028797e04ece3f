"""Writes of many writers in one bulk: each is a compare-and-swap of its own with a verdict of its own."""

from __future__ import annotations

from typing import Any

import anyio
import pytest
from pymongo import WriteConcern
from pymongo.asynchronous.collection import AsyncCollection
from pymongo.asynchronous.database import AsyncDatabase

from schemas.profile import Profile
from service import ledger
from service.commits import MARK, Write, commit_all, insertion, swap
from service.errors import RevisionConflict, Unstorable
from service.profiles import Loaded, ProfileStore, open_profiles
from tests.test_profiles import NOW, job, nothing_in_the_stream

pytestmark = pytest.mark.anyio
Mongo = AsyncDatabase[dict[str, Any]]
Collection = AsyncCollection[dict[str, Any]]


@pytest.fixture
async def profiles(mongo: Mongo) -> Collection:
    """Writers ``w0`` to ``w4`` at revision 1."""
    collection = mongo.get_collection("style_profiles", write_concern=WriteConcern("majority", j=True))
    outcomes = await commit_all(collection, [insertion(f"w{number}", {"revision": 1}) for number in range(5)])
    assert outcomes == [None] * 5
    return collection


def _next(user: str, revision: int = 1) -> Write:
    return swap(user, revision, {"$set": {"revision": revision + 1}, "$push": {"applied": user.encode()}})


async def _revisions(profiles: Collection) -> dict[str, int]:
    return {one["_id"]: one["revision"] async for one in profiles.find({})}


async def test_as_many_as_were_sent_matched(profiles: Collection) -> None:
    assert await commit_all(profiles, [_next(f"w{number}") for number in range(5)]) == [None] * 5
    assert set((await _revisions(profiles)).values()) == {2}


async def test_one_that_was_forestalled_is_told_from_the_others(profiles: Collection) -> None:
    assert await commit_all(profiles, [_next("w1")]) == [None]
    outcomes = await commit_all(profiles, [_next(f"w{number}") for number in range(3)])
    assert [type(outcome) for outcome in outcomes] == [type(None), RevisionConflict, type(None)]
    assert [one["_id"] async for one in profiles.find({"applied": {"$size": 1}}).sort("_id")] == ["w0", "w1", "w2"]


async def test_the_same_revision_written_by_a_rival_is_not_taken_for_ones_own(profiles: Collection) -> None:
    mine, rival = _next("w1"), _next("w1")
    assert await commit_all(profiles, [rival]) == [None]
    outcomes = await commit_all(profiles, [_next("w0"), mine])
    assert outcomes[0] is None
    assert isinstance(outcomes[1], RevisionConflict)
    assert (await profiles.find_one({"_id": "w1"}) or {})[MARK] == rival.mark


async def test_a_writer_forgotten_meanwhile_does_not_come_back(profiles: Collection) -> None:
    await profiles.delete_one({"_id": "w1"})
    outcomes = await commit_all(profiles, [_next("w0"), _next("w1")])
    assert outcomes[0] is None
    assert isinstance(outcomes[1], RevisionConflict)
    assert "w1" not in await _revisions(profiles)


async def test_first_documents_travel_with_the_rest_and_conflict_alone(profiles: Collection) -> None:
    writes = [insertion("new", {"revision": 1}), insertion("w0", {"revision": 1}), _next("w2")]
    outcomes = await commit_all(profiles, writes)
    assert outcomes[0] is outcomes[2] is None
    assert getattr(outcomes[1], "code", None) == 11000
    assert (await _revisions(profiles))["w2"] == 2


def _profile(user: str, guide: str = "") -> Profile:
    return Profile(user_id=user, revision=1, edits_applied=1, created_at=NOW, updated_at=NOW, style_guide=guide)


async def _commit(store: ProfileStore, profile: Profile, told: dict[str, str]) -> None:
    loaded = await store.load(profile.user_id)
    try:
        await store.commit(loaded, profile, [job(1)], nothing_in_the_stream, max_versions=1)
    except (RevisionConflict, Unstorable) as error:
        told[profile.user_id] = type(error).__name__


async def test_what_can_never_be_stored_spoils_no_other_writer(mongodb_uri: str, mongo: Mongo) -> None:
    told: dict[str, str] = {}
    guides = {"ana": "", "surrogate": "\ud800", "huge": "x" * (17 * 2**20), "zoe": ""}
    async with open_profiles(mongodb_uri, timeout=10, connections=10) as store, anyio.create_task_group() as group:
        for user, guide in guides.items():
            profile = _profile(user).model_copy(update={"style_guide": guide})
            group.start_soon(_commit, store, profile, told)
    assert told == {"surrogate": "Unstorable", "huge": "Unstorable"}
    stored = {one["_id"]: one["applied"] async for one in mongo.style_profiles.find({})}
    assert stored == {"ana": [job(1)], "zoe": [job(1)]}


async def test_many_writers_are_loaded_at_once_each_with_its_own_ledger(mongodb_uri: str) -> None:
    users = [f"writer{number}" for number in range(30)]
    found: dict[str, tuple[str, list[str]]] = {}

    async def commit(store: ProfileStore, user: str) -> None:
        await store.commit(Loaded(None), _profile(user), [job(int(user[6:]))], nothing_in_the_stream, max_versions=1)

    async def look(store: ProfileStore, user: str) -> None:
        loaded = await store.load(user)
        assert loaded.profile is not None
        asked = [number.to_bytes(16, "big") for number in range(30)]
        found[user] = loaded.profile.user_id, [loaded.ledger.judge(ledger.item(one, b"cccc", 1)) for one in asked]

    async with open_profiles(mongodb_uri, timeout=10, connections=10) as store:
        async with anyio.create_task_group() as group:
            for user in users:
                group.start_soon(commit, store, user)
        async with anyio.create_task_group() as group:
            for user in users:
                group.start_soon(look, store, user)
        assert (await store.load("nobody")).profile is None
    own = {user: ["applied" if place == number else "new" for place in range(30)] for number, user in enumerate(users)}
    assert found == {user: (user, verdicts) for user, verdicts in own.items()}
