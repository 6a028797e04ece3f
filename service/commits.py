"""Writes of many writers in one bulk, each of them a compare-and-swap of its own, and each with its own verdict.

MongoDB (before 8.0) answers an unordered bulk with errors by position and with *how many* filters matched, not which.
So every write leaves a mark of its own in its document, ``commit_mark``. When as many matched as were sent, as nearly
always, that is the proof; else the marks are read back: whose is there was written, and the answer that named the
write concern says it is durable. A mark that is not there was forestalled, or overtaken since: the caller loads again,
and the ledger tells.
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pymongo import InsertOne, UpdateOne
from pymongo.asynchronous.collection import AsyncCollection
from pymongo.errors import BulkWriteError, WriteError

from service.errors import RevisionConflict

Document = dict[str, Any]
MARK = "commit_mark"


@dataclass(frozen=True, slots=True)
class Write:
    """One writer's write. ``known`` is False for the first document of a writer."""

    user_id: str
    mark: bytes
    operation: InsertOne[Document] | UpdateOne
    known: bool = True


def insertion(user_id: str, fields: Mapping[str, Any]) -> Write:
    """Return the write that creates a writer's document."""
    mark = secrets.token_bytes(8)
    return Write(user_id, mark, InsertOne({"_id": user_id, **fields, MARK: mark}), known=False)


def swap(user_id: str, revision: int, update: Mapping[str, Any]) -> Write:
    """Return the write that changes ``revision`` of a writer's document, and no other, by ``update``."""
    mark = secrets.token_bytes(8)
    operators = {**update, "$set": {**update["$set"], MARK: mark}}
    return Write(user_id, mark, UpdateOne({"_id": user_id, "revision": revision}, operators))


async def commit_all(collection: AsyncCollection[Document], writes: Sequence[Write]) -> list[Exception | None]:
    """Apply ``writes``; return None for each that is in its document, ``RevisionConflict`` or its error else.

    Raises the driver's errors when the outcome of all of them is unknown.
    """
    outcomes: list[Exception | None] = [None] * len(writes)
    try:
        result = await collection.bulk_write([write.operation for write in writes], ordered=False)
        matched = result.matched_count
    except BulkWriteError as error:
        if error.details["writeConcernErrors"]:
            raise
        for failed in error.details["writeErrors"]:
            outcomes[failed["index"]] = WriteError("", failed["code"])
        matched = error.details["nMatched"]
    sent = [place for place, write in enumerate(writes) if write.known and outcomes[place] is None]
    if matched != len(sent):
        found = await _marks(collection, [writes[place].user_id for place in sent])
        for place in sent:
            if found.get(writes[place].user_id) != writes[place].mark:
                outcomes[place] = RevisionConflict()
    return outcomes


async def _marks(collection: AsyncCollection[Document], users: Sequence[str]) -> dict[str, bytes]:
    cursor = collection.find({"_id": {"$in": list(users)}}, {MARK: 1})
    return {document["_id"]: document.get(MARK, b"") async for document in cursor}
