"""An hour of a service on call, in a minute: start, load, outages, poison, drain, and the worker that takes over.

At each stage the probes, the metrics, the log, the status page and the history in Redis must say what happened, and
nothing else. Each stage is a function of the world that raises when something was not seen; ``play`` runs them in order
and says how long each took.

    python -m tests.observability --pictures FOLDER
"""

from __future__ import annotations

import re
import signal
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import anyio
from redis.asyncio import Redis as AsyncRedis

from service.http.verdicts import GRACE_SECONDS
from service.streams.keys import Keys
from service.streams.minutes import Minute, read_minutes
from tests.observability.watched import LEASE_SECONDS, World, frozen, open_world, until

JOBS, WRITERS, BACKLOG = 300, 30, 6000
HELD = 1500  # jobs at work when the stop comes: some seconds, enough for a picture
FILES = Path(__file__).parents[2] / "helm" / "learnsvc" / "files"
POISON = {
    "{": "undecodable",
    "[]": "invalid",
    '{"schema_version": 9}': "future_version",
    '{"user_id": "a", "user_id": "b"}': "duplicate_key",
}


def start(world: World) -> str:
    """Nothing is ready before the servers answered; alive it is from the first moment."""
    with frozen(world.redis_server):
        worker = world.start_worker()
        until("HTTP answers", lambda: worker.get("/livez").status == 200)
        until("only Redis is awaited", lambda: len(worker.reasons()) == 2)
        assert "starting: Redis has not answered yet" in worker.reasons()
        assert (worker.get("/health").status, worker.get("/livez").status) == (503, 200)
        assert "learnsvc_queue_depth" not in {name for name, *_ in worker.metrics()}, "a zero would be a lie"
        world.look("1-start", "Starting", "Redis has not been counted yet")
    until("ready", lambda: worker.get("/readyz").status == 200)
    until("well", lambda: worker.get("/health").status == 200)
    assert worker.told("info").count(READY) == 1
    return "503 with its reasons until Redis answered, then 200"


READY = "Worker started · Redis connected · MongoDB connected · Processing jobs with concurrency: 5"


def load(world: World) -> str:
    """Everything is learned once, and the numbers agree with each other."""
    worker = world.worker
    warned = worker.told("warning", "error")  # of the start without Redis, when it took longer than a time-out
    world.send(JOBS, WRITERS)
    until("all learned", lambda: worker.metrics()["learnsvc_jobs_total", "learned"] == world.sent)
    until("queue empty", lambda: worker.health()["metrics"]["queueLength"] == 0)
    seen = worker.metrics()
    batches = seen["learnsvc_batch_size_count",]
    assert seen["learnsvc_batch_size_sum",] == world.sent == world.applied()
    assert seen["learnsvc_stage_duration_seconds_count", "analyse"] == world.sent
    for stage in ("learn", "commit", "settle"):
        assert seen["learnsvc_stage_duration_seconds_count", stage] == batches, stage
    assert seen["learnsvc_stage_duration_seconds_count", "tone"] == 0, "no model is asked"
    assert sum(value for (name, *_), value in seen.items() if name == "learnsvc_score_change_count") == batches
    assert seen["learnsvc_patterns_total", "emoji usage"] > 0
    assert worker.get("/health").status == worker.get("/readyz").status == 200
    assert worker.told("warning", "error") == warned
    world.look("2-load", "Working", f"{world.sent:,}", "none waits", "The last hour")
    return f"{world.sent} learned in {batches:.0f} batches; log without a warning"


def asked_for(world: World) -> str:
    """Every metric that the alerts and the dashboard ask for is there."""
    sources = [(FILES / name).read_text() for name in ("alerts.yaml", "dashboard.json")]
    asked = set(re.findall(r"\b(?:learnsvc|messaging)_[a-z_]+", sources[0].partition("groups:")[2] + sources[1]))
    emitted = {name for name, *_ in world.worker.metrics()}
    without_model = {name for name in asked if name.startswith("learnsvc_gemini")}
    assert asked - emitted <= without_model, asked - emitted
    return f"{len(asked)} metrics of alerts and dashboard are emitted"


def redis_outage(world: World) -> str:
    """Redis is away for longer than the grace: seen at once, unready after the grace, alive all the time."""
    worker, lines = world.worker, len(world.worker.told("warning", "error"))
    with frozen(world.redis_server):
        noticed = until("unwell", lambda: worker.get("/health").status == 503)
        assert worker.health()["services"]["redis"] == "disconnected"
        assert worker.get("/readyz").status == 200, "a short outage is within the grace"
        unready = noticed + until("unready", lambda: worker.get("/readyz").status == 503)
        assert unready > GRACE_SECONDS - 1
        assert [reason.partition(" for ")[0] for reason in worker.reasons()] == ["redis away"]
        assert worker.metrics()["learnsvc_dependency_up", "redis"] == 0
        world.look("3-redis-away", "Not well", "disconnected")
        assert worker.get("/livez").status == 200
    until("ready again", lambda: worker.get("/readyz").status == 200)
    until("well again", lambda: worker.get("/health").status == 200)
    told = worker.told("warning", "error")[lines:]
    assert 1 <= len(told) <= 3, told
    assert any("redis is away" in line for line in told)
    until("said", lambda: any("redis is back" in line for line in worker.told("info")))
    return f"seen after {noticed:.1f} s, unready after {unready:.0f} s, {len(told)} warnings, well again"


