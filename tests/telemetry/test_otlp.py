"""Metrics and spans as they arrive at a real receiver, from a worker on real servers."""

import json
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from typing import Any

import anyio
import pytest
from anyio import to_thread
from redis.asyncio import Redis

from schemas.delta import Analysis
from schemas.job import LearningJob
from service.analysis import analyze
from service.errors import Misconfigured
from service.http.server import seen_over_http
from service.settings import Settings
from service.streams import dead_letters
from service.streams.keys import GROUP, Keys
from service.streams.replies import text
from service.telemetry.export import Exports
from service.worker.running import open_worker, reclaim_abandoned
from tests.telemetry.receiver import Received, receiving, values
from tests.worker.conftest import drained, edit, enqueue, until

pytestmark = pytest.mark.anyio
TRACE, PARENT = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"
SAMPLED = f"00-{TRACE}-{PARENT}-01"
PARTS = ["analyse", "commit", "decode", "learn", "settle"]


@pytest.fixture
def received(monkeypatch: pytest.MonkeyPatch) -> Iterator[Received]:
    with receiving() as (endpoint, received):
        monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", endpoint)
        monkeypatch.setenv("OTEL_BSP_SCHEDULE_DELAY", "100")
        monkeypatch.setenv("OTEL_METRIC_EXPORT_INTERVAL", "200")
        yield received


async def work(settings: Settings, done: Callable[[], Any], **options: Any) -> None:
    """Run a worker as ``consume`` does until ``done`` holds, then stop it: what is left is pushed at the end."""
    async with (
        seen_over_http(settings) as watched,
        open_worker(settings, **options) as worker,
        watched(worker),
        anyio.create_task_group() as group,
    ):
        group.start_soon(worker.run)
        await until(done)
        worker.stop()


def traced(job: dict[str, Any], traceparent: str = SAMPLED) -> dict[bytes, bytes]:
    return {b"job": json.dumps(job).encode(), b"traceparent": traceparent.encode(), b"tracestate": b"app=1"}


async def test_a_job_with_its_parts_in_the_trace_of_its_producer(
    settings: Settings, redis_client: Redis, keys: Keys, received: Received
) -> None:
    jobs = keys.partitions[0].jobs
    id = await redis_client.xadd(jobs, traced(edit(1)))  # type: ignore[arg-type]
    await work(settings, lambda: drained(redis_client, keys))
    (job,) = received.named(f"process {jobs}")
    assert (job.trace, job.parent, job.kind) == (TRACE, PARENT, 5)
    expected = {
        "messaging.system": "redis",
        "messaging.operation.type": "process",
        "messaging.destination.name": jobs,
        "messaging.consumer.group.name": "learnsvc",
        "messaging.message.id": text(id),
        "learnsvc.job_id": "ana-1",
        "learnsvc.outcome": "learned",
        "learnsvc.deliveries": 1,
    }
    assert expected.items() <= job.attributes.items()
    parts = received.children(job)
    assert sorted(part.name for part in parts) == PARTS
    assert all(job.started <= part.started <= part.ended <= job.ended for part in parts)
    assert min(parts, key=lambda part: part.started).name == "decode"
    (batch,) = received.named("learn batch")
    assert batch.links == (job.id,)
    assert batch.trace != job.trace
    assert received.resource["service.name"] == "learnsvc"


async def test_a_batch_links_its_jobs_and_each_job_shows_its_own_parts(
    settings: Settings, redis_client: Redis, keys: Keys, received: Received
) -> None:
    await enqueue(redis_client, keys, *(edit(number) for number in range(5)))
    await work(settings, lambda: drained(redis_client, keys))
    jobs = received.named(f"process {keys.partitions[0].jobs}")
    assert len({job.trace for job in jobs}) == len(jobs) == 5, "without a parent each is a trace of its own"
    batches = received.named("learn batch")
    assert sorted(link for batch in batches for link in batch.links) == sorted(job.id for job in jobs)
    assert sum(batch.attributes["messaging.batch.message_count"] for batch in batches) == 5
    for job in jobs:
        assert sorted(part.name for part in received.children(job)) == PARTS


async def test_a_reclaim_is_traced_too(settings: Settings, redis_client: Redis, keys: Keys, received: Received) -> None:
    jobs = keys.partitions[0].jobs
    await redis_client.xadd(jobs, traced(edit(1)))  # type: ignore[arg-type]
    await redis_client.xgroup_create(jobs, GROUP, id="0")
    await redis_client.xreadgroup(GROUP, "dead-pod", {jobs: ">"})
    assert await reclaim_abandoned(settings, min_idle=0, watch=False) == 1
    (job,) = received.named(f"process {jobs}")
    assert (job.trace, job.attributes["learnsvc.deliveries"], job.attributes["learnsvc.outcome"]) == (
        TRACE,
        2,
        "learned",
    )


