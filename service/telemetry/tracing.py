"""Spans: one a job, from the moment its entry is handed out until it leaves this process, and one a batch.

A job's span continues the trace that its producer wrote into the entry (``traceparent``), which stays in the entry
through retries, into the dead letters and back. Its children are the parts of its way: decode, analyse, tone (where a
model is asked), learn, commit, settle. The last four are done once for all jobs of a batch, and a span has one parent;
so each job shows them, with the same times, and the span of the batch, a trace of its own, links the jobs that shared
them. They are made when the batch is over, from its timeline, and for sampled jobs only: a job that is not sampled
costs one sampling decision, and a batch of such jobs has no span. Their log lines carry the trace of their producer.

The sampler decides once a job, as ``start_span`` would let it, and its word holds for the parts too. Spans
are made when they are over, as ``ReadableSpan``, a fifth of the cost of ``start_span`` and ``end``: seven spans a job
would else be the dearest thing about a job that is traced, and one that is not would pay for a span that nobody sees.

Looking for work makes no spans: neither an idle read nor a sweep nor a look for what is due.

Spans carry ids of entries and jobs, sizes, counts and outcomes. No writer's id, no text, no message of an exception is
in them: spans leave the house, and ``profile forget`` does not reach them.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass

from opentelemetry.attributes import BoundedAttributes
from opentelemetry.context import Context
from opentelemetry.sdk.trace import ReadableSpan, SpanLimits, SpanProcessor, TracerProvider
from opentelemetry.sdk.trace.sampling import Decision, Sampler, TraceIdRatioBased
from opentelemetry.sdk.util import BoundedList
from opentelemetry.sdk.util.instrumentation import InstrumentationScope
from opentelemetry.trace import (
    Link,
    SpanContext,
    SpanKind,
    Status,
    StatusCode,
    TraceFlags,
    format_trace_id,
    get_current_span,
)
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

from schemas.job import InvalidJob
from service.logs import bound
from service.streams.entry import Delivery, Work
from service.streams.keys import GROUP, PartitionKeys
from service.telemetry.observer import Ending
from service.telemetry.stages import Stage, Timeline
from service.telemetry.traceparent import TRACEPARENT, carrier, trace_id
from service.version import own_version

MAX_OPEN = 40_000  # twice what a process may hold: a span that nobody ends must not stay for ever
ROOT = Context()
SCOPE = InstrumentationScope("learnsvc", own_version())
UNSET, ERROR = Status(StatusCode.UNSET), Status(StatusCode.ERROR)
FAILED: frozenset[Ending] = frozenset({"dead", "failed_attempt"})


@dataclass(slots=True)
class Job:
    """What will be the span of a sampled entry. While a batch works on it, its end waits for the end of the batch."""

    context: SpanContext
    parent: SpanContext | None
    started: int
    attributes: dict[str, str | int]
    busy: bool = False
    ending: Ending | None = None


class Tracing:
    """Makes the spans of one worker within ``limits``; ``processor`` takes them. Called from the worker's loop only."""

    def __init__(self, provider: TracerProvider, processor: SpanProcessor, limits: SpanLimits | None = None) -> None:
        provider.add_span_processor(processor)
        self._provider = provider
        self._processor = processor
        self._limits = limits or SpanLimits()
        self._propagator = TraceContextTextMapPropagator()
        self._ids = provider.id_generator
        self._sampler = provider.sampler
        self._threshold = _threshold(provider.sampler)
        self._open: dict[tuple[str, str], Job] = {}

    def close(self) -> None:
        """Push what was not pushed yet."""
        self._provider.shutdown()

    def decoded(self, delivery: Delivery, work: Work | None, started: int, ended: int) -> None:
        """Begin the span of an entry, as a child of its producer's, if the sampler wants it."""
        given = self._propagator.extract(carrier(delivery.others), ROOT) if TRACEPARENT in delivery.others else ROOT
        parent = None if given is ROOT else _parent(given)
        own = self._begun() if parent is None else self._continued(parent, given)
        if own is None:
            return
        attributes = _attributes(delivery, work)
        self._open[delivery.keys.jobs, delivery.id] = Job(own, parent, started, attributes)
        if len(self._open) > MAX_OPEN:
            del self._open[next(iter(self._open))]
        self._child(own, Stage("decode", started, ended, delivery.id, "" if work else InvalidJob.__name__))

    def batch(self, works: Sequence[Work], timeline: Timeline) -> AbstractContextManager[None]:
        """Trace a batch, if any job of it is sampled."""
        opened = works if self._open else ()
        jobs = {work.delivery.id: job for work in opened if (job := self._of(work.delivery)) is not None}
        return self._traced(works, jobs, timeline) if jobs or not works else nullcontext()

    @contextmanager
    def _traced(self, works: Sequence[Work], jobs: Mapping[str, Job], timeline: Timeline) -> Iterator[None]:
        """What is logged inside belongs to the trace of the batch's only job, else to the batch's own."""
        own, started = self._begun(), time.time_ns()
        for job in jobs.values():
            job.busy = True
        shown = next(iter(jobs.values())).context if len(works) == 1 else own
        # A trace that is not sampled is not named: nobody will ever find it.
        told = {} if shown is None else {"trace_id": format_trace_id(shown.trace_id)}
        try:
            with bound(**told):
                yield
        finally:
            self._parts(own, jobs, timeline.stages)
            if own is not None:
                self._shared(own, started, len(works), [job.context for job in jobs.values()])
            for id in jobs:
                self._free(works[0].delivery.keys.jobs, id)

    def closed(self, keys: PartitionKeys, ids: Iterable[str], ending: Ending) -> None:
        """End the spans of entries that left this process, at once or with their batch; the first word counts."""
        for id in ids if self._open else ():
            job = self._open.get((keys.jobs, id))
            if job is not None:
                job.ending = job.ending or ending
                if not job.busy:
                    self._end(keys.jobs, id, job, ending)

    def trace_id(self, delivery: Delivery) -> str | None:
        job = self._of(delivery)
        return format_trace_id(job.context.trace_id) if job is not None else trace_id(delivery.others)

    def _of(self, delivery: Delivery) -> Job | None:
        return self._open.get((delivery.keys.jobs, delivery.id))

    def _free(self, stream: str, id: str) -> None:
        job = self._open.get((stream, id))
        if job is not None:
            job.busy = False
            if job.ending is not None:
                self._end(stream, id, job, job.ending)

    def _end(self, stream: str, id: str, job: Job, ending: Ending) -> None:
        del self._open[stream, id]
        job.attributes["learnsvc.outcome"] = ending
        if ending in FAILED:
            job.attributes["error.type"] = ending
        span = ReadableSpan(
            _name(stream),
            job.context,
            job.parent,
            self._provider.resource,
            self._bounded(job.attributes),
            kind=SpanKind.CONSUMER,
            status=ERROR if ending in FAILED else UNSET,
            start_time=job.started,
            end_time=time.time_ns(),
            instrumentation_scope=SCOPE,
        )
        self._processor.on_end(span)

    def _continued(self, parent: SpanContext, given: Context) -> SpanContext | None:
        """Continue the trace of a producer; None when it is left out."""
        # No sampler we allow looks at the name, or at attributes, which are made only for those it takes.
        found = self._sampler.should_sample(given, parent.trace_id, "process", SpanKind.CONSUMER)
        if found.decision is not Decision.RECORD_AND_SAMPLE:
            return None
        flags = _flags(parent.trace_flags.random_trace_id)
        return SpanContext(parent.trace_id, self._ids.generate_span_id(), False, flags, found.trace_state)

    def _begun(self) -> SpanContext | None:
        """Begin a trace of our own; None when it is left out, which the sampler takes several times as long to say."""
        trace = self._ids.generate_trace_id()
        if trace & TraceIdRatioBased.TRACE_ID_LIMIT >= self._threshold:
            return None
        return SpanContext(trace, self._ids.generate_span_id(), False, _flags(self._ids.is_trace_id_random()))

    def _shared(self, own: SpanContext, started: int, size: int, jobs: Sequence[SpanContext]) -> None:
        """End the span of a batch of ``size`` jobs, linked to those of ``jobs``."""
        sized: dict[str, str | int] = {"messaging.system": "redis", "messaging.batch.message_count": size}
        span = ReadableSpan(
            "learn batch",
            own,
            None,
            self._provider.resource,
            self._bounded(sized),
            links=BoundedList.from_seq(self._limits.max_links, [Link(job, {}) for job in jobs]),
            status=UNSET,
            start_time=started,
            end_time=time.time_ns(),
            instrumentation_scope=SCOPE,
        )
        self._processor.on_end(span)

    def _bounded(self, attributes: Mapping[str, str | int]) -> BoundedAttributes:
        most, length = self._limits.max_span_attributes, self._limits.max_span_attribute_length
        return BoundedAttributes(most, attributes, max_value_len=length)

    def _parts(self, batch: SpanContext | None, jobs: Mapping[str, Job], stages: Sequence[Stage]) -> None:
        """Show each job the stages that were its own or all jobs'; a batch of waiting edits shows them itself."""
        if not jobs and batch is not None:
            for stage in stages:
                self._child(batch, stage)
        for id, job in jobs.items():
            for stage in stages:
                if stage.entry in ("", id):
                    self._child(job.context, stage)

    def _child(self, of: SpanContext, stage: Stage) -> None:
        own = SpanContext(of.trace_id, self._ids.generate_span_id(), False, of.trace_flags, of.trace_state)
        child = ReadableSpan(
            stage.name,
            own,
            of,
            self._provider.resource,
            {"error.type": stage.error} if stage.error else {},
            status=ERROR if stage.error else UNSET,
            start_time=stage.started,
            end_time=stage.ended,
            instrumentation_scope=SCOPE,
        )
        self._processor.on_end(child)


