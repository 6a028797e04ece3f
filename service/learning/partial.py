"""Partial profiles and single values that people hand in, checked; errors say where and what is allowed."""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from typing import Any, Final

from pydantic import BaseModel, ValidationError

from schemas.profile import Profile, Style
from service.learning.paths import GROUPS, LEAVES, get, under

PHRASES: Final = ("common_phrases", "banned_phrases")


def known_path(path: str) -> str:
    """``path`` when it is a style path; else a ValueError that names the nearest ones."""
    if under(path):
        return path
    near = difflib.get_close_matches(path, (*LEAVES, *GROUPS), n=3, cutoff=0.5)
    hint = f"did you mean {' or '.join(near)}?" if near else f"allowed: {', '.join((*GROUPS, *LEAVES))}"
    raise ValueError(f"{path}: no such style path; {hint}")


def parse(partial: Mapping[str, Any]) -> tuple[Style, list[str]]:
    """A style holding the given values, and the leaves that were given (directions of ``none`` are not).

    Keys of a profile that are not style are left to the caller; unknown ones are refused.
    """
    given = {name: value for name, value in partial.items() if name in Style.model_fields}
    for name in partial:
        if name not in Profile.model_fields:
            raise ValueError(f"{name}: no such key; allowed: {', '.join(Style.model_fields)}")
    leaves = _given("", given, Style)
    for name in PHRASES:
        if isinstance(given.get(name), list):
            given[name] = [{"phrase": one} if isinstance(one, str) else one for one in given[name]]
    if isinstance(given.get("preferences"), list):
        given["preferences"] = [{"statement": one} if isinstance(one, str) else one for one in given["preferences"]]
    style = _validated(given)
    return style, [leaf for leaf in leaves if not (leaf.startswith("directions.") and get(style, leaf) == "none")]


def parse_value(path: str, value: Any) -> Style:
    """A style in which ``path`` (a leaf, or a group with a mapping) has ``value``."""
    nested: Any = value
    for name in reversed(known_path(path).split(".")):
        nested = {name: nested}
    return parse(nested)[0]


def _given(prefix: str, value: Any, model: type[BaseModel]) -> list[str]:
    if not isinstance(value, Mapping):
        raise ValueError(f"{prefix.rstrip('.')}: needs an object with {', '.join(model.model_fields)}")
    found: list[str] = []
    for name, part in value.items():
        field = model.model_fields.get(name)
        if field is None:
            raise ValueError(f"{prefix}{name}: no such key; allowed: {', '.join(model.model_fields)}")
        if isinstance(field.annotation, type) and issubclass(field.annotation, BaseModel):
            found += _given(f"{prefix}{name}.", part, field.annotation)
        else:
            found.append(prefix + name)
    return found


def _validated(given: Mapping[str, Any]) -> Style:
    try:
        return Style.model_validate(given)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        got = repr(first["input"])
        raise ValueError(f"{where}: {first['msg'].lower()}, got {got[:60]}") from None
