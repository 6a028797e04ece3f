"""A copy of this repository with analysis and learning compiled by mypyc, as ``pyproject.toml`` says for the image.

Compiling takes two minutes, so the libraries are kept in ``.compiled/`` for as long as nothing they are made from
changes. They never lie beside the sources here, where they would be imported in place of what somebody edits.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import shutil
import subprocess
import sys
import sysconfig
import tempfile
import zipfile
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[2]
KEPT = ROOT / ".compiled"
BUILT_FROM = ("LICENSE", "README.md", "pyproject.toml", "schemas", "service")
# Compiled, or read for its types.
COMPILED_FROM = (
    "service/analysis/*.py",
    "service/learning/*.py",
    "service/history.py",
    "schemas/*.py",
    "pyproject.toml",
)


class NoCompilerError(RuntimeError):
    """Something that compiling needs is missing; the text says what."""


def checkout(folder: Path) -> Path:
    """Fill the empty ``folder`` with this repository and the compiled libraries. Raises ``NoCompilerError``."""
    libraries = _libraries()
    for name in (*BUILT_FROM, "tests"):
        _copy(ROOT / name, folder / name)
    shutil.copytree(libraries, folder, dirs_exist_ok=True)
    return folder


def _libraries() -> Path:
    """Return the folder that holds the compiled libraries by their places, made if need be, by one at a time."""
    KEPT.mkdir(exist_ok=True)
    kept = KEPT / _key()
    with (KEPT / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not kept.exists():
            _need_compiler()
            _make(kept)
    return kept


def _make(kept: Path) -> None:
    """Compile into ``kept``, in place of what was compiled before."""
    for folder in KEPT.glob("*/"):
        shutil.rmtree(folder)
    # Elsewhere, or mypy would find the strict settings of this repository, which are not meant for what it imports.
    with tempfile.TemporaryDirectory() as made:
        _compile(Path(made))
        shutil.copytree(Path(made) / "libraries", unready := KEPT / "unready")
    unready.rename(kept)


def _key() -> str:
    """Return what tells apart the libraries of different sources and interpreters."""
    found = hashlib.sha256(f"{sys.version} {sysconfig.get_platform()}".encode())
    for path in sorted(path for pattern in COMPILED_FROM for path in ROOT.glob(pattern)):
        found.update(path.read_bytes())
    return found.hexdigest()[:16]


def _need_compiler() -> None:
    if not shutil.which(os.environ.get("CC", "cc").split()[0]):
        raise NoCompilerError("no C compiler: install gcc, or name one in CC")
    if not (Path(sysconfig.get_path("include")) / "Python.h").exists():
        raise NoCompilerError("no Python.h for this interpreter: install its headers (Debian: python3-dev)")


def _compile(folder: Path) -> None:
    """Build the wheel of a copy, and unpack its libraries below ``folder / "libraries"``."""
    source = folder / "source"
    for name in BUILT_FROM:
        _copy(ROOT / name, source / name)
    command = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--no-build-isolation", "-w", str(folder)]
    done = subprocess.run(
        [*command, str(source)],
        env={**os.environ, "HATCH_BUILD_HOOK_ENABLE_MYPYC": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise RuntimeError(f"compiling failed:\n{done.stdout}{done.stderr}")
    (wheel,) = folder.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(folder / "libraries", _compiled(archive))


def _compiled(archive: zipfile.ZipFile) -> Iterator[str]:
    return (name for name in archive.namelist() if name.endswith(".so"))


def _copy(source: Path, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    if source.is_dir():
        shutil.copytree(source, target, ignore=shutil.ignore_patterns("__pycache__"))
    else:
        shutil.copyfile(source, target)
