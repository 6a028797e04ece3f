"""The least ACL on Redis 6.2, 7.x and 8.x: the same rules suffice, deny the rest, and are asked for the same way."""

from tests.compat.servers import redis_admin, redis_server
from tests.security.conftest import guarded_mongo, least, mongo_root, mongo_user, redis_user
from tests.security.test_least_rights import (
    keys,
    pytestmark,
    test_a_worker_needs_no_more,
    test_asking_runs_nothing,
    test_each_missing_right_is_found,
    test_everything_else_is_denied,
)

__all__ = [
    "guarded_mongo",
    "keys",
    "least",
    "mongo_root",
    "mongo_user",
    "pytestmark",
    "redis_admin",
    "redis_server",
    "redis_user",
    "test_a_worker_needs_no_more",
    "test_asking_runs_nothing",
    "test_each_missing_right_is_found",
    "test_everything_else_is_denied",
]
