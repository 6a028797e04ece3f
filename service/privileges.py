"""What the service may do on MongoDB: the least role that suffices, and what of it a user lacks.

``connectionStatus`` tells every user its own privileges, so nothing has to be tried. Where the server asks for no user
it lists none, and everybody may do everything.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

WORKER_ACTIONS = ("find", "insert", "update")
OPERATOR_ACTIONS = (*WORKER_ACTIONS, "remove", "listIndexes", "createIndex")  # `profile forget`, `doctor`, the index

Privilege = Mapping[str, Any]


def missing_actions(
    privileges: Iterable[Privilege], database: str, collection: str, needed: Iterable[str] = WORKER_ACTIONS
) -> list[str]:
    """Return the actions of ``needed`` that no privilege of ``connectionStatus`` grants on the collection."""
    granted = {
        action
        for privilege in privileges
        if _covers(privilege["resource"], database, collection)
        for action in privilege["actions"]
    }
    return [action for action in needed if not granted & {action, "anyAction"}]


def _covers(resource: Mapping[str, Any], database: str, collection: str) -> bool:
    """Say whether a resource document includes the collection; an empty name stands for any.

    https://www.mongodb.com/docs/manual/reference/resource-document/
    """
    if resource.get("anyResource"):
        return True
    return resource.get("db") in ("", database) and resource.get("collection") in ("", collection)


def role(database: str, collection: str, *, operator: bool = False) -> str:
    """Return the mongosh call that makes the role."""
    actions = ", ".join(f'"{action}"' for action in (OPERATOR_ACTIONS if operator else WORKER_ACTIONS))
    name = "learnsvcOperator" if operator else "learnsvcWorker"
    where = f'{{ db: "{database}", collection: "{collection}" }}'
    return (
        f'db.createRole({{ role: "{name}", privileges: [{{ resource: {where}, actions: [{actions}] }}], roles: [] }})'
    )
