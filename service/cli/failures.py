"""Errors as people read them: one line that names the thing and says what to do.

Nothing heavy is imported to explain an error: one of a driver can only have come from a driver that is there.
"""

from __future__ import annotations

import traceback
from pathlib import PurePath

from typer.exceptions import TyperException


class Failed(TyperException):
    """The command cannot do what was asked; the text is the whole message. Exit code 1."""


def explain(error: BaseException) -> str:
    """Return one line about ``error``."""
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    family = type(error).__module__.partition(".")[0]
    if isinstance(error, TyperException):
        return error.format_message()
    if family in ("redis", "pymongo"):
        return _driver("Redis" if family == "redis" else "MongoDB", error)
    if type(error).__name__ in _TYPED and family in ("service", "schemas"):
        return _typed(error)
    if isinstance(error, OSError) and error.strerror:
        return f"{error.filename}: {error.strerror}" if error.filename else error.strerror
    return _internal(error)


_TYPED = frozenset(
    {
        "InvalidSettings",
        "Misconfigured",
        "DependencyDown",
        "Unstorable",
        "InvalidJob",
        "RevisionConflict",
        "EmbeddedUnavailable",
        "EmbeddedFailed",
    }
)
_SETTING = {"Redis": "REDIS_URL", "MongoDB": "MONGODB_URI"}


def _typed(error: BaseException) -> str:
    match type(error).__name__:
        case "DependencyDown":
            return away("MongoDB" if getattr(error, "service", "") == "mongodb" else "Redis", error.args[0])
        case "RevisionConflict":
            return "the profile was changed by others all the time: try again"
        case _:
            return str(error)


def _driver(service: str, error: BaseException) -> str:
    """What an error of a driver means; its text may hold data, so only its class and code are shown."""
    from service.errors import Fault, classify, name

    match classify(error):
        case Fault.CONFIG:
            return f"{service} refuses us ({name(error)}): check {_SETTING[service]}, the password and permissions"
        case Fault.TRANSIENT | Fault.TOPOLOGY:
            return away(service, name(error))
        case _:
            return f"{service} answered with an error ({name(error)}): learnsvc --debug shows where"


def away(service: str, cause: str, address: str = "") -> str:
    """Say that a server does not answer."""
    place = f" at {address}" if address else ""
    return f"{service}{place} does not answer ({cause}): start it, or correct {_SETTING[service]}"


def _internal(error: BaseException) -> str:
    frames = traceback.extract_tb(error.__traceback__)
    where = f" at {PurePath(frames[-1].filename).name}:{frames[-1].lineno}" if frames else ""
    return f"internal error: {type(error).__name__}{where}; run learnsvc --debug to see all of it"
