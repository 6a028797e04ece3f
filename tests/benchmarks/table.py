"""A run as tables: the targets first, then every measurement, with a saved run beside it when there is one."""

from __future__ import annotations

from rich.console import Console
from rich.table import Table

from tests.benchmarks.results import Results
from tests.benchmarks.targets import TARGETS

VERDICTS = {True: "[green]reached[/]", False: "[red]missed[/]", None: "[dim]not measured[/]"}


def show(results: Results, saved: Results | None, console: Console) -> None:
    console.print(targets(results, saved), "")
    console.print(measurements(results, saved))


def targets(results: Results, saved: Results | None = None) -> Table:
    table = Table("Target", title="Targets", title_justify="left", title_style="bold")
    table.add_column("Bound", justify="right")
    table.add_column("Measured", justify="right")
    if saved:
        table.add_column("Before", justify="right")
    table.add_column("")
    for target in TARGETS:
        cells = [target.text, f"{target.sense} {target.bound:g} {target.unit}", number(target.value(results))]
        cells += [number(target.value(saved))] if saved else []
        table.add_row(*cells, VERDICTS[target.reached(results)])
    return table


def as_markdown(results: Results) -> str:
    """Return the targets as a table of the documentation, with what it was measured on."""
    about = results.about
    where = f"Python {about['python']}, analysis and learning {about['analysis']}, {about['cores']} cores"
    size = f"{about['jobs']:,} jobs of {about['pair_kb']:g} KB"
    rows = ["| Target | Bound | Measured | |", "|---|---:|---:|---|"]
    for target in TARGETS:
        bound = f"{'≥' if target.sense == '>=' else '≤'} {target.bound:g} {target.unit}"
        verdict = {True: "", False: "missed", None: "not measured"}[target.reached(results)]
        rows.append(f"| {target.text} | {bound} | {number(target.value(results))} | {verdict} |")
    return "\n".join((f"Of {about['taken'][:10]}: {where}, {size}, median of {about['rounds']} rounds.", "", *rows))


def measurements(results: Results, saved: Results | None = None) -> Table:
    table = Table("Measured", title="Medians of the rounds", title_justify="left", title_style="bold")
    for name in ("Median", "Least", "Most", "Unit", *(("Before", "Now / before") if saved else ())):
        table.add_column(name, justify="left" if name == "Unit" else "right")
    for name, values in results.samples.items():
        median = results.median(name)
        cells = [name, number(median), number(min(values)), number(max(values)), results.units[name]]
        if saved:
            before = saved.median(name)
            cells += [number(before), number(median / before if before and median is not None else None)]
        table.add_row(*cells)
    return table


def number(value: float | None) -> str:
    """Return ``value`` with three digits that count."""
    if value is None:
        return ""
    if abs(value) >= 100:
        return f"{value:,.0f}"
    return f"{value:.1f}" if abs(value) >= 10 else f"{value:.2f}" if abs(value) >= 1 else f"{value:.3f}"
