"""The commands that bring servers of their own, as processes."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import orjson
import pytest

from service.development import Printer


def clean_environment() -> dict[str, str]:
    return {**os.environ, "PYTHONUNBUFFERED": "1", "LEARNING_HTTP_PORT": "0"}


def test_the_demo_learns_what_the_edits_say() -> None:
    command = [sys.executable, "-m", "service.cli", "demo", "--json"]
    run = subprocess.run(command, env=clean_environment(), capture_output=True, text=True, timeout=100, check=False)
    assert run.returncode == 0, run.stderr[-2000:]
    for line in (
        "Worker started · Redis connected · MongoDB connected · Processing jobs with concurrency: 5",
        "[Learning] Job queued for user ana",
        "[Learning] Processing job ",
        "[Learning] Extracting style deltas...",
        "[Learning] Detected patterns: ",
        "[Learning] Updating profile for user ana...",
        "[Learning] Profile updated successfully",
        "[Learning] Evolution score: 0% → ",
        " completed in ",
    ):
        assert line in run.stderr, line
    profiles = {profile["user_id"]: profile for profile in orjson.loads(run.stdout)}
    assert len(profiles) == 8
    assert {profile["edits_applied"] for profile in profiles.values()} == {8}
    assert profiles["ana"]["directions"]["emoji"] == "fewer"
    assert profiles["finn"]["evolution_score"] < 10 < profiles["ana"]["evolution_score"]
    assert profiles["chloe"]["style_guide"]


def test_dev_shows_all_three_and_ends_with_all_three(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "service.cli", "dev", "--directory", str(tmp_path / "data")]
    output = tmp_path / "output"
    with output.open("wb") as stream:
        process = subprocess.Popen(command, env=clean_environment(), stdout=stream, stderr=subprocess.STDOUT)
        deadline = time.monotonic() + 60
        while "Worker started" not in output.read_text() and time.monotonic() < deadline:
            time.sleep(0.1)
        process.send_signal(signal.SIGINT)
        assert process.wait(timeout=30) == 0, output.read_text()[-2000:]
    text = output.read_text()
    for line in ("[REDIS] ", "[MONGO] ", "[WORKER] ", "[DEV] REDIS_URL=redis://127.0.0.1:"):
        assert line in text, line
    assert (tmp_path / "data" / "redis").is_dir()
    assert (tmp_path / "data" / "mongodb").is_dir()


@pytest.mark.parametrize(("name", "colour"), [("REDIS", 31), ("MONGO", 32), ("WORKER", 36), ("DEV", 1)])
def test_each_process_has_its_prefix_and_colour(name: str, colour: int, capsys: pytest.CaptureFixture[str]) -> None:
    Printer(colours=True)(name, "a line")
    Printer(colours=False)(name, "a line")
    assert capsys.readouterr().out == f"\x1b[{colour}m[{name}]\x1b[0m a line\n[{name}] a line\n"