def mongodb_outage(world: World) -> str:
    """MongoDB is away for less than the grace, with jobs coming: they wait, renewed and not counted against."""
    worker = world.worker
    with frozen(world.mongo_server):
        until("noticed", lambda: worker.health()["services"]["mongodb"] == "disconnected")
        world.send(50, 10)
        until("a backlog", lambda: (worker.health()["metrics"]["queueLength"] or 0) >= 50)
        time.sleep(LEASE_SECONDS)  # long enough that what is not renewed would be idle for a lease
        seen = worker.metrics()
        assert seen["learnsvc_queue_pending_idle_seconds",] < seen["learnsvc_lease_seconds",] == LEASE_SECONDS
        assert (worker.get("/readyz").status, worker.get("/livez").status) == (200, 200)
        assert seen["learnsvc_jobs_total", "failed_attempt"] == 0
        world.look("4-mongodb-away", "Not well", "disconnected")
    until("learned", lambda: worker.metrics()["learnsvc_jobs_total", "learned"] == world.sent)
    assert world.applied() == world.sent
    return "50 jobs waited and were learned; ready all the time, no attempt counted"


def poison(world: World) -> str:
    """What can never be learned is a dead letter with its reason; what comes with it is learned."""
    worker = world.worker
    for payload in POISON:
        world.redis.xadd(world.keys.jobs, {"job": payload})
        world.send(5, 5)
    until("dead", lambda: worker.metrics()["learnsvc_dead_letters",] == len(POISON))
    until("learned", lambda: worker.metrics()["learnsvc_jobs_total", "learned"] == world.sent)
    assert worker.metrics()["learnsvc_jobs_total", "dead"] == len(POISON)
    health = worker.health()
    assert (health["status"], health["metrics"]["deadLetters"]) == ("ok", len(POISON))
    world.look("5-poison", "Working", "Dead letters, the newest by reason", *POISON.values())
    lines = [line for line in worker.told("error") if "Dead letter" in line]
    assert len(lines) == len(POISON)
    assert all(any(f": {reason}" in line for line in lines) for reason in POISON.values())
    return f"{len(POISON)} dead letters, {len(lines)} lines, healthy"


def drain(world: World) -> str:
    """A stop signal in the middle of a backlog: unready with the reason, alive to the end, nothing left pending."""
    worker = world.worker
    world.send(BACKLOG, BACKLOG)  # a writer a job: the slowest backlog there is
    until("much at work", lambda: worker.metrics()["learnsvc_in_work",] > HELD)
    worker.process.send_signal(signal.SIGTERM)
    answers: list[tuple[int, int]] = []

    def ended() -> bool:
        ready = worker.get("/readyz")
        if ready.status and "draining" in ready.text:
            if not answers:
                world.look("6-drain", "Draining", widths=[1280])  # over in seconds
            answers.append((ready.status, worker.get("/livez").status))
        return worker.process.poll() is not None

    seconds = until("ended", ended)
    assert worker.process.returncode == 0
    assert answers, "never seen draining"
    assert {ready for ready, _ in answers} == {503}
    assert {alive for _, alive in answers} <= {200, 0}, "0: it had just ended"
    assert world.pending() == 0 or any("Released" in line for line in worker.told("info"))
    left = world.redis.xlen(world.keys.jobs)
    assert world.applied() + left == world.sent
    return f"exit 0 after {seconds:.1f} s, {left} jobs left for the next"


def take_over(world: World) -> str:
    """Another worker learns the rest; the history in Redis tells of both."""
    before = world.redis.xlen(world.keys.jobs)
    worker = world.start_worker()
    until("HTTP answers", lambda: worker.get("/livez").status == 200)
    # Before the rest is learned: of a minute the last look is kept, and that may find nothing waiting any more.
    until("the depth is noted", lambda: any(minute.depth for minute in history_of(world)))
    until("empty", lambda: not world.redis.xlen(world.keys.jobs), seconds=120)
    assert world.applied() == world.sent
    assert world.pending() == 0
    until("all counted", lambda: worker.metrics()["learnsvc_jobs_total", "learned"] == before)
    history = history_of(world)
    assert sum(minute.completed for minute in history) == world.sent
    assert sum(minute.dead for minute in history) == len(POISON)
    assert {reason for minute in history for reason in minute.dead_by_reason} == set(POISON.values())
    world.look("7-take-over", "Working", f"{world.sent:,}", *POISON.values())
    return f"{before} taken over; {world.sent} jobs and {len(POISON)} dead letters in the history of both"


def history_of(world: World) -> list[Minute]:
    async def minutes() -> list[Minute]:
        async with AsyncRedis.from_url(world.redis_server.url) as redis:
            return await read_minutes(redis, Keys.of(), 60)

    return anyio.run(minutes)


STAGES: tuple[Callable[[World], str], ...] = (
    start,
    load,
    asked_for,
    redis_outage,
    mongodb_outage,
    poison,
    drain,
    take_over,
)


def play(pictures: Path | None = None) -> Iterator[tuple[str, float, str]]:
    """Play all stages; yield the name of each, the seconds it took and what was seen.

    In ``pictures``, a folder, the status page of each stage is kept as a desk and a phone show it.
    """
    with open_world(pictures) as world:
        for stage in STAGES:
            started = time.monotonic()
            seen = stage(world)
            yield stage.__name__, time.monotonic() - started, seen
