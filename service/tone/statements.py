"""Which statements of a model are fit to be kept: short descriptions of a style, and nothing that could be an order.

Statements are the only words of a model that reach a profile, and through its style guide the system prompt of
another model. A text of a writer may have talked them into being, so each is checked as if it had:

* plain words on one line, at most ``LONGEST`` characters: letters, digits and the punctuation of prose. No quotes,
  brackets, braces, tags, links or marks, so it can close nothing that it is put into;
* no word of ``data/orders.txt``: nobody is addressed, nothing is asked for, no machine is spoken of;
* nothing copied: no ``COPIED`` characters in a row of what the model was shown, so a payload cannot pass through.

What passes is still no truth. It counts as one edit's word and is shown only when several edits agree
(:mod:`service.learning.preferences`).
"""

from __future__ import annotations

import re
from functools import cache
from importlib.resources import files

import regex  # type: ignore[import-untyped]

MOST = 5  # statements of one answer
SHORTEST, LONGEST = 8, 120
COPIED = 20  # "in the first sentence" is a coincidence, half a line is a quotation

_PLAIN = regex.compile(r"[\p{L}\p{M}\p{N} ,;:'’()/%+–-]+\.?")
_WORD = re.compile(r"\w+")
_SPACE = re.compile(r"\s+")


def acceptable(text: str, shown: str) -> str:
    """The statement as it is kept, or an empty text when it is not; ``shown`` is the document the model read."""
    said = _SPACE.sub(" ", text).strip()
    if not is_plain(said) or _copies(said, shown):
        return ""
    return said.rstrip(".")


def is_plain(text: str) -> bool:
    """Whether ``text`` is a short description in plain words."""
    if not SHORTEST <= len(text) <= LONGEST or not _PLAIN.fullmatch(text):
        return False
    words = _WORD.findall(text.casefold())
    return len(words) >= 2 and orders().isdisjoint(words)


@cache
def orders() -> frozenset[str]:
    """The words no statement may have."""
    lines = (files("service.tone") / "data" / "orders.txt").read_text().splitlines()
    return frozenset(word for line in lines if not line.startswith("#") for word in line.split())


def _copies(text: str, shown: str) -> bool:
    said, seen = text.casefold(), shown.casefold()
    return any(said[start : start + COPIED] in seen for start in range(max(0, len(said) - COPIED + 1)))
