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

from schemas.job import ContentFormat, InvalidJob, LearningJob, decode_job
from service.streams.keys import PartitionKeys

FUTURE_LIMIT = timedelta(minutes=5)
MAX_FIELDS = 16
NO_FIELDS: Mapping[bytes, bytes] = MappingProxyType({})
_ENTRY_ID = re.compile(r"\d{1,20}-\d{1,20}\Z")


@dataclass(frozen=True, slots=True)
class Delivery:
    """One entry handed to this consumer: its field ``job`` and its other fields; ``deliveries`` counts this one too.

    Thousands are held, and few have other fields, so these share one mapping: a dictionary costs 260 bytes.
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
        """Bytes of the payload."""
        return len(self.payload or b"")


@dataclass(frozen=True, slots=True)
class Work:
    """What a delivery asks for; or ``spent``: out of attempts, and only to be told what became of it.

    A worker may hold ten thousand of these, so the texts are not kept: with an emoji in them they take four bytes a
    character, and in the entry they stand anyhow. ``job`` reads them again, when they are needed.
    """

    delivery: Delivery
    user_id: str
    content_id: str
    job_id: str
    edited_at: datetime
    ledger_id: bytes
    content_hash: bytes
    platform: str | None = None
    content_format: ContentFormat | None = None
    characters: int = 0  # of both texts
    spent: bool = False

    def job(self) -> LearningJob:
        """Return the job with its texts."""
        return LearningJob.model_validate(orjson.loads(self.delivery.payload or b""))


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
    edited_at = job.edited_at or _time_of(identity)
    if edited_at > now + FUTURE_LIMIT:
        raise InvalidJob("future_time", "edited_at is more than 5 minutes ahead of the Redis clock")
    job_id = job.job_id or identity
    return Work(
        delivery,
        sys.intern(job.user_id),  # one string for all entries of a writer
        job.content_id,
        job_id,
        _to_milliseconds(edited_at),
        ledger_id(job_id),
        content_hash(job),
        job.platform,
        job.content_format,
        characters(job),
    )


def characters(job: LearningJob) -> int:
    """Return how long both texts are together."""
    texts = (job.original_text, job.edited_text)
    return sum(len(text) if isinstance(text, str) else sum(map(len, text)) for text in texts)


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


def _time_of(entry_id: str) -> datetime:
    ms = int(entry_id.partition("-")[0])
    try:
        return datetime.fromtimestamp(ms / 1000, UTC)
    except (OverflowError, ValueError, OSError):
        raise InvalidJob("invalid", "the entry id holds no time: give edited_at") from None


def _to_milliseconds(time: datetime) -> datetime:
    """MongoDB keeps milliseconds; what is compared must be what is stored."""
    return time.replace(microsecond=time.microsecond // 1000 * 1000)
