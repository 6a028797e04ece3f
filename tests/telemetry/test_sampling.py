"""What the sampler leaves out costs no spans: neither of the jobs nor of their batch."""

from __future__ import annotations

import json
import random
from collections.abc import Iterable, Sequence

import pytest
from opentelemetry.context import Context
from opentelemetry.exporter.otlp.proto.common.trace_encoder import encode_spans
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.sdk.trace.id_generator import RandomIdGenerator
from opentelemetry.sdk.trace.sampling import (
    ALWAYS_OFF,
    ALWAYS_ON,
    DEFAULT_OFF,
    DEFAULT_ON,
    Decision,
    ParentBasedTraceIdRatio,
    Sampler,
    TraceIdRatioBased,
)
from opentelemetry.trace import Link, NonRecordingSpan, SpanKind, StatusCode, Tracer, set_span_in_context
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

from service.streams.entry import Delivery, Work
from service.streams.keys import PartitionKeys
from service.telemetry.stages import Timeline, stage
from service.telemetry.traceparent import carrier
from service.telemetry.tracing import Tracing
from service.version import own_version

KEYS = PartitionKeys("jobs", "dead", "stats", "minutes")
TRACE = "0af7651916cd43dd8448eb211c80319c"


def _tracing(sampler: Sampler) -> tuple[Tracing, InMemorySpanExporter]:
    provider, exporter = TracerProvider(sampler=sampler, shutdown_on_exit=False), InMemorySpanExporter()
    return Tracing(provider, SimpleSpanProcessor(exporter)), exporter


def _delivery(number: int, flags: str | None) -> Delivery:
    context = {} if flags is None else {b"traceparent": f"00-{TRACE}-b7ad6b716920333{number}-{flags}".encode()}
    return Delivery.of(KEYS, f"{number}-0", {b"job": b"{}", **context})


def _pass(tracing: Tracing, deliveries: Sequence[Delivery]) -> None:
    """Take entries the whole way in one batch."""
    works = [Work(one, "ana", f"job-{one.id}", b"") for one in deliveries]
    for number, (delivery, work) in enumerate(zip(deliveries, works, strict=True)):
        tracing.decoded(delivery, work, number, number + 1)
    timeline = Timeline()
    with timeline, tracing.batch(works, timeline):
        for work in works:
            with stage("analyse", work.delivery.id):
                pass
        with stage("commit"):
            pass
    tracing.closed(KEYS, [one.id for one in deliveries], "learned")


def _of_job(spans: Iterable[ReadableSpan]) -> dict[str, ReadableSpan]:
    return {
        str((span.attributes or {}).get("messaging.message.id")): span for span in spans if span.name[:7] == "process"
    }


@pytest.mark.parametrize(("sampler", "flags"), [(DEFAULT_ON, "00"), (ALWAYS_OFF, "01"), (ALWAYS_OFF, None)])
def test_unsampled_jobs_and_their_batch_make_no_spans(sampler: Sampler, flags: str | None) -> None:
    tracing, exporter = _tracing(sampler)
    _pass(tracing, [_delivery(1, flags), _delivery(2, flags)])
    assert exporter.get_finished_spans() == ()


@pytest.mark.parametrize(
    "sampler",
    [
        *(ALWAYS_ON, ALWAYS_OFF, DEFAULT_ON, DEFAULT_OFF, TraceIdRatioBased(0.05), TraceIdRatioBased(1.0)),
        *(ParentBasedTraceIdRatio(0.0), ParentBasedTraceIdRatio(1 / 3), ParentBasedTraceIdRatio(1.0)),
    ],
)
def test_a_trace_that_begins_here_is_sampled_as_the_sampler_says(sampler: Sampler) -> None:
    bound = TraceIdRatioBased.get_bound_for_rate(1 / 3)
    low = [1, bound - 1, bound, 2**63, 2**64 - 1, *(random.Random(1).getrandbits(64) for _ in range(200))]
    for trace in [*low, *(2**127 + id for id in low)]:
        provider, exporter = TracerProvider(sampler=sampler, id_generator=_Same(trace)), InMemorySpanExporter()
        tracing = Tracing(provider, SimpleSpanProcessor(exporter))
        tracing.decoded(_delivery(1, None), None, 1, 2)
        wanted = sampler.should_sample(None, trace, "process").decision is Decision.RECORD_AND_SAMPLE
        assert bool(exporter.get_finished_spans()) == wanted


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


