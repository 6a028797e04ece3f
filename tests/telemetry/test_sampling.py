"""What the sampler leaves out costs no spans: neither of the jobs nor of their batch."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

import pytest
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.sdk.trace.sampling import ALWAYS_OFF, DEFAULT_ON, Sampler

from service.streams.entry import Delivery, Work
from service.streams.keys import PartitionKeys
from service.telemetry.stages import Stage, Timeline, stage
from service.telemetry.tracing import Tracing

KEYS = PartitionKeys("jobs", "dead", "stats", "minutes")
TRACE = "0af7651916cd43dd8448eb211c80319c"


def _tracing(sampler: Sampler) -> tuple[Tracing, InMemorySpanExporter]:
    provider, exporter = TracerProvider(sampler=sampler, shutdown_on_exit=False), InMemorySpanExporter()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    return Tracing(provider), exporter


def _delivery(number: int, flags: str | None) -> Delivery:
    context = {} if flags is None else {b"traceparent": f"00-{TRACE}-b7ad6b716920333{number}-{flags}".encode()}
    return Delivery(KEYS, f"{number}-0", {b"job": b"{}", **context})


def _pass(tracing: Tracing, deliveries: Sequence[Delivery]) -> None:
    """Take entries the whole way in one batch."""
    works = [Work(one, "ana", "c", f"job-{one.id}", datetime.now(UTC), b"", b"") for one in deliveries]
    for number, (delivery, work) in enumerate(zip(deliveries, works, strict=True)):
        tracing.opened(delivery, number)
        tracing.decoded(delivery, work, Stage("decode", number, number + 1, delivery.id))
    timeline = Timeline.new()
    with timeline, tracing.batch(works, timeline):
        for work in works:
            with stage("analyse", work.delivery.id):
                pass
        with stage("commit"):
            pass
    tracing.closed(KEYS, [one.id for one in deliveries], "learned")


def _of_job(spans: Sequence[ReadableSpan]) -> dict[str, ReadableSpan]:
    return {
        str((span.attributes or {}).get("messaging.message.id")): span for span in spans if span.name[:7] == "process"
    }


@pytest.mark.parametrize(("sampler", "flags"), [(DEFAULT_ON, "00"), (ALWAYS_OFF, "01"), (ALWAYS_OFF, None)])
def test_unsampled_jobs_and_their_batch_make_no_spans(sampler: Sampler, flags: str | None) -> None:
    tracing, exporter = _tracing(sampler)
    _pass(tracing, [_delivery(1, flags), _delivery(2, flags)])
    assert exporter.get_finished_spans() == ()


def test_an_unsampled_job_beside_a_sampled_one_is_left_out_of_everything() -> None:
    tracing, exporter = _tracing(DEFAULT_ON)
    _pass(tracing, [_delivery(1, "00"), _delivery(2, "01")])
    spans = exporter.get_finished_spans()
    (job,) = _of_job(spans).values()
    (batch,) = (span for span in spans if span.name == "learn batch")
    assert (job.attributes or {})["messaging.message.id"] == "2-0"
    assert (job.attributes or {})["learnsvc.outcome"] == "learned"
    assert [link.context for link in batch.links] == [job.context]
    assert sorted(span.name for span in spans if span.parent == job.context) == ["analyse", "commit", "decode"]
    assert len(spans) == 5


def test_lines_of_an_unsampled_job_belong_to_the_trace_of_its_producer() -> None:
    tracing, _ = _tracing(DEFAULT_ON)
    told, untold = _delivery(1, "00"), _delivery(2, None)
    tracing.opened(told, 1)
    assert tracing.trace_id(told) == TRACE
    assert _tracing(ALWAYS_OFF)[0].trace_id(untold) is None


def test_what_a_sampled_job_says_of_itself_is_in_its_span() -> None:
    tracing, exporter = _tracing(DEFAULT_ON)
    _pass(tracing, [_delivery(1, None)])
    span = _of_job(exporter.get_finished_spans())["1-0"]
    attributes = span.attributes or {}
    assert attributes["messaging.destination.name"] == "jobs"
    assert attributes["learnsvc.job_id"] == "job-1-0"
    assert span.start_time == 0
