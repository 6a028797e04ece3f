"""What the lines of a worker's log carry: whoever finds one finds the job, the entry, the writer and the trace."""

import io
import json
import logging
from collections.abc import Iterator
from typing import Any

import pytest
import structlog
from redis.asyncio import Redis

from schemas.delta import Analysis
from schemas.job import LearningJob
from service import logs
from service.http.server import seen_over_http
from service.settings import Settings
from service.streams.keys import Keys
from service.streams.replies import text
from tests.telemetry.receiver import receiving
from tests.worker.conftest import drained, edit, enqueue, running, until

pytestmark = pytest.mark.anyio
TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"


@pytest.fixture
def log() -> Iterator[io.StringIO]:
    """The JSON lines of level info; the set-up of before is put back."""
    root = logging.getLogger()
    handlers, level = list(root.handlers), root.level
    stream = io.StringIO()
    logs.configure("info", json=True, stream=stream)
    yield stream
    root.handlers[:] = handlers
    root.setLevel(level)
    for name in logs.HELD_AT_WARNING:
        logging.getLogger(name).setLevel(logging.NOTSET)
    structlog.reset_defaults()


def learning(log: io.StringIO) -> list[dict[str, Any]]:
    lines = [json.loads(line) for line in log.getvalue().splitlines()]
    return [line for line in lines if line["message"].startswith("[Learning]")]


def entry(job: dict[str, Any], trace: str = TRACE, flags: str = "00") -> Any:
    return {"job": json.dumps(job), "traceparent": f"00-{trace}-00f067aa0ba902b7-{flags}"}


async def test_every_line_about_a_job_names_it(
    settings: Settings, redis_client: Redis, keys: Keys, log: io.StringIO
) -> None:
    id = text(await redis_client.xadd(keys.partitions[0].jobs, entry(edit(1))))
    async with running(settings):
        await until(lambda: drained(redis_client, keys))
    lines = [line for line in learning(log) if "Stopping" not in line["message"]]
    assert [line["message"].split()[1] for line in lines] == [
        *("Processing", "Extracting", "Updating", "Profile", "Evolution", "Job"),
    ]
    ids = {"job_id": "ana-1", "user_id": "ana", "entry_id": id, "trace_id": TRACE}
    assert all(ids.items() <= line.items() for line in lines), "with no exporter on, the trace is the producer's"


async def test_lines_about_one_job_of_a_batch_and_about_all_of_it(
    settings: Settings, redis_client: Redis, keys: Keys, log: io.StringIO
) -> None:
    traces = {f"ana-{number}": f"{number:032x}" for number in (1, 2)}
    for number in (1, 2):
        await redis_client.xadd(keys.partitions[0].jobs, entry(edit(number), traces[f"ana-{number}"]))
    async with running(settings):
        await until(lambda: drained(redis_client, keys))
    for line in learning(log):
        if line["message"].startswith(("[Learning] Processing job", "[Learning] Job ")):
            assert line["trace_id"] == traces[line["job_id"]]
        assert line["user_id"] == "ana"


async def test_of_many_jobs_one_line_has_all_ids(
    settings: Settings, redis_client: Redis, keys: Keys, log: io.StringIO
) -> None:
    await enqueue(redis_client, keys, *(edit(number) for number in range(5)))
    async with running(settings):
        await until(lambda: drained(redis_client, keys))
    lines = [line for line in learning(log) if "jobs" in line["message"] and "Extracting" not in line["message"]]
    begun, completed = lines
    assert begun["message"] == "[Learning] Processing 5 jobs"
    assert completed["message"].startswith("[Learning] 5 jobs completed in ")
    assert begun["job_ids"] == completed["job_ids"] == [f"ana-{number}" for number in range(5)]
    assert not any("job_id" in line for line in learning(log))


