"""Sentences of one line of prose: sentencex, and the corrections its rules need on posts.

sentencex (rules of many languages, Rust, 0.5 ms for 100 kB) keeps URLs, versions, titles and `z. B.` together. What
it splits too eagerly is glued again: after an abbreviation of the language's own list, after an ordinal such as
German `3. Mai`, after an ellipsis or a quotation (`"Ship it." she said`, 「行こう。」と) that goes on in small letters,
and pieces without any word. What it takes for an abbreviation though it is an everyday word (Spanish `bien.`, English
`no.`, `me.`) is split when the next word has a capital. What it does not split, a terminator followed by nothing but
the next script, is left alone.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Final

import sentencex

from service.analysis.lexicon import Lexicon

_WIDE_END: Final = re.compile(r"[。！？｡．]+[」』）”’\"')\]]*|[!?]+(?=[\u3041-\u30ff\u4e00-\u9fff])")
# What every such end holds or stands before.
_WIDE: Final = re.compile("[。！？｡．\u3041-\u30ff\u4e00-\u9fff]")
_CHUNK: Final = 2_000
MOST: Final = 4_000
_LONG_ABBREVIATIONS: Final = ("approx.",)
_LONGEST_PLAIN: Final = 24
_PLAIN_ENDS: Final = (". ", "! ", "? ")
_ENDS: Final = re.compile(r"[.!?…。！？؟।॥۔։។။]")
_QUOTE_END: Final = re.compile(r"[\"'”’»)\]」』）]\s*$")
_LAST_WORD: Final = re.compile(r"(?:^|[\s(\[\"'“„«])((?:\w{1,4}\. ?)*\w{1,12}\.)\s*$")
# A full stop inside a piece, with the word before it and the one after it; or an ellipsis before a capital.
_INNER_STOP: Final = re.compile(
    r"(?:(?<![\w.])([^\W\d_]{1,20})\.|(?:…|\.{3})(?=[\"'”’»)\]]{0,3}\s+[^\W\d_a-zà-ÿ]\w))[\"'”’»)\]]{0,3}\s+"
    r"([\"'“„«(¿¡\[]{0,2}\w{1,20})"
)
# Not less than what has such a stop, and found faster.
_MAY_STOP: Final = re.compile(r"[.…][\"'”’»)\]]{0,3}\s+\S")
_ONE_LETTER_WORDS: Final = frozenset("IAEOYÉÀÓ")
_KANA: Final = re.compile(r"\s*[\u3041-\u3096]")
_CODES: Final = frozenset(("en", "de", "es", "fr", "pt", "ja", "zh", "ko", "ar", "hi", "ru", "el", "he", "th"))


def split(text: str, lexicon: Lexicon) -> list[str]:
    """The sentences of `text`, one line of prose, without blanks around them; of a huge line the first 4,000."""
    if _ENDS.search(text, 0, len(text.rstrip()) - 1) is None:
        return [text.strip()]
    code = lexicon.language if lexicon.language in _CODES else "en"
    pieces: list[str] = []
    for part in _parts(text):
        for piece in sentencex.segment(code, part):
            # Most pieces have no full stop but the one they end in.
            if ("." in piece[:-2] or "…" in piece) and _MAY_STOP.search(piece):
                pieces += _halves(piece, lexicon)
            else:
                pieces.append(piece)
        if len(pieces) >= MOST:
            break
    if len(pieces) == 1:
        return [text.strip()]
    return [piece.strip() for piece in _glue(pieces[:MOST], lexicon)]


def _parts(text: str) -> Iterable[str]:
    """Parts that are safe to split alone: sentencex is quadratic in sentences without blanks between them."""
    if not text.isascii() and _WIDE.search(text):
        return _wide_parts(text)
    return _chunks(text) if len(text) > _CHUNK else (text,)


def _wide_parts(text: str) -> Iterator[str]:
    start = 0
    for match in _WIDE_END.finditer(text):
        yield from _chunks(text[start : match.end()])
        start = match.end()
    if start < len(text):
        yield from _chunks(text[start:])


def _chunks(text: str) -> Iterator[str]:
    start = 0
    while len(text) - start > _CHUNK:
        blank = text.rfind(". ", start, start + _CHUNK)
        end = blank + 2 if blank > start else start + _CHUNK
        yield text[start:end]
        start = end
    yield text[start:]


def _halves(piece: str, lexicon: Lexicon) -> Iterator[str]:
    """The sentences of a piece that was held together by an everyday word."""
    start = 0
    for match in _INNER_STOP.finditer(piece):
        if match.group(1) is None or _is_everyday(match.group(1), match.group(2), lexicon):
            yield piece[start : match.start(2)]
            start = match.start(2)
    yield piece[start:]


def _is_everyday(word: str, following: str, lexicon: Lexicon) -> bool:
    """Whether `word.` ends a sentence before `following`: a word one knows, before a capital that is no initial.

    After an abbreviation that may end a sentence (`etc.`), only a function word with a capital begins the next.
    """
    word, following = word.lower(), following.lstrip("\"'“„«(¿¡[")
    if len(following) < 2 and following not in _ONE_LETTER_WORDS:
        return False
    if following[0].isupper() and f"{word}." in lexicon.abbreviations:
        return following.lower() in lexicon.function
    if not following[0].isupper() or not (word in lexicon.function or word in lexicon.common):
        return False
    return len(word) > 1 or following.lower() in lexicon.function


def _glue(pieces: list[str], lexicon: Lexicon) -> list[str]:
    glued: list[list[str]] = []
    before = ""
    for piece in pieces:
        if not _begins_plainly(before, piece, lexicon):
            if glued and _belongs(glued[-1], piece, lexicon):
                glued[-1].append(before := piece)
                continue
            if not piece.strip():
                continue
        glued.append([before := piece])
    return ["".join(parts) for parts in glued]


def _begins_plainly(before: str, piece: str, lexicon: Lexicon) -> bool:
    """Whether `before` is over with a word of letters that no abbreviation is, so that `piece` begins the next one.

    Most sentences do, and before a capital five letters are enough, as only few abbreviations have them. What is asked
    about the others in `_belongs` would say nothing else about these.
    """
    first = piece[0]
    if before[-2:] not in _PLAIN_ENDS or not first.isalnum():
        return False
    if first.isupper() and first.isalpha() and before[-7:-2].isalpha() and len(before) > 7:
        return not before[-8:-1].lower().endswith(_LONG_ABBREVIATIONS)
    start = before.rfind(" ", 0, -2) + 1
    word = before[start:-2].lower()
    if not (1 < len(word) < _LONGEST_PLAIN and word.isalpha()):
        return False
    if before[-2] != ".":
        return True
    stopped = f"{word}."
    if stopped in lexicon.abbreviations or stopped in lexicon.titles or stopped.endswith(_LONG_ABBREVIATIONS):
        return False
    return "." not in before[max(0, start - 2) : start]


def _belongs(parts: list[str], piece: str, lexicon: Lexicon) -> bool:
    """Whether `piece` is no sentence of its own, or what it follows is none."""
    before = parts[-1]
    if piece[0].isupper() and piece[0].isalpha() and _ends_plainly(before):
        return before[-8:-1].lower().endswith(_LONG_ABBREVIATIONS)
    if not _has_word(piece) or _goes_on(parts[-1], piece, lexicon):
        return True
    return len(parts) == 1 and not _has_word(parts[0])


def _has_word(piece: str) -> bool:
    return any(map(str.isalnum, piece))


def _ends_plainly(before: str) -> bool:
    """The usual end of a sentence: a full stop after five letters or more, as only few abbreviations have."""
    return before[-2:] in _PLAIN_ENDS and before[-7:-2].isalpha() and len(before) > 7


def _goes_on(before: str, after: str, lexicon: Lexicon) -> bool:
    """Whether the sentence that seemed to end with `before` goes on with `after`."""
    if after[0].isupper() and _ends_plainly(before):
        return before[-8:-1].lower().endswith(_LONG_ABBREVIATIONS)
    tail = before[-32:].rstrip()
    start = after.lstrip()[:1]
    small = start.islower()
    if _QUOTE_END.search(tail):
        return small or (tail[-1:] in "」』）" and _KANA.match(after) is not None)
    if tail.endswith(("...", "…")):
        return small
    if not tail.endswith("."):
        return False
    return _is_abbreviation(tail, start, after, lexicon)


def _is_whole_word(word: str, tail: str) -> bool:
    """Whether `word`, two letters or more and a full stop, is not the last part of something like `z. B.`."""
    return len(word) > 2 and word[:-1].isalpha() and "." not in tail[: -len(word)][-2:]


def _is_abbreviation(tail: str, start: str, after: str, lexicon: Lexicon) -> bool:
    word = tail[tail.rfind(" ") + 1 :]
    if len(word) > 5 and word.count(".") == 1 and word.lower() not in lexicon.abbreviations:
        return False
    if _is_whole_word(word, tail) and not (word.lower() in lexicon.abbreviations or word.lower() in lexicon.titles):
        return False
    found = _LAST_WORD.search(tail)
    if found is None:
        return False
    word = found.group(1).lower()
    last = word.rsplit(None, 1)[-1]
    if start.isupper() and _is_everyday(last[:-1], after.split(None, 1)[0].rstrip(".,:;!?"), lexicon):
        return False
    if lexicon.titles & {word, last, word.replace(" ", "")}:
        return True
    starts_sentence = start.isupper() and after.split(None, 1)[0].strip("\"'“,").lower() in lexicon.function
    if lexicon.abbreviations & {word, last, word.replace(" ", "")}:
        return not starts_sentence
    if last[:-1].isdigit():
        return lexicon.language == "de" and len(last) <= 3 and not starts_sentence
    # One letter and a full stop is an initial (`J. Smith`), unless the next word begins a sentence (`plan B. The`).
    return len(last) == 2 and last[0].isalpha() and start.isupper() and not starts_sentence and len(tail) > 2
