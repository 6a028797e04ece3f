"""An entry as it was delivered, and what it says: who wrote, what job, when."""

from __future__ import annotations

import hashlib
import re
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from types import MappingProxyType
from typing import Literal

import orjson

from schemas.job import InvalidJob, LearningJob, decode_job, known_job
from schemas.made import assign
from service import ledger
from service.streams.keys import PartitionKeys

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
FUTURE_LIMIT = timedelta(minutes=5)
LARGE_CHARACTERS = 50_000  # above this an analysis may take 50 ms and more: it goes to a process of its own
MAX_FIELDS = 16
NO_FIELDS: Mapping[bytes, bytes] = MappingProxyType({})
_ENTRY_ID = re.compile(r"\d{1,20}-\d{1,20}\Z")


@dataclass(slots=True)  # frozen, it would take three times as long to make
class Delivery:
    """One entry handed to this consumer: its field ``job`` and its other fields; ``deliveries`` counts this one too.

    Thousands are held, and few have other fields, so these share one mapping: a dictionary costs 260 bytes. After
    decoding its payload may be let go (``InWork.unburden``); it is read again when its batch begins.
    """

    keys: PartitionKeys
    id: str
    payload: bytes | None
    others: Mapping[bytes, bytes] = field(default_factory=lambda: NO_FIELDS)
    deliveries: int = 1

    @classmethod
    def of(cls, keys: PartitionKeys, id: str, fields: Mapping[bytes, bytes], deliveries: int = 1) -> Delivery:
        """From all ``fields`` of the entry."""
        others = {name: value for name, value in fields.items() if name != b"job"}
        return cls(keys, id, fields.get(b"job"), others or NO_FIELDS, deliveries)

    @property
    def ms(self) -> int:
        """Milliseconds since 1970 in the entry id: the Redis clock when it was appended."""
        return int(self.id.partition("-")[0])

    @property
    def size(self) -> int:
        """Bytes of the payload, as far as it is held."""
        return len(self.payload or b"")


@dataclass(slots=True)
class Work:
    """What a delivery asks for; or ``spent``: out of attempts, and only to be told what became of it.

    A worker may hold twenty thousand of these, so of the job no more is kept than sorting them, judging them by the
    ledger and naming them takes; ``item`` is what the ledger has of it. With an emoji in them texts take four bytes a
    character, and in the entry they stand anyhow: ``job`` reads them again from its payload, of ``size`` bytes.
    """

    delivery: Delivery
    user_id: str
    job_id: str
    item: bytes
    size: int = 0
    is_large: bool = False
    spent: bool = False

    def job(self, payload: bytes) -> LearningJob:
        """Return the job in the entry's ``payload``, with its id and time also where the entry's stand for them."""
        job = known_job(payload)
        # Made a moment ago, and nobody else has it.
        assign(job, {"job_id": self.job_id, "edited_at": _edited_at(job, _identity(self.delivery))})
        return job


Verdict = Literal["skip", "spent", "work"]


def triage(deliveries: int, *, in_work: bool, max_attempts: int) -> Verdict:
    """Say what to do with a delivery before its payload is looked at.

    Above ``max_attempts`` it is not worked on again.
    """
    if in_work:
        return "skip"
    if deliveries > max_attempts:
        return "spent"
    return "work"


def decode(delivery: Delivery, *, now: datetime, max_bytes: int) -> Work:
    """Return what ``delivery`` asks for. Raises ``InvalidJob``."""
    fields = len(delivery.others) + (delivery.payload is not None)
    if fields > MAX_FIELDS:
        raise InvalidJob("invalid", f"the entry has {fields:,} fields, at most {MAX_FIELDS} are expected")
    if delivery.payload is None:
        raise InvalidJob("invalid", "the entry has no field `job`")
    job = decode_job(delivery.payload, max_bytes=max_bytes)
    identity = _identity(delivery)
    if _edited_at(job, identity) > now + FUTURE_LIMIT:
        raise InvalidJob("future_time", "edited_at is more than 5 minutes ahead of the Redis clock")
    job_id = job.job_id or identity
    return Work(
        delivery,
        sys.intern(job.user_id),  # one string for all entries of a writer
        job_id,
        ledger.item(ledger_id(job_id), content_hash(job), delivery.ms),
        delivery.size,
        is_large(job),
    )


def is_large(job: LearningJob) -> bool:
    """Whether both texts together are so long that to analyse them here would hold everything up."""
    return _length(job.original_text) + _length(job.edited_text) >= LARGE_CHARACTERS


def _length(text: str | list[str]) -> int:
    return len(text) if isinstance(text, str) else sum(map(len, text))


def ledger_id(job_id: str) -> bytes:
    """Return the 16 bytes that stand for ``job_id`` in the ledger of applied jobs."""
    return hashlib.blake2b(job_id.encode(), digest_size=16).digest()


def content_hash(job: LearningJob) -> bytes:
    """Return 4 bytes of the content, to tell a repeated job from another one under the same id."""
    content = orjson.dumps([job.content_id, job.original_text, job.edited_text])
    return hashlib.blake2b(content, digest_size=4).digest()


def _identity(delivery: Delivery) -> str:
    """Return the entry id, or the first one of an entry that came back from the dead letters."""
    source = delivery.others.get(b"source_id", b"").decode("ascii", "replace")
    return source if _ENTRY_ID.match(source) else delivery.id


def _edited_at(job: LearningJob, identity: str) -> datetime:
    """Return when the writer saved, in milliseconds: MongoDB keeps no more, and what is compared must be stored."""
    time = job.edited_at
    return time.replace(microsecond=time.microsecond // 1000 * 1000) if time else _time_of(identity)


def _time_of(entry_id: str) -> datetime:
    try:
        return _EPOCH + timedelta(milliseconds=int(entry_id.partition("-")[0]))
    except OverflowError:
        raise InvalidJob("invalid", "the entry id holds no time: give edited_at") from None