async def test_idle_polling_makes_no_spans(settings: Settings, redis_client: Redis, received: Received) -> None:
    started = time.monotonic()

    async def polled() -> bool:
        return time.monotonic() - started > 1.5 and "learnsvc.queue.depth" in received.metrics

    await work(settings, polled)
    assert received.spans == []


async def test_the_trace_goes_on_through_retries_dead_letters_and_replay(
    settings: Settings, redis_client: Redis, keys: Keys, received: Received
) -> None:
    broken = True

    async def extract(job: LearningJob) -> Analysis:
        if broken:
            raise RuntimeError("a text of a writer")
        return analyze(job.original_text, job.edited_text)

    partition = keys.partitions[0]
    await redis_client.xadd(partition.jobs, traced(edit(1)))  # type: ignore[arg-type]
    quick = settings.model_copy(update={"learning_max_attempts": 3})

    async def dead() -> bool:
        return bool(await redis_client.xlen(partition.dead))

    await work(quick, dead, extract=extract)
    broken = False
    async for _, id, fields in dead_letters.walk(redis_client, keys):
        assert await dead_letters.replay(redis_client, partition, id, fields)
    await work(quick, lambda: drained(redis_client, keys), extract=extract)
    spans = received.named(f"process {partition.jobs}")
    assert {(span.trace, span.parent) for span in spans} == {(TRACE, PARENT)}
    outcomes = [span.attributes["learnsvc.outcome"] for span in sorted(spans, key=lambda span: span.started)]
    assert outcomes == ["failed_attempt"] * 3 + ["dead", "learned"]
    assert [span.failed for span in sorted(spans, key=lambda span: span.started)] == [True] * 4 + [False]
    assert not any(span.events for span in received.spans), "no exception is recorded: its message may be a text"
    assert not any(b"text of a writer" in body for body in received.raw)
    failed = [part for part in received.named("analyse") if part.failed]
    assert {part.attributes["error.type"] for part in failed} == {"RuntimeError"}


async def test_nothing_of_a_writer_leaves_the_house(
    settings: Settings, redis_client: Redis, keys: Keys, received: Received
) -> None:
    job = edit(1, user="ana.canary@example.com", job_id="j1")
    await redis_client.xadd(keys.partitions[0].jobs, traced(job))  # type: ignore[arg-type]
    await redis_client.xadd(keys.partitions[0].jobs, {b"job": b'{"user_id":"ana.canary@example.com", "edited'})
    await work(settings, lambda: drained(redis_client, keys))
    assert received.spans
    assert received.metrics
    for body in received.raw:
        assert b"canary" not in body
        assert b"Pears" not in body


