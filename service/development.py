"""``learnsvc dev``: private servers with kept data and a worker, their lines side by side in one terminal.

Redis and MongoDB write to log files, which are followed; the worker writes to a pipe. Every line gets the prefix of
its process. When the command ends, however it ends, the servers end too, and their data stays.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO

from service.embedded import EmbeddedMongo, EmbeddedRedis, start_both
from service.logs import escape, wants_colours

COLOURS = {"REDIS": "31", "MONGO": "32", "WORKER": "36", "DEV": "1"}
FOLLOW_SECONDS = 0.2


def run_dev(directory: Path, redis_port: int, mongodb_port: int, processes: int, rate_limit: float | None) -> int:
    """Run until Ctrl-C or until the worker ends; return the worker's exit code."""
    say = Printer(wants_colours(sys.stdout.isatty(), os.environ))
    redis = EmbeddedRedis(directory / "redis", redis_port or None)
    mongo = EmbeddedMongo(directory / "mongodb", mongodb_port or None)
    say("DEV", f"starting Redis and MongoDB, data in {directory}/")
    start_both(redis, mongo)
    done = threading.Event()
    try:
        _introduce(say, redis, mongo)
        for name, path, shorten in (("REDIS", redis.log_path, str.strip), ("MONGO", mongo.log_path, mongod_line)):
            _start(_print_lines, say, name, _follow(path, done), shorten)
        return _work(say, _environment(redis, mongo, rate_limit, say.colours), processes)
    finally:
        done.set()
        say("DEV", "stopping Redis and MongoDB; the data stays")
        redis.stop()
        mongo.stop()


class Printer:
    """Writes whole lines with the prefix of their process; used by several threads."""

    def __init__(self, colours: bool) -> None:
        self.colours = colours
        self._lock = threading.Lock()

    def __call__(self, name: str, line: str) -> None:
        prefix = f"[{name}]"
        if self.colours:
            prefix = f"\x1b[{COLOURS[name]}m{prefix}\x1b[0m"
        with self._lock:
            print(f"{prefix} {line}", flush=True)  # noqa: T201 - this is what the command is for


def mongod_line(line: str) -> str:
    """Return what a person wants of a line of mongod's JSON log, nothing of the chatter at its start."""
    try:
        entry = json.loads(line)
    except ValueError:
        return escape(line.strip())
    if entry.get("s") == "I" and entry.get("msg") != "Waiting for connections":
        return ""
    return escape(f"{entry.get('s')} {entry.get('msg')}")


def _introduce(say: Printer, redis: EmbeddedRedis, mongo: EmbeddedMongo) -> None:
    say("DEV", f"REDIS_URL={redis.url}")
    say("DEV", f"MONGODB_URI={mongo.uri('learnsvc')}")
    port = os.environ.get("LEARNING_HTTP_PORT", "3002")
    if port != "0":
        say("DEV", f"status page: http://127.0.0.1:{port}/")
    say("DEV", "export these two in another terminal, then try: learnsvc enqueue edits.jsonl; learnsvc status --watch")


def _environment(redis: EmbeddedRedis, mongo: EmbeddedMongo, rate_limit: float | None, colours: bool) -> dict[str, str]:
    environment = {
        **os.environ,
        "REDIS_URL": redis.url,
        "MONGODB_URI": mongo.uri("learnsvc"),
        "LEARNING_LOG_FORMAT": "console",
    }
    if colours:
        environment["FORCE_COLOR"] = "1"
    if rate_limit is not None:
        environment |= {"LEARNING_RATE_LIMIT_MINUTES": str(rate_limit), "EDIT_BATCH_WINDOW_MINUTES": str(rate_limit)}
    return environment


def _work(say: Printer, environment: dict[str, str], processes: int) -> int:
    command = [sys.executable, "-m", "service.cli", "consume", "--processes", str(processes)]
    worker = subprocess.Popen(command, env=environment, stderr=subprocess.PIPE, text=True, start_new_session=True)
    for signum in (signal.SIGINT, signal.SIGTERM):
        signal.signal(signum, lambda number, frame: worker.send_signal(signal.SIGTERM))
    if worker.stderr is not None:
        _print_lines(say, "WORKER", worker.stderr, str.rstrip)
    return worker.wait()


def _print_lines(say: Printer, name: str, lines: Iterator[str] | IO[str], shorten: Callable[[str], str]) -> None:
    for line in lines:
        shown = shorten(line)
        if shown:
            say(name, shown)


def _follow(path: Path, done: threading.Event) -> Iterator[str]:
    """Yield the lines of a growing file until ``done``."""
    with path.open(errors="replace") as file:
        while not done.is_set():
            line = file.readline()
            if line:
                yield line
            else:
                done.wait(FOLLOW_SECONDS)


def _start(target: Callable[..., None], *args: object) -> None:
    threading.Thread(target=target, args=args, daemon=True).start()
