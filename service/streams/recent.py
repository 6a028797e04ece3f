"""The writers learned last, by all workers: one field of the history, so that it survives restarts.

Every worker that is looked at adds what it learned once a second, when there is anything, so a batch costs nothing. Two
that write in the same moment may lose a row of the other: it is a list for people to glance at, and the next second
brings new ones. It names writers and patterns and holds no text.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import astuple, dataclass

import orjson
from redis.asyncio import Redis

from service.streams.keys import Keys

FIELD = "recent"
MOST = 10


@dataclass(frozen=True, slots=True)
class Learnt:
    """An update of a writer's profile. ``at`` is in seconds since 1970, by the server's clock."""

    at: float
    user_id: str
    patterns: tuple[str, ...]
    score_before: float
    score_after: float


async def share_recent(redis: Redis, keys: Keys, own: Sequence[Learnt]) -> tuple[Learnt, ...]:
    """Add ``own`` to the writers learned last and return all of these, the newest first, each once."""
    history = keys.partitions[0].minutes
    (raw,) = await redis.hmget(history, [FIELD])
    shared = _newest([*own, *_decoded(raw)])
    if own:
        await redis.hset(history, FIELD, orjson.dumps([astuple(one) for one in shared]))
    return shared


async def forget_recent(redis: Redis, keys: Keys, user_id: str) -> None:
    """Take ``user_id`` out of the writers learned last."""
    history = keys.partitions[0].minutes
    (raw,) = await redis.hmget(history, [FIELD])
    rows = _decoded(raw)
    left = [one for one in rows if one.user_id != user_id]
    if len(left) < len(rows):
        await redis.hset(history, FIELD, orjson.dumps([astuple(one) for one in left]))


def _newest(rows: Sequence[Learnt]) -> tuple[Learnt, ...]:
    newest: dict[str, Learnt] = {}
    for one in sorted(rows, key=lambda one: one.at, reverse=True):
        newest.setdefault(one.user_id, one)
    return tuple(newest.values())[:MOST]


def _decoded(raw: bytes | str | None) -> list[Learnt]:
    """Return the rows of the field; none when somebody else wrote it."""
    try:
        return [
            Learnt(float(at), str(user_id), tuple(map(str, patterns)), float(before), float(after))
            for at, user_id, patterns, before, after in orjson.loads(raw or b"[]")
        ]
    except (TypeError, ValueError):
        return []
