"""The doctor's verdicts, a row each: facts in, status and the telling word out."""

from collections.abc import Callable
from typing import Any

import pytest

from service.doctor import mongodb_checks, other_checks, redis_checks
from service.doctor.finding import Finding
from service.doctor.mongodb_facts import MongoFacts
from service.streams.keys import Keys

KEYS = Keys.of()
PRIMARY = {"isWritablePrimary": True}
EVERYSEC = {"appendonly": "yes", "appendfsync": "everysec"}
USER = {"version": "7.0.1", "hello": PRIMARY, "database": "x", "users": 1}


def granted(*actions: str, **resource: Any) -> tuple[dict[str, Any], ...]:
    return ({"resource": resource or {"db": "x", "collection": "style_profiles"}, "actions": list(actions)},)


def mongo(**facts: Any) -> MongoFacts:
    return MongoFacts(**{**USER, **facts})


def link(place: str, encrypted: bool = False, unverified: str | None = None) -> Finding:
    return other_checks.link("redis", "REDIS_URL", place, encrypted=encrypted, unverified=unverified)


Row = tuple[Callable[..., Finding], tuple[Any, ...], str, str]
ROWS: list[Row] = [
    (redis_checks.version, ({"server": "redis", "version": "6.0.16"},), "fail", "6.2 or newer"),
    (redis_checks.version, ({"server": "redis", "version": "5"},), "fail", "upgrade"),
    (redis_checks.version, ({},), "fail", "?"),
    (redis_checks.version, ({"server": "redis", "version": "6.2.14"},), "ok", "Redis 6.2.14"),
    (redis_checks.version, ({"server": "valkey", "version": "8.0.1"},), "ok", "Valkey 8.0.1"),
    (redis_checks.version, ({"server": "redis", "version": "10.0"},), "ok", "10.0"),
    (redis_checks.role, ({"mode": "standalone", "role": "master"},), "ok", "primary"),
    (redis_checks.role, ({"mode": "standalone", "role": "replica"},), "fail", "name the primary"),
    (redis_checks.role, ({"mode": "sentinel", "role": "master"},), "fail", "Sentinel"),
    (redis_checks.role, ({"mode": "cluster", "role": "master"},), "warn", "Cluster"),
    (redis_checks.persistence, (EVERYSEC, {}), "ok", "everysec"),
    (redis_checks.persistence, ({**EVERYSEC, "appendfsync": "always"}, {}), "ok", "always"),
    (redis_checks.persistence, ({**EVERYSEC, "appendfsync": "no"}, {}), "warn", "half a minute"),
    (redis_checks.persistence, ({"appendonly": "no"}, {}), "warn", "appendonly yes"),
    (redis_checks.persistence, (None, {"aof_enabled": 1}), "warn", "CONFIG is refused"),
    (redis_checks.persistence, (None, {"aof_enabled": 0}), "warn", "no append-only file"),
    (redis_checks.persistence, (None, None), "warn", "not seen"),
    (redis_checks.persistence, (EVERYSEC, {"aof_last_write_status": "err"}), "fail", "AOF write failed"),
    (redis_checks.persistence, (EVERYSEC, {"rdb_last_bgsave_status": "err"}), "fail", "snapshot failed"),
    (redis_checks.eviction, ({"maxmemory-policy": "noeviction"}, None), "ok", "noeviction"),
    (redis_checks.eviction, (None, {"maxmemory_policy": "noeviction"}), "ok", "noeviction"),
    (redis_checks.eviction, ({"maxmemory-policy": "allkeys-lru"}, None), "fail", "the whole stream is evicted"),
    (redis_checks.eviction, (None, {"maxmemory_policy": "allkeys-random"}), "fail", "noeviction"),
    (redis_checks.eviction, ({"maxmemory-policy": "volatile-ttl"}, None), "warn", "noeviction"),
    (redis_checks.eviction, (None, None), "warn", "not seen"),
    (redis_checks.replicas, ({"min-replicas-to-write": "0"}, {"connected_slaves": 0}), "ok", "no replica"),
    (
        redis_checks.replicas,
        ({"min-replicas-to-write": "0"}, {"connected_slaves": 2}),
        "warn",
        "min-replicas-to-write 1",
    ),
    (redis_checks.replicas, ({"min-replicas-to-write": "1"}, {"connected_slaves": 1}), "ok", "1 replica,"),
    (
        redis_checks.replicas,
        ({"min-replicas-to-write": "1"}, {"connected_slaves": 0}),
        "fail",
        "every write is refused",
    ),
    (redis_checks.replicas, (None, {"connected_slaves": 1}), "warn", "not seen"),
    (redis_checks.replicas, (None, None), "warn", "not seen"),
    (redis_checks.rights, ([], KEYS), "ok", "may do all"),
    (redis_checks.rights, (["+xack", "~{learning}:dead"], KEYS), "fail", "ACL SETUSER name +xack ~{learning}:dead"),
    (redis_checks.rights, (None, KEYS), "warn", "+xautoclaim"),
    (mongodb_checks.version, ("5.0.9",), "fail", "upgrade"),
    (mongodb_checks.version, ("6.0.5",), "ok", "6.0.5"),
    (mongodb_checks.version, ("10.0.0-rc1",), "ok", "10.0.0"),
    (mongodb_checks.topology, (PRIMARY,), "warn", "standalone"),
    (mongodb_checks.topology, ({"isWritablePrimary": False, "setName": "rs"},), "fail", "not a primary"),
    (mongodb_checks.topology, ({**PRIMARY, "setName": "rs", "hosts": ["a"]},), "warn", "1 data member"),
    (mongodb_checks.topology, ({**PRIMARY, "setName": "rs", "hosts": ["a", "b", "c"]},), "ok", "3 data members"),
    (mongodb_checks.topology, ({**PRIMARY, "msg": "isdbgrid"},), "ok", "sharded"),
    (mongodb_checks.write_concern, ({},), "ok", "majority"),
    (mongodb_checks.write_concern, ({"w": "majority", "j": True},), "ok", "j: true"),
    (mongodb_checks.write_concern, ({"w": "majority"},), "warn", "may lose"),
    (mongodb_checks.write_concern, ({"w": 1},), "warn", "w: 1"),
    (mongodb_checks.write_concern, ({"w": 0},), "fail", "no write is confirmed"),
    (mongodb_checks.reading, ("Primary",), "ok", "primary"),
    (mongodb_checks.reading, ("SecondaryPreferred",), "warn", "readPreference"),
    (mongodb_checks.indexes, (mongo(indexes=("_id_", "learn_due_at", "late_tone_due_at")),), "ok", "learn_due_at"),
    (
        mongodb_checks.indexes,
        (mongo(indexes=("_id_", "learn_due_at")),),
        "warn",
        'createIndex({ "late_tone.due_at": 1 }',
    ),
    (mongodb_checks.indexes, (mongo(indexes=("_id_",), users=0),), "warn", "a worker makes what is missing"),
    (mongodb_checks.indexes, (mongo(indexes=(), exists=False),), "ok", "no collection"),
    (mongodb_checks.indexes, (mongo(indexes=None),), "warn", "listIndexes"),
    (mongodb_checks.rights, (mongo(users=0),), "ok", "no user"),
    (mongodb_checks.rights, (mongo(users=0, readable=False),), "fail", "user:password@"),
    (mongodb_checks.rights, (mongo(privileges=granted("find", "insert", "update")),), "ok", "x.style_profiles"),
    (mongodb_checks.rights, (mongo(privileges=granted("find")),), "fail", "may not insert, update in x.style_profiles"),
    (mongodb_checks.rights, (mongo(privileges=granted("find", db="y", collection="")),), "fail", "find, insert"),
    (mongodb_checks.rights, (mongo(privileges=granted("anyAction", anyResource=True)),), "ok", "may do all"),
    (mongodb_checks.rights, (mongo(privileges=granted("anyAction", cluster=True)),), "fail", "find"),
    (
        mongodb_checks.rights,
        (mongo(privileges=granted("find", "insert", "update", db="", collection="")),),
        "ok",
        "all",
    ),
    (link, ("127.0.0.1:6379",), "ok", "this machine"),
    (link, ("cache:6379",), "warn", "not encrypted"),
    (link, ("127.0.0.1:1,cache:6379",), "warn", "not encrypted"),
    (link, ("cache:6379", True), "ok", "certificate verified"),
    (link, ("cache:6379", True, "ssl_cert_reqs=none"), "warn", "ssl_cert_reqs=none"),
    (other_checks.clock, ("Redis", 0.4), "ok", "0.4 s"),
    (other_checks.clock, ("Redis", 40.0), "warn", "ahead of"),
    (other_checks.clock, ("Redis", -40.0), "warn", "behind"),
    (other_checks.clock, ("Redis", 400.0), "warn", "dead-lettered"),
    (other_checks.gemini, (None, None), "ok", "word lists"),
    (other_checks.gemini, ("m", None), "ok", "m answers"),
    (other_checks.gemini, ("m", "refused"), "fail", "GEMINI_API_KEY"),
    (other_checks.gemini, ("m", "timeout"), "warn", "meanwhile"),
    (other_checks.gemini, ("m", "bad_answer"), "warn", "GEMINI_MODEL"),
]


@pytest.mark.parametrize(("verdict", "facts", "status", "word"), ROWS)
def test_verdict(verdict: Callable[..., Finding], facts: tuple[Any, ...], status: str, word: str) -> None:
    found = verdict(*facts)
    assert found.status == status, found
    assert word in f"{found.says} {found.advice}"
    assert found.advice or found.status == "ok", "what is not well says what to do"


def test_misspelt_settings_are_named() -> None:
    names = ("LEARNING_LEASE_SECOND", "learning_lease_seconds", "LEARNING_SERVICE_HOST", "GEMINI_API_KEYS", "PATH")
    found = other_checks.misspelt(names)
    assert [(one.says, one.advice) for one in found] == [
        ("GEMINI_API_KEYS is no setting", "is GEMINI_API_KEY meant?"),
        ("LEARNING_LEASE_SECOND is no setting", "is LEARNING_LEASE_SECONDS meant?"),
    ]
