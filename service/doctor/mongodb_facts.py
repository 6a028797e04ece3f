"""What a MongoDB says about itself. All but the indexes can be asked by any user."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import pymongo
from anyio import CancelScope
from pymongo import AsyncMongoClient
from pymongo.errors import OperationFailure

from schemas.profile import StyleProfile
from service.profiles import DEFAULT_DATABASE, connect
from service.settings import Settings

COLLECTION = StyleProfile.Settings.name


@dataclass(frozen=True, slots=True)
class MongoFacts:
    """``indexes`` is None when the role may not list them. ``users`` is empty where the server asks for no user."""

    version: str
    hello: Mapping[str, Any]
    database: str
    write_concern: Mapping[str, Any] = field(default_factory=dict)
    read_mode: str = "Primary"
    users: int = 0
    privileges: tuple[Mapping[str, Any], ...] = ()
    readable: bool = True
    indexes: tuple[str, ...] | None = ()
    exists: bool = True
    skew_seconds: float = 0.0


async def ask_mongodb(settings: Settings) -> MongoFacts:
    """Ask the server of ``settings``. Raises ``Misconfigured``, or what pymongo raises when it does not answer."""
    timeout = settings.learning_mongodb_timeout_seconds
    client = connect(settings.mongodb_uri.get_secret_value(), timeout=timeout, connections=2)
    with CancelScope(shield=True), pymongo.timeout(2 * timeout):
        try:
            return await _facts(client)
        finally:
            await client.close()
    raise AssertionError("nothing cancels a shielded scope")


async def _facts(client: AsyncMongoClient[dict[str, Any]]) -> MongoFacts:
    before = time.time()
    hello = await client.admin.command("hello")
    middle = (before + time.time()) / 2
    build = await client.admin.command("buildInfo")
    status = (await client.admin.command({"connectionStatus": 1, "showPrivileges": True}))["authInfo"]
    database = client.get_default_database(DEFAULT_DATABASE)
    indexes, exists = await _indexes(database)
    return MongoFacts(
        version=build["version"],
        hello=hello,
        database=database.name,
        write_concern=client.write_concern.document,
        read_mode=client.read_preference.name,
        users=len(status["authenticatedUsers"]),
        privileges=tuple(status["authenticatedUserPrivileges"]),
        readable=await _readable(database),
        indexes=indexes,
        exists=exists,
        skew_seconds=middle - hello["localTime"].timestamp(),
    )


async def _indexes(database: Any) -> tuple[tuple[str, ...] | None, bool]:
    """Return the names of the indexes, None when listing is refused; and whether the collection is there."""
    try:
        found = [index["name"] async for index in await database[COLLECTION].list_indexes()]
    except OperationFailure as error:
        return (None, True) if error.code == 13 else ((), False)
    return tuple(found), bool(found)


async def _readable(database: Any) -> bool:
    try:
        await database[COLLECTION].find_one({"_id": ""}, {"_id": 1})
    except OperationFailure as error:
        if error.code == 13:
            return False
        raise
    return True
