"""The commands as processes: what a person or a script sees of them."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import orjson
import pytest

ROOT = Path(__file__).parents[2]
SAMPLE = ROOT / "service" / "sample" / "edits.jsonl"

Run = Callable[..., subprocess.CompletedProcess[str]]


def process_env(env: dict[str, str]) -> dict[str, str]:
    """``env`` for a command of this checkout; compiled modules are kept, else each start takes seconds."""
    kept = {name: value for name, value in env.items() if name != "PYTHONDONTWRITEBYTECODE"}
    return kept | {
        "PYTHONPATH": str(ROOT),
        "PYTHONPYCACHEPREFIX": str(Path(tempfile.gettempdir()) / "learnsvc-pycache"),
    }


def run_cli(
    env: dict[str, str], folder: Path, *args: str | Path, input: str = "", code: int = 0
) -> subprocess.CompletedProcess[str]:
    """Run ``learnsvc`` in ``folder``; the exit code is checked, and that nobody ever sees a traceback."""
    done = subprocess.run(
        [sys.executable, "-m", "service.cli", *map(str, args)],
        env=process_env(env),
        cwd=folder,
        input=input,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == code, (done.returncode, done.stdout[-2000:], done.stderr[-2000:])
    assert "Traceback" not in done.stderr
    if code:
        assert done.stderr.rstrip("\n").splitlines()[-1].startswith("Error: ")
    return done


@pytest.fixture
def offline(tmp_path: Path) -> Run:
    """``learnsvc`` with addresses at which nobody answers."""
    nowhere = {"REDIS_URL": "redis://127.0.0.1:1/0", "MONGODB_URI": "mongodb://127.0.0.1:1/x"}
    env = {**os.environ, **nowhere, "LEARNING_MONGODB_TIMEOUT_SECONDS": "0.5"}
    return lambda *args, **options: run_cli(env, tmp_path, *args, **options)


@pytest.fixture
def learnsvc(service_env: dict[str, str], tmp_path: Path) -> Run:
    """``learnsvc`` on this test's servers."""
    return lambda *args, **options: run_cli(service_env, tmp_path, *args, **options)


@pytest.fixture
def jobs_key(key_prefix: str) -> str:
    return f"{{{key_prefix}}}:jobs"


@pytest.fixture
def dead_key(key_prefix: str) -> str:
    return f"{{{key_prefix}}}:dead"


def job(user_id: Any = "ana", **others: Any) -> dict[str, Any]:
    texts = {"original_text": "We utilise flour. 🎉", "edited_text": "We use flour."}
    return {"user_id": user_id, "content_id": "c1", **texts, **others}


def jsonl(*jobs: dict[str, Any] | str) -> str:
    return "".join((one if isinstance(one, str) else orjson.dumps(one).decode()) + "\n" for one in jobs)
