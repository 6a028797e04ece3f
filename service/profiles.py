"""Everything MongoDB: loading profiles, committing them by compare-and-swap, finding what is due, forgetting.

One document is the transaction. Style, evidence, waiting edits, the ledger and ``revision`` change in one update
filtered on ``_id`` and ``revision``, with ``majority, j`` set on the collection handle: a standalone mongod
acknowledges by default what a ``kill -9`` still loses.

pymongo's async pool does not survive anyio's cancellation (which is delivered again at every await until the scope
ends), so each call is shielded and bounded by pymongo's own time-out, and never more calls are in flight than the
pool has connections. A cancelled or failed write has an unknown outcome: the caller loads again and asks the ledger.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, TypeVar

import pymongo
from anyio import CancelScope, Semaphore
from beanie import init_beanie
from pymongo import AsyncMongoClient, WriteConcern
from pymongo.asynchronous.collection import AsyncCollection
from pymongo.errors import ConfigurationError, InvalidURI, OperationFailure

from schemas.delta import StyleDelta
from schemas.profile import LateTone, Profile, ProfileFields, StyleProfile
from service import ledger
from service.commits import Write, commit_all, insertion, swap
from service.errors import DependencyDown, Fault, Misconfigured, RevisionConflict, Unstorable, classify, name, untrusted
from service.gathering import Gathering
from service.history import document_of, part_of
from service.learning.facts import FIELDS, are_current
from service.ledger import Ledger
from service.privileges import missing_actions

DURABLE = WriteConcern("majority", j=True)
DEFAULT_DATABASE = "learnsvc"
_HISTORY = frozenset({"evolution_timeline", "versions"})
_WHOLE = {field: 1 for field in ProfileFields.model_fields if field not in _HISTORY} | {"user_id": 1}
# What learning reads: of an edit learned before its facts instead of its counts, half the bytes.
_LOADED = {field: 1 for field in _WHOLE if field != "recent_edits"} | {f"recent_edits.{name}": 1 for name in FIELDS}
_PRIVILEGES = {"connectionStatus": 1, "showPrivileges": True}

T = TypeVar("T")
Document = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Loaded:
    """A writer's profile as read, None when there is none, and the ledger of the jobs applied to it.

    The profile comes without its timeline and versions, which learning only appends to, and its learned edits with the
    part alone that learning reads, unless that is not enough (``_is_enough``). ``stored`` are the job ids of those that
    a commit leaves as they are stored: edits never change, but for the tone that a model adds later.
    """

    profile: Profile | None
    ledger: Ledger = field(default_factory=Ledger)
    stored: frozenset[str] = frozenset()


class ProfileStore:
    """The collection of style profiles."""

    def __init__(self, collection: AsyncCollection[Document], *, timeout: float, connections: int) -> None:
        self._collection = collection
        self._timeout = timeout
        self._turns = Semaphore(connections, fast_acquire=True)
        self._loads = Gathering(self._load)
        self._writes = Gathering(self._write)

    @property
    def write_concern(self) -> WriteConcern:
        return self._collection.write_concern

    async def ping(self) -> None:
        await self._call(lambda: self._collection.database.command("ping"))

    @property
    def name(self) -> str:
        return self._collection.full_name

    async def missing_actions(self) -> list[str]:
        """Return what a worker does here and its user may not. Raises ``Misconfigured`` when a user is needed."""

        async def ask() -> Document:
            try:
                status = await self._collection.database.client.admin.command(_PRIVILEGES)
            except OperationFailure:  # not MongoDB itself, but something that speaks like it
                return {"authenticatedUsers": []}
            found: Document = status["authInfo"]
            return found

        told = await self._call(ask)
        if not told["authenticatedUsers"]:  # none is asked for: or else this read is refused
            await self._call(lambda: self._collection.find_one({"_id": ""}, {"_id": 1}))
            return []
        database = self._collection.database.name
        return missing_actions(told["authenticatedUserPrivileges"], database, self._collection.name)

    async def load(self, user_id: str) -> Loaded:
        """Return the profile and the ledger of ``user_id``."""
        document = await self._loads.call(user_id)
        if document is None:
            return Loaded(None)
        if _is_enough(document):
            return _loaded(user_id, document, list(map(part_of, document.pop("recent_edits", ()))))
        [document] = await self._load([user_id], _WHOLE)
        return Loaded(None) if document is None else _loaded(user_id, document)

    async def _load(self, user_ids: Sequence[str], fields: Mapping[str, int] = _LOADED) -> list[Document | None]:
        """Read the documents of several writers at once."""
        query = {"_id": user_ids[0] if len(user_ids) == 1 else {"$in": user_ids}}
        projection = {**fields, "applied": 1, "ledger_floor": 1}
        found = await self._call(lambda: self._collection.find(query, projection).to_list())
        documents = {document.pop("_id"): document for document in found}
        return [documents.get(user_id) for user_id in user_ids]

    async def commit(
        self,
        loaded: Loaded,
        profile: Profile,
        applied: Sequence[bytes],
        oldest_entry_ms: Callable[[], Awaitable[int]],
        *,
        max_versions: int,
    ) -> None:
        """Replace the loaded revision by ``profile`` and record ``applied`` in the ledger, at once or not at all.

        Raises ``RevisionConflict`` when somebody was faster. After any other error the outcome is unknown.
        """
        if loaded.profile is None:
            pages = [b"".join(applied)] if applied else []
            fields = {**_encode(profile), **_encode_history(profile), "applied": pages, "ledger_floor": 0}
            fields["recent_edits"] = list(map(document_of, profile.recent_edits))
            await self._writes.call(insertion(profile.user_id, fields))
            return
        update: Document = {"$set": _encode(profile)}
        pushes = _pushed_history(profile, max_versions)
        await self._put_edits(update["$set"], pushes, loaded, profile)
        if applied and loaded.ledger.has_room(len(applied)):
            pushes["applied"] = b"".join(applied)
        elif applied:
            update["$set"] |= _trimmed(loaded.ledger, applied, await oldest_entry_ms())
        if pushes:
            update["$push"] = pushes
        await self._writes.call(swap(profile.user_id, loaded.profile.revision, update))

    async def _put_edits(self, fields: Document, pushes: Document, loaded: Loaded, profile: Profile) -> None:
        """Say how the learned edits of ``loaded`` become those of ``profile``.

        Mostly new ones follow and the oldest leave: then only the new ones are sent. Else all are, those that stay as
        they are stored. Raises ``RevisionConflict`` when these are not there any more.
        """
        known = [edit.job_id for edit in loaded.profile.recent_edits] if loaded.profile else []
        edits = profile.recent_edits
        left = sum(edit.job_id in loaded.stored for edit in edits)
        stays = [edit.job_id for edit in edits[:left]]
        if len(known) == len(loaded.stored) and stays == known[len(known) - left :]:
            if len(edits) != left or left != len(known):
                pushes["recent_edits"] = {"$each": list(map(document_of, edits[left:])), "$slice": -len(edits)}
            return
        stored = await self._stored_edits(profile.user_id) if left else {}
        if not stored.keys() >= {edit.job_id for edit in edits if edit.job_id in loaded.stored}:
            raise RevisionConflict
        fields["recent_edits"] = [
            stored[edit.job_id] if edit.job_id in loaded.stored else document_of(edit) for edit in edits
        ]

    async def _stored_edits(self, user_id: str) -> dict[str, Document]:
        found = await self._call(lambda: self._collection.find_one({"_id": user_id}, {"recent_edits": 1}))
        return {edit.get("job_id", ""): edit for edit in (found or {}).get("recent_edits", [])}

    async def record(
        self,
        loaded: Loaded,
        profile: Profile,
        applied: Sequence[bytes],
        oldest_entry_ms: Callable[[], Awaitable[int]],
    ) -> None:
        """Commit waiting edits alone: the style is as it was, so only what changed is sent."""
        if loaded.profile is None or not loaded.ledger.has_room(len(applied)):
            await self.commit(loaded, profile, applied, oldest_entry_ms, max_versions=1)
            return
        known = len(loaded.profile.pending)
        waiting = [edit.model_dump(exclude_defaults=True) for edit in profile.pending[known:]]
        update: Document = {
            "$set": {
                "learn_due_at": profile.learn_due_at,
                "edits_applied": profile.edits_applied,
                "revision": profile.revision,
                "updated_at": profile.updated_at,
            },
            "$push": {"pending": {"$each": waiting}, "applied": b"".join(applied)},
        }
        await self._writes.call(swap(profile.user_id, loaded.profile.revision, update))

    async def mark(self, profile: Profile, late_tone: LateTone | None) -> None:
        """Replace the marks of edits whose tone is judged later, and nothing else. Raises ``RevisionConflict``."""
        changed = {"late_tone": late_tone.model_dump() if late_tone else None, "revision": profile.revision + 1}
        await self._writes.call(swap(profile.user_id, profile.revision, {"$set": changed}))

    async def barrier(self, user_id: str) -> None:
        """Wait until what is visible of ``user_id`` is durable.

        A job found applied may be another worker's write still in flight; settling its entry before that is durable
        lost 8 of 8 jobs to a killed mongod. An update that changes nothing waits for the same journal.
        """
        await self._call(lambda: self._collection.update_one({"_id": user_id}, {"$set": {"user_id": user_id}}))

    async def due(self, now: datetime, limit: int = 100) -> list[str]:
        """Return writers whose waiting edits are to be learned by ``now``, the longest overdue first."""
        return await self._overdue("learn_due_at", now, limit)

    async def tone_due(self, now: datetime, limit: int) -> list[str]:
        """Return writers whose marked edits are to be judged by ``now``, the longest overdue first."""
        return await self._overdue("late_tone.due_at", now, limit)

    async def _overdue(self, path: str, now: datetime, limit: int) -> list[str]:
        async def find() -> list[str]:
            cursor = self._collection.find({path: {"$lte": now}}, {"_id": 1})
            return [document["_id"] async for document in cursor.sort(path, 1).limit(limit)]

        return await self._call(find)

    async def count_due(self, now: datetime) -> tuple[int, int]:
        """Return how many writers have waiting edits, and for how many the time has come."""
        waiting = await self._call(lambda: self._collection.count_documents({"learn_due_at": {"$type": "date"}}))
        overdue = await self._call(lambda: self._collection.count_documents({"learn_due_at": {"$lte": now}}))
        return waiting, overdue

    async def history(self, user_id: str) -> Profile | None:
        """Return the whole profile, timeline and versions included."""
        document = await self._call(lambda: self._collection.find_one({"_id": user_id}, {"applied": 0}))
        return None if document is None else Profile.model_validate({"user_id": user_id, **document})

    async def forget(self, user_id: str) -> bool:
        """Delete the profile; return False when there was none."""
        result = await self._call(lambda: self._collection.delete_one({"_id": user_id}))
        return bool(result.deleted_count)

    async def _write(self, writes: Sequence[Write]) -> list[Exception | None]:
        """Apply the writes of several writers; one that the driver cannot even send spoils no other."""
        try:
            outcomes = await self._call(lambda: commit_all(self._collection, writes))
        except (DependencyDown, Misconfigured):
            raise
        except Exception as error:  # noqa: BLE001 - what it is decides its own caller
            if len(writes) == 1:
                return [error]
            return [outcome for write in writes for outcome in await self._write([write])]
        return [None if outcome is None else _translate(outcome) for outcome in outcomes]

    async def _call(self, operation: Callable[[], Awaitable[T]]) -> T:
        """Run one operation shielded and bounded; raise this service's errors in place of the driver's."""
        async with self._turns:
            try:
                with CancelScope(shield=True), pymongo.timeout(self._timeout):
                    return await operation()
                raise AssertionError("nothing cancels a shielded scope")
            except Exception as error:
                raise _translate(error) from error


def _is_enough(document: Document) -> bool:
    """Whether a part of each learned edit is enough: it has its facts, and no model is to be asked about it."""
    facts_are_there = all(are_current(edit.get("facts", b"")) for edit in document.get("recent_edits", ()))
    return facts_are_there and not document.get("late_tone")


def _trimmed(known: Ledger, applied: Sequence[bytes], oldest_ms: int) -> Document:
    """Return the fields that replace the ledger; the revision guards it like all the rest."""
    page, floor_ms = ledger.trim([known.joined, *applied], oldest_ms)
    return {"applied": [page], "ledger_floor": max(floor_ms, known.floor_ms)}


def _loaded(user_id: str, document: Document, parts: list[StyleDelta] | None = None) -> Loaded:
    """Return what ``document`` says, with ``parts`` of learned edits instead of its own."""
    known = Ledger.of(document.pop("applied", ()), document.pop("ledger_floor", 0))
    profile = Profile.model_validate({"user_id": user_id, **document})
    if parts is not None:
        profile.recent_edits = parts
    return Loaded(profile, known, frozenset([edit.job_id for edit in profile.recent_edits if are_current(edit.facts)]))


def _translate(error: Exception) -> Exception:
    match classify(error):
        case Fault.CONFLICT:
            return RevisionConflict()
        case Fault.TRANSIENT:
            return DependencyDown("mongodb", name(error))
        case Fault.CONFIG if why := untrusted(error):
            return Misconfigured(f"MongoDB has a certificate that is not trusted ({why}): check MONGODB_URI, tlsCAFile")
        case Fault.CONFIG:
            return Misconfigured(f"MongoDB refuses us ({name(error)}): check MONGODB_URI and the user's role")
        case Fault.POISON:
            return Unstorable(f"MongoDB cannot store the result ({name(error)})")
        case _:
            return error


def _encode(profile: Profile) -> Document:
    """Return the fields of ``profile`` for BSON, less history and learned edits."""
    document = profile.model_dump(exclude={"recent_edits", "pending", *_HISTORY})
    document["pending"] = [edit.model_dump(exclude_defaults=True) for edit in profile.pending]
    return document


def _encode_history(profile: Profile) -> Document:
    return profile.model_dump(include=set(_HISTORY))


def _pushed_history(profile: Profile, max_versions: int) -> Document:
    """Return the $push operators for what this revision added to the timeline and the versions."""
    pushes: Document = {}
    for name_, entries, kept in (
        ("evolution_timeline", profile.evolution_timeline, 50),
        ("versions", profile.versions, max_versions),
    ):
        fresh = [entry.model_dump() for entry in entries if entry.revision == profile.revision]
        if fresh:
            pushes[name_] = {"$each": fresh, "$slice": -kept}
    return pushes


def connect(uri: str, *, timeout: float, connections: int) -> AsyncMongoClient[Document]:
    """Return a client. Raises ``Misconfigured`` when the URI is wrong."""
    try:
        return AsyncMongoClient(
            uri,
            tz_aware=True,
            appname="learnsvc",
            maxPoolSize=connections,
            serverSelectionTimeoutMS=round(timeout * 1000),
            connectTimeoutMS=round(timeout * 1000),
        )
    except (ConfigurationError, InvalidURI, ValueError) as error:
        raise Misconfigured(f"MONGODB_URI is not usable: {_safe(error, uri)}") from None


def _safe(error: Exception, uri: str) -> str:
    """Return the driver's text unless it repeats a part of the URI that may hold a password."""
    text = str(error)
    return type(error).__name__ if "@" in uri or "@" in text else text


@asynccontextmanager
async def open_profiles(
    uri: str,
    *,
    timeout: float,  # noqa: ASYNC109 - the driver's own, see above
    connections: int,
    indexes: bool = True,
) -> AsyncIterator[ProfileStore]:
    """Connect, set up the models and indexes, yield the store, and close when nothing is in flight."""
    client = connect(uri, timeout=timeout, connections=connections)
    try:
        database = client.get_default_database(DEFAULT_DATABASE)
        if not client.write_concern.document:
            database = database.with_options(write_concern=DURABLE)
        models = [StyleProfile]
        with CancelScope(shield=True), pymongo.timeout(timeout):
            try:
                await init_beanie(database, document_models=models, skip_indexes=not indexes)
            except Exception as error:
                raise _translate(error) from error
        collection = StyleProfile.get_pymongo_collection()
        yield ProfileStore(collection, timeout=timeout, connections=connections)
    finally:
        with CancelScope(shield=True):
            await client.close()
