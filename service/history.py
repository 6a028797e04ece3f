"""Deltas as they are stored: without the fields that have their default value, in them and in their parts.

That is ``model_dump(exclude_defaults=True)``, which asks pydantic to compare every field with its default; here most
are seen to be it at once, in a third of the time. For learning they are read back in part, and not validated: fifty of
them come with every edit of a known writer, and nobody else has written them.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from pydantic import BaseModel

from schemas.delta import StyleDelta, Substitution
from schemas.made import made
from service.learning.facts import FIELDS

_DEFAULTS: Final = dict(StyleDelta())  # the very objects that new deltas have
_PART: Final = {name: _DEFAULTS[name] for name in FIELDS}
_GIVEN: Final = set(FIELDS)
_SEVERAL: Final = ("phrases_added", "phrases_removed", "statements")


def _inner(default: Any) -> dict[str, Any] | None:
    """The defaults inside a part; None for a plain value."""
    return dict(type(default)()) if isinstance(default, BaseModel) else None


_FIELDS: Final = tuple((name, default, _inner(default)) for name, default in _DEFAULTS.items())


def document_of(delta: StyleDelta) -> dict[str, Any]:
    """What is stored of ``delta``: its fields that differ from their defaults, parts alike."""
    fields = delta.__dict__
    found: dict[str, Any] = {}
    for name, default, inner in _FIELDS:
        value = fields[name]
        if value is default:
            continue
        if inner is not None:
            part = value.__dict__
            if part != default.__dict__:
                found[name] = {key: one for key, one in part.items() if one != inner[key]}
        elif value != default:
            found[name] = [one.model_dump() for one in value] if name == "substitutions" else value
    return found


def part_of(document: Mapping[str, Any]) -> StyleDelta:
    """The part of a stored delta that learning reads, ``FIELDS``; it has no other fields."""
    fields = {**_PART, **document}
    for name in _SEVERAL:
        if name in document:
            fields[name] = tuple(document[name])
    if "substitutions" in document:
        fields["substitutions"] = tuple([made(Substitution, one) for one in document["substitutions"]])
    return made(StyleDelta, fields, _GIVEN)