@pytest.mark.parametrize("flags", ["01", "03", None])
def test_spans_are_such_as_the_sdk_makes(flags: str | None) -> None:
    """They are made without ``start_span``; an exporter must not see a difference, in what it sends nor in a line."""
    tracing, exporter = _tracing(DEFAULT_ON)
    _pass(tracing, [_delivery(1, flags)])
    spans = {span.name: span for span in exporter.get_finished_spans()}
    part, job, batch = spans["decode"], _of_job(spans.values())["1-0"], spans["learn batch"]
    tracer, other = _sdk(job)
    producer = TraceContextTextMapPropagator().extract(carrier(_delivery(1, flags).others), Context())
    theirs = tracer.start_span(job.name, producer, SpanKind.CONSUMER, job.attributes, start_time=job.start_time)
    theirs.end(job.end_time)
    parent = set_span_in_context(NonRecordingSpan(job.context))
    tracer.start_span("decode", parent, start_time=part.start_time).end(part.end_time)
    of_job, of_part = other.get_finished_spans()
    tracer, other = _sdk(batch)
    links = [Link(job.context)]
    started = batch.start_time
    tracer.start_span(batch.name, Context(), SpanKind.INTERNAL, batch.attributes, links, started).end(batch.end_time)
    (of_batch,) = other.get_finished_spans()
    assert _told(batch) == _told(of_batch)
    assert _told(job) == _told(of_job)
    assert _told(part) == _told(of_part)
    assert len({0, part.context.span_id, of_part.context.span_id, job.context.span_id}) == 4


def test_the_standard_limits_hold_for_jobs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OTEL_ATTRIBUTE_VALUE_LENGTH_LIMIT", "3")
    tracing, exporter = _tracing(DEFAULT_ON)
    _pass(tracing, [_delivery(1, "01")])
    attributes = _of_job(exporter.get_finished_spans()).popitem()[1].attributes or {}
    assert attributes["learnsvc.job_id"] == "job"


class _Same(RandomIdGenerator):
    """Gives a certain trace its id, so that two can be compared."""

    def __init__(self, trace_id: int) -> None:
        self._trace_id = trace_id

    def generate_trace_id(self) -> int:
        return self._trace_id


def test_a_part_that_failed_says_by_what() -> None:
    tracing, exporter = _tracing(DEFAULT_ON)
    tracing.decoded(_delivery(1, "01"), None, 1, 2)
    (part,) = exporter.get_finished_spans()
    assert dict(part.attributes or {}) == {"error.type": "InvalidJob"}
    assert part.status.status_code is StatusCode.ERROR


def _sdk(span: ReadableSpan) -> tuple[Tracer, InMemorySpanExporter]:
    """What makes spans of the trace of ``span`` with the SDK's own ``start_span``."""
    provider = TracerProvider(resource=span.resource, shutdown_on_exit=False, id_generator=_Same(span.context.trace_id))
    exporter = InMemorySpanExporter()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    return provider.get_tracer("learnsvc", own_version()), exporter


def _told(span: ReadableSpan) -> tuple[str, bytes]:
    """What exporters make of a span, its own id aside."""
    line = json.loads(span.to_json())
    line["context"].pop("span_id")
    encoded = encode_spans([span])
    encoded.resource_spans[0].scope_spans[0].spans[0].span_id = b""
    return json.dumps(line), encoded.SerializeToString(deterministic=True)


def test_lines_of_an_unsampled_job_belong_to_the_trace_of_its_producer() -> None:
    tracing, _ = _tracing(DEFAULT_ON)
    told, untold = _delivery(1, "00"), _delivery(2, None)
    tracing.decoded(told, None, 1, 2)
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
