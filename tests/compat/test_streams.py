"""The streams suite on Redis 6.2, 7.x and 8.x."""

from tests.compat.servers import redis_admin, redis_server
from tests.streams.test_group import *

__all__ = ["redis_admin", "redis_server"]
