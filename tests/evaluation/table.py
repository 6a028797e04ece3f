"""The table of what was measured, a row a measure and a column a language, and which rows reach their target."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from statistics import mean
from typing import Any

from tests.evaluation.cases import cases, wrong
from tests.evaluation.machine import Edits, measure_edits
from tests.evaluation.measures import DIRECTIONS, OTHERS, Measured, Tally, measure

ALL = "all"


@dataclass
class Facts:
    """Hand-made cases: facts and whole cases that hold."""

    facts: int = 0
    facts_right: int = 0
    cases: int = 0
    cases_right: int = 0

    @classmethod
    def of(cls, lang: str) -> Facts:
        """The cases of one language, or of all."""
        found = cls()
        for case in cases():
            if lang in (ALL, case.lang):
                bad = len(wrong(case))
                found.facts += len(case.facts)
                found.facts_right += len(case.facts) - bad
                found.cases += 1
                found.cases_right += not bad
        return found


@dataclass
class Column:
    """Everything measured for one language."""

    writers: Measured
    edits: Edits
    facts: Facts


def measure_language(language: str, seeds: range) -> Column:
    """One column: writers, edits of machine text and the hand-made cases of a language."""
    return Column(measure(language, seeds), measure_edits(language, seeds), Facts.of(language))


def with_all(columns: Mapping[str, Column]) -> dict[str, Column]:
    """The columns, and one for all languages in front."""
    total = Column(Measured(), Edits(), Facts.of(ALL))
    for column in columns.values():
        total.writers.add(column.writers)
        total.edits.add(column.edits)
    return {ALL: total, **columns}


@dataclass(frozen=True)
class Row:
    """A measure: its value in a column, how it is written, and the target it must reach (`most`: must not exceed)."""

    name: str
    value: Callable[[Column], float]
    target: float | None = None
    most: bool = False
    share: bool = False

    def reached(self, value: float) -> bool:
        if self.target is None:
            return True
        return value <= self.target if self.most else value >= self.target

    def shown(self, value: float) -> str:
        return f"{value:.1%}" if self.share else f"{value:.2f}"


def _share(found: list[bool]) -> float:
    return mean(found) if found else 1.0


def _direction(name: str) -> Callable[[Column], float]:
    return lambda column: column.writers.directions.get(name, Tally()).f1


ROWS = (
    Row("direction F1, mean of eight", lambda c: mean(c.writers.f1s), 0.97),
    Row("direction F1, lowest of eight", lambda c: min(c.writers.f1s), 0.92),
    *(Row(f"F1 {name.removeprefix('tone.').replace('_', ' ')}", _direction(name)) for name in (*DIRECTIONS, *OTHERS)),
    Row("phrases F1, with containment", lambda c: c.writers.contained.f1, 0.93),
    Row("phrases F1, exact", lambda c: c.writers.exact.f1, 0.85),
    Row("junk among listed phrases", lambda c: c.writers.junk / max(c.writers.listed, 1), 0.02, True, True),
    Row("neutral writers without a claim", lambda c: _share(c.writers.neutral), 18 / 19, share=True),
    Row("reversals followed", lambda c: _share([one is not None for one in c.writers.follow]), 1.0, share=True),
    Row("edits to follow, median", lambda c: c.writers.edits_to_follow, 5, True),
    Row("back and forth ends in none", lambda c: _share(c.writers.wavering), share=True),
    Row("sentence length off by", lambda c: mean(c.writers.length_errors), 1.0, True),
    Row("facts of hard cases", lambda c: c.facts.facts_right / max(c.facts.facts, 1), 0.97, share=True),
    Row("whole hard cases", lambda c: c.facts.cases_right / max(c.facts.cases, 1), 0.92, share=True),
    Row("short spans editors deleted, found", lambda c: c.edits.share_found, 0.90, share=True),
    Row("phrases an edit of machine text", lambda c: c.edits.phrases_an_edit, 6, True),
    Row("phrases a pure fluency repair", lambda c: c.edits.phrases_a_repair, 0.3, True),
    Row("score, AUC", lambda c: c.writers.auc, 0.97),
)


def render(columns: Mapping[str, Column]) -> str:
    """The table in Markdown; `!` marks what misses its target."""
    lines = ["| measure | target | " + " | ".join(columns) + " |", "|---|---|" + "---|" * len(columns)]
    for row in ROWS:
        target = "" if row.target is None else ("≤ " if row.most else "≥ ") + row.shown(row.target)
        cells = [row.shown(value) + ("" if row.reached(value) else " !") for value in map(row.value, columns.values())]
        lines.append(f"| {row.name} | {target} | " + " | ".join(cells) + " |")
    return "\n".join(lines)


def as_json(columns: Mapping[str, Column], seeds: range) -> dict[str, Any]:
    """The same for machines: rows by name with target and values, and whether all languages together reach it."""
    rows = {}
    for row in ROWS:
        values = {name: round(row.value(column), 4) for name, column in columns.items()}
        target = None if row.target is None else round(row.target, 4)
        rows[row.name] = {"target": target, "at_most": row.most, "values": values, "reached": row.reached(values[ALL])}
    return {"seeds": [seeds.start, seeds.stop], "rows": rows}
