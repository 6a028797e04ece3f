"""The commands as a person or a script sees them: exit codes, stdout, stderr."""

from __future__ import annotations

import io
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import orjson
import pytest

from service.cli.app import main

ROOT = Path(__file__).parents[2]
SAMPLE = ROOT / "service" / "sample" / "edits.jsonl"

Done = subprocess.CompletedProcess[str]
Run = Callable[..., Done]


@pytest.fixture(scope="session")
def compiled(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """Environment in which compiled modules are kept; without them each start takes seconds."""
    return {"PYTHONPATH": str(ROOT), "PYTHONPYCACHEPREFIX": str(tmp_path_factory.mktemp("pycache"))}


class Runner:
    """Runs ``learnsvc`` in a folder: as a process, or through ``main()`` here, which is a second quicker.

    The exit code is checked, and that nobody ever sees a traceback.
    """

    def __init__(self, env: dict[str, str], folder: Path, request: pytest.FixtureRequest) -> None:
        self.env = {name: value for name, value in env.items() if name != "PYTHONDONTWRITEBYTECODE"}
        self._folder = folder
        self._patch: pytest.MonkeyPatch = request.getfixturevalue("monkeypatch")
        self._captured: pytest.CaptureFixture[str] = request.getfixturevalue("capfd")

    def __call__(self, *args: str | Path, input: str = "", code: int = 0, process: bool = False) -> Done:
        done = (self._process if process else self._here)([*map(str, args)], input)
        assert done.returncode == code, (done.returncode, done.stdout[-2000:], done.stderr[-2000:])
        assert "Traceback" not in done.stderr
        if code:
            assert done.stderr.rstrip("\n").splitlines()[-1].startswith("Error: ")
        return done

    def _process(self, args: list[str], input: str) -> Done:
        command = [sys.executable, "-m", "service.cli", *args]
        return subprocess.run(
            command,
            env=self.env,
            cwd=self._folder,
            input=input,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )

    def _here(self, args: list[str], input: str) -> Done:
        for name, value in self.env.items():
            self._patch.setenv(name, value)
        self._patch.chdir(self._folder)
        self._patch.setattr(sys, "argv", ["learnsvc", *args])
        self._patch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(input.encode())))
        self._captured.readouterr()
        with pytest.raises(SystemExit) as ended:
            main()
        code = ended.value.code
        return subprocess.CompletedProcess(args, code if isinstance(code, int) else 1, *self._captured.readouterr())


@pytest.fixture
def offline(compiled: dict[str, str], tmp_path: Path, request: pytest.FixtureRequest) -> Run:
    """``learnsvc`` with addresses at which nobody answers."""
    nowhere = {"REDIS_URL": "redis://127.0.0.1:1/0", "MONGODB_URI": "mongodb://127.0.0.1:1/x"}
    timeout = {"LEARNING_MONGODB_TIMEOUT_SECONDS": "0.5"}
    return Runner({**os.environ, **compiled, **nowhere, **timeout}, tmp_path, request)


@pytest.fixture
def learnsvc(
    compiled: dict[str, str], service_env: dict[str, str], tmp_path: Path, request: pytest.FixtureRequest
) -> Run:
    """``learnsvc`` on this test's servers."""
    return Runner({**service_env, **compiled}, tmp_path, request)


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
