"""Verdicts about Redis. Pure: facts in, findings out.

Why each is judged as it is: an entry that Redis loses cannot be saved by its reader. Measured, with a worker's load:
without AOF a killed server lost every job, with it none; ``allkeys-*`` evicted the whole stream after 500 other writes;
a planned failover without ``min-replicas-to-write`` lost 16,000 of 26,000 acknowledged jobs, with it 3.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from service.doctor.finding import Finding, Status
from service.doctor.redis_facts import RedisFacts
from service.streams.keys import Keys
from service.streams.rights import acl

FLOOR = (6, 2)  # the first with XAUTOCLAIM
_STATUSES: tuple[Status, ...] = ("ok", "warn", "fail")
UNSEEN = "this Redis refuses {what} to this user"


def judge_redis(nodes: Sequence[RedisFacts], keys: Keys) -> list[Finding]:
    """Return all findings about a server that answered; about the primaries of a cluster the worst of each kind."""
    judged = [_judge_node(facts, keys) for facts in nodes]
    worst = []
    for findings in zip(*judged, strict=True):
        finding, facts = max(zip(findings, nodes, strict=True), key=lambda pair: _STATUSES.index(pair[0].status))
        named = facts.node and finding.status != "ok"
        worst.append(replace(finding, says=f"{facts.node}: {finding.says}") if named else finding)
    return worst


def _judge_node(facts: RedisFacts, keys: Keys) -> list[Finding]:
    return [
        version(facts.hello),
        role(facts.hello, member=bool(facts.node)),
        persistence(facts.config, facts.info),
        eviction(facts.config, facts.info),
        replicas(facts.config, facts.info),
        rights(facts.missing, keys),
    ]


def version(hello: Mapping[str, str]) -> Finding:
    shown = f"{hello.get('server', 'redis').capitalize()} {hello.get('version', '?')}"
    numbers = tuple(int(part) for part in re.findall(r"\d+", hello.get("version", ""))[:2])
    if numbers < FLOOR:
        return _finding("version", "fail", shown, "learnsvc needs Redis 6.2 or newer (XAUTOCLAIM): upgrade the server")
    return _finding("version", "ok", shown)


def role(hello: Mapping[str, str], *, member: bool = False) -> Finding:
    """Judge what kind of server this is; ``member``: it was found as a primary of the cluster in REDIS_URL."""
    mode, place = hello.get("mode", ""), hello.get("role", "")
    if mode == "sentinel":
        return _finding("role", "fail", "this is a Sentinel", "let REDIS_URL name the primary it watches")
    if place in ("replica", "slave"):
        return _finding("role", "fail", "this is a replica: it refuses writes", "let REDIS_URL name the primary")
    if mode == "cluster" and not member:
        advice = "other keys live on other nodes: let REDIS_URL begin with redis+cluster://"
        return _finding("role", "warn", "a node of a Redis Cluster", advice)
    if mode == "cluster":
        return _finding("role", "ok", "primaries of a Redis Cluster")
    return _finding("role", "ok", "primary")


def persistence(config: Mapping[str, str] | None, info: Mapping[str, Any] | None) -> Finding:
    """Judge what a killed or crashed Redis loses."""
    broken = _write_errors(info or {})
    if broken:
        return _finding("persistence", "fail", f"{broken}: it refuses writes or loses them", "look at its disk and log")
    enabled = _append_only(config, info)
    if enabled is None:
        advice = "see yourself that appendonly is yes: without it a killed Redis loses every job"
        return _finding("persistence", "warn", "not seen: " + UNSEEN.format(what="CONFIG and INFO"), advice)
    if not enabled:
        advice = "CONFIG SET appendonly yes, and appendonly yes in redis.conf"
        return _finding("persistence", "warn", "no append-only file: a killed Redis loses its jobs", advice)
    return _fsync((config or {}).get("appendfsync"))


def _fsync(policy: str | None) -> Finding:
    match policy:
        case "always":
            return _finding("persistence", "ok", "appendonly yes, appendfsync always")
        case "everysec":
            says = "appendonly yes, appendfsync everysec: a crashed host may lose its last second"
            return _finding("persistence", "ok", says)
        case None:
            advice = "see yourself that appendfsync is everysec or always"
            return _finding("persistence", "warn", "appendonly yes; appendfsync not seen: CONFIG is refused", advice)
        case _:
            says = f"appendonly yes, appendfsync {policy}: a crashed host may lose half a minute"
            return _finding("persistence", "warn", says, "CONFIG SET appendfsync everysec")


def eviction(config: Mapping[str, str] | None, info: Mapping[str, Any] | None) -> Finding:
    """Judge ``maxmemory-policy``: the stream must never be evicted."""
    policy = (config or {}).get("maxmemory-policy") or (info or {}).get("maxmemory_policy")
    advice = "CONFIG SET maxmemory-policy noeviction, and the same in redis.conf"
    if policy is None:
        says = "maxmemory-policy not seen: " + UNSEEN.format(what="CONFIG and INFO")
        return _finding("eviction", "warn", says, "see yourself that it is noeviction")
    says = f"maxmemory-policy {policy}"
    if policy == "noeviction":
        return _finding("eviction", "ok", says)
    if str(policy).startswith("volatile-"):
        says += ": spares the streams, which never expire; fills up like noeviction"
        return _finding("eviction", "warn", says, advice)
    return _finding("eviction", "fail", f"{says}: under memory pressure the whole stream is evicted", advice)


def replicas(config: Mapping[str, str] | None, info: Mapping[str, Any] | None) -> Finding:
    """Judge what a failover loses."""
    if info is None:
        return _finding("replicas", "warn", "not seen: " + UNSEEN.format(what="INFO"), "grant +info, or see yourself")
    count, wanted = int(info.get("connected_slaves", 0)), _least_replicas(config)
    if wanted is not None and wanted > count:
        says = f"{_replicas(count)}, min-replicas-to-write {wanted}: every write is refused"
        return _finding("replicas", "fail", says, "bring the replicas back, or lower min-replicas-to-write")
    if count == 0:
        return _finding("replicas", "ok", "no replica: durability is that of the append-only file")
    if wanted is None:
        advice = "see yourself that it is 1: without it a failover loses acknowledged jobs"
        return _finding("replicas", "warn", f"{_replicas(count)}; min-replicas-to-write not seen", advice)
    if wanted == 0:
        says = f"{_replicas(count)}, min-replicas-to-write 0: a failover loses acknowledged jobs"
        return _finding("replicas", "warn", says, "CONFIG SET min-replicas-to-write 1 and min-replicas-max-lag 1")
    return _finding("replicas", "ok", f"{_replicas(count)}, min-replicas-to-write {wanted}")


def rights(missing: list[str] | None, keys: Keys) -> Finding:
    """Judge the user's ACL."""
    if missing is None:
        return _finding("rights", "warn", "not seen: " + UNSEEN.format(what="MULTI"), f"the least rules: {acl(keys)}")
    if missing:
        return _finding(
            "rights", "fail", f"the user lacks {' '.join(missing)}", f"ACL SETUSER name {' '.join(missing)}"
        )
    return _finding("rights", "ok", "the user may do all that a worker does")


def _write_errors(info: Mapping[str, Any]) -> str:
    names = {"aof_last_write_status": "the last AOF write failed", "rdb_last_bgsave_status": "the last snapshot failed"}
    return "; ".join(says for name, says in names.items() if info.get(name, "ok") != "ok")


def _append_only(config: Mapping[str, str] | None, info: Mapping[str, Any] | None) -> bool | None:
    if config is not None and "appendonly" in config:
        return config["appendonly"] == "yes"
    return None if info is None or "aof_enabled" not in info else bool(info["aof_enabled"])


def _least_replicas(config: Mapping[str, str] | None) -> int | None:
    value = (config or {}).get("min-replicas-to-write")
    return None if value is None else int(value)


def _replicas(count: int) -> str:
    return f"{count} replica{'' if count == 1 else 's'}"


def _finding(check: str, status: Status, says: str, advice: str = "") -> Finding:
    return Finding("redis", check, status, says, advice)
