"""What is compiled is imported, gives the same deltas, and passes the tests of analysis, learning and the worker.

Compiled code checks the types it was promised, so a wrong one that Python lets pass would be an error in the image
alone: therefore the tests run on it, and not only a comparison.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from service.version import own_version
from tests.compiled.checkout import ROOT, NoCompilerError, checkout

pytestmark = pytest.mark.timeout(600)

WHERE = "import importlib, sys\nfor name in sys.argv[1:]: print(importlib.import_module(name).__file__)"
ROOMS = ("service.analysis", "service.learning")
OTHERS = ("service.history", "schemas.made")
SUITES = (
    "tests/analysis",
    "tests/learning",
    "tests/test_history.py",
    "tests/test_profiles.py",
    "tests/worker/test_whole_way.py",
)


@pytest.fixture(scope="module")
def compiled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    try:
        return checkout(tmp_path_factory.mktemp("compiled"))
    except NoCompilerError as error:
        pytest.skip(str(error))


def _python(folder: Path, *arguments: str) -> str:
    done = subprocess.run([sys.executable, *arguments], cwd=folder, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_all_of_analysis_and_learning_is_compiled(compiled: Path) -> None:
    folders = [(room, ROOT / room.replace(".", "/")) for room in ROOMS]
    names = [f"{room}.{path.stem}" for room, folder in folders for path in folder.glob("[!_]*.py")]
    assert len(names) > 40
    files = _python(compiled, "-c", WHERE, *ROOMS, *OTHERS, *names).split()
    assert len(files) == len(names) + len(ROOMS) + len(OTHERS)
    assert [file for file in files if not (file.startswith(str(compiled)) and file.endswith(".so"))] == []


def test_the_version_tells(compiled: Path) -> None:
    assert (
        _python(compiled, "-m", "service.cli", "--version")
        == f"learnsvc {own_version()}, analysis and learning compiled\n"
    )
    assert _python(ROOT, "-m", "service.cli", "--version") == f"learnsvc {own_version()}\n"


def test_compiled_or_not_the_deltas_are_the_same(compiled: Path) -> None:
    here = _python(ROOT, "-m", "tests.compiled.deltas").split()
    there = _python(compiled, "-m", "tests.compiled.deltas").split()
    assert len(here) > 2000
    assert [number for number, both in enumerate(zip(here, there, strict=True)) if both[0] != both[1]] == []


@pytest.mark.parametrize("suite", SUITES)
def test_the_suite_passes_where_it_is_compiled(compiled: Path, suite: str) -> None:
    _python(compiled, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-p", "no:xdist", suite)
