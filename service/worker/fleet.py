"""Several workers on one machine: a parent that starts processes, restarts those that die, and passes signals on.

Each child is a complete ``learnsvc consume`` with a consumer of its own; they share nothing but Redis and MongoDB. A
port belongs to one process, so each serves HTTP on the next one: what is measured of a process is there alone. A
child that refuses its settings ends all: restarting it would only repeat the message. Children ask the kernel for
SIGTERM when the parent dies, so none is left behind.
"""

from __future__ import annotations

import ctypes
import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from types import FrameType

from service.logs import get_logger

PARENT = "LEARNSVC_FLEET_PARENT"
RESTART_SECONDS = 1.0  # wait before a restart; doubles while a child dies young
YOUNG_SECONDS = 10.0
POLL_SECONDS = 0.1
HIGHEST_PORT = 65_535
_PR_SET_PDEATHSIG = 1


class Fleet:
    """``count`` children running ``arguments`` under this interpreter, on ports from ``port`` on unless it is 0."""

    def __init__(self, count: int, arguments: Sequence[str], port: int = 0) -> None:
        self._port = port
        self._command = [sys.executable, "-m", "service.cli", *arguments]
        self._children: list[subprocess.Popen[bytes] | None] = [None] * count
        self._born = [0.0] * count
        self._due = [0.0] * count
        self._young = [0] * count
        self._signals: list[int] = []
        self._stopping = False

    def run(self) -> int:
        """Run until a signal or a child that refuses its settings; return the exit code."""
        for signum in (signal.SIGTERM, signal.SIGINT):
            signal.signal(signum, self._note)
        code = 0
        while True:
            self._pass_signals_on()
            for slot in range(len(self._children)):
                code = self._look_after(slot) or code
            if self._stopping and not any(self._children):
                return code
            time.sleep(POLL_SECONDS)

    def _note(self, signum: int, frame: FrameType | None) -> None:
        self._signals.append(signum)

    def _pass_signals_on(self) -> None:
        while self._signals:
            self._stop(self._signals.pop(0))

    def _stop(self, signum: int = signal.SIGTERM) -> None:
        self._stopping = True
        for child in self._children:
            if child is not None:
                child.send_signal(signum)

    def _look_after(self, slot: int) -> int:
        """Start, restart or bury the child of ``slot``; return the exit code it asks for, else 0."""
        child = self._children[slot]
        if child is None:
            if not self._stopping and time.monotonic() >= self._due[slot]:
                self._start(slot)
            return 0
        ended = child.poll()
        if ended is None:
            return 0
        self._children[slot] = None
        if ended in (1, 2) and not self._stopping:
            self._stop()
        if self._stopping:
            return ended if ended > 0 else 0
        self._young[slot] = self._young[slot] + 1 if time.monotonic() - self._born[slot] < YOUNG_SECONDS else 0
        wait = min(30.0, RESTART_SECONDS * 2 ** self._young[slot])
        self._due[slot] = time.monotonic() + wait
        get_logger().error(f"[Learning] Worker {child.pid} ended ({_how(ended)}): starting another in {wait:.0f} s")
        return 0

    def _start(self, slot: int) -> None:
        self._children[slot] = subprocess.Popen(self._command, env=_environment(os.environ, self._port, slot))
        self._born[slot] = time.monotonic()


def end_with_parent() -> None:
    """In a child: ask for SIGTERM when the parent is gone (Linux)."""
    parent = os.environ.get(PARENT)
    if parent is None or not sys.platform.startswith("linux"):
        return
    ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
    if os.getppid() != int(parent):
        os.kill(os.getpid(), signal.SIGTERM)


def _environment(environment: Mapping[str, str], port: int, slot: int) -> dict[str, str]:
    own = port + slot if port and port + slot <= HIGHEST_PORT else 0
    return {**environment, PARENT: str(os.getpid()), "LEARNING_HTTP_PORT": str(own)}


def _how(code: int) -> str:
    return f"exit code {code}" if code >= 0 else f"signal {signal.Signals(-code).name}"
