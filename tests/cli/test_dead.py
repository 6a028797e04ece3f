"""Dead letters: seen, put back under their own identity, dropped."""

from __future__ import annotations

import orjson
import pytest
from redis import Redis

from service.streams.replies import entries
from tests.cli.conftest import Run, job


@pytest.fixture
def letters(redis_admin: Redis, dead_key: str) -> list[str]:
    """Two dead letters, of ana and of nobody."""
    own = {"deliveries": 6, "dead_ms": 1_735_732_800_000, "source_id": "4-0"}
    payload = orjson.dumps(job(job_id="j1", note="[red]\x1b"))
    known = {"reason": "attempts", "detail": "failed 5 times", "user_id": "ana", "job_id": "j1", "job": payload}
    broken = {"reason": "undecodable", "detail": "not valid UTF-8 JSON", "job": b"\xff{", "raw:x": "1"}
    return [redis_admin.xadd(dead_key, own | one).decode() for one in (known, broken)]  # type: ignore[arg-type,union-attr]


def test_list_and_show(learnsvc: Run, letters: list[str]) -> None:
    listed = orjson.loads(learnsvc("dead", "list", "--json", process=True).stdout)
    assert [(one["id"], one["reason"], one["user_id"]) for one in listed] == [
        (letters[0], "attempts", "ana"),
        (letters[1], "undecodable", None),
    ]
    assert listed[0]["dead_at"].startswith("2025-01-01T12:00:00")
    assert "1 newer ones are not shown" in learnsvc("dead", "list", "--limit", "1").stdout
    one = orjson.loads(learnsvc("dead", "show", letters[0], "--json").stdout)
    assert orjson.loads(one["fields"]["job"])["job_id"] == "j1"
    shown = learnsvc("dead", "show", letters[0]).stdout
    assert "[red]" in shown
    assert "\x1b" not in shown
    assert r"\xff{" in learnsvc("dead", "show", letters[1]).stdout


def test_unknown_ids(learnsvc: Run) -> None:
    assert "no dead letter 9-9" in learnsvc("dead", "show", "9-9", code=1).stderr
    learnsvc("dead", "show", "nine", code=2)
    learnsvc("dead", "replay", code=2)


def test_replay(learnsvc: Run, letters: list[str], redis_admin: Redis, jobs_key: str, dead_key: str) -> None:
    done = orjson.loads(learnsvc("dead", "replay", "--all", "--reason", "attempts", "--json").stdout)
    assert [one["id"] for one in done["replayed"]] == [letters[0]]
    [(_, fields)] = entries(redis_admin.xrange(jobs_key))
    assert orjson.loads(fields[b"job"])["job_id"] == "j1"
    assert fields[b"source_id"] == b"4-0"
    assert redis_admin.xlen(dead_key) == 1


def test_earlier_deaths_are_shown(learnsvc: Run, letters: list[str], redis_admin: Redis, jobs_key: str) -> None:
    learnsvc("dead", "replay", letters[0])
    [(_, entry)] = entries(redis_admin.xrange(jobs_key))
    again = {"reason": "unstorable", "detail": "", "source_id": "9-0", b"raw:history": entry[b"history"]}
    [id] = [redis_admin.xadd(jobs_key.replace("jobs", "dead"), again).decode()]  # type: ignore[arg-type,union-attr]
    [death] = orjson.loads(learnsvc("dead", "show", id, "--json").stdout)["history"]
    assert (death["reason"], death["detail"], death["deliveries"]) == ("attempts", "failed 5 times", 6)
    assert "failed 5 times" in learnsvc("dead", "show", id).stdout


def test_drop_asks_first(learnsvc: Run, letters: list[str], redis_admin: Redis, dead_key: str) -> None:
    assert "--yes" in learnsvc("dead", "drop", "--all", code=1, process=True).stderr
    assert redis_admin.xlen(dead_key) == 2
    assert learnsvc("dead", "drop", letters[1], "--yes").stdout == "Dropped 1 dead letter.\n"
    assert redis_admin.xlen(dead_key) == 1
