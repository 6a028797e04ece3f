"""Appending jobs: validated first, then pipelined. Any other producer may do the same with XADD alone."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import orjson
from redis.asyncio import Redis

from schemas.job import DEFAULT_MAX_BYTES, InvalidJob, LearningJob, decode_job
from service.streams.keys import Keys

PIPELINE = 200  # entries a round trip: large enough to hide it, small enough to hold in memory


def encode(job: Mapping[str, Any], *, max_bytes: int = DEFAULT_MAX_BYTES) -> tuple[LearningJob, bytes]:
    """Return the validated job and its bytes for the field ``job``. Raises ``InvalidJob``."""
    try:
        raw = orjson.dumps(job)
    except (TypeError, ValueError) as error:
        raise InvalidJob("invalid", "holds a value that JSON cannot hold, such as a lone surrogate") from error
    return decode_job(raw, max_bytes=max_bytes), raw


async def append(redis: Redis, keys: Keys, jobs: Iterable[tuple[LearningJob, bytes]]) -> list[str]:
    """Append ``jobs`` in one round trip and return their entry ids. Never retried: a retry would append twice."""
    async with redis.pipeline(transaction=False) as pipe:
        for job, raw in jobs:
            pipe.xadd(keys.for_writer(job.user_id).jobs, {b"job": raw})
        return [id.decode() for id in await pipe.execute()]
