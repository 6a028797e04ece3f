"""Hand-made hard cases: which facts that a careful reader states about an edit does the delta state too?"""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from schemas.delta import StyleDelta, Substitution
from service.analysis import analyze

_FILE = Path(__file__).parent / "data" / "cases.toml"
_CLOSE = 0.05


@dataclass(frozen=True)
class Case:
    """Two texts and the facts, as paths into the delta and values."""

    name: str
    lang: str
    before: str | list[str]
    after: str | list[str]
    facts: dict[str, Any]


@cache
def cases() -> tuple[Case, ...]:
    """All cases of the file, in its order."""
    return tuple(Case(**row) for row in tomllib.loads(_FILE.read_text("utf-8"))["case"])


def wrong(case: Case) -> dict[str, Any]:
    """The facts that the delta does not state, with what it states instead."""
    delta = analyze(case.before, case.after).delta
    found = {path: _value(delta, path) for path in case.facts}
    return {path: found[path] for path, value in case.facts.items() if not _holds(found[path], value)}


def _value(delta: StyleDelta, path: str) -> Any:
    value: Any = delta
    for name in path.split("."):
        value = getattr(value, name)
    return value


def _holds(found: Any, wanted: Any) -> bool:
    if isinstance(wanted, list):
        return sorted(map(_plain, found)) == sorted(map(_plain, wanted))
    if isinstance(found, float) and isinstance(wanted, str):
        return _compares(found, wanted)
    if isinstance(found, float):
        return bool(abs(found - wanted) <= _CLOSE)
    return bool(found == wanted)


def _compares(found: float, wanted: str) -> bool:
    if wanted[0] == "~":
        return abs(found - float(wanted[1:])) <= _CLOSE
    return found < 0 if wanted == "<0" else found > 0


def _plain(value: Any) -> str:
    if isinstance(value, Substitution):
        return f"{value.before} -> {value.after}".lower()
    return " -> ".join(value).lower() if isinstance(value, list) else str(value).lower()
