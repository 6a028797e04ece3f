"""How long ``learnsvc --help`` takes, and ``learnsvc consume`` until its first read has brought a job."""

from __future__ import annotations

import resource
import statistics
import subprocess
import sys
import time

from service.streams.keys import GROUP
from tests.benchmarks import jobs
from tests.benchmarks.lab import Lab
from tests.benchmarks.options import Options
from tests.benchmarks.processes import ROOT, Program, consume
from tests.benchmarks.results import Results

TIMES = 5
LOOK_SECONDS = 0.002


def measure(lab: Lab, options: Options, results: Results) -> None:
    helps = [_help(lab) for _ in range(TIMES + 1)][1:]  # the first one fills the page cache
    results.add("start/--help", statistics.median(seconds for seconds, _ in helps), "s")
    results.add("start/--help: CPU", statistics.median(cpu for _, cpu in helps), "CPU s")
    reads = [_first_read(lab, options) for _ in range(TIMES)]
    results.add("start/consume", statistics.median(seconds for seconds, _ in reads), "s")
    results.add("start/consume: CPU", statistics.median(cpu for _, cpu in reads), "CPU s")


def _help(lab: Lab) -> tuple[float, float]:
    spent = _children_seconds()
    started = time.perf_counter()
    command = [sys.executable, "-m", "service.cli", "--help"]
    subprocess.run(command, cwd=ROOT, env=lab.environment(), stdout=subprocess.DEVNULL, check=True)
    return time.perf_counter() - started, _children_seconds() - spent


def _children_seconds() -> float:
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


def _first_read(lab: Lab, options: Options) -> tuple[float, float]:
    lab.empty()
    lab.enqueue([jobs.payload(0, "w0", options.pair_kb)])
    started = time.perf_counter()
    with Program(consume(), lab.folder, lab.environment()) as program:
        while not _has_read(lab):
            program.check()
            time.sleep(LOOK_SECONDS)
        return time.perf_counter() - started, program.cpu_seconds()


def _has_read(lab: Lab) -> bool:
    groups = lab.redis.xinfo_groups(lab.keys.jobs)
    return any(group["name"] == GROUP.encode() and group["last-delivered-id"] != b"0-0" for group in groups)