def _flags(random: bool) -> TraceFlags:
    """The flags of a sampled trace whose id is random, or not known to be."""
    return TraceFlags(TraceFlags.SAMPLED | (TraceFlags.RANDOM_TRACE_ID if random else 0))


def _threshold(sampler: Sampler) -> int:
    """From which id on, by its 64 low bits, a trace that begins here is left out.

    Samplers we allow take all such traces, or none, or those whose ids are below some bound.
    """
    low, high = 0, TraceIdRatioBased.TRACE_ID_LIMIT + 1
    while low < high:
        middle = (low + high) // 2
        found = sampler.should_sample(ROOT, middle, "process", SpanKind.CONSUMER)
        low, high = (middle + 1, high) if found.decision is Decision.RECORD_AND_SAMPLE else (low, middle)
    return low


def _parent(context: Context) -> SpanContext | None:
    found = get_current_span(context).get_span_context()
    return found if found.is_valid else None


def _name(stream: str) -> str:
    return f"process {stream}"


def _attributes(delivery: Delivery, work: Work | None) -> dict[str, str | int]:
    """Name an entry by the semantic conventions for messaging."""
    ours = {"learnsvc.job_id": work.job_id} if work else {}
    return {
        **ours,
        "messaging.system": "redis",
        "messaging.operation.type": "process",
        "messaging.operation.name": "process",
        "messaging.destination.name": delivery.keys.jobs,
        "messaging.consumer.group.name": GROUP,
        "messaging.message.id": delivery.id,
        "messaging.message.body.size": delivery.size,
        "learnsvc.deliveries": delivery.deliveries,
    }
