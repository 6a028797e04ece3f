"""The table of a chaos run: one row a fault, for a terminal, for machines, and for README.md."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from rich.console import Console
from rich.table import Table

BEGIN, END = "<!-- chaos:begin -->", "<!-- chaos:end -->"
COLUMNS = ("Fault", "Times", "Jobs", "Lost", "Doubled", "Dead", "Resumed after")


@dataclass(frozen=True, slots=True)
class Row:
    """What one scenario found.

    ``injected`` counts faults, ``jobs`` distinct jobs that Redis accepted. ``lost`` have neither effect nor dead
    letter, ``doubled`` had their effect more than once, ``dead`` stand in the dead letters, ``gone`` are those that
    Redis itself lost. ``resume_seconds`` is the longest time from a fault (or, for an outage, from its end) to the
    moment its work was going on again. ``broken`` says in words every invariant that does not hold; a good run has
    none.
    """

    fault: str
    injected: int
    jobs: int
    lost: int
    doubled: int
    dead: int
    gone: int = 0
    resume_seconds: float | None = None
    limit_seconds: float | None = None
    broken: tuple[str, ...] = ()

    def cells(self) -> list[str]:
        """Return the row as it is shown."""
        resumed = "" if self.resume_seconds is None else f"{self.resume_seconds:.1f} s"
        limit = "" if self.limit_seconds is None else f" (limit {self.limit_seconds:g} s)"
        counts = [f"{count:,}" for count in (self.injected, self.jobs, self.lost, self.doubled, self.dead)]
        if self.gone:
            counts[2] += f" (and {self.gone:,} by Redis)"
        return [self.fault, *counts, resumed + limit]


def table(rows: Iterable[Row]) -> Table:
    """Return the rows for a terminal; a broken invariant stands below its row."""
    shown = Table(*COLUMNS)
    for row in rows:
        shown.add_row(*row.cells(), style="red" if row.broken else None)
        for broken in row.broken:
            shown.add_row(f"  {broken}", style="red")
    return shown


def print_table(rows: Iterable[Row]) -> None:
    Console().print(table(rows))


def as_json(rows: Iterable[Row]) -> str:
    return json.dumps([asdict(row) for row in rows], indent=2)


def write_readme(rows: Sequence[Row], readme: Path, caption: str) -> None:
    """Put ``rows`` into the table between the markers of ``readme``.

    A row replaces the one of the same fault; rows of scenarios that were not run stay.
    """
    before, _, rest = readme.read_text().partition(BEGIN)
    old, found, after = rest.partition(END)
    if not found:
        raise ValueError(f"{readme} has no lines {BEGIN} and {END}")
    kept = {line.split("|")[1].strip(): line for line in old.splitlines() if line.startswith("| ")}
    kept.pop(COLUMNS[0], None)
    kept |= {row.fault: _line(row.cells()) for row in rows}
    lines = [BEGIN, caption, "", _line(COLUMNS), "|---|" + "---:|" * (len(COLUMNS) - 1), *kept.values(), END]
    readme.write_text(before + "\n".join(lines) + after)


def _line(cells: Iterable[str]) -> str:
    return f"| {' | '.join(cells)} |"
