"""The lines of a post: prose, list items, headings; paragraphs; emphasis.

Posts are not CommonMark: they use en dashes, bullet characters, `1)`, check marks and emoji as list markers, and a
single line break where Markdown wants two. So lines are classified one by one with a rule each, which is also linear
for any input, where a Markdown parser has corners that are not.

A paragraph is prose between blank lines; in a post without any blank line, a line break after a finished sentence
or a short line separates paragraphs. List items and headings are no paragraphs but end one. Two or more lines in a
row that start with an emoji are a list; one is a sentence with decoration. A line of 50 characters or more without a
full stop that goes on in small letters was only wrapped.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Final, Literal

from service.analysis.mask import EMOJI_MARK

LineKind = Literal["prose", "bullet", "numbered", "heading"]

_MARKER: Final = re.compile(
    r"(?P<quote>>[>\s]*)?"
    r"(?:(?P<bullet>[-*+–•▪‣·◦●○■□◆➤➔→✓✔✗✘])[ \t]+|(?P<number>\d{1,2})[.)][ \t]+"
    r"|(?P<heading>#{1,6})[ \t]+|(?P<dot>[・•●]))?"
)
_RULE: Final = re.compile(r"([-*_=])(?:[ \t]*\1){2,}|=+")
_THREAD_MARK: Final = re.compile(r"\s{0,8}[(\[]?\d{1,2}/(?:\d{1,2}|n)?[)\]]?(?=\s|$)[ \t:–-]{0,8}")
_EMPHASIS: Final = re.compile(
    r"(\*{1,3})(?=[^\s*])([^*\n]{0,400}[^\s*])\1|(?<![\w_])(_{1,3})(?=[^\s_])([^_\n]{0,400}[^\s_])\3(?![\w_])"
)
_MOST_EMPHASIS: Final = 2_000
MOST: Final = 4_000
_TERMINATORS: Final = frozenset(".!?…。！？؟।॥:;")
_CLOSERS: Final = "\"'”’»)]}」』）*_" + EMOJI_MARK + " "
_WRAP: Final = 50


class Line:
    """One line of a post, or several that were only wrapped; `paragraph` numbers the paragraphs of the post."""

    def __init__(self, kind: LineKind, text: str, paragraph: int) -> None:
        self.kind = kind
        self.text = text
        self.paragraph = paragraph


class Blocks:
    """The lines of a post that hold words, and what was counted on the way."""

    def __init__(self, lines: list[Line], emphasis: int) -> None:
        self.lines = lines
        self.emphasis = emphasis


def blocks(text: str) -> Blocks:
    """Classify the lines of one masked post."""
    emphasis = 0
    if "*" in text or "_" in text:
        text, emphasis = _EMPHASIS.subn(lambda m: m.group(2) or m.group(4) or "", text, count=_MOST_EMPHASIS)
    if "/" in text[:12]:
        text = _THREAD_MARK.sub("", text, count=1)
    rows = [row.strip() for row in text.split("\n")]
    if len(rows) <= MOST and (plain := _plain(rows)) is not None:
        return Blocks(plain, emphasis)
    reader = _Reader(spaced="" in rows)
    for index, row in enumerate(rows):
        if len(reader.lines) >= MOST:
            break
        reader.read(row, rows[index + 1] if index + 1 < len(rows) else "")
    reader.close()
    return Blocks(reader.lines, emphasis)


def _plain(rows: list[str]) -> list[Line] | None:
    """The lines of a text as most are: rows of prose that begin with a letter, each between blank ones; else None."""
    lines: list[Line] = []
    paragraph = 0
    follows = False
    for row in rows:
        if not row:
            paragraph += 1
        elif follows or not row[0].isalpha():
            return None
        else:
            lines.append(Line("prose", row, paragraph))
        follows = row != ""
    return lines


@dataclass(slots=True)
class _Reader:
    """Goes over the lines of a post and keeps the paragraph that is open."""

    spaced: bool
    lines: list[Line] = field(default_factory=list)
    paragraph: int = 0
    open_rows: list[str] = field(default_factory=list)
    numbered: bool = False
    emoji_list: bool = False

    def read(self, row: str, following: str) -> None:
        """Take the next line; `following` is the one after it."""
        if not row or (row[0] in "-*_=" and _RULE.fullmatch(row)):
            self._blank(row)
            return
        kind, content = self._classify(row, following)
        if kind != "prose":
            self.close()
            self.paragraph += 1
            self.lines.append(Line(kind, content, self.paragraph))
            self.paragraph += 1
        elif self.open_rows and _is_wrapped(self.open_rows[-1], content):
            self.open_rows.append(content)
        else:
            if self.open_rows and not self.spaced and _is_whole(self.open_rows[-1]):
                self.close()
                self.paragraph += 1
            self.close()
            self.open_rows.append(content)

    def close(self, kind: LineKind = "prose") -> None:
        """End the line that is open."""
        if self.open_rows:
            self.lines.append(Line(kind, " ".join(self.open_rows), self.paragraph))
            self.open_rows = []

    def _blank(self, row: str) -> None:
        """A blank line or a rule ends the paragraph; `===` or `---` right below a line makes that line a heading."""
        underlined = row[:1] in ("=", "-") and len(self.open_rows) == 1 and len(self.open_rows[0]) <= 80
        self.close("heading" if underlined else "prose")
        self.paragraph += 1
        self.numbered = self.emoji_list = False

    def _classify(self, row: str, following: str) -> tuple[LineKind, str]:
        if row[0] == EMOJI_MARK:
            self.emoji_list = self.emoji_list or following[:1] == EMOJI_MARK
            return ("bullet", row.lstrip(EMOJI_MARK + " ")) if self.emoji_list else ("prose", row)
        self.emoji_list = False
        if row[0].isalpha():
            return "prose", row
        match = _MARKER.match(row)
        if match is None:
            return "prose", row
        if match.group("number"):
            self.numbered = self.numbered or int(match.group("number")) <= 1
            return ("numbered", row[match.end() :]) if self.numbered else ("prose", row)
        if match.group("heading"):
            return "heading", row[match.end() :].rstrip("# ")
        content = row[match.end() :]
        return ("bullet" if match.group("bullet") or match.group("dot") else "prose"), content


def _is_wrapped(text: str, following: str) -> bool:
    """Whether a line break only wraps a long line: no full stop before it, a small letter after it."""
    return len(text) >= _WRAP and following[:1].islower() and not _is_finished(text)


def _is_whole(text: str) -> bool:
    """Whether a line ends where its writer wanted: a line too short to be wrapped does, with or without a full stop."""
    return len(text) < _WRAP or _is_finished(text)


def _is_finished(text: str) -> bool:
    return text[-24:].rstrip(_CLOSERS)[-1:] in _TERMINATORS
