"""Drafts: pieces of text that know what a habit could make of them."""

from __future__ import annotations

import random
import re
import tomllib
from dataclasses import dataclass, field, replace
from functools import cache
from pathlib import Path
from typing import Any

LANGUAGES = ("en", "de", "es", "fr", "pt", "ja", "zh")
WITHOUT_SPACES = ("ja", "zh")
EMOJI = ("🎉", "🚲", "🌱", "☕️", "👩‍🌾", "📚", "🙌🏽", "🚀", "✨", "1️⃣", "🇩🇪")
_PHRASE = re.compile(r"\[\[([^|\]]+)(?:\|([^\]]+))?\]\]")
_DATA = Path(__file__).parent / "data" / "texts"


@dataclass(frozen=True)
class Piece:
    """One sentence, list or heading; `halves` of a joined sentence, `other` what a habit turns it into."""

    text: str
    kind: str = "plain"
    halves: tuple[str, ...] = ()
    other: str = ""
    phrase: str = ""
    emoji: str = ""


Paragraphs = list[list[Piece]]


@dataclass
class Texts:
    """The building blocks of one language."""

    language: str
    raw: dict[str, Any]
    rng: random.Random = field(default_factory=random.Random)

    @property
    def spaced(self) -> bool:
        """Whether words are separated by blanks."""
        return self.language not in WITHOUT_SPACES

    @property
    def stop(self) -> str:
        return "." if self.spaced else "。"

    def one(self, key: str) -> str:
        return str(self.rng.choice(self.raw[key]))

    def pair(self, key: str) -> tuple[str, str]:
        left, _, right = self.one(key).partition(" = ")
        return left, right

    def clause(self) -> str:
        """A sentence without its full stop, small first letter."""
        subject, predicate, tail = self.one("subjects"), self.one("predicates"), self.one("tails")
        if not self.spaced:
            return subject + tail + predicate
        return f"{subject} {predicate} {tail}" if self.rng.random() < 0.7 else f"{subject} {predicate}"

    def ended(self, clause: str) -> str:
        return capital(clause) + self.stop

    def exclaimed(self, text: str) -> str:
        """A sentence with its full stop turned into an exclamation mark."""
        bare = text.rstrip(".。!！ ¡")
        if self.language == "es":
            return f"¡{bare.lstrip('¡')}!"
        return bare + {"fr": " !", "ja": "！", "zh": "！"}.get(self.language, "!")

    def calmed(self, text: str) -> str:
        return text.lstrip("¡").rstrip("!！ ") + self.stop

    def plain(self) -> Piece:
        return Piece(self.ended(self.clause()))

    def joined(self) -> Piece:
        first, second, join = self.clause(), self.clause(), self.one("joins")
        return Piece(self.ended(first + join + second), "joined", (self.ended(first), self.ended(second)))

    def listed(self) -> Piece:
        """An enumeration, with the list it could be."""
        lead, items = self.one("list_leads"), self.rng.sample(self.raw["items"], self.rng.randint(3, 4))
        mark = self.rng.choice(("-", "-", "*", "•"))
        if self.spaced:
            text = f"{lead} {', '.join(items[:-1])}{self.raw['list_and']}{items[-1]}."
            rows = f"{lead}:\n" + "\n".join(f"{mark} {item}" for item in items)
        else:
            comma = "、"
            text = f"{lead}{comma.join(items[:-1])}{self.raw['list_and']}{items[-1]}。"
            rows = f"{lead}：\n" + "\n".join(f"{mark} {item}" for item in items)
        return Piece(text, "list", other=rows)

    def paired(self, key: str, flipped: bool = False) -> Piece:
        """A sentence of `key`, with its other version."""
        first, second = self.pair(key)
        if flipped:
            first, second = second, first
        return Piece(self.ended(first), key, other=self.ended(second))

    def made(self, kind: str) -> Piece:
        """A piece of one kind, that a habit can turn into its other version."""
        if kind == "list":
            return self.listed()
        if kind == "joined":
            return self.joined()
        if kind == "bullets":
            listed = self.listed()
            return Piece(listed.other, "bullets", other=listed.text)
        key, flipped = {"casual": ("registers", True), "direct": ("hedged", True)}.get(kind, (kind, False))
        return changed(self.paired(key, flipped), kind=kind)

    def framing(self, frame: str, sentence: str) -> str:
        """`sentence` with the phrase of `frame` around it."""
        bare = sentence.rstrip(".。")
        held = bare if frame.startswith("{S}") or not self.spaced or _is_noun(bare, self.language) else lowered(bare)
        phrase = _PHRASE.sub(lambda found: _whole(found.group(1)), frame)
        return self.ended(phrase.replace("{S}", held).replace("{s}", held).rstrip("."))

    def framed(self, frame: str) -> tuple[Piece, str]:
        """A sentence built on a frame: with the phrase in `text` and without it in `other`; and the phrase."""
        found = _PHRASE.search(frame)
        assert found
        sentence = self.clause()
        if frame.startswith("{S}"):
            sentence = capital(sentence)
        frame = frame.replace("{S}", sentence).replace("{s}", sentence).replace("{x}", self.one("items"))
        phrase, instead = found.group(1), found.group(2) or ""
        with_it = _PHRASE.sub(lambda _: _whole(phrase), frame)
        without = _PHRASE.sub(lambda _: instead, frame)
        without = re.sub(r"\s+([,.:])", r"\1", " ".join(without.split())) if self.spaced else without
        without = without.strip(" ,:：、，").rstrip(".")
        return Piece(self.ended(with_it.rstrip(".")), "framed", other=self.ended(without), phrase=phrase), phrase


