"""Tone judged with answers, budget and cost that all workers share."""

from __future__ import annotations

import time
from dataclasses import replace

from redis.asyncio import Redis

from service.tone.budget import LocalCallBudget
from service.tone.options import ToneOptions
from service.tone.shared import STEP_SECONDS, RedisCallBudget, RedisToneCache, SharedRedis, ToneKeys
from service.tone.usage import RedisUsageLog

# Of the time-out: less than the classifier's patience with a store, so that the store's own fallback comes first.
STEP_SHARE = 0.2


def share(options: ToneOptions, redis: Redis, prefix: str, cache_seconds: int) -> ToneOptions:
    """Return ``options`` with stores in ``redis`` under the hash tag ``prefix``; this process's own stand behind them.

    The client is not closed with the classifier.
    """
    step = min(STEP_SECONDS, options.timeout_seconds * STEP_SHARE)
    shared, keys = SharedRedis(redis, step_seconds=step), ToneKeys.of(prefix)
    local = LocalCallBudget(options.max_calls_per_minute, time.monotonic, options.daily_tokens)
    return replace(
        options,
        cache=RedisToneCache(shared, keys.answers, cache_seconds),
        budget=RedisCallBudget(shared, keys, options.max_calls_per_minute, local, options.daily_tokens),
        usage=RedisUsageLog(shared, keys),
    )
