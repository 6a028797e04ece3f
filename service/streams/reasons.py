"""Why jobs are dead, counted by the Redis server: a dead letter carries its payload, up to a megabyte of a writer's
text, and none of that has to travel for a number.

The newest ``NEWEST`` letters of each partition are counted: enough to say what is wrong now, and it bounds how long
the script holds the server.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Awaitable
from typing import cast

import redis.exceptions
from redis.asyncio import Redis

from service.streams.keys import Keys

NEWEST = 100
SHOWN = 12  # reasons; what remains is one line
_SCRIPT = """
local reasons = {}
for _, letter in ipairs(redis.call('XREVRANGE', KEYS[1], '+', '-', 'COUNT', ARGV[1])) do
  for i = 1, #letter[2], 2 do
    if letter[2][i] == 'reason' then reasons[#reasons + 1] = string.sub(letter[2][i + 1], 1, 40) end
  end
end
return reasons
"""


async def count_reasons(redis_: Redis, keys: Keys) -> tuple[tuple[str, int], ...]:
    """Return reasons of the newest dead letters with their number, the commonest first; nothing without EVAL."""
    counts: Counter[str] = Counter()
    for partition in keys.partitions:
        try:
            reply = await cast(Awaitable[list[bytes]], redis_.eval(_SCRIPT, 1, partition.dead, str(NEWEST)))
        except redis.exceptions.ResponseError:
            continue
        counts.update(reason.decode("utf-8", "backslashreplace") for reason in reply)
    shown = counts.most_common(SHOWN)
    rest = counts.total() - sum(number for _, number in shown)
    return (*shown, ("others", rest)) if rest else tuple(shown)
