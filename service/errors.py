"""Typed errors, and the one place where drivers' errors are turned into them.

Nothing else looks at error texts. The table follows what the servers really answer; a row a test in
``tests/test_errors.py``.
"""

from __future__ import annotations

import re
from enum import Enum
from typing import Literal

import bson.errors
import pymongo.errors
import redis.exceptions


class Fault(Enum):
    """What kind of trouble an error is, and so what the worker does about it."""

    TRANSIENT = "transient"  # back off, hold the entries, count nothing
    TOPOLOGY = "topology"  # drop connections, resolve again, back off
    GROUP_GONE = "group gone"  # create the group again at 0
    CONFIG = "config"  # stop with a clear message
    CONFLICT = "conflict"  # somebody was faster: read again
    POISON = "poison"  # the entry can never be stored
    BUG = "bug"  # anything else: the attempt fails, deliveries bound it


class LeaseLost(Exception):
    """Another worker has taken the entry over: drop the work, change nothing."""


class RevisionConflict(Exception):
    """The profile changed since it was loaded: load it and learn again."""


class DependencyDown(Exception):
    """Redis or MongoDB does not answer. ``service`` is ``redis`` or ``mongodb``."""

    def __init__(self, service: str, cause: str) -> None:
        super().__init__(f"{service} is away ({cause}): waiting for it")
        self.service = service
        self.cause = cause


class Misconfigured(Exception):
    """A dependency refuses us for good: wrong password, missing permission, wrong type of key."""


class Unstorable(Exception):
    """MongoDB can never store what this job would write."""


# Redis 6.2 wraps what a command inside a script answered: `Error running script (..): @user_script:4: -OOM ..`.
_IN_SCRIPT = re.compile(r"^(?:ERR )?Error running script [^:]*:(?: @user_script: ?\d+:)+ -?")
_UNTRUSTED = re.compile(r"certificate verify failed: ([\w ,'-]{1,120})")
_REDIS_TRANSIENT_PREFIXES = ("LOADING", "MISCONF", "NOREPLICAS", "OOM", "TRYAGAIN", "CLUSTERDOWN", "MASTERDOWN")
_MONGO_CONFIG_CODES = frozenset({13, 18, 8000})
_MONGO_POISON_CODES = frozenset({2, 15, 52, 53, 10334, 17419, 17280})
_MONGO_CONFLICT_CODES = frozenset({112, 11000})


def classify(error: BaseException) -> Fault:
    """Return the kind of trouble ``error`` is."""
    if untrusted(error):
        return Fault.CONFIG
    if isinstance(error, redis.exceptions.RedisError):
        return _classify_redis(error)
    if isinstance(error, (UnicodeEncodeError, OverflowError, bson.errors.InvalidDocument)):
        return Fault.POISON
    if isinstance(error, pymongo.errors.PyMongoError):
        return _classify_mongodb(error)
    if isinstance(error, (ConnectionError, TimeoutError)):
        return Fault.TRANSIENT
    return Fault.BUG


def untrusted(error: BaseException) -> str | None:
    """Return OpenSSL's words for why the server's certificate is not trusted, None when that is not the trouble.

    redis-py chains the error of ``ssl``, pymongo keeps its text alone.
    """
    if not isinstance(error, (redis.exceptions.ConnectionError, pymongo.errors.ConnectionFailure)):
        return None
    found = _UNTRUSTED.search(str(error))
    return found.group(1).strip() if found else None


def denied(error: redis.exceptions.NoPermissionError) -> Literal["command", "key", "channel"]:
    """Return what the user has no right to. The wording differs between 6.2 and 7.0, the noun does not."""
    text = str(error)
    if "channel" in text:
        return "channel"
    return "key" if "a key" in text or "the keys" in text else "command"


def _classify_redis(error: redis.exceptions.RedisError) -> Fault:
    config = (redis.exceptions.AuthenticationError, redis.exceptions.NoPermissionError)
    if isinstance(error, config):
        return Fault.CONFIG
    if isinstance(error, redis.exceptions.ReadOnlyError):
        return Fault.TOPOLOGY
    if isinstance(error, (redis.exceptions.ConnectionError, redis.exceptions.TimeoutError)):
        return Fault.TRANSIENT
    if isinstance(error, redis.exceptions.OutOfMemoryError):
        return Fault.TRANSIENT
    text = _IN_SCRIPT.sub("", str(error))
    if text.startswith("NOGROUP") or text.startswith("UNBLOCKED the stream key"):
        return Fault.GROUP_GONE
    if text.startswith("READONLY") or text.startswith("UNBLOCKED") or text.startswith("MOVED"):
        return Fault.TOPOLOGY
    if text.startswith(_REDIS_TRANSIENT_PREFIXES):
        return Fault.TRANSIENT
    if text.startswith(("WRONGTYPE", "NOAUTH", "WRONGPASS", "NOPERM")):
        return Fault.CONFIG
    return Fault.BUG


def _classify_mongodb(error: pymongo.errors.PyMongoError) -> Fault:
    code = getattr(error, "code", None)
    if isinstance(error, pymongo.errors.DuplicateKeyError) or code in _MONGO_CONFLICT_CODES:
        return Fault.CONFLICT
    if isinstance(error, pymongo.errors.ConfigurationError) or code in _MONGO_CONFIG_CODES:
        return Fault.CONFIG
    if isinstance(error, pymongo.errors.DocumentTooLarge) or code in _MONGO_POISON_CODES:
        return Fault.POISON
    return Fault.TRANSIENT


def name(error: BaseException) -> str:
    """Return the class and code of ``error``, and never its text: that may hold keys, documents or commands.

    Of a certificate OpenSSL says why, in words of its own.
    """
    if why := untrusted(error):
        return f"certificate not trusted: {why}"
    code = getattr(error, "code", None)
    return type(error).__name__ + (f" {code}" if isinstance(code, int) else "")
