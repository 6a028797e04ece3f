"""Other task queues, one counter update a job; see ``tests/benchmarks/peers/README.md``."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import orjson

from tests.benchmarks.lab import Lab
from tests.benchmarks.options import Options
from tests.benchmarks.processes import ProcessFailed
from tests.benchmarks.results import Results
from tests.benchmarks.targets import PEERS_NODE, PEERS_PYTHON

SCRIPTS = Path(__file__).parents[1] / "peers"
PYTHON = {"taskiq": "taskiq_peer.py", "faststream": "faststream_peer.py", "dramatiq": "dramatiq_peer.py"}
SECONDS = 120


def measure(lab: Lab, options: Options, results: Results) -> None:
    if options.peers is None:
        return
    for name, command in installed(options.peers.absolute()).items():
        lab.empty()
        rate, cpu_ms = _count(lab, options, name, command)
        results.add(name, rate, "jobs/s")
        results.add(f"{name}: worker", cpu_ms, "CPU ms/job")


def installed(folder: Path) -> dict[str, list[str]]:
    """Return the command of each peer whose library is in ``folder``."""
    found = {}
    python, node = folder / "py" / "bin" / "python", shutil.which("node")
    for library, script in PYTHON.items():
        if any((folder / "py" / "lib").glob(f"python3*/site-packages/{library}")):
            found[f"{PEERS_PYTHON}{library}"] = [str(python), str(SCRIPTS / script)]
    if node and (folder / "node_modules" / "bullmq").exists():
        found[f"{PEERS_NODE}bullmq"] = [node, str(SCRIPTS / "bullmq_peer.cjs")]
    return found


def _count(lab: Lab, options: Options, name: str, command: list[str]) -> tuple[float, float]:
    """Return jobs a second and CPU milliseconds a job."""
    environment = {**os.environ, "PEERS": str(options.peers.absolute() if options.peers else "")}
    arguments = [*command, lab.redis_url, lab.mongodb_uri, str(options.jobs)]
    try:
        ended = subprocess.run(arguments, env=environment, capture_output=True, timeout=SECONDS, check=False)
    except subprocess.TimeoutExpired:
        raise ProcessFailed(f"{name} was not done within {SECONDS} s") from None
    if ended.returncode:
        raise ProcessFailed(f"{name} ended with status {ended.returncode}:\n{ended.stderr.decode()[-1000:]}")
    report = orjson.loads(ended.stdout.splitlines()[-1])
    counted = sum(document["count"] for document in lab.mongo.learnsvc.peer.find())
    if counted != options.jobs:
        raise ProcessFailed(f"{name} counted {counted} of {options.jobs} jobs")
    jobs = report["jobs"] - 1
    return jobs / report["seconds"], report["cpu"] * 1000 / jobs
