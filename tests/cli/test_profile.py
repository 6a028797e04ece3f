"""Looking at a profile and changing it: each change is a revision, and the application is told."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import orjson
import pytest
from pymongo import MongoClient
from redis import Redis

from service.streams.keys import UPDATED_CHANNEL, cache_keys
from tests.cli.conftest import Run

SEED = {"tone": {"formality": 8}, "banned_phrases": ["delve into"], "writing_traits": {"avg_sentence_length": 12}}


@pytest.fixture
def ana(learnsvc: Run) -> Run:
    """A seeded profile."""
    learnsvc("profile", "seed", "ana", "-", "--source", "manual", input=orjson.dumps(SEED).decode())
    return learnsvc


def _shown(learnsvc: Run) -> dict[str, Any]:
    shown: dict[str, Any] = orjson.loads(learnsvc("profile", "show", "ana", "--json").stdout)
    return shown


def test_show_seed_and_guide(ana: Run) -> None:
    profile = _shown(ana)
    assert (profile["user_id"], profile["profile_source"], profile["revision"]) == ("ana", "manual", 1)
    assert profile["tone"]["formality"] == 8
    assert not {"applied", "versions"} & set(profile)
    assert "delve into" in ana("profile", "show", "ana").stdout
    lines = orjson.loads(ana("profile", "guide", "ana", "--format", "json").stdout)
    assert {"banned_phrases", "tone.formality"} <= {line["path"] for line in lines}
    assert len(ana("profile", "guide", "ana", "--max-tokens", "20").stdout.splitlines()) < len(lines)


def test_changes_are_revisions_and_are_told(ana: Run, redis_admin: Redis) -> None:
    for key in cache_keys("ana"):
        redis_admin.set(key, "stale")
    with redis_admin.pubsub() as channel:  # type: ignore[no-untyped-call]
        channel.subscribe(UPDATED_CHANNEL)
        channel.get_message(timeout=5)
        ana("profile", "override", "ana", "voice_type", "casual")
        message = channel.get_message(ignore_subscribe_messages=True, timeout=5)
    assert message is not None
    assert orjson.loads(message["data"])["revision"] == 2
    assert not redis_admin.exists(*cache_keys("ana"))
    ana("profile", "override", "ana", "--unset", "voice_type")
    ana("profile", "rollback", "ana", "2")
    assert _shown(ana)["voice_type"] == "casual"
    history = orjson.loads(ana("profile", "history", "ana", "--json").stdout)
    assert [(one["revision"], one["kept"]) for one in history] == [(number, True) for number in range(1, 5)]
    assert "voice_type: professional -> casual" in ana("profile", "history", "ana").stdout


def test_wrong_changes_are_refused_with_what_is_right(ana: Run, tmp_path: Path) -> None:
    (tmp_path / "list.json").write_text("[]")
    for arguments, told in (
        (("override", "ana", "tone.formalty", "8"), "did you mean tone.formality"),
        (("override", "ana", "tone.formality", "11"), "tone.formality: "),
        (("rollback", "ana", "9"), "known are: 1"),
        (("seed", "ana", "list.json"), "must hold a JSON object"),
    ):
        assert told in ana("profile", *arguments, code=1).stderr
    ana("profile", "override", "ana", "tone.formality", code=2)
    assert _shown(ana)["revision"] == 1


def test_unknown_writers(learnsvc: Run) -> None:
    assert (
        learnsvc("profile", "show", "nobody", code=1, process=True).stderr == "Error: there is no profile of nobody\n"
    )
    assert "is no user_id" in learnsvc("profile", "show", '{"$ne": 1}', code=1).stderr
    assert "no profile of nobody" in learnsvc("profile", "override", "nobody", "voice_type", "casual", code=1).stderr


def test_forget(
    ana: Run, redis_admin: Redis, mongo_admin: MongoClient[dict[str, Any]], jobs_key: str, mongodb_uri: str
) -> None:
    assert "--yes" in ana("profile", "forget", "ana", code=1).stderr
    redis_admin.xadd(jobs_key, {"job": '{"user_id": "ana"}'})
    redis_admin.xadd(jobs_key, {"job": '{"user_id": "ben"}'})
    redis_admin.set("profile:ana", "x")
    assert orjson.loads(ana("profile", "forget", "ana", "--yes", "--json", process=True).stdout) == {
        "profile": True,
        "jobs": 1,
        "in_work": 0,
        "dead_letters": 0,
        "cache_keys": 1,
    }
    assert redis_admin.xlen(jobs_key) == 1
    database = mongo_admin[mongodb_uri.rpartition("/")[2].partition("?")[0]]
    assert database["style_profiles"].count_documents({}) == 0
    assert ana("profile", "forget", "ana", "--yes").stdout == "Nothing is kept of ana.\n"
