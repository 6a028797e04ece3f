"""Deltas as they are stored: without the fields that have their default value, in them and in their parts.

That is ``model_dump(exclude_defaults=True)``, which asks pydantic to compare every field with its default; here most
are seen to be it at once, in a third of the time. Read back they are validated: to make them by hand is no faster.
"""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel

from schemas.delta import StyleDelta

_DEFAULTS = dict(StyleDelta())  # the very objects that new deltas have


def _inner(default: Any) -> dict[str, Any] | None:
    """The defaults inside a part; None for a plain value."""
    return dict(type(default)()) if isinstance(default, BaseModel) else None


_FIELDS = tuple((name, default, _inner(default)) for name, default in _DEFAULTS.items())


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
