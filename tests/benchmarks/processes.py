"""Programs under measurement: started, watched through /proc, and always ended by their own process id.

CPU time is the scheduler's (nanoseconds, every thread, children included), not the 10 ms ticks of ``/proc/PID/stat``.
"""

from __future__ import annotations

import itertools
import os
import subprocess
import sys
import threading
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

from service.worker.fleet import PARENT

STOP_SECONDS = 30.0
_NUMBERS = itertools.count()
ROOT = Path(__file__).parents[2]


class ProcessFailed(RuntimeError):
    """A program under measurement ended, or never became ready; the text ends with its last output."""


class Program:
    """One process; ``heard`` is given each line of its output, else the output goes to a file in ``folder``."""

    def __init__(
        self,
        arguments: Sequence[str],
        folder: Path,
        environment: Mapping[str, str],
        heard: Callable[[bytes], None] | None = None,
    ) -> None:
        self.log = folder / f"{next(_NUMBERS)}.log"
        self._output = self.log.open("wb")
        self._process = subprocess.Popen(
            list(arguments),
            env={**environment, PARENT: str(os.getpid())},  # so that it ends when we are killed
            cwd=ROOT,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE if heard else self._output,
            stderr=subprocess.STDOUT,
        )
        self._listener = threading.Thread(target=self._listen, args=(heard,), daemon=True) if heard else None
        if self._listener:
            self._listener.start()

    @property
    def pid(self) -> int:
        return self._process.pid

    def check(self) -> None:
        """Raise ``ProcessFailed`` when the process has ended."""
        if self._process.poll() is not None:
            self._output.flush()
            tail = self.log.read_text(errors="replace").splitlines()[-5:]
            raise ProcessFailed(f"ended with status {self._process.returncode}:\n" + "\n".join(tail))

    def cpu_seconds(self) -> float:
        return sum(cpu_seconds(pid) for pid in family(self.pid))

    def peak_mb(self) -> float:
        return peak_mb(self.pid)

    def stop(self) -> None:
        """End it gracefully, or, when that takes too long, at once."""
        if self._process.poll() is None:
            self._process.terminate()
            try:
                self._process.wait(STOP_SECONDS)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()
        if self._listener:
            self._listener.join(1)
        self._output.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None) -> None:
        self.stop()

    def _listen(self, heard: Callable[[bytes], None]) -> None:
        for line in self._process.stdout or ():
            heard(line)
            self._output.write(line)


def consume(*options: str) -> list[str]:
    """Return the command line of the worker as its users start it."""
    return [sys.executable, "-m", "service.cli", "consume", *options]


def module(name: str, *options: str) -> list[str]:
    return [sys.executable, "-m", f"tests.benchmarks.{name}", *options]


def family(pid: int) -> list[int]:
    """Return ``pid`` and its living descendants."""
    found = [pid]
    for one in found:
        for children in Path(f"/proc/{one}/task").glob("*/children"):
            try:
                found += map(int, children.read_text().split())
            except OSError:
                continue
    return found


def cpu_seconds(pid: int) -> float:
    """Return the seconds the threads of ``pid`` have run."""
    total = 0
    for task in Path(f"/proc/{pid}/task").glob("*/schedstat"):
        try:
            total += int(task.read_text().split()[0])
        except OSError:
            continue
    return total / 1e9


def peak_mb(pid: int) -> float:
    """Return the most memory ``pid`` ever had resident, in MB (10^6 bytes)."""
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM:")) * 1024 / 1e6
