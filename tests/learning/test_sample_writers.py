"""The sample writers that ship with the package: what a reader of their edits concludes is what is learned."""

from __future__ import annotations

import json
from datetime import datetime
from functools import cache
from importlib.resources import files
from typing import Any

import pytest

from schemas.profile import Profile
from service.analysis import analyze
from service.learning.learn import learn, new_profile
from tests.learning.handmade import RULES

SAMPLE = files("service.sample")
EXPECTED: list[dict[str, Any]] = json.loads(SAMPLE.joinpath("expected.json").read_text("utf-8"))


@cache
def profiles() -> dict[str, Profile]:
    """The writers' profiles, learned one edit at a time."""
    found: dict[str, Profile] = {}
    for line in SAMPLE.joinpath("edits.jsonl").read_text("utf-8").splitlines():
        job = json.loads(line)
        when = datetime.fromisoformat(job["edited_at"])
        delta = analyze(job["original_text"], job["edited_text"]).delta
        delta = delta.model_copy(update={"job_id": job["job_id"], "edited_at": when})
        profile = found.get(job["user_id"]) or new_profile(job["user_id"], when)
        found[job["user_id"]] = learn(profile, [delta], RULES, when).profile
    return found


@pytest.mark.parametrize("writer", EXPECTED, ids=[one["user_id"] for one in EXPECTED])
def test_learned_as_a_careful_reader_would(writer: dict[str, Any]) -> None:
    profile = profiles()[writer["user_id"]]
    for name, value in writer["expected"].items():
        if name.endswith("_phrases"):
            listed = {one.phrase.lower() for one in getattr(profile, name)}
            assert {phrase.lower() for phrase in value} <= listed
        else:
            place = profile.directions.tone if name == "formality" else profile.directions
            assert getattr(place, name) == value


@pytest.mark.parametrize("writer", EXPECTED, ids=[one["user_id"] for one in EXPECTED])
def test_and_nothing_else_is_claimed(writer: dict[str, Any]) -> None:
    profile, expected = profiles()[writer["user_id"]], writer["expected"]
    directions = profile.directions.model_dump()
    directions |= directions.pop("tone")
    assert {name for name, value in directions.items() if value != "none"} <= set(expected)
    for name in ("banned_phrases", "common_phrases"):
        assert len(getattr(profile, name)) == len(expected.get(name, ()))


def test_a_repairer_moves_nothing() -> None:
    profile = profiles()["finn"]
    fresh = new_profile("finn", profile.created_at or datetime.min)
    for name in ("tone", "writing_traits", "structure_preferences", "directions", "vocabulary_level", "voice_type"):
        assert getattr(profile, name) == getattr(fresh, name)
    assert (profile.evolution_score, profile.learning_iterations, profile.claims) == (0, 0, [])


def test_scores_separate_the_repairer() -> None:
    scores = {name: profile.evolution_score for name, profile in profiles().items()}
    assert min(score for name, score in scores.items() if name != "finn") > scores["finn"] + 30