def _whole(phrase: str) -> str:
    """A phrase with the function words that belong to the sentence around it, which `~` sets apart."""
    return phrase.replace("~", "")


def lowered(text: str) -> str:
    return text[:1].lower() + text[1:]


def _is_noun(text: str, language: str) -> bool:
    """Whether a sentence starts with a word that keeps its capital, as German nouns do."""
    return language == "de" and text.split(" ")[0] not in ("Das", "Der", "Die", "Unser", "Eine", "Ein", "Mein")


def capital(text: str) -> str:
    return text[:1].upper() + text[1:]


@cache
def _raw(language: str) -> dict[str, Any]:
    return tomllib.loads((_DATA / f"{language}.toml").read_text("utf-8"))


def texts(language: str, rng: random.Random) -> Texts:
    """The building blocks of `language`, drawn from with `rng`."""
    return Texts(language, _raw(language), rng)


def written(paragraphs: Paragraphs, source: Texts) -> str:
    """The text of a post."""
    return "\n\n".join(_paragraph(paragraph, source) for paragraph in paragraphs if paragraph)


def _paragraph(pieces: list[Piece], source: Texts) -> str:
    text, glue = "", " " if source.spaced else ""
    for piece in pieces:
        shown = f"{piece.text} {piece.emoji}" if piece.emoji else piece.text
        if piece.text.startswith("```"):
            text += f"\n\n{shown}\n\n"
        elif "\n" in piece.text:
            text += (glue if text and text[-1] != "\n" else "") + f"{shown}\n\n"
        else:
            text += shown if not text or text.endswith("\n") else glue + shown
    return text.strip()


def with_typo(text: str, rng: random.Random) -> str:
    """`text` with two letters of one longer word swapped."""
    words = list(re.finditer(r"[a-zäöüßáéíóúñçèêàãõ]{6,}", text))
    if not words:
        return text
    found = rng.choice(words)
    at = rng.randrange(found.start() + 1, found.end() - 2)
    return text[:at] + text[at + 1] + text[at] + text[at + 2 :]


def changed(piece: Piece, **values: Any) -> Piece:
    """A copy of `piece` with other values."""
    return replace(piece, **values)
