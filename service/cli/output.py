"""Printing: JSON for programs, Rich for people. Colours come and go with the terminal.

What writers typed is never markup and never reaches the terminal raw: ``clean`` makes control characters visible.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

from service.logs import escape as clean

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table

__all__ = ["ago", "clean", "columns", "console", "is_terminal", "plural", "print_json", "print_line", "table"]


def console(*, stderr: bool = False) -> Console:
    """A console that prints strings as they are: no markup, no guessing what to colour."""
    from rich.console import Console

    return Console(markup=False, highlight=False, emoji=False, stderr=stderr)


def is_terminal() -> bool:
    """Whether a person can answer a question."""
    return sys.stdin.isatty() and sys.stderr.isatty()


def print_json(value: Any) -> None:
    """Print indented JSON."""
    import orjson

    _write(orjson.dumps(value, option=orjson.OPT_INDENT_2))


def print_line(value: Any) -> None:
    """Print JSON on one line."""
    import orjson

    _write(orjson.dumps(value))


def _write(data: bytes) -> None:
    sys.stdout.flush()
    sys.stdout.buffer.write(data + b"\n")


def columns(*names: str) -> Table:
    """A table with a light head and no frame, which also reads well in a pipe."""
    from rich.table import Table

    table = Table(box=None, pad_edge=False, header_style="bold", show_edge=False)
    for name in names:
        right = name.startswith(">")
        table.add_column(name.removeprefix(">"), justify="right" if right else "left", overflow="fold")
    return table


def table(names: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    """Print a table; a name that starts with ``>`` is set to the right."""
    made = columns(*names)
    for row in rows:
        made.add_row(*map(clean, row))
    console().print(made)


def plural(count: int, one: str, many: str = "") -> str:
    """``1 job``, ``2,000 jobs``."""
    return f"{count:,} {one if count == 1 else many or one + 's'}"


def ago(seconds: float) -> str:
    """A span of time in its largest fitting unit."""
    for unit, size in (("d", 86_400), ("h", 3_600), ("min", 60)):
        if seconds >= 2 * size:
            return f"{seconds / size:.0f} {unit}"
    return f"{seconds:.0f} s" if seconds >= 10 else f"{seconds:.1f} s"
