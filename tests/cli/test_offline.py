"""``analyze`` and ``replay`` run without servers."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import orjson
import pytest

from schemas.delta import Count, StyleDelta
from service.cli.replaying import START, STEP, collect, start, states
from service.learning.rules import DEFAULT_RULES
from tests.cli.conftest import SAMPLE, Run, job, jsonl

NOON = datetime(2025, 5, 1, 12, tzinfo=UTC)


def _delta(job_id: str, at: datetime | None = None) -> StyleDelta:
    return StyleDelta(
        job_id=job_id, edited_at=at, is_noise=False, emoji=Count(before=1, removed=1), emoji_removed=("🎉",)
    )


def test_edits_are_ordered_and_count_once() -> None:
    writer = collect(
        [("ana", _delta("b", NOON)), ("ana", _delta("a", NOON - STEP)), ("ana", _delta("b", NOON + STEP))]
    )["ana"]
    assert [(delta.job_id, delta.edited_at) for delta in writer.ordered()] == [("a", NOON - STEP), ("b", NOON)]


def test_edits_without_a_time_follow_the_one_before() -> None:
    pairs = [("ana", _delta("a")), ("ana", _delta("b", NOON)), ("ana", _delta("c"))]
    times = [delta.edited_at for delta in collect(pairs)["ana"].ordered()]
    assert times == [START, NOON, NOON + STEP]


def test_states_come_after_each_edit() -> None:
    deltas = [_delta(str(number), NOON + timedelta(hours=number)) for number in range(4)]
    found = list(states(start("ana", None, DEFAULT_RULES, NOON), deltas, DEFAULT_RULES))
    assert [profile.edits_applied for profile in found] == [1, 2, 3, 4]
    assert [profile.directions.emoji for profile in found] == ["none", "none", "fewer", "fewer"]


def test_replay_prints_profiles_and_their_history(offline: Run, tmp_path: Path) -> None:
    baseline = [{"user_id": "ana", "tone": {"formality": 8}}, {"user_id": "quiet", "voice_type": "casual"}]
    (tmp_path / "baseline.json").write_bytes(orjson.dumps(baseline))
    done = offline("replay", SAMPLE, "--json", "--history", "--baseline", "baseline.json", process=True)
    profiles = {profile["user_id"]: profile for profile in orjson.loads(done.stdout)}
    assert list(profiles) == ["ana", "ben", "chloe", "dev", "emi", "finn", "gia", "hugo", "quiet"]
    ana = profiles["ana"]
    assert ana["directions"]["emoji"] == "fewer"
    assert ana["edits_applied"] == 8
    assert ana["tone"]["formality"] > 7
    assert [state["after_edit"] for state in ana["history"]] == list(range(1, 9))
    assert not {"recent_edits", "baseline", "evolution_timeline", "versions"} & set(ana["history"][0])
    assert ana["history"][-1]["tone"] == ana["tone"]
    assert "versions" not in ana
    assert "applied" not in ana
    assert profiles["quiet"]["voice_type"] == "casual"
    assert profiles["finn"]["evolution_score"] == 0


def test_replay_with_other_thresholds_as_a_table(offline: Run) -> None:
    one = jsonl(*(job(job_id=str(number), edited_at=f"2025-05-0{number}T12:00:00Z") for number in (1, 2)))
    assert "emoji: fewer" not in offline("replay", "-", input=one).stdout
    changed = offline("replay", "-", "--set", "PATTERN_THRESHOLD_EMOJI=2", input=one)
    assert "emoji: fewer" in changed.stdout


def test_replay_names_the_wrong_line(offline: Run) -> None:
    done = offline("replay", "-", input=jsonl(job(), "", job(user_id=7)), code=1)
    assert done.stderr.startswith("Error: stdin line 3: user_id: ")


@pytest.mark.parametrize("flag", [(), ("--json",)])
def test_analyze_of_two_files(offline: Run, tmp_path: Path, flag: tuple[str, ...]) -> None:
    (tmp_path / "draft.txt").write_text("We utilise flour. 🎉")
    (tmp_path / "saved.txt").write_text("We use \x1b[31mflour.")
    done = offline("analyze", "draft.txt", "saved.txt", *flag, process=True)
    assert "\x1b" not in done.stdout
    if flag:
        assert StyleDelta.model_validate(orjson.loads(done.stdout)).emoji.removed == 1
    else:
        assert "emoji removed" in done.stdout
        assert "utilise" in done.stdout


def test_analyze_of_lines(offline: Run) -> None:
    done = offline("analyze", "--jsonl", "-", input=jsonl(job(job_id="a"), "{", job()), code=1)
    first, second = map(orjson.loads, done.stdout.splitlines())
    assert (first["job_id"], second["job_id"]) == ("a", "line-3")
    assert first["emoji"]["removed"] == 1
    assert done.stderr.splitlines()[0].startswith("stdin line 2: not valid UTF-8 JSON")


def test_files_that_cannot_be_read(offline: Run, tmp_path: Path) -> None:
    (tmp_path / "latin.txt").write_bytes(b"caf\xe9")
    assert offline("analyze", "latin.txt", "gone.txt", code=1).stderr == (
        "Error: latin.txt: is not UTF-8 text (byte 3)\n"
    )
    assert offline("analyze", "gone.txt", "latin.txt", code=1).stderr == (
        "Error: gone.txt: No such file or directory\n"
    )
