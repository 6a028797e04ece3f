"""The producers of the README, run as they stand there, and what the worker makes of their jobs."""

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from redis import Redis

from schemas.job import decode_job
from service.embedded import find_redis_server

README = (Path(__file__).parent.parent / "README.md").read_text()
STREAM = "{learning}:jobs"


def block(language: str, number: int = 0) -> str:
    found: list[str] = re.findall(rf"```{language}\n(.*?)```", README, re.DOTALL)
    return found[number]


def appended(redis: Redis) -> dict[str, Any]:
    entries: Any = redis.xrange(STREAM)
    assert len(entries) == 1
    raw = entries[0][1][b"job"]
    assert decode_job(raw).user_id == "ana"
    job: dict[str, Any] = json.loads(raw)
    return job


def test_redis_cli(redis_url: str, redis_admin: Redis) -> None:
    program = shutil.which("redis-cli") or str(find_redis_server().with_name("redis-cli"))
    command = block("sh").replace("redis-cli", f"'{program}' -u '{redis_url}'", 1)
    subprocess.run(["sh", "-ec", command], check=True, capture_output=True, timeout=30)
    assert appended(redis_admin)["job_id"] == "7f1c"


def test_python(redis_url: str, redis_admin: Redis) -> None:
    environment = {**os.environ, "REDIS_URL": redis_url}
    subprocess.run([sys.executable, "-c", block("python")], env=environment, check=True, timeout=30)
    assert appended(redis_admin)["job_id"] == "7f1d"


@pytest.mark.skipif(not (shutil.which("node") and shutil.which("npm")), reason="node and npm are not on PATH")
def test_node(redis_url: str, redis_admin: Redis, tmp_path: Path) -> None:
    install = ["npm", "install", "--silent", "--no-audit", "--no-fund", "--prefix", str(tmp_path), "redis"]
    if subprocess.run(install, capture_output=True, timeout=100, check=False).returncode:
        pytest.skip("npm cannot install the package redis here")
    script = tmp_path / "produce.js"
    script.write_text(block("js"))
    environment = {**os.environ, "REDIS_URL": redis_url}
    subprocess.run(["node", str(script)], env=environment, check=True, timeout=60, cwd=tmp_path)
    assert appended(redis_admin)["edited_text"] == ["First post!", "Second post."]
