"""Prometheus's own checker: from PATH, or where ``tests/observability/fetch`` has put Debian's."""

import shutil
import subprocess
from pathlib import Path

import pytest

FETCHED = Path(__file__).parents[2] / ".servers" / "promtool"


def promtool(*args: str | Path, given: str = "") -> str:
    """Run it and return what it said; a complaint fails the test."""
    program = shutil.which("promtool") or (str(FETCHED) if FETCHED.exists() else None)
    if program is None:
        pytest.skip("promtool is not here: tests/observability/fetch unpacks Debian's")
    done = subprocess.run([program, *map(str, args)], input=given, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout + done.stderr
