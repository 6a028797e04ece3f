"""``status`` works with no worker and with no MongoDB."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time

import orjson
from redis import Redis

from service.streams.keys import GROUP
from tests.cli.conftest import ROOT, Run, job


def _fill(redis: Redis, jobs_key: str, dead_key: str) -> None:
    for _ in range(3):
        redis.xadd(jobs_key, {"job": orjson.dumps(job())})
    redis.xgroup_create(jobs_key, GROUP, id="0")
    redis.xreadgroup(GROUP, "pod-1", {jobs_key: ">"}, count=1)
    redis.xadd(dead_key, {"reason": "attempts", "source_id": "1-0"})
    minute = int(redis.time()[0]) // 60
    history = {f"{minute - 1}:learned": 30, f"{minute - 3}:learned": 20, "version:pod-1": "9.8.7"}
    redis.hset(jobs_key.replace(":jobs", ":minutes"), mapping=history)  # type: ignore[arg-type]
    redis.hset(jobs_key.replace(":jobs", ":stats"), mapping={"completed": 7, "failed": 1})


def test_status(learnsvc: Run, redis_admin: Redis, jobs_key: str, dead_key: str) -> None:
    _fill(redis_admin, jobs_key, dead_key)
    state = orjson.loads(learnsvc("status", "--json", process=True).stdout)
    assert {name: state[name] for name in ("waiting", "active", "completed", "failed", "dead")} == {
        "waiting": 2,
        "active": 1,
        "completed": 7,
        "failed": 1,
        "dead": 1,
    }
    assert state["oldest_pending_seconds"] >= 0
    assert [(one["name"], one["pending"], one["version"]) for one in state["consumers"]] == [("pod-1", 1, "9.8.7")]
    assert state["dead_by_reason"] == {"attempts": 1}
    assert state["completed_a_minute"]["5m"] == 10.0  # a minute may have ended since
    assert state["learning"] == {"mongodb": "connected", "writers_waiting": 0, "writers_due": 0}
    shown = learnsvc("status").stdout
    assert "pod-1" in shown
    assert "9.8.7" in shown
    assert "attempts" in shown
    assert "learnsvc dead list" in shown


def test_what_the_model_has_cost_while_no_worker_runs(learnsvc: Run, redis_admin: Redis, key_prefix: str) -> None:
    assert "Gemini" not in learnsvc("status").stdout
    counts = {"calls": 36, "tokens_in": 40_213, "tokens_out": 3_120, "cache_hits": 3, "cache_misses": 1}
    for name, count in {**counts, "failed:timeout": 2}.items():
        redis_admin.hset(f"{{{key_prefix}}}:gemini:usage", name, str(count))
    state = orjson.loads(learnsvc("status", "--json").stdout)["gemini"]
    assert {name: state[name] for name in counts} == counts
    assert (state["hit_rate"], state["failures"], state["calls_this_minute"]) == (0.75, 2, 0)
    shown = learnsvc("status").stdout
    assert "40,213" in shown
    assert "75%" in shown


def test_status_without_mongodb(learnsvc: Run, redis_admin: Redis, jobs_key: str, dead_key: str) -> None:
    _fill(redis_admin, jobs_key, dead_key)
    away = ("--mongodb-uri", "mongodb://127.0.0.1:1/x")
    state = orjson.loads(learnsvc("status", "--json", *away).stdout)
    assert (state["waiting"], state["learning"]["mongodb"]) == (2, "disconnected")
    assert "MongoDB at 127.0.0.1:1 does not answer" in " ".join(learnsvc("status", *away).stdout.split())


def test_watching_ends_quietly_with_ctrl_c(service_env: dict[str, str], compiled: dict[str, str]) -> None:
    command = [sys.executable, "-m", "service.cli", "status", "--watch", "--json", "--interval", "0.1"]
    watching = subprocess.Popen(
        command, env=service_env | compiled, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    assert watching.stdout is not None
    for _ in range(2):
        assert orjson.loads(watching.stdout.readline())["waiting"] == 0
    os.kill(watching.pid, signal.SIGINT)
    began = time.monotonic()
    _, errors = watching.communicate(timeout=50)
    assert (watching.returncode, errors) == (130, "")
    assert time.monotonic() - began < 40
