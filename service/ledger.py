"""The ledger of applied jobs: what makes an effect count once, however often its entry is delivered.

An item is 26 bytes: 16 of the job id's hash, 4 of its content's, 6 of the entry's time in milliseconds. It is written
in the same update as the effect, into the profile document: the items of a commit, one after the other, are one value
of the array ``applied``, a *page*. A worker reads all pages with the profile, 26 KB for a thousand jobs. (Letting
MongoDB pick the items asked for took it 0.25 ms of CPU an id.)

Commits append pages until 64 or 250 items came since the last time; then all become the first page, of which at least
the newest 1,000 items stay and beyond them every item not older than the oldest entry of the stream, because only
entries in the stream can be delivered again. Past 20,000 the oldest go and leave a floor: an entry at or below it that
is not in the ledger cannot be decided, so it is dead-lettered as ``undecidable`` and never applied a second time.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

KEEP = 1_000
LIMIT = 20_000
MAX_PAGES, MAX_APPENDED = 64, 250
SIZE = 26
_ID = slice(16)
_CONTENT = slice(16, 20)
_TIME = slice(20, 26)

Seen = Literal["new", "applied", "id_reuse", "undecidable"]


def item(ledger_id: bytes, content_hash: bytes, entry_ms: int) -> bytes:
    """Return the 26 bytes that record one applied job."""
    return ledger_id + content_hash + min(entry_ms, 2**48 - 1).to_bytes(6, "big")


def id_of(one: bytes) -> bytes:
    """Return the 16 bytes of an item that stand for its job id."""
    return one[_ID]


def is_same_content(one: bytes, other: bytes) -> bool:
    """Whether two items are of jobs with the same content."""
    return one[_CONTENT] == other[_CONTENT]


def items(pages: Iterable[bytes]) -> list[bytes]:
    """Return the items of some pages, in order."""
    joined = b"".join(pages)
    return [joined[start : start + SIZE] for start in range(0, len(joined), SIZE)]


@dataclass(frozen=True, slots=True)
class Ledger:
    """The ledger of one writer as read, all pages joined; ``appended`` are the items behind the first page."""

    joined: bytes = b""
    page_count: int = 0
    appended: int = 0
    floor_ms: int = 0

    @classmethod
    def of(cls, pages: Sequence[bytes], floor_ms: int = 0) -> Ledger:
        joined = b"".join(pages)
        return cls(joined, len(pages), (len(joined) - len(pages[0])) // SIZE if pages else 0, floor_ms)

    @property
    def size(self) -> int:
        """How many jobs are recorded."""
        return len(self.joined) // SIZE

    def has_room(self, count: int) -> bool:
        """Whether a page of ``count`` items may be appended; else all is to be written anew (``trim``)."""
        return not self.page_count or (self.page_count < MAX_PAGES and self.appended + count <= MAX_APPENDED)

    def judge(self, one: bytes) -> Seen:
        """Say whether the job of an item was applied already."""
        content = self._content(id_of(one))
        if content is not None:
            return "applied" if content == one[_CONTENT] else "id_reuse"
        return "undecidable" if _time_of(one) <= self.floor_ms else "new"

    def _content(self, ledger_id: bytes) -> bytes | None:
        at = self.joined.find(ledger_id)
        while at > 0 and at % SIZE:
            at = self.joined.find(ledger_id, at + 1)
        return self.joined[at : at + SIZE][_CONTENT] if at >= 0 else None


def trim(pages: Iterable[bytes], oldest_ms: int, *, keep: int = KEEP, limit: int = LIMIT) -> tuple[bytes, int]:
    """Return the page that replaces all, and the floor: 0, or the newest time that was dropped for good.

    ``oldest_ms`` is the time of the oldest entry still in the stream.
    """
    found = items(pages)
    older, newest = found[:-keep], found[-keep:]
    kept = [one for one in older if _time_of(one) >= oldest_ms] + newest
    dropped = kept[:-limit]
    return b"".join(kept[-limit:]), max(map(_time_of, dropped), default=0)


def _time_of(one: bytes) -> int:
    return int.from_bytes(one[_TIME], "big")
