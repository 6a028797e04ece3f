"""The experiments, in the order in which a round runs them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from tests.benchmarks.lab import Lab
from tests.benchmarks.options import Options
from tests.benchmarks.results import Results

Measure = Callable[[Lab, Options, Results], None]


@dataclass(frozen=True, slots=True)
class Row:
    """``measure`` adds one sample a name to the results; ``once`` for what takes long and is compared within itself."""

    name: str
    measure: Measure
    once: bool = False


def all_rows() -> list[Row]:
    from tests.benchmarks.rows import floors, growth, latency, peers, start, throughput

    return [
        Row("floors", floors.measure),
        Row("throughput", throughput.full),
        Row("constant", throughput.constant),
        Row("hot", throughput.hot),
        Row("peers", peers.measure),
        Row("extraction", throughput.extraction),
        Row("latency", latency.idle),
        Row("loop", latency.beside_large),
        Row("start", start.measure),
        Row("backlog", growth.backlog),
        Row("edits", growth.edits, once=True),
    ]
