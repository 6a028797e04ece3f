"""Looking at our own rights before the first job is touched.

A right that is missing would otherwise show itself in the middle of a job: an entry learned that cannot be settled, a
dead letter that cannot be written. So the worker asks both servers when it starts, and says what to grant.
"""

from __future__ import annotations

from redis.asyncio import Redis

from service.errors import Misconfigured
from service.logs import get_logger
from service.profiles import ProfileStore
from service.streams.keys import Keys
from service.streams.rights import missing_rights


async def require_rights(redis: Redis, keys: Keys, store: ProfileStore, *, sharing: bool) -> None:
    """Raise ``Misconfigured``, which names what the user of Redis or of MongoDB lacks.

    Where a server does not tell (a proxy without MULTI), nothing is missing until a command is refused. What is needed
    for ``sharing`` answers and budget of a model is only warned of: each worker can go by its own memory.
    """
    if rules := await missing_rights(redis, keys):
        lacks = " ".join(rules)
        raise Misconfigured(f"The Redis user lacks {lacks}: grant it with ACL SETUSER name {lacks}")
    if actions := await store.missing_actions():
        raise Misconfigured(
            f"The MongoDB user may not {', '.join(actions)} in {store.name}: grant a role with find, insert, update"
        )
    if sharing and (rules := await missing_rights(redis, keys, sharing=True)):
        lacks = " ".join(rules)
        get_logger().warning(f"The Redis user lacks {lacks}: answers and budget of Gemini are not shared by workers")
