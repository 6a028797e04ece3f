"""A private Redis and MongoDB for `demo`, `dev` and the tests; never part of a worker.

    with EmbeddedRedis() as redis, EmbeddedMongo() as mongo:
        print(redis.url, mongo.url)

The servers bind 127.0.0.1 only, on free ports, and never outlive the command, also when it is killed with
SIGKILL (`leash.py`). They run in sessions of their own: Ctrl-C on the terminal reaches only the command,
which can still write while it stops. Async code uses `async with`: start and stop then happen in a thread.
"""

from service.embedded.programs import (
    EmbeddedUnavailable,
    find_mongod,
    find_redis_server,
    program_version,
)
from service.embedded.servers import EmbeddedFailed, EmbeddedMongo, EmbeddedRedis, start_both

__all__ = [
    "EmbeddedFailed",
    "EmbeddedMongo",
    "EmbeddedRedis",
    "EmbeddedUnavailable",
    "find_mongod",
    "find_redis_server",
    "program_version",
    "start_both",
]
