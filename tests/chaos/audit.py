"""The books after a run: every job that Redis accepted had its effect once, or is a dead letter.

Four independent records must agree: the ledger of applied jobs, the counter ``edits_applied``, the stored profile
against an offline replay of the same edits, and the stream with its group, which must be empty.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Set
from dataclasses import dataclass, field
from typing import Any

from pymongo.asynchronous.database import AsyncDatabase
from redis.asyncio import Redis

from schemas.profile import Profile
from service.analysis import analyze
from service.cli.replaying import START, collect, states
from service.learning.learn import new_profile
from service.learning.rules import LearningRules
from service.ledger import items
from service.streams import dead_letters
from service.streams.entry import ledger_id
from service.streams.keys import GROUP, Keys
from service.tone.lexical import label
from tests.chaos.load import Job

# Not a matter of the edits: how many commits it took, and when.
OF_THE_RUN = {
    "revision",
    "versions",
    "evolution_timeline",
    "created_at",
    "updated_at",
    "last_learned_at",
    "edits_applied",
    "user_id",
}


@dataclass(slots=True)
class Audit:
    """What is missing (``gone``: by Redis's own doing), applied more than once, or dead, and all else that is wrong."""

    lost: int = 0
    gone: int = 0
    doubled: int = 0
    dead: int = 0
    broken: list[str] = field(default_factory=list)


async def audit(
    sent: Mapping[str, list[Job]],
    redis: Redis,
    mongo: AsyncDatabase[dict[str, Any]],
    keys: Keys,
    rules: LearningRules,
    gone: Set[str] = frozenset(),
) -> Audit:
    """Compare ``sent`` with what is stored; the stream must have been drained. ``gone``: jobs Redis may have lost."""
    found = Audit()
    dead = await _dead_jobs(redis, keys)
    found.dead = len(dead)
    stored = {document["_id"]: document async for document in mongo.style_profiles.find()}
    for user_id, jobs in sent.items():
        _audit_writer(found, user_id, jobs, stored.get(user_id), dead, rules, gone)
    if strangers := set(stored) - set(sent):
        found.broken.append(f"profiles of writers nobody sent: {sorted(strangers)[:5]}")
    if found.lost:
        found.broken.append(f"{found.lost} jobs lost")
    if found.doubled:
        found.broken.append(f"{found.doubled} jobs applied more than once")
    found.broken += await left_behind(redis, keys)
    return found


async def left_behind(redis: Redis, keys: Keys) -> list[str]:
    """Return what is wrong with a stream and a group that should be empty."""
    wrong = []
    for partition in keys.partitions:
        if left := await redis.xlen(partition.jobs):
            wrong.append(f"{left} entries left in {partition.jobs}")
        pending: Any = await redis.xpending(partition.jobs, GROUP)
        if pending["pending"]:
            wrong.append(f"{pending['pending']} entries pending in {partition.jobs}")
        consumers: Any = await redis.xinfo_consumers(partition.jobs, GROUP)
        wrong += [f"consumer {info['name']} has {info['pending']} pending" for info in consumers if info["pending"]]
    return wrong


def _audit_writer(
    found: Audit,
    user_id: str,
    jobs: list[Job],
    document: dict[str, Any] | None,
    dead: Counter[str],
    rules: LearningRules,
    gone: Set[str],
) -> None:
    applied = Counter(item[:16] for item in items((document or {}).get("applied", [])))
    living = [job for job in jobs if ledger_id(job["job_id"]) in applied]
    missing = {job["job_id"] for job in jobs if job not in living and job["job_id"] not in dead}
    found.lost += len(missing - gone)
    found.gone += len(missing & gone)
    both = sum(job["job_id"] in dead for job in living)
    counted = (document or {}).get("edits_applied", 0)
    found.doubled += max(sum(applied.values()), counted) - len(applied) + both
    if counted < len(applied):
        found.broken.append(f"{user_id}: {len(applied)} jobs in the ledger, edits_applied says {counted}")
    if document is not None and (differing := _differs(document, user_id, living, rules)):
        found.broken.append(f"{user_id}: unlike an undisturbed replay in {', '.join(differing)}")


def _differs(document: dict[str, Any], user_id: str, jobs: list[Job], rules: LearningRules) -> list[str]:
    """Return the fields in which a stored profile is not what an offline replay of ``jobs`` gives."""
    stored = Profile.model_validate(document)
    replayed = replay(user_id, jobs, rules)
    unlike = []
    for name in sorted(set(Profile.model_fields) - OF_THE_RUN):
        one, other = getattr(stored, name), getattr(replayed, name)
        if name == "recent_edits":
            one, other = ([edit.model_copy(update={"revision": 0}) for edit in edits] for edits in (one, other))
        if one != other:
            unlike.append(name)
    return unlike


def replay(user_id: str, jobs: Iterable[Job], rules: LearningRules) -> Profile:
    """Learn ``jobs`` offline one after the other, as ``learnsvc replay`` does."""
    deltas = []
    for job in jobs:
        delta = analyze(job["original_text"], job["edited_text"]).delta
        own = {"job_id": job["job_id"], "content_id": job["content_id"], "edited_at": job["edited_at"]}
        delta = type(delta).model_validate({**delta.model_dump(), **own}, strict=False)
        deltas.append((user_id, delta.model_copy(update={"tone_shift": label(delta)})))
    neutral = new_profile(user_id, START)
    if not deltas:
        return neutral
    return list(states(neutral, collect(deltas)[user_id].ordered(), rules))[-1]


async def _dead_jobs(redis: Redis, keys: Keys) -> Counter[str]:
    letters = [dead_letters.parse(id, fields) async for _, id, fields in dead_letters.walk(redis, keys)]
    return Counter(letter.job_id or letter.id for letter in letters)
