"""Objects of the models without validation, for values that are known to be right: made here, or another one's.

``model_copy`` and ``model_construct`` do the same for any model, with aliases, extras and private attributes; deltas
and the parts of a profile have none of these, and a learned batch makes dozens of them.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, TypeVar

from pydantic import BaseModel

M = TypeVar("M", bound=BaseModel)
_new = object.__new__
# What `object.__setattr__` would find by name each time.
_set_fields, _set_given, _set_extra, _set_private = (
    BaseModel.__dict__[slot].__set__
    for slot in ("__dict__", "__pydantic_fields_set__", "__pydantic_extra__", "__pydantic_private__")
)


def made(model: type[M], fields: dict[str, Any], given: set[str] | None = None) -> M:
    """A ``model`` of all its ``fields``, in its order, of which ``given`` (else all) were set by somebody."""
    one = _new(model)
    _set_fields(one, fields)
    _set_given(one, set(fields) if given is None else given)
    _set_extra(one, None)
    _set_private(one, None)
    return one


def copied(part: M, changes: Mapping[str, Any] = MappingProxyType({})) -> M:
    """A shallow copy of ``part`` with ``changes``, which are fields of it.

    What names all fields as given can grow no more, so it is shared: it takes more memory than the fields.
    """
    given = part.__pydantic_fields_set__
    one = made(type(part), part.__dict__.copy(), given if len(given) == len(part.__dict__) else given.copy())
    if changes:
        assign(one, changes)
    return one


def assign(part: BaseModel, values: Mapping[str, Any]) -> None:
    """Set fields of ``part`` in place."""
    part.__dict__.update(values)
    part.__pydantic_fields_set__.update(values)
