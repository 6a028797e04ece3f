"""A worker as a process on servers of its own, and everything that can be seen of it from outside."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from prometheus_client.parser import text_string_to_metric_families
from pymongo import MongoClient
from redis import Redis

from service.embedded import EmbeddedMongo, EmbeddedRedis
from service.streams.keys import GROUP, Keys
from tests.conftest import OUR_VARIABLES
from tests.http.conftest import Reply, ask, free_port

ROOT = Path(__file__).parents[2]
CHROMIUM_FLAGS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--hide-scrollbars",
)
LEASE_SECONDS = 3.0
SETTINGS = {
    "LEARNING_LEASE_SECONDS": LEASE_SECONDS,
    "LEARNING_REDIS_TIMEOUT_SECONDS": 1,
    "LEARNING_MONGODB_TIMEOUT_SECONDS": 1,
    "LEARNING_BLOCK_SECONDS": 0.2,
    "LEARNING_SWEEP_SECONDS": 0.5,
    "LEARNING_DUE_SECONDS": 0.5,
    "LEARNING_RATE_LIMIT_MINUTES": 0,
    "EDIT_BATCH_WINDOW_MINUTES": 0,
    "LEARNING_LOG_FORMAT": "json",
    "GEMINI_API_KEY": "",
}


class NotSeen(AssertionError):
    """What a stage waits for did not come."""


class Worker:
    """``learnsvc consume``: its probes, its metrics, its log."""

    def __init__(self, redis: EmbeddedRedis, mongo: EmbeddedMongo, folder: Path) -> None:
        self.port = free_port()
        self._log_path = folder / f"worker-{self.port}.log"
        ours = {"REDIS_URL": redis.url, "MONGODB_URI": mongo.uri("hour"), "LEARNING_HTTP_PORT": self.port, **SETTINGS}
        clean = {name: value for name, value in os.environ.items() if not name.startswith(OUR_VARIABLES)}
        with self._log_path.open("wb") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "service.cli", "consume"],
                env={**clean, **{name: str(value) for name, value in ours.items()}},
                cwd=ROOT,
                stderr=log,
            )

    def get(self, path: str) -> Reply:
        """Return the answer; status 0 while nobody answers."""
        try:
            return ask(self.port, path)
        except OSError:
            return Reply(0, {}, "{}")

    def health(self) -> Any:
        return self.get("/health").json()

    def reasons(self) -> list[str]:
        reasons: list[str] = self.get("/readyz").json().get("reasons", [])
        return reasons

    def metrics(self) -> dict[tuple[str, ...], float]:
        """Return the samples by name and label values, in the order of the labels' names."""
        return {
            (sample.name, *(sample.labels[label] for label in sorted(sample.labels))): sample.value
            for family in text_string_to_metric_families(self.get("/metrics").text)
            for sample in family.samples
        }

    def log(self) -> list[dict[str, Any]]:
        lines = self._log_path.read_text(errors="replace").splitlines()
        return [json.loads(line) for line in lines if line.startswith("{") and line.endswith("}")]

    def told(self, *levels: str) -> list[str]:
        return [line["message"] for line in self.log() if line["level"] in levels]

    def end(self) -> None:
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()


class World:
    """The servers, a client of each, and the workers that were started."""

    def __init__(self, redis: EmbeddedRedis, mongo: EmbeddedMongo, pictures: Path | None = None) -> None:
        self.redis_server, self.mongo_server = redis, mongo
        self._pictures = pictures
        self.redis = Redis.from_url(redis.url, socket_timeout=20)
        self.mongo: MongoClient[dict[str, Any]] = MongoClient(mongo.url, timeoutMS=20_000)
        self.keys = Keys.of().partitions[0]
        self.workers: list[Worker] = []
        self.sent = 0

    @property
    def worker(self) -> Worker:
        return self.workers[-1]

    def start_worker(self) -> Worker:
        self.workers.append(Worker(self.redis_server, self.mongo_server, self.redis_server.folder))
        return self.worker

    def send(self, count: int, writers: int) -> None:
        """Append ``count`` good jobs of ``writers`` writers."""
        with self.redis.pipeline(transaction=False) as pipe:
            for number in range(self.sent, self.sent + count):
                pipe.xadd(self.keys.jobs, {"job": json.dumps(good_job(number, number % writers))})
            pipe.execute()
        self.sent += count

    def look(self, name: str, *words: str, widths: Sequence[int] = (1280, 360)) -> None:
        """Wait until the status page says ``words``, and keep pictures of it when they are wanted."""

        def says() -> bool:
            page = self.worker.get("/")
            return page.status == 200 and all(word in page.text for word in words)

        until(f"the page says {', '.join(words)}", says)
        if self._pictures is not None:
            for width in widths:
                photograph(f"http://127.0.0.1:{self.worker.port}/", self._pictures / f"{name}-{width}.png", width)

    def applied(self) -> int:
        """Return how many jobs have had their effect: the number that nothing is lost or doubled by."""
        return sum(document["edits_applied"] for document in self.mongo.hour.style_profiles.find({}))

    def pending(self) -> int:
        summary: Any = self.redis.xpending(self.keys.jobs, GROUP)
        return int(summary["pending"])

    def close(self) -> None:
        for worker in self.workers:
            worker.end()
        self.redis.close()
        self.mongo.close()


def chromium() -> str | None:
    """Return the browser that takes the pictures, None when there is none."""
    return os.environ.get("LEARNSVC_TEST_CHROMIUM") or shutil.which("chromium") or shutil.which("google-chrome")


def photograph(url: str, path: Path, width: int) -> None:
    """Keep a picture of ``url``, ``width`` pixels wide."""
    program = chromium()
    assert program is not None, "no Chromium: install it, or name one in LEARNSVC_TEST_CHROMIUM"
    with tempfile.TemporaryDirectory() as profile:
        options = [f"--user-data-dir={profile}", f"--screenshot={path}", f"--window-size={width},1900", *CHROMIUM_FLAGS]
        run = subprocess.run([program, *options, url], capture_output=True, timeout=60, check=False)
    assert path.exists(), run.stderr.decode(errors="replace")[-500:]


def good_job(number: int, writer: int) -> dict[str, str]:
    text = f"Pears are ripe in week {number}, and the plums follow in a few days. 🍐 We open at nine."
    return {
        "job_id": f"job-{number}",
        "user_id": f"writer-{writer}",
        "content_id": f"c{number}",
        "original_text": text,
        "edited_text": text.replace(", and the", ". The").replace(" 🍐", ""),
    }


@contextmanager
def frozen(server: EmbeddedRedis | EmbeddedMongo) -> Iterator[None]:
    os.kill(server.pid, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(server.pid, signal.SIGCONT)


def until(what: str, condition: Callable[[], bool], seconds: float = 45) -> float:
    """Wait until ``condition`` holds; return the seconds it took. Raises ``NotSeen``."""
    started = time.monotonic()
    while not condition():
        if time.monotonic() - started > seconds:
            raise NotSeen(f"{what}: not seen within {seconds:g} s")
        time.sleep(0.05)
    return time.monotonic() - started


@contextmanager
def open_world(pictures: Path | None = None) -> Iterator[World]:
    with EmbeddedRedis() as redis, EmbeddedMongo() as mongo:
        world = World(redis, mongo, pictures)
        try:
            yield world
        finally:
            world.close()
