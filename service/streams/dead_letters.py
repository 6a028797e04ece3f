"""Looking at dead letters, putting them back on the stream, dropping them."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime

import orjson
from pydantic import TypeAdapter, ValidationError
from redis.asyncio import Redis

from schemas.dead_letter import DeadLetter, EarlierDeath
from service.streams.client import Scripts
from service.streams.keys import Keys, PartitionKeys
from service.streams.replies import entries

_OWN = frozenset({"source_id", "deliveries", "dead_ms", "reason", "detail", "user_id", "job_id"})
_RAW_PREFIX = "raw:"
_HISTORY = "history"
_KEPT_DEATHS = 10
_DEATHS = TypeAdapter(list[EarlierDeath])
PAGE = 16  # whole payloads, of at most 1 MiB each by default


def why(reason: str, detail: str, payload: bytes | None) -> dict[str, str]:
    """Return the fields that say why an entry is dead, with whom it concerns when the payload tells."""
    letter = {"reason": reason, "detail": detail}
    try:
        value = orjson.loads(payload or b"")
    except orjson.JSONDecodeError:
        return letter
    for key in ("user_id", "job_id"):
        if isinstance(value, dict) and isinstance(value.get(key), str):
            letter[key] = value[key][:128]
    return letter


def parse(id: str, fields: dict[bytes, bytes]) -> DeadLetter:
    """Return the dead letter in an entry of the dead-letter stream."""
    own: dict[str, str] = {}
    raw: dict[str, str] = {}
    for key, value in fields.items():
        name = key.decode("utf-8", "backslashreplace")
        text = value.decode("utf-8", "backslashreplace")
        if name in _OWN:
            own[name] = text
        else:
            raw[name.removeprefix(_RAW_PREFIX)] = text
    dead_ms = int(own.pop("dead_ms", 0))
    dead_at = datetime.fromtimestamp(dead_ms / 1000, UTC).isoformat(timespec="milliseconds")
    history = _earlier_deaths(raw.get(_HISTORY))
    if history:
        del raw[_HISTORY]
    known = {"id": id, "dead_at": dead_at, "fields": raw, "history": history}
    return DeadLetter.model_validate({**known, **own}, strict=False)


def _earlier_deaths(raw: str | None) -> list[EarlierDeath]:
    """Return the deaths that an entry remembers; none where a producer uses the field for something else."""
    try:
        return _DEATHS.validate_json(raw or "[]")
    except ValidationError:
        return []


async def walk(redis: Redis, keys: Keys) -> AsyncIterator[tuple[PartitionKeys, str, dict[bytes, bytes]]]:
    """Yield every dead letter, the oldest of each partition first."""
    for partition in keys.partitions:
        start = "-"
        while page := entries(await redis.xrange(partition.dead, start, "+", count=PAGE)):
            for id, fields in page:
                yield partition, id, fields
            start = f"({page[-1][0]}"


async def newest(redis: Redis, keys: Keys, count: int) -> list[DeadLetter]:
    """Return the newest dead letters of all partitions without their payloads, which stay on the server."""
    found: list[DeadLetter] = []
    for partition in keys.partitions:
        for id, pairs in await Scripts(redis).run("letters", [partition.dead], [count]):
            found.append(parse(id.decode(), dict(zip(pairs[::2], pairs[1::2], strict=True))))
    return sorted(found, key=lambda letter: letter.dead_at, reverse=True)[:count]


async def find(redis: Redis, keys: Keys, id: str) -> tuple[PartitionKeys, dict[bytes, bytes]] | None:
    """Return the dead letter ``id`` and its partition."""
    for partition in keys.partitions:
        for _, fields in entries(await redis.xrange(partition.dead, id, id)):
            return partition, fields
    return None


async def replay(redis: Redis, partition: PartitionKeys, id: str, fields: dict[bytes, bytes]) -> str | None:
    """Put a dead letter back with its payload, identity, history and trace; return the new id, None if it is gone."""
    named = {**revived_fields(fields), **_remembered(id, fields)}
    entry = [part for name, value in named.items() for part in (name, value)]
    new = await Scripts(redis).run("revive", [partition.dead, partition.jobs], [id, *entry])
    return new.decode() if new else None


def revived_fields(fields: dict[bytes, bytes]) -> dict[bytes, bytes]:
    """Return the fields of the entry that a dead letter came from; ``source_id`` keeps a job without id itself."""
    prefix = _RAW_PREFIX.encode()
    entry = {name: value for name, value in fields.items() if name in (b"job", b"traceparent", b"tracestate")}
    raw = {name.removeprefix(prefix): value for name, value in fields.items() if name.startswith(prefix)}
    return {**entry, b"source_id": fields[b"source_id"], **raw}


def _remembered(id: str, fields: dict[bytes, bytes]) -> dict[bytes, bytes]:
    """Return the field in which the entry carries its deaths along, this one last."""
    letter = parse(id, fields)
    if _HISTORY in letter.fields:
        return {}
    last = EarlierDeath.model_validate(letter.model_dump())
    return {_HISTORY.encode(): _DEATHS.dump_json([*letter.history, last][-_KEPT_DEATHS:])}


async def drop(redis: Redis, partition: PartitionKeys, id: str) -> bool:
    """Delete a dead letter for good."""
    return bool(await redis.xdel(partition.dead, id))
