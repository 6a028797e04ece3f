"""``python -m tests.benchmarks``: run the rows round by round and show what was measured."""

from __future__ import annotations

import json
import os
import platform
import signal
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
from tests.benchmarks.rows import ROWS
from tests.compiled.checkout import NoCompilerError
from tests.tables import write_between


def main() -> int:
    """Return 0, 1 when a row failed, 2 for wrong usage. A missed target is a finding, not a failure."""
    options = parse(sys.argv[1:], {row.name: row.about for row in ROWS})
    try:
        saved = read_run(options.compare) if options.compare else None
    except UnusableRun as error:
        print(f"Error: {error}", file=sys.stderr)
        return 2
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # whatever was started is ended then, too
    results = Results(about=about(options))
    progress = Console(stderr=True, highlight=False)
    try:
        code = run(options, results, progress)
    except NoCompilerError as error:
        print(f"Error: {error}, or measure without: --interpreted", file=sys.stderr)
        return 1
    except (EmbeddedFailed, EmbeddedUnavailable) as error:
        print(f"Error: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        progress.print("\nInterrupted: this is what was measured until then")
        code = 130
    results.about["waited_for_cpu"] = waited_for_cpu()
    if options.json:
        options.json.write_bytes(orjson.dumps(results.as_json(), option=orjson.OPT_INDENT_2))
    console = Console() if sys.stdout.isatty() else Console(width=140)
    table.show(results, saved, console)
    if options.readme:
        write_between("make bench", table.as_markdown(results))
    console.print(f"[dim]{json.dumps(results.about)}[/]", highlight=False)
    return code


def run(options: Options, results: Results, progress: Console) -> int:
    """Measure round by round; return 1 when a row failed, which ends no other row."""
    failed: set[str] = set()
    with open_lab(options.interpreted) as lab:
        for number in range(options.rounds):
            for row in ROWS:
                if row.name not in options.rows or row.name in failed or (row.once and number):
                    continue
                started = time.monotonic()
                progress.print(f"round {number + 1} of {options.rounds}: {row.name} ...", end="")
                try:
                    row.measure(lab, options, results)
                except (Stuck, ProcessFailed) as error:
                    failed.add(row.name)
                    progress.print(f" [red]failed:[/] {error}")
                else:
                    progress.print(f" {time.monotonic() - started:.0f} s")
    return int(bool(failed))


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
        "analysis": "interpreted" if options.interpreted else "compiled",
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
