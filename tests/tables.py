"""Tables of the documentation that a command measured: written between two comments, and nothing around them."""

from __future__ import annotations

from pathlib import Path

README = Path(__file__).parent / "README.md"


def write_between(command: str, table: str, path: Path = README) -> None:
    """Put ``table`` between the comments ``command`` and ``/command`` of ``path``. ValueError when these are gone."""
    begin, end = f"<!-- {command} -->", f"<!-- /{command} -->"
    head, _, rest = path.read_text("utf-8").partition(begin)
    _, found, tail = rest.partition(end)
    if not found:
        raise ValueError(f"{path} has no {begin} with {end} below it")
    path.write_text(f"{head}{begin}\n{table}\n{end}{tail}", "utf-8")
