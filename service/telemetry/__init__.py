"""What a worker says of itself while it works: histograms, spans, and the metrics made of both and of snapshots.

``observer`` is what the worker calls; the default one hears nothing, and then nothing of OpenTelemetry is imported
(but what redis-py imports of it).
``stages`` times the parts of a batch, ``histograms`` counts them, ``tracing`` makes spans of them, ``metrics`` gives
all numbers to Prometheus and OTLP, and ``export`` reads the standard ``OTEL_*`` variables.
"""