async def test_failures_and_dead_letters_name_what_is_known(
    settings: Settings, redis_client: Redis, keys: Keys, log: io.StringIO
) -> None:
    async def extract(job: LearningJob) -> Analysis:
        raise RuntimeError("Pears")

    jobs = keys.partitions[0].jobs
    bad = text(await redis_client.xadd(jobs, {**entry({}), "job": '{"user_id": "Pears are'}))
    worse = text(await redis_client.xadd(jobs, entry(edit(1))))
    async with running(settings.model_copy(update={"learning_max_attempts": 3}), extract=extract):
        await until(lambda: drained(redis_client, keys), seconds=40)
    lines = [line for line in learning(log) if line["level"] == "error"]
    dead = {line["entry_id"]: line for line in lines if "Dead letter" in line["message"]}
    assert set(dead) == {bad, worse}
    assert dead[bad]["trace_id"] == dead[worse]["trace_id"] == TRACE
    assert dead[worse]["job_id"] == "ana-1"
    assert len([line for line in lines if "failed, attempt" in line["message"]]) == 3
    assert "Pears" not in log.getvalue()


async def test_with_spans_a_line_belongs_to_the_span(
    settings: Settings, redis_client: Redis, keys: Keys, log: io.StringIO, monkeypatch: pytest.MonkeyPatch
) -> None:
    with receiving() as (endpoint, received):
        monkeypatch.setenv("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", f"{endpoint}/v1/traces")
        await enqueue(redis_client, keys, edit(1))
        async with seen_over_http(settings) as watched, running(settings) as worker, watched(worker):
            await until(lambda: drained(redis_client, keys))
            worker.stop()
    (job,) = received.named(f"process {keys.partitions[0].jobs}")
    (done,) = [line for line in learning(log) if "completed in" in line["message"]]
    assert done["trace_id"] == job.trace


@pytest.mark.parametrize(("sampler", "named"), [("parentbased_always_on", True), ("parentbased_always_off", False)])
async def test_lines_about_a_traced_batch_belong_to_its_span_where_that_is_kept(
    settings: Settings,
    redis_client: Redis,
    keys: Keys,
    log: io.StringIO,
    monkeypatch: pytest.MonkeyPatch,
    sampler: str,
    named: bool,
) -> None:
    """The sampler may take jobs, whose producers want it, and not the trace of their batch."""
    for number in (1, 2):
        await redis_client.xadd(keys.partitions[0].jobs, entry(edit(number), f"{number:032x}", flags="01"))
    with receiving() as (endpoint, received):
        monkeypatch.setenv("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", f"{endpoint}/v1/traces")
        monkeypatch.setenv("OTEL_TRACES_SAMPLER", sampler)
        async with seen_over_http(settings) as watched, running(settings) as worker, watched(worker):
            await until(lambda: drained(redis_client, keys))
            worker.stop()
    assert len(received.named(f"process {keys.partitions[0].jobs}")) == 2
    batches = {span.trace for span in received.named("learn batch")}
    about = [line for line in learning(log) if "Updating profile" in line["message"]]
    assert {line.get("trace_id") for line in about} == (batches if named else {None})


async def test_a_person_sees_the_words_and_little_else(
    settings: Settings, redis_client: Redis, keys: Keys, log: io.StringIO
) -> None:
    stream = io.StringIO()
    logs.configure("info", json=False, stream=stream)
    await redis_client.xadd(keys.partitions[0].jobs, entry(edit(1)))
    async with running(settings):
        await until(lambda: drained(redis_client, keys))
    assert any(line.endswith("[Learning] Processing job ana-1") for line in stream.getvalue().splitlines())
    assert "entry_id" not in stream.getvalue()
    assert TRACE not in stream.getvalue()


def test_an_id_of_a_stranger_is_no_line_of_ours(log: io.StringIO) -> None:
    with logs.bound(user_id="ana\n[Learning] Profile updated successfully\x1b[31m"):
        logs.get_logger().info("[Learning] Processing job 1")
    (line,) = log.getvalue().splitlines()
    assert json.loads(line)["user_id"] == "ana\\n[Learning] Profile updated successfully\\x1b[31m"
