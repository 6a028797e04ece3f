"""Which learnsvc this is."""

from __future__ import annotations

from functools import cache


@cache
def own_version() -> str:
    """Return the installed version, ``unknown`` where only the files are there."""
    from importlib.metadata import PackageNotFoundError, version

    try:
        return version("learnsvc")
    except PackageNotFoundError:
        return "unknown"
