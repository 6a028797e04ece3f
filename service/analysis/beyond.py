"""A text as UTF-8, and what of it is beyond ASCII: looked through in its place for whatever is rare.

To search a text that is not ASCII for a set of characters costs more than taking out its few characters beyond ASCII
does, and an analysis looks for several sets: odd line breaks, emoji, full-width marks, other scripts.
"""

from __future__ import annotations

from typing import Final

_ASCII: Final = bytes(range(128))


def utf8_of(text: str) -> bytes:
    """`text` as UTF-8; lone surrogates like other characters, which only `beyond` takes back."""
    return text.encode("utf-8", "surrogatepass")


def beyond(utf8: bytes) -> str:
    """The characters that are not ASCII, in order."""
    return utf8.translate(None, _ASCII).decode("utf-8", "surrogatepass")
