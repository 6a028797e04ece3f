"""Large models of values made here, built without validating what mypy and the tests have seen to.

What comes out is what the class makes of the same values: the same fields in the same order, the same fields set. It
takes a third of the time for a delta; small models are validated faster than this is done.
"""

from __future__ import annotations

from typing import Any, TypeVar

from pydantic import BaseModel

M = TypeVar("M", bound=BaseModel)


def made(model: type[M], defaults: dict[str, Any], fields: dict[str, Any]) -> M:
    """A `model` of `fields`, and of `defaults` where there are none; no value is converted."""
    new = model.__new__(model)
    object.__setattr__(new, "__dict__", defaults | fields)
    object.__setattr__(new, "__pydantic_fields_set__", set(fields))
    object.__setattr__(new, "__pydantic_extra__", None)
    object.__setattr__(new, "__pydantic_private__", None)
    return new


def defaults_of(model: type[BaseModel]) -> dict[str, Any]:
    """The default of every field, in the order of the class: the very objects that the class itself gives."""
    return dict(model())
