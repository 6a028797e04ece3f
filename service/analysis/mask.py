"""What is not prose: code, links, addresses, mentions, hashtags. Each is counted and leaves one stand-in character.

The stand-ins are Unicode noncharacters, so that no text can hold them (those found in a text are replaced first), and
they are neither words nor blanks: a changed link compares equal, and no phrase reaches across one. Lone surrogates
become U+FFFD here, because neither UTF-8 nor the sentence splitter can carry them.

Every pattern is anchored by a rare character and looks ahead at most a bounded distance or one line, so a megabyte of
back-ticks costs what a megabyte of prose costs; at most 2,000 of a kind are taken out. Fences are paired line by
line.
"""

from __future__ import annotations

import re
from typing import Final

from service.analysis.beyond import beyond, utf8_of
from service.analysis.emoji import take_emoji

CODE, LINK, MENTION, HASHTAG, EMOJI_MARK = "\ufdd0", "\ufdd1", "\ufdd2", "\ufdd3", "\ufdd4"
MASKS: Final = frozenset((CODE, LINK, MENTION, HASHTAG, EMOJI_MARK))

_UNSAFE: Final = re.compile(r"[\ud800-\udfff\ufdd0-\ufdd4]")
_BREAKS: Final = re.compile("\r\n?|[\x0b\x0c\x85\u2028\u2029]")
_ODD_BEYOND: Final = re.compile(r"[\x85\u2028\u2029\ud800-\udfff\ufdd0-\ufdd4]")
# What every address without a scheme and without `@` holds.
_INNER_STOP: Final = re.compile(r"\.\S")
_INLINE_CODE: Final = re.compile(r"(?<!`)(`{1,3})(?!`)([^`\n]{1,2000})\1(?!`)")
_MARKDOWN_LINK: Final = re.compile(r"!?\[([^\[\]\n]{0,500})\]\(([^()\s]{1,2000})(?: \"[^\"\n]{0,200}\")?\)")
_URL: Final = re.compile(r"(?:https?://|www\.)[^\s<>\"“”「」（）。、]{1,2000}", re.IGNORECASE)
_DOMAIN_END: Final = r"\.(?:com|org|net|io|dev|app|co|ai|edu|gov|de|fr|es|pt|br|jp|cn|uk|eu|me|ly|gg)(?![\w-])"
_HAS_DOMAIN: Final = re.compile(_DOMAIN_END)
_BARE_URL: Final = re.compile(
    rf"(?<![\w@./-])(?:[A-Za-z0-9-]{{1,63}}\.){{0,4}}[A-Za-z0-9-]{{1,63}}{_DOMAIN_END}(?:/[^\s<>\"“”]{{0,2000}})?"
)
_EMAIL: Final = re.compile(r"(?<![\w.+-])[\w.+-]{1,64}@[\w-]{1,63}(?:\.[\w-]{1,63}){1,5}")
_MENTION: Final = re.compile(r"(?<![\w@/])@[A-Za-z0-9_](?:[\w.-]{0,60}\w)?")
_HASHTAG: Final = re.compile(r"(?<![\w#&/])[#＃](?=\w{0,100}[^\W\d_])\w{1,100}")
MOST: Final = 2_000
_TRAILING: Final = ".,;:!?'\"”’)]}*_"


class Masked:
    """A text without what is not prose, and what was taken out.

    `written` is the text as it was, `utf8` the same in bytes, and `beyond` what of it is not ASCII.
    """

    def __init__(self, text: str) -> None:
        self.text = self.written = text
        self.utf8 = utf8_of(text)
        self.beyond = "" if text.isascii() else beyond(self.utf8)
        self.code: list[str] = []
        self.links: list[str] = []
        self.mentions: list[str] = []
        self.hashtags: list[str] = []
        self.emoji: list[str] = []


def mask(text: str) -> Masked:
    """Take out code, links, mentions, hashtags and emoji of one post."""
    masked = Masked(text)
    if _is_odd(masked):
        text = _BREAKS.sub("\n", _UNSAFE.sub("\ufffd", text))
        masked = Masked(text)
    if "`" in text or "~~~" in text:
        _mask_code(masked)
    if "@" in text or "://" in text or "." in text:
        _mask_addresses(masked)
    if "#" in text or "＃" in masked.beyond:
        masked.text = _HASHTAG.sub(
            lambda m: _keep(masked.hashtags, m.group().lower(), HASHTAG), masked.text, count=MOST
        )
    left = masked.beyond if masked.text == text else beyond(utf8_of(masked.text))
    masked.text, masked.emoji = take_emoji(masked.text, left, EMOJI_MARK)
    return masked


def _is_odd(masked: Masked) -> bool:
    """Whether a text holds an odd line break, or what a stand-in could be taken for."""
    text = masked.text
    return "\r" in text or "\x0b" in text or "\x0c" in text or _ODD_BEYOND.search(masked.beyond) is not None


def _keep(kept: list[str], value: str, stand_in: str) -> str:
    kept.append(value)
    return stand_in


def _mask_code(masked: Masked) -> None:
    if "```" in masked.text or "~~~" in masked.text:
        masked.text = _mask_fences(masked.text, masked.code)
    masked.text = _INLINE_CODE.sub(lambda m: _keep(masked.code, m.group(2), CODE), masked.text, count=MOST)


def _mask_fences(text: str, code: list[str]) -> str:
    """Fenced blocks become one line that holds a stand-in; a fence nobody closes runs to the end, as in CommonMark."""
    kept: list[str] = []
    block: list[str] = []
    fence = ""
    for line in text.split("\n"):
        mark = line.lstrip()[:3]
        if fence:
            block.append(line)
            if mark == fence and not line.strip().strip(fence[0]):
                code.append("\n".join(block))
                fence = ""
        elif mark in ("```", "~~~") and mark[0] not in line.lstrip().lstrip(mark[0]):
            fence, block = mark, [line]
            kept.append(CODE)
        else:
            kept.append(line)
    if fence:
        code.append("\n".join(block))
    return "\n".join(kept)


def _mask_addresses(masked: Masked) -> None:
    text = masked.text
    if "](" in text:
        text = _MARKDOWN_LINK.sub(lambda m: m.group(1) + _keep(masked.links, m.group(2), LINK), text, count=MOST)
    joined = _INNER_STOP.search(text) is not None
    if "://" in text or (joined and "www." in text.lower()):
        text = _URL.sub(lambda m: _mask_url(m, masked.links), text, count=MOST)
    if "@" in text:
        text = _EMAIL.sub(lambda m: _keep(masked.links, m.group(), LINK), text, count=MOST)
        text = _MENTION.sub(lambda m: _keep(masked.mentions, m.group().lower(), MENTION), text, count=MOST)
    if joined and _HAS_DOMAIN.search(text):
        text = _BARE_URL.sub(lambda m: _mask_url(m, masked.links), text, count=MOST)
    masked.text = text


def _mask_url(match: re.Match[str], links: list[str]) -> str:
    url = match.group()
    bare = url.rstrip(_TRAILING)
    links.append(bare)
    return LINK + url[len(bare) :]
