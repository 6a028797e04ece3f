"""The image and compose.yaml: their form, and an image at work where one has been built.

Building takes minutes and root, so it is no part of the suite. tests/README.md has the commands; LEARNSVC_TEST_IMAGE
names what they built.
"""

import os
import shutil
import subprocess
import time
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml
from pymongo import MongoClient
from redis import Redis

from service.settings import Settings
from service.streams.keys import GROUP, Keys
from service.streams.producer import encode
from tests.worker.conftest import edit

ROOT = Path(__file__).parents[2]
JOBS = 200


def check(*command: str) -> None:
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_hadolint_has_nothing_to_say(tool: Callable[[str], str]) -> None:
    check(tool("hadolint"), "Dockerfile")


def test_compose_file_fits_its_schema(tool: Callable[[str], str]) -> None:
    check(tool("check-jsonschema"), "--builtin-schema", "vendor.compose-spec", "compose.yaml")


def test_compose_scales_and_keeps_what_it_is_given() -> None:
    services = yaml.safe_load((ROOT / "compose.yaml").read_text())["services"]
    redis, worker = services["redis"], services["worker"]
    options = dict(zip(redis["command"][1::2], redis["command"][2::2], strict=True))
    assert options["--appendonly"] == "yes"
    assert options["--maxmemory-policy"] == "noeviction"
    assert "container_name" not in worker, "a name belongs to one container: --scale could not make three"
    assert all(port.count(":") == 2 and "::" in port for port in worker["ports"]), "a fixed host port cannot be shared"
    drain = Settings(_env_file=None).learning_grace_seconds
    assert int(worker["stop_grace_period"].removesuffix("s")) >= drain + 15
    Settings(_env_file=None, **{name.lower(): value for name, value in worker["environment"].items()})


@pytest.mark.timeout(300)
def test_the_image_drains_on_sigterm_and_loses_nothing(
    redis_url: str, redis_admin: Redis, mongodb_uri: str, mongo_admin: MongoClient[dict[str, Any]], key_prefix: str
) -> None:
    image, podman = os.environ.get("LEARNSVC_TEST_IMAGE"), shutil.which("podman")
    if not image or not podman:
        pytest.skip("LEARNSVC_TEST_IMAGE names no image, or podman is missing: see tests/README.md")
    jobs = Keys.of(key_prefix).partitions[0].jobs
    for number in range(JOBS):
        redis_admin.xadd(jobs, {"job": encode(edit(number, f"writer{number % 20}"))[1]})
    name = f"learnsvc-{uuid.uuid4().hex[:8]}"
    environment = {"REDIS_URL": redis_url, "MONGODB_URI": mongodb_uri, "LEARNING_KEY_PREFIX": key_prefix,
                   "LEARNING_HTTP_PORT": "0"}  # fmt: skip
    run = [podman, "run", "--name", name, "--detach", "--runtime", "runc", "--network", "host", "--read-only"]
    run += ["--cap-drop=all", "--user", "10001:10001", "--ulimit", "nofile=1024:1024", "--ulimit", "nproc=512:512"]
    run += [word for item in environment.items() for word in ("--env", "=".join(item))]
    profiles = mongo_admin[mongodb_uri.rpartition("/")[2]].style_profiles

    def applied() -> int:
        return sum(profile["edits_applied"] for profile in profiles.find())

    try:
        check(*run, image)
        give_up = time.monotonic() + 120
        while not applied():
            assert time.monotonic() < give_up, "the container learned nothing"
            time.sleep(0.05)
        check(podman, "stop", "--time", "45", name)
        shown = [podman, "inspect", "--format", "{{.State.ExitCode}}", name]
        assert subprocess.run(shown, capture_output=True, text=True, check=True).stdout.strip() == "0"
    finally:
        subprocess.run([podman, "rm", "--force", name], capture_output=True, check=False)
    left = redis_admin.xlen(jobs)
    assert applied() + left == JOBS
    pending: Any = redis_admin.xpending_range(jobs, GROUP, "-", "+", JOBS)
    consumers: Any = redis_admin.xinfo_consumers(jobs, GROUP)
    assert len(pending) <= left
    assert pending or not consumers, "a worker that left nothing behind leaves the group"
