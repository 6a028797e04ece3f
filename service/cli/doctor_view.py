"""Printing the doctor's findings: a line each, grouped by what was looked at, advice below what needs it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from itertools import groupby
from typing import Any

from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from service.cli.failures import Failed
from service.cli.output import clean, console, plural, print_json
from service.doctor.finding import Finding, Status

TITLES = {"settings": "Settings", "redis": "Redis", "mongodb": "MongoDB", "clock": "Clocks", "gemini": "Gemini"}
MARKS: dict[Status, tuple[str, str]] = {"ok": ("ok", "green"), "warn": ("warn", "yellow"), "fail": ("FAIL", "bold red")}


def show(findings: Sequence[Finding], json: bool) -> None:
    """Print ``findings``. Raises ``Failed`` when one of them failed."""
    failed = sum(finding.status == "fail" for finding in findings)
    warned = sum(finding.status == "warn" for finding in findings)
    if json:
        print_json(_json(findings, failed, warned))
        _refuse(failed, warned)
        return
    screen = console()
    for area, members in groupby(findings, key=lambda finding: finding.area):
        screen.print(Text(TITLES[area], style="bold"))
        screen.print(Padding(_table(list(members)), (0, 0, 1, 2)))
    if not failed:
        screen.print(_verdict(warned))
    _refuse(failed, warned)


def _json(findings: Sequence[Finding], failed: int, warned: int) -> dict[str, Any]:
    checks = [asdict(finding) for finding in findings]
    return {"ok": not failed, "failed": failed, "warned": warned, "checks": checks}


def _table(findings: Sequence[Finding]) -> Table:
    table = Table.grid(padding=(0, 2))
    table.add_column(min_width=4)
    table.add_column(min_width=13, no_wrap=True)
    table.add_column(overflow="fold")
    for finding in findings:
        mark, style = MARKS[finding.status]
        says = Text(clean(finding.says))
        if finding.advice:
            says.append(f"\n→ {clean(finding.advice)}", style="dim" if finding.status == "ok" else "cyan")
        table.add_row(Text(mark, style=style), Text(finding.check, style="dim"), says)
    return table


def _verdict(warned: int) -> Text:
    if warned:
        return Text(f"Ready to work, with {plural(warned, 'warning')}.", style="yellow")
    return Text("All is well.", style="green")


def _refuse(failed: int, warned: int) -> None:
    if failed:
        also = f", {plural(warned, 'warning')}" if warned else ""
        raise Failed(f"{plural(failed, 'check')} failed{also}")
