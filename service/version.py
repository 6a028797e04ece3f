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


def is_compiled() -> bool:
    """Whether analysis and learning were compiled, as in the image, and are not the Python of their sources."""
    from importlib.machinery import EXTENSION_SUFFIXES
    from importlib.util import find_spec

    found = find_spec("service.analysis")
    return found is not None and str(found.origin).endswith(tuple(EXTENSION_SUFFIXES))
