"""What pages ask for when somebody looks: profiles and dead letters, on connections of their own in the HTTP thread.

So a page works while the worker's loop does not, and no number of viewers takes a connection from the worker: two to
MongoDB, two to Redis, opened with the first question. Answers are kept for a second.
"""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable
from typing import TypeVar

from redis.asyncio import Redis

from schemas.dead_letter import DeadLetter
from schemas.profile import Profile
from service.profiles import DEFAULT_DATABASE, ProfileStore, connect
from service.settings import Settings
from service.streams import client, dead_letters
from service.streams.keys import Keys

CONNECTIONS = 2
SECONDS = 4.0  # what a question may take
FRESH_SECONDS = 1.0
REMEMBERED = 64  # answers
NEWEST = 50  # dead letters
COLLECTION = "style_profiles"

T = TypeVar("T")


class Source:
    """Answers for pages; used in one event loop."""

    def __init__(self, settings: Settings, clock: Callable[[], float] = time.monotonic) -> None:
        self._settings = settings
        self._clock = clock
        self._store: ProfileStore | None = None
        self._redis: Redis | None = None
        self._answers: dict[str, tuple[float, object]] = {}

    async def profile(self, user_id: str) -> Profile | None:
        """Return the whole profile. Raises ``DependencyDown`` or ``Misconfigured``."""
        return await self._fresh(f"profile {user_id}", lambda: self._profiles().history(user_id))

    async def dead(self) -> list[DeadLetter]:
        """Return the newest dead letters without their payload. Raises what redis-py raises."""
        return await self._fresh("dead", self._ask_dead)

    async def _ask_dead(self) -> list[DeadLetter]:
        keys = Keys.of(self._settings.learning_key_prefix, self._settings.learning_partitions)
        return await dead_letters.newest(self._client(), keys, NEWEST)

    async def _fresh(self, name: str, ask: Callable[[], Awaitable[T]]) -> T:
        now = self._clock()
        known = self._answers.get(name)
        if known is not None and now - known[0] < FRESH_SECONDS:
            return known[1]  # type: ignore[return-value]
        answer = await ask()
        if len(self._answers) >= REMEMBERED:
            self._answers.clear()
        self._answers[name] = (now, answer)
        return answer

    def _profiles(self) -> ProfileStore:
        if self._store is None:
            mongo = connect(self._settings.mongodb_uri.get_secret_value(), timeout=SECONDS, connections=CONNECTIONS)
            collection = mongo.get_default_database(DEFAULT_DATABASE)[COLLECTION]
            self._store = ProfileStore(collection, timeout=SECONDS, connections=CONNECTIONS)
        return self._store

    def _client(self) -> Redis:
        if self._redis is None:
            self._redis = client.connect(self._settings.redis_url.get_secret_value(), timeout=SECONDS)
        return self._redis
