"""The table of error classes, a row a test."""

import bson.errors
import pymongo.errors
import pytest
import redis.asyncio.sentinel
import redis.exceptions as r

from service.errors import Fault, classify, name

IN_SCRIPT = "Error running script (call to f_0e53): @user_script:4: "  # how Redis 6.2 wraps what a command answered
ROWS: list[tuple[BaseException, Fault]] = [
    (r.ConnectionError("Error 111"), Fault.TRANSIENT),
    (r.TimeoutError(), Fault.TRANSIENT),
    (r.BusyLoadingError(), Fault.TRANSIENT),
    (r.MaxConnectionsError(), Fault.TRANSIENT),
    (redis.asyncio.sentinel.MasterNotFoundError("No master found for 'main'"), Fault.TRANSIENT),
    (r.ConnectionError("max number of clients reached"), Fault.TRANSIENT),
    (r.ResponseError(IN_SCRIPT + "@user_script: 4: -OOM command not allowed"), Fault.TRANSIENT),
    (r.ResponseError(IN_SCRIPT + "@user_script: 4: -NOREPLICAS Not enough good replicas"), Fault.TRANSIENT),
    (r.ResponseError(IN_SCRIPT + "@user_script: 4: -READONLY You can't write"), Fault.TOPOLOGY),
    (r.ResponseError(IN_SCRIPT + "NOGROUP No such key '{learning}:jobs'"), Fault.GROUP_GONE),
    (r.ResponseError(IN_SCRIPT + "WRONGTYPE Operation against a key"), Fault.CONFIG),
    (r.OutOfMemoryError("OOM command not allowed"), Fault.TRANSIENT),
    (r.ResponseError("MISCONF Redis is configured to save"), Fault.TRANSIENT),
    (r.ResponseError("NOREPLICAS Not enough good replicas"), Fault.TRANSIENT),
    (r.ResponseError("LOADING Redis is loading"), Fault.TRANSIENT),
    (r.ReadOnlyError("You can't write against a read only replica."), Fault.TOPOLOGY),
    (r.ResponseError("UNBLOCKED force unblock from blocking operation, instance state changed"), Fault.TOPOLOGY),
    (r.ResponseError("UNBLOCKED the stream key no longer exists"), Fault.GROUP_GONE),
    (r.ResponseError("NOGROUP No such key '{learning}:jobs'"), Fault.GROUP_GONE),
    (r.AuthenticationError("invalid password"), Fault.CONFIG),
    (r.NoPermissionError("this user has no permissions"), Fault.CONFIG),
    (r.ResponseError("WRONGTYPE Operation against a key"), Fault.CONFIG),
    (r.ConnectionError("Error 1. [SSL] certificate verify failed: self-signed certificate (_ssl.c:1)"), Fault.CONFIG),
    (pymongo.errors.ServerSelectionTimeoutError("certificate verify failed: Hostname mismatch"), Fault.CONFIG),
    (r.ResponseError("ERR unknown command"), Fault.BUG),
    (pymongo.errors.AutoReconnect("closed"), Fault.TRANSIENT),
    (pymongo.errors.NetworkTimeout("slow"), Fault.TRANSIENT),
    (pymongo.errors.ServerSelectionTimeoutError("none"), Fault.TRANSIENT),
    (pymongo.errors.WTimeoutError("wtimeout", 64), Fault.TRANSIENT),
    (pymongo.errors.WriteConcernError("applied, not yet durable", 91), Fault.TRANSIENT),
    (pymongo.errors.NotPrimaryError("stepped down"), Fault.TRANSIENT),
    (pymongo.errors.DuplicateKeyError("E11000", 11000), Fault.CONFLICT),
    (pymongo.errors.OperationFailure("write conflict", 112), Fault.CONFLICT),
    (pymongo.errors.OperationFailure("auth failed", 18), Fault.CONFIG),
    (pymongo.errors.OperationFailure("not authorized", 13), Fault.CONFIG),
    (pymongo.errors.ConfigurationError("bad"), Fault.CONFIG),
    (pymongo.errors.DocumentTooLarge("big"), Fault.POISON),
    *((pymongo.errors.WriteError("refused", code), Fault.POISON) for code in (2, 15, 52, 53, 10334, 17419)),
    (bson.errors.InvalidDocument("key"), Fault.POISON),
    (UnicodeEncodeError("utf-8", "\ud800", 0, 1, "surrogates not allowed"), Fault.POISON),
    (OverflowError("int too large"), Fault.POISON),
    (ConnectionResetError(), Fault.TRANSIENT),
    (KeyError("bug"), Fault.BUG),
]


@pytest.mark.parametrize(("error", "fault"), ROWS, ids=lambda value: getattr(value, "value", repr(value))[:50])
def test_classify(error: BaseException, fault: Fault) -> None:
    assert classify(error) is fault


def test_a_name_holds_no_text_of_the_error() -> None:
    assert name(pymongo.errors.OperationFailure("canary", 13)) == "OperationFailure 13"
    assert name(r.ResponseError("canary")) == "ResponseError"
    untrusted = r.ConnectionError("canary [SSL] certificate verify failed: self-signed certificate (canary)")
    assert name(untrusted) == "certificate not trusted: self-signed certificate"
