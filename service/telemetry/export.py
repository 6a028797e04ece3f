"""Where metrics and spans are pushed: OpenTelemetry's own variables, looked at when a worker starts.

=================================  =============================================================================
``OTEL_TRACES_EXPORTER``           ``otlp``, ``console`` or ``none``; absent: ``otlp`` once an endpoint is named
``OTEL_METRICS_EXPORTER``          the same; ``/metrics`` is there whatever it says
``OTEL_EXPORTER_OTLP_ENDPOINT``    and ``.._TRACES_ENDPOINT``, ``.._METRICS_ENDPOINT``, ``.._HEADERS``, ...
``OTEL_EXPORTER_OTLP_PROTOCOL``    ``http/protobuf``; ``grpc`` where its exporter is installed as well
``OTEL_TRACES_SAMPLER``            and ``OTEL_TRACES_SAMPLER_ARG``; absent: ``parentbased_always_on``
``OTEL_SDK_DISABLED``              ``true``: nothing is pushed
=================================  =============================================================================

Nothing is pushed by default, and then no exporter is imported. What these variables cannot mean
ends the start with one line that names the variable: a collector that hears nothing is noticed too late.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.util import find_spec
from typing import TYPE_CHECKING

from service.errors import Misconfigured

if TYPE_CHECKING:
    from opentelemetry.sdk.metrics.export import MetricExporter, MetricReader
    from opentelemetry.sdk.trace.export import SpanExporter

    from service.telemetry.tracing import Tracing

SIGNALS = ("TRACES", "METRICS")
RATIO_SAMPLERS = ("traceidratio", "parentbased_traceidratio")
SAMPLERS = ("always_on", "always_off", "parentbased_always_on", "parentbased_always_off", *RATIO_SAMPLERS)
MAX_LINKS = "256"  # a batch has 200 jobs at most; the SDK would keep 128 of their links
MAX_QUEUE = "8192"  # the spans of five such batches at once; the SDK would drop what is above 2,048
MAX_EXPORT = 2048  # spans of one request, some 300 KB; the SDK would make four requests of them
_GRPC = "opentelemetry.exporter.otlp.proto.grpc"


@dataclass(frozen=True, slots=True)
class Exports:
    """What is pushed, and how: an exporter of each kind, ``none`` for neither."""

    traces: str = "none"
    metrics: str = "none"
    traces_protocol: str = "http/protobuf"
    metrics_protocol: str = "http/protobuf"

    @property
    def any(self) -> bool:
        return (self.traces, self.metrics) != ("none", "none")

    @classmethod
    def of(cls, environ: Mapping[str, str]) -> Exports:
        """Return what the variables ask for. Raises ``Misconfigured``."""
        if environ.get("OTEL_SDK_DISABLED", "").lower() == "true":
            return cls()
        found = cls(
            _exporter(environ, "TRACES"),
            _exporter(environ, "METRICS"),
            _protocol(environ, "TRACES"),
            _protocol(environ, "METRICS"),
        )
        if found.traces != "none":
            _check_sampler(environ)
        _check_endpoints(environ)
        return found


def _exporter(environ: Mapping[str, str], signal: str) -> str:
    variable = f"OTEL_{signal}_EXPORTER"
    known = ("none", "otlp", "console", *(("prometheus",) if signal == "METRICS" else ()))
    said = environ.get(variable, "").strip().lower()
    if said and said not in known:
        raise Misconfigured(f"{variable} {said!r} is not one of {', '.join(known)}")
    if not said:
        named = ("OTEL_EXPORTER_OTLP_ENDPOINT", f"OTEL_EXPORTER_OTLP_{signal}_ENDPOINT")
        said = "otlp" if any(environ.get(name) for name in named) else "none"
    return "none" if said == "prometheus" else said  # which is always there, at /metrics


def _protocol(environ: Mapping[str, str], signal: str) -> str:
    variables = (f"OTEL_EXPORTER_OTLP_{signal}_PROTOCOL", "OTEL_EXPORTER_OTLP_PROTOCOL")
    variable = next((name for name in variables if environ.get(name)), "")
    said = environ[variable].strip().lower() if variable else "http/protobuf"
    if said not in ("http/protobuf", "grpc"):
        raise Misconfigured(f"{variable} {said!r} is not one of http/protobuf, grpc")
    if said == "grpc" and find_spec("grpc") is None:
        raise Misconfigured(f"{variable} grpc needs the package opentelemetry-exporter-otlp-proto-grpc: install it")
    return said


def _check_endpoints(environ: Mapping[str, str]) -> None:
    """The exporters would try for ever, and only then say that this is no URL."""
    for variable in ("OTEL_EXPORTER_OTLP_ENDPOINT", *(f"OTEL_EXPORTER_OTLP_{one}_ENDPOINT" for one in SIGNALS)):
        if not environ.get(variable, "http://").startswith(("http://", "https://")):
            raise Misconfigured(f"{variable} must start with http:// or https://")


def _check_sampler(environ: Mapping[str, str]) -> None:
    sampler = environ.get("OTEL_TRACES_SAMPLER", "").strip().lower()
    if sampler and sampler not in SAMPLERS:
        raise Misconfigured(f"OTEL_TRACES_SAMPLER {sampler!r} is not one of {', '.join(SAMPLERS)}")
    share = environ.get("OTEL_TRACES_SAMPLER_ARG", "")
    if sampler in RATIO_SAMPLERS and share and not _is_share(share):
        raise Misconfigured(f"OTEL_TRACES_SAMPLER_ARG {share!r} is no number from 0 to 1")


def _is_share(text: str) -> bool:
    try:
        return 0 <= float(text) <= 1
    except ValueError:
        return False


def open_readers(exports: Exports) -> list[MetricReader]:
    """Return the readers that push metrics, every ``OTEL_METRIC_EXPORT_INTERVAL`` (60,000) milliseconds."""
    if exports.metrics == "none":
        return []
    from service.telemetry.metrics import Pushing

    with _usable():
        return [Pushing(_metric_exporter(exports))]


@contextmanager
def _usable() -> Iterator[None]:
    """Raise ``Misconfigured`` for what OpenTelemetry itself cannot read of its variables."""
    try:
        yield
    except ValueError as error:
        raise Misconfigured(f"A variable of OpenTelemetry (OTEL_*) is not usable: {error}") from None


def _metric_exporter(exports: Exports) -> MetricExporter:
    if exports.metrics == "console":
        from opentelemetry.sdk.metrics.export import ConsoleMetricExporter

        return ConsoleMetricExporter(out=sys.stderr)
    if exports.metrics_protocol == "grpc":
        from importlib import import_module

        grpc: MetricExporter = import_module(f"{_GRPC}.metric_exporter").OTLPMetricExporter()
        return grpc
    from opentelemetry.exporter.otlp.proto.http.metric_exporter import OTLPMetricExporter

    return OTLPMetricExporter()


def open_tracing(exports: Exports, environ: Mapping[str, str]) -> Tracing | None:
    """Return what makes and pushes spans, None when nobody wants them."""
    if exports.traces == "none":
        return None
    from opentelemetry.sdk.trace import SpanLimits, TracerProvider
    from opentelemetry.sdk.trace.export import BatchSpanProcessor

    from service.telemetry.resource import resource
    from service.telemetry.tracing import Tracing

    with _usable():
        links = int(environ.get("OTEL_SPAN_LINK_COUNT_LIMIT") or MAX_LINKS)
        queue = int(environ.get("OTEL_BSP_MAX_QUEUE_SIZE") or MAX_QUEUE)
        limits = SpanLimits(max_links=links)
        provider = TracerProvider(resource=resource(), shutdown_on_exit=False, span_limits=limits)
        most = int(environ.get("OTEL_BSP_MAX_EXPORT_BATCH_SIZE") or min(MAX_EXPORT, queue))
        processor = BatchSpanProcessor(_span_exporter(exports), max_queue_size=queue, max_export_batch_size=most)
    return Tracing(provider, processor, limits)


def _span_exporter(exports: Exports) -> SpanExporter:
    if exports.traces == "console":
        from opentelemetry.sdk.trace.export import ConsoleSpanExporter

        return ConsoleSpanExporter(out=sys.stderr)
    if exports.traces_protocol == "grpc":
        from importlib import import_module

        grpc: SpanExporter = import_module(f"{_GRPC}.trace_exporter").OTLPSpanExporter()
        return grpc
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter

    return OTLPSpanExporter()
