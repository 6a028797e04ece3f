"""``python -m tests.benchmarks``: run the rows round by round and show what was measured."""

from __future__ import annotations

import json
import os
import platform
import subprocess
import sys
import time
from datetime import UTC, datetime
from pathlib import Path

import orjson
from rich.console import Console

from service.embedded import EmbeddedFailed, EmbeddedUnavailable
from tests.benchmarks import table
from tests.benchmarks.lab import Stuck, open_lab
from tests.benchmarks.options import Options, parse
from tests.benchmarks.processes import ROOT, ProcessFailed
from tests.benchmarks.results import Results, UnusableRun
from tests.benchmarks.rows import all_rows


def main() -> int:
    """Return 0, 1 when a measurement failed, 2 for wrong usage. A missed target is a finding, not a failure."""
    rows = {row.name: row for row in all_rows()}
    options = parse(sys.argv[1:], tuple(rows))
    try:
        saved = read_run(options.compare) if options.compare else None
    except UnusableRun as error:
        print(f"Error: {error}", file=sys.stderr)
        return 2
    results = Results(about=about(options))
    progress = Console(stderr=True)
    code = 0
    try:
        run(options, results, progress)
    except (Stuck, ProcessFailed, EmbeddedFailed, EmbeddedUnavailable) as error:
        progress.print(f"[red]Error:[/] {error}")
        code = 1
    except KeyboardInterrupt:
        progress.print("Interrupted: this is what was measured until then")
        code = 130
    results.about["waited_for_cpu"] = waited_for_cpu()
    if options.json:
        options.json.write_bytes(orjson.dumps(results.as_json(), option=orjson.OPT_INDENT_2))
    console = Console() if sys.stdout.isatty() else Console(width=140)
    table.show(results, saved, console)
    console.print(f"[dim]{json.dumps(results.about)}[/]", highlight=False)
    return code


def run(options: Options, results: Results, progress: Console) -> None:
    rows = [row for row in all_rows() if row.name in options.rows]
    with open_lab() as lab:
        for number in range(options.rounds):
            for row in rows:
                if row.once and number:
                    continue
                started = time.monotonic()
                progress.print(f"round {number + 1} of {options.rounds}: {row.name} ...", end="", highlight=False)
                row.measure(lab, options, results)
                progress.print(f" {time.monotonic() - started:.0f} s", highlight=False)


def read_run(path: Path) -> Results:
    """Return the run saved in ``path``. Raises ``UnusableRun``."""
    try:
        return Results.of_json(orjson.loads(path.read_bytes()))
    except (OSError, orjson.JSONDecodeError) as error:
        raise UnusableRun(f"{path}: {error}") from None
    except UnusableRun as error:
        raise UnusableRun(f"{path} {error}") from None


def about(options: Options) -> dict[str, object]:
    """Return what a reader of the numbers must know: code, machine, how busy it was, sizes."""
    described = subprocess.run(
        ["git", "describe", "--always", "--dirty"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    return {
        "code": described.stdout.strip() or "unknown",
        "taken": datetime.now(UTC).isoformat(timespec="seconds"),
        "python": platform.python_version(),
        "cores": os.cpu_count(),
        "load": round(os.getloadavg()[0], 1),
        "jobs": options.jobs,
        "writers": options.writers,
        "pair_kb": options.pair_kb,
        "rounds": options.rounds,
    }


def waited_for_cpu() -> float:
    """Return the share of the time this process wanted to run in which it had to wait: how busy the machine was."""
    run, waited, _ = map(int, Path("/proc/self/schedstat").read_text().split())
    return round(waited / (run + waited), 2)


if __name__ == "__main__":
    sys.exit(main())
