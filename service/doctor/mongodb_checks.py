"""Verdicts about MongoDB. Pure: facts in, findings out."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from schemas.profile import StyleProfile
from service.doctor.finding import Finding, Status
from service.doctor.mongodb_facts import COLLECTION, MongoFacts
from service.privileges import missing_actions, role

FLOOR = (6, 0)
CREATE_INDEX = "; ".join(
    f'db.{COLLECTION}.createIndex({{ "{path}": 1 }}, {{ name: "{index.document["name"]}", sparse: true }})'
    for index in StyleProfile.Settings.indexes
    for path in index.document["key"]
)


def judge_mongodb(facts: MongoFacts) -> list[Finding]:
    """Return all findings about a server that answered."""
    return [
        version(facts.version),
        topology(facts.hello),
        write_concern(facts.write_concern),
        reading(facts.read_mode),
        indexes(facts),
        rights(facts),
    ]


def version(found: str) -> Finding:
    numbers = tuple(int(part) for part in re.findall(r"\d+", found)[:2])
    if numbers < FLOOR:
        return _finding(
            "version", "fail", f"MongoDB {found}", "learnsvc needs MongoDB 6.0 or newer: upgrade the server"
        )
    return _finding("version", "ok", f"MongoDB {found}")


def topology(hello: Mapping[str, Any]) -> Finding:
    """Judge how many copies of a profile there are, from the answer to ``hello``."""
    if hello.get("msg") == "isdbgrid":
        return _finding("topology", "ok", "sharded cluster")
    if not hello.get("isWritablePrimary"):
        advice = "let MONGODB_URI name all members and replicaSet=..., without directConnection"
        return _finding("topology", "fail", "this is not a primary: it refuses writes", advice)
    if not hello.get("setName"):
        advice = "a replica set of three keeps profiles when a disk dies"
        return _finding("topology", "warn", "standalone: one copy of every profile", advice)
    members = len(hello.get("hosts", ()))
    says = f"replica set {hello['setName']}, {members} data member{'' if members == 1 else 's'}"
    if members < 3:
        return _finding("topology", "warn", says, "three members keep a majority when one is away")
    return _finding("topology", "ok", says)


def write_concern(document: Mapping[str, Any]) -> Finding:
    """Judge what MONGODB_URI says about it; left alone learnsvc asks for ``w: majority, j: true`` itself."""
    if not document:
        return _finding("write concern", "ok", "w: majority, j: true, set by learnsvc")
    says = ", ".join(f"{name}: {str(value).lower()}" for name, value in document.items())
    if document.get("w") == 0:
        return _finding("write concern", "fail", f"{says} in MONGODB_URI: no write is confirmed", "take w out of it")
    if document.get("w") == "majority" and document.get("j") is True:
        return _finding("write concern", "ok", f"{says}, from MONGODB_URI")
    advice = "take w, j and journal out of MONGODB_URI"
    return _finding("write concern", "warn", f"{says} from MONGODB_URI: a killed mongod may lose profiles", advice)


def reading(mode: str) -> Finding:
    if mode == "Primary":
        return _finding("reading", "ok", "from the primary")
    says = f"readPreference {mode}: stale reads cost conflicts and repeated work"
    return _finding("reading", "warn", says, "take readPreference out of MONGODB_URI")


def indexes(facts: MongoFacts) -> Finding:
    """Judge the indexes of the model; a worker whose role may makes them when it starts."""
    wanted = [index.document["name"] for index in StyleProfile.Settings.indexes]
    if facts.indexes is None:
        says = "not seen: the role may not list indexes"
        return _finding(
            "indexes", "warn", says, f"grant listIndexes, or see to it once as another user: {CREATE_INDEX}"
        )
    if absent := [name for name in wanted if name not in facts.indexes]:
        says = f"missing: {', '.join(absent)}" if facts.exists else f"there is no collection {COLLECTION} yet"
        may = not missing_actions(facts.privileges, facts.database, COLLECTION, ("createIndex", "listIndexes"))
        made = "a worker makes what is missing when it starts" if may or not facts.users else CREATE_INDEX
        return _finding("indexes", "warn" if facts.exists else "ok", says, made)
    return _finding("indexes", "ok", ", ".join(wanted))


def rights(facts: MongoFacts) -> Finding:
    """Judge the user's role."""
    place = f"{facts.database}.{COLLECTION}"
    if not facts.users:
        if not facts.readable:
            return _finding("rights", "fail", "the server asks for a user", "put user:password@ into MONGODB_URI")
        return _finding("rights", "ok", "the server asks for no user")
    if missing := missing_actions(facts.privileges, facts.database, COLLECTION):
        says = f"the role may not {', '.join(missing)} in {place}"
        return _finding("rights", "fail", says, f"grant it: {role(facts.database, COLLECTION)}")
    return _finding("rights", "ok", f"the role may do all that a worker does in {place}")


def _finding(check: str, status: Status, says: str, advice: str = "") -> Finding:
    return Finding("mongodb", check, status, says, advice)
