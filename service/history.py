"""Deltas as they are stored, and stored deltas read back without validating them again.

A profile holds up to fifty deltas, and each was validated when it was made; validating all of them at every load was a
third of a worker's time. What is stored is ``model_dump(exclude_defaults=True)``, which asks pydantic to compare every
field with its default; here most are seen to be it at once. Read back, an object is its defaults with the stored
fields over them. Counts repeat from edit to edit, so that equal ones are one object.

This holds for documents of this schema version alone; any other is validated (see ``service/profiles.py``).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Any, TypeVar

from pydantic import BaseModel

from schemas.delta import Count, Measure, StyleDelta, Substitution, ToneScales, ToneShift
from schemas.made import made

M = TypeVar("M", bound=BaseModel)
Document = Mapping[str, Any]


def _defaults(model: type[BaseModel]) -> dict[str, Any]:
    """The defaults of ``model`` by field, in its order; they are immutable, so that objects may share them."""
    return {name: field.get_default() for name, field in model.model_fields.items()}


def _reader(model: type[M]) -> Callable[[Document], M]:
    """What makes a ``model`` of plain values."""
    defaults = _defaults(model)
    known = len(defaults)

    def read(document: Document) -> M:
        fields = {**defaults, **document}
        if len(fields) > known:  # another release's: what it added is left out
            fields = {name: fields[name] for name in defaults}
        return made(model, fields, set(document))

    return read


_read_count = _reader(Count)


@lru_cache(maxsize=4096)
def _count(items: tuple[tuple[str, int], ...]) -> Count:
    return _read_count(dict(items))


_substitution = _reader(Substitution)
_DEFAULTS = dict(StyleDelta())  # the very objects that new deltas have
_PARTS: dict[type, Callable[[Any], Any]] = {
    Count: lambda document: _count(tuple(document.items())),
    Measure: _reader(Measure),
    ToneScales: _reader(ToneScales),
    ToneShift: _reader(ToneShift),
}
_DEFAULTS_OF: dict[type, dict[str, Any]] = {part: _defaults(part) for part in _PARTS}
# Each field with its default and, when it is a part, the defaults inside it.
_FIELDS = tuple((name, default, _DEFAULTS_OF.get(type(default))) for name, default in _DEFAULTS.items())
# How the fields that are no plain values are read: parts by their class, the rest is lists where tuples belong.
_READERS: dict[str, Callable[[Any], Any]] = {
    name: _PARTS.get(type(default), tuple)
    for name, default in _DEFAULTS.items()
    if type(default) in _PARTS or isinstance(default, tuple)
} | {"substitutions": lambda found: tuple(map(_substitution, found))}


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


def stored_delta(document: Document) -> StyleDelta:
    """The delta that was stored as ``document``."""
    fields = dict(_DEFAULTS)
    for name, value in document.items():
        if name in fields:
            read = _READERS.get(name)
            fields[name] = value if read is None else read(value)
    return made(StyleDelta, fields, set(document))