async def test_metrics_arrive_with_histograms(
    settings: Settings, redis_client: Redis, keys: Keys, received: Received, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OTEL_SERVICE_NAME", "learning-eu")
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_HEADERS", "api-key=one")
    monkeypatch.setenv("OTEL_TRACES_EXPORTER", "none")
    await enqueue(redis_client, keys, edit(1))
    await work(settings, lambda: drained(redis_client, keys))
    learned = {
        values(point.attributes)["outcome"]: point.as_int for point in received.metrics["learnsvc.jobs"].sum.data_points
    }
    assert learned["learned"] == 1
    commits = [
        point
        for point in received.metrics["learnsvc.stage.duration"].histogram.data_points
        if values(point.attributes) == {"stage": "commit"}
    ]
    assert [(point.count, sum(point.bucket_counts)) for point in commits] == [(1, 1)]
    assert received.metrics["messaging.process.duration"].unit == "s"
    assert received.resource["service.name"] == "learning-eu"
    assert {headers["api-key"] for headers in received.headers} == {"one"}
    assert received.spans == []


@pytest.mark.parametrize(
    ("sampler", "argument", "traceparent", "expected"),
    [
        ("always_off", "", SAMPLED, 0),
        ("always_on", "", SAMPLED[:-1] + "0", 1),
        ("parentbased_traceidratio", "0", SAMPLED, 1),
        ("parentbased_traceidratio", "0", "", 0),
        ("parentbased_traceidratio", "1", SAMPLED[:-1] + "0", 0),
    ],
)
async def test_sampling(
    sampler: str,
    argument: str,
    traceparent: str,
    expected: int,
    settings: Settings,
    redis_client: Redis,
    keys: Keys,
    received: Received,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("OTEL_TRACES_SAMPLER", sampler)
    monkeypatch.setenv("OTEL_TRACES_SAMPLER_ARG", argument)
    await redis_client.xadd(keys.partitions[0].jobs, traced(edit(1), traceparent))  # type: ignore[arg-type]
    await work(settings, lambda: drained(redis_client, keys))
    jobs = received.named(f"process {keys.partitions[0].jobs}")
    assert len(jobs) == expected
    assert len([span for span in received.spans if span.name in PARTS]) == len(PARTS) * expected


async def test_a_collector_that_is_away_holds_up_nothing(
    service_env: dict[str, str], redis_client: Redis, keys: Keys
) -> None:
    """Jobs are learned, the worker ends in time with exit code 0, and the log is not flooded."""
    with receiving() as (endpoint, received):
        received.refuse = 503
        env = service_env | {
            "OTEL_EXPORTER_OTLP_ENDPOINT": endpoint,
            "OTEL_BSP_SCHEDULE_DELAY": "50",
            "OTEL_METRIC_EXPORT_INTERVAL": "100",
        }
        await enqueue(redis_client, keys, *(edit(number, user=f"w{number}") for number in range(20)))
        command = [sys.executable, "-m", "service.cli", "consume"]
        process = subprocess.Popen(command, env=env, stderr=subprocess.PIPE, text=True)  # noqa: ASYNC220
        try:
            await until(lambda: drained(redis_client, keys), seconds=60)
            await until(lambda: _refused(received, 5), seconds=60)
            process.send_signal(signal.SIGTERM)
            stopping = time.monotonic()
            _, stderr = await to_thread.run_sync(lambda: process.communicate(timeout=60))
        finally:
            process.kill()
    assert process.returncode == 0
    assert time.monotonic() - stopping < 15
    lines = [json.loads(line) for line in stderr.splitlines()]
    theirs = [line for line in lines if line.get("logger", "").startswith("opentelemetry")]
    assert 1 <= len(theirs) <= 6, theirs


@pytest.mark.parametrize(
    ("variable", "value"),
    [("OTEL_BSP_MAX_QUEUE_SIZE", "-1"), ("OTEL_SPAN_LINK_COUNT_LIMIT", "x")],
)
async def test_what_the_sdk_cannot_read_ends_the_start(
    variable: str, value: str, settings: Settings, received: Received, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(variable, value)
    with pytest.raises(Misconfigured, match="OTEL_"):
        async with seen_over_http(settings):
            raise AssertionError("it started")


async def _refused(received: Received, times: int) -> bool:
    return len(received.raw) >= times


@pytest.mark.parametrize(
    ("environment", "expected"),
    [
        ({}, Exports()),
        ({"OTEL_EXPORTER_OTLP_ENDPOINT": "http://c:4318"}, Exports("otlp", "otlp")),
        ({"OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": "http://c:4318/x"}, Exports("otlp")),
        ({"OTEL_EXPORTER_OTLP_ENDPOINT": "http://c", "OTEL_TRACES_EXPORTER": "none"}, Exports("none", "otlp")),
        ({"OTEL_TRACES_EXPORTER": "console"}, Exports("console")),
        ({"OTEL_METRICS_EXPORTER": "prometheus"}, Exports()),
        ({"OTEL_TRACES_EXPORTER": "otlp", "OTEL_SDK_DISABLED": "TRUE"}, Exports()),
    ],
)
def test_what_the_variables_ask_for(environment: dict[str, str], expected: Exports) -> None:
    assert Exports.of(environment) == expected
    assert expected.any == (expected.traces != "none" or expected.metrics != "none")


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("OTEL_TRACES_EXPORTER", "jaeger"),
        ("OTEL_METRICS_EXPORTER", "otpl"),
        ("OTEL_EXPORTER_OTLP_PROTOCOL", "http/json"),
        ("OTEL_EXPORTER_OTLP_TRACES_PROTOCOL", "grpc"),
        ("OTEL_TRACES_SAMPLER", "sometimes"),
        ("OTEL_TRACES_SAMPLER_ARG", "10%"),
        ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "collector:4318"),
    ],
)
def test_a_variable_that_means_nothing_ends_the_start(variable: str, value: str) -> None:
    rest = {"OTEL_TRACES_EXPORTER": "otlp", "OTEL_TRACES_SAMPLER": "traceidratio"}
    with pytest.raises(Misconfigured, match=variable):
        Exports.of({**rest, variable: value})
