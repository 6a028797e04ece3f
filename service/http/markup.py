"""A page and the parts it is made of. Titles are text and escaped here; cells and bodies are HTML already."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from html import escape as esc

NARROW = 3  # columns that fit a telephone

_FRAME = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>{title}</title>
<link rel="icon" href="data:,">
<link rel="stylesheet" href="/page.css">
<script src="/page.js" defer></script>
<noscript><meta http-equiv="refresh" content="5"></noscript>
</head>
<body>
<main>
{main}
</main>
<footer><a href="/">learnsvc</a> · <a href="/dead">dead letters</a> · <a href="/health">health</a> ·
<a href="/metrics">metrics</a> · <span id="link"></span></footer>
</body>
</html>
"""


@dataclass(frozen=True, slots=True)
class Page:
    """A title, which is text, the HTML inside ``main``, and the status a plain request for it is answered with."""

    title: str
    main: str
    status: int = 200

    def html(self) -> str:
        """Return the whole document."""
        return _FRAME.format(title=esc(self.title), main=self.main)


def section(title: str, body: str) -> str:
    return f"<section><h2>{esc(title)}</h2>{body}</section>"


def table(title: str, heads: Iterable[str], rows: Iterable[str], after: str = "") -> str:
    """Return a section with a table; heads that begin with # stand over numbers. A wide one scrolls by itself."""
    heads = list(heads)
    cells = "".join(f'<th scope="col">{esc(head.lstrip("#"))}</th>' for head in heads)
    narrow = "numbers" if any(head.startswith("#") for head in heads) else "notes"
    kind = narrow if len(heads) <= NARROW else "wide"
    body = f'<table class="{kind}"><thead><tr>{cells}</tr></thead><tbody>{"".join(rows)}</tbody></table>'
    return section(title, f'<div class="scroll">{body}</div>{after}')


def row(first: str, *cells: str) -> str:
    return f'<tr><th scope="row">{first}</th>{"".join(f"<td>{cell}</td>" for cell in cells)}</tr>'


def tile(label: str, number: str, note: str, *, bad: bool = False) -> str:
    kind = " bad" if bad else ""
    return (
        f'<div class="tile{kind}"><span class="label">{esc(label)}</span><strong>{esc(number)}</strong>'
        f'<span class="note">{esc(note)}</span></div>'
    )
