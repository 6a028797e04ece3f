"""The ledger of applied jobs: what makes an effect count once, however often its entry is delivered.

An item is 26 bytes: 16 of the job id's hash, 4 of its content's, 6 of the entry's time in milliseconds. Items are an
array in the profile document, written in the same update as the effect. At least the newest 1,000 stay; beyond them
every item not older than the oldest entry of the stream, because only entries in the stream can be delivered again.
Past 20,000 the oldest go and leave a floor: an entry at or below it that is not in the ledger cannot be decided, so it
is dead-lettered as ``undecidable`` and never applied a second time.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Literal

KEEP = 1_000
SLACK = 250  # trimmed only when this much over, so that most commits append and few rewrite
LIMIT = 20_000
_ID = slice(0, 16)
_CONTENT = slice(16, 20)
_TIME = slice(20, 26)
_LOW, _HIGH = b"\x00" * 10, b"\xff" * 10

Seen = Literal["new", "applied", "id_reuse", "undecidable"]


def item(ledger_id: bytes, content_hash: bytes, entry_ms: int) -> bytes:
    """Return the 26 bytes that record one applied job."""
    return ledger_id + content_hash + min(entry_ms, 2**48 - 1).to_bytes(6, "big")


def lookup(asked: Sequence[tuple[str, Sequence[bytes]]]) -> dict[str, Any]:
    """Return the projection that lets MongoDB pick the items asked for, ids by writer, out of the writer's ledger."""
    of_writer: dict[str, list[bytes]] = {}
    for user_id, ledger_ids in asked:
        of_writer.setdefault(user_id, []).extend(ledger_ids)
    picks = {user_id: _pick(ledger_ids) for user_id, ledger_ids in of_writer.items()}
    if len(picks) == 1:
        return next(iter(picks.values()))
    branches = [{"case": {"$eq": ["$_id", {"$literal": user_id}]}, "then": pick} for user_id, pick in picks.items()]
    return {"$switch": {"branches": branches, "default": []}}


def _pick(ledger_ids: Sequence[bytes]) -> dict[str, Any]:
    """Return the expression for one writer. Binary values compare by length, then bytes: an id is a range of items."""
    ranges = [{"$and": [{"$gte": ["$$this", id + _LOW]}, {"$lte": ["$$this", id + _HIGH]}]} for id in ledger_ids]
    ledger = {"$ifNull": ["$applied", []]}
    return {"$filter": {"input": ledger, "cond": {"$or": ranges}}} if ranges else {"$literal": []}


@dataclass(frozen=True, slots=True)
class Ledger:
    """What was asked of the ledger: the items found, its size and floor."""

    found: dict[bytes, bytes]
    size: int = 0
    floor_ms: int = 0

    @classmethod
    def of(cls, items: Iterable[bytes], size: int = 0, floor_ms: int = 0) -> Ledger:
        return cls({bytes(item[_ID]): bytes(item[_CONTENT]) for item in items}, size, floor_ms)

    def judge(self, ledger_id: bytes, content_hash: bytes, entry_ms: int) -> Seen:
        """Say whether a job was applied already."""
        content = self.found.get(ledger_id)
        if content is not None:
            return "applied" if content == content_hash else "id_reuse"
        return "undecidable" if entry_ms <= self.floor_ms else "new"


def trim(items: Sequence[bytes], oldest_ms: int, *, keep: int = KEEP, limit: int = LIMIT) -> tuple[list[bytes], int]:
    """Return the items to keep, in order, and the floor: 0, or the newest time that was dropped for good.

    ``oldest_ms`` is the time of the oldest entry still in the stream.
    """
    older, newest = items[:-keep], list(items[-keep:])
    kept = [item for item in older if int.from_bytes(item[_TIME], "big") >= oldest_ms] + newest
    if len(kept) <= limit:
        return kept, 0
    dropped = kept[:-limit]
    return kept[-limit:], max(int.from_bytes(item[_TIME], "big") for item in dropped)
