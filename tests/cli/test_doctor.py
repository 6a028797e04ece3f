"""``doctor`` on real servers: well, away, wrong; for people and for programs; never a traceback or a secret."""

from __future__ import annotations

from typing import Any

import orjson
import pytest
from redis import Redis

from service.tone.fake import FakeGemini
from tests.cli.conftest import Run, Runner


def checks(stdout: str) -> dict[tuple[str, str], dict[str, Any]]:
    return {(one["area"], one["check"]): one for one in orjson.loads(stdout)["checks"]}


def test_well(learnsvc: Run) -> None:
    done = learnsvc("doctor", "--json", process=True)
    report = orjson.loads(done.stdout)
    assert (report["ok"], report["failed"]) == (True, 0)
    found = checks(done.stdout)
    assert {check["status"] for check in found.values()} <= {"ok", "warn"}
    assert {area for area, _ in found} == {"settings", "redis", "mongodb", "clock", "gemini"}
    assert found["redis", "persistence"]["status"] == "warn", "the shared server of the tests has no AOF"
    assert found["redis", "rights"]["status"] == found["mongodb", "rights"]["status"] == "ok"
    shown = learnsvc("doctor").stdout
    assert "CONFIG SET appendonly yes" in shown
    assert "Ready to work" in shown


def test_a_policy_that_evicts_fails(learnsvc: Run, redis_admin: Redis) -> None:
    redis_admin.config_set("maxmemory-policy", "allkeys-lru")
    try:
        done = learnsvc("doctor", "--json", code=1)
    finally:
        redis_admin.config_set("maxmemory-policy", "noeviction")
    assert checks(done.stdout)["redis", "eviction"]["status"] == "fail"
    assert done.stderr.startswith("Error: 1 check failed")


def test_servers_that_are_away_fail_and_the_rest_is_looked_at(offline: Run) -> None:
    done = offline("doctor", "--json", code=1, process=True)
    found = checks(done.stdout)
    assert found["redis", "answer"]["says"] == "Redis does not answer (ConnectionError)"
    assert found["mongodb", "answer"]["status"] == "fail"
    assert found["gemini", "answer"]["status"] == "ok"
    assert done.stderr == "Error: 2 checks failed\n"


def test_one_server_alone_is_away(learnsvc: Run) -> None:
    found = checks(learnsvc("doctor", "--json", "--redis-url", "redis://127.0.0.1:1/0", code=1).stdout)
    assert found["redis", "answer"]["status"] == "fail"
    assert found["mongodb", "rights"]["status"] == "ok"


@pytest.mark.parametrize(
    ("name", "value", "says"),
    [
        ("LEARNING_LEASE_SECONDS", "0", "LEARNING_LEASE_SECONDS"),
        ("REDIS_URL", "http://u:canary@x", "REDIS_URL"),
        ("REDIS_URL", "redis://u:canary@127.0.0.1:port/0", "REDIS_URL"),
        ("MONGODB_URI", "mongodb://u:canary@127.0.0.1:x", "MONGODB_URI"),
        ("MONGODB_URI", "mongodb://u:canary:canary@127.0.0.1:1/x", "MONGODB_URI"),
        ("REDIS_URL", "redis://u:canary@127.0.0.1:1/0", "REDIS_URL"),
        ("REDIS_URL", "unix://u:canary@/nowhere.sock", "REDIS_URL"),
    ],
)
def test_wrong_settings_are_named_without_their_secrets(name: str, value: str, says: str, offline: Runner) -> None:
    offline.env[name] = value
    done = offline("doctor", code=1)
    assert says in done.stdout + done.stderr
    assert "canary" not in done.stdout + done.stderr


def test_gemini(learnsvc: Runner) -> None:
    with FakeGemini() as fake:
        learnsvc.env |= {"GEMINI_API_KEY": fake.key, "GEMINI_BASE_URL": fake.base_url}
        assert checks(learnsvc("doctor", "--json").stdout)["gemini", "answer"]["says"] == "gemini-2.5-flash answers"
        learnsvc.env["GEMINI_API_KEY"] = "canary"
        done = learnsvc("doctor", "--json", code=1)
    assert checks(done.stdout)["gemini", "answer"]["status"] == "fail"
    assert "canary" not in done.stdout + done.stderr
