"""Samples by name, their medians, and ratios that compare only what one round measured side by side."""

from __future__ import annotations

import math
import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

FORMAT = 1  # of the saved runs


class UnusableRun(ValueError):
    """A saved run that cannot be compared with; the text says why."""


@dataclass(slots=True)
class Results:
    """``samples`` holds one number a round; ``units`` what the number counts; ``about`` where and how it was taken."""

    samples: dict[str, list[float]] = field(default_factory=dict)
    units: dict[str, str] = field(default_factory=dict)
    about: dict[str, Any] = field(default_factory=dict)

    def add(self, name: str, value: float, unit: str) -> None:
        self.samples.setdefault(name, []).append(value)
        self.units[name] = unit

    def median(self, name: str) -> float | None:
        values = self.samples.get(name)
        return statistics.median(values) if values else None

    def ratio(self, name: str, base: str) -> float | None:
        """Return the median of ``name / base``, round by round when both were measured in every round."""
        above, below = self.samples.get(name), self.samples.get(base)
        if not above or not below:
            return None
        if len(above) == len(below):
            return statistics.median(_divided(one, other) for one, other in zip(above, below, strict=True))
        return _divided(statistics.median(above), statistics.median(below))

    def best(self, prefix: str) -> str | None:
        """Return the name of the highest rate under ``prefix``."""
        rates = [name for name in self.samples if name.startswith(prefix) and self.units[name] == "jobs/s"]
        return max(rates, key=self._median, default=None)

    def _median(self, name: str) -> float:
        return statistics.median(self.samples[name])

    def as_json(self) -> dict[str, Any]:
        return {"format": FORMAT, "about": self.about, "units": self.units, "samples": self.samples}

    @classmethod
    def of_json(cls, value: object) -> Results:
        """Return a saved run. Raises ``UnusableRun``."""
        if not isinstance(value, Mapping) or value.get("format") != FORMAT:
            raise UnusableRun(f"is no saved run of format {FORMAT}")
        samples, units = value.get("samples"), value.get("units")
        if not isinstance(samples, dict) or not isinstance(units, dict):
            raise UnusableRun("has no samples")
        return cls(samples, units, dict(value.get("about", {})))


def _divided(above: float, below: float) -> float:
    return above / below if below else math.inf


def percentile(values: Sequence[float], share: float) -> float:
    """Return the smallest of ``values`` that at least ``share`` (0..1) of them do not exceed (nearest rank)."""
    if not values:
        raise ValueError("no values")
    return sorted(values)[max(0, math.ceil(share * len(values)) - 1)]
