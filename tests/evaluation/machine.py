"""Machine text as professional writers edit it, and as people repair its language.

Each passage of `data/machine.toml` marks what an editor took out, ``[[a rich tapestry of]]``, or replaced,
``[[utilize|use]]``. Every simulated edit takes some passages and applies their marks with a probability, so that
other sentences, and other marks of the same sentence, stand around each. A short span is one to five words that
were taken out without replacement, or for at most two words; it is found when it is, with its function words off
the edges, part of a listed phrase or holds one, or is a substitution; words of tone and everyday words alone are
counted as such.
"""

from __future__ import annotations

import random
import re
import tomllib
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from statistics import mean

from schemas.delta import StyleDelta
from service.analysis import analyze
from service.analysis.lexicon import lexicon
from service.analysis.tokens import words
from tests.evaluation.texts import Texts, capital, texts

_FILE = Path(__file__).parent / "data" / "machine.toml"
_MARK = re.compile(r"\[\[([^|\]]*)(?:\|([^\]]*))?\]\]")
_SHORT = 5
_FOR_AT_MOST = 2
# What an editor follows of the marks.
_FOLLOWED = 0.6


@dataclass
class Edits:
    """What was measured on edits of machine text."""

    found: int = 0
    missed: list[str] = field(default_factory=list)
    phrases: list[int] = field(default_factory=list)
    fluency_phrases: list[int] = field(default_factory=list)

    def add(self, other: Edits) -> None:
        """Take in the numbers of another language."""
        self.found += other.found
        self.missed += other.missed
        self.phrases += other.phrases
        self.fluency_phrases += other.fluency_phrases

    @property
    def share_found(self) -> float:
        total = self.found + len(self.missed)
        return self.found / total if total else 1.0

    @property
    def phrases_an_edit(self) -> float:
        return mean(self.phrases) if self.phrases else 0.0

    @property
    def phrases_a_repair(self) -> float:
        return mean(self.fluency_phrases) if self.fluency_phrases else 0.0


def measure_edits(language: str, seeds: range) -> Edits:
    """Edits of one language: two of machine text a seed, where there is some, and one repair of language."""
    result = Edits()
    passages = _passages(language)
    for seed in seeds:
        rng = random.Random(f"machine-{language}-{seed}")
        for _ in range(2 if passages else 0):
            _edit(result, rng.sample(passages, min(len(passages), rng.randint(2, 4))), language, rng)
        _repair(result, texts(language, rng))
    return result


@cache
def _passages(language: str) -> list[str]:
    return list(tomllib.loads(_FILE.read_text("utf-8")).get(language, []))


def _edit(result: Edits, passages: list[str], language: str, rng: random.Random) -> None:
    taken: list[str] = []

    def apply(match: re.Match[str]) -> str:
        gone, instead = match.group(1), match.group(2) or ""
        if rng.random() > _FOLLOWED:
            return gone
        if len(words(gone)) <= _SHORT and len(words(instead)) <= _FOR_AT_MOST:
            taken.append(gone)
        return instead

    glue = "" if language in ("ja", "zh") else " "
    draft = "\n\n".join(_MARK.sub(lambda found: found.group(1), passage) for passage in passages)
    saved = "\n\n".join(_tidy(_MARK.sub(apply, passage), glue) for passage in passages)
    delta = analyze(draft, saved).delta
    result.phrases.append(len(delta.phrases_removed) + len(delta.phrases_added))
    for span in taken:
        if _is_found(span, delta):
            result.found += 1
        else:
            result.missed.append(f"{language}: {span}")


def _tidy(text: str, glue: str) -> str:
    """The text after its marks are applied: single blanks, no mark without a word, capitals after full stops."""
    text = re.sub(r" {2,}", " ", text)
    text = re.sub(r"\s+([,.!?;:])", r"\1", text)
    text = re.sub(r"(^|[.!?。！？]\s*)[,，、]\s*", r"\1", text).strip()
    return re.sub(r"(^|[.!?] )(\w)", lambda found: found.group(1) + found.group(2).upper(), text) if glue else text


def _is_found(span: str, delta: StyleDelta) -> bool:
    wanted, lists = _core(span, delta.language), lexicon(delta.language)
    if wanted in lists.tone or wanted in lists.common:
        return True
    listed = [*delta.phrases_removed, *(swap.before for swap in delta.substitutions)]
    return not wanted or any(_holds(_core(one, delta.language), wanted) for one in listed)


def _holds(one: str, other: str) -> bool:
    return bool(one) and (f" {one} " in f" {other} " or f" {other} " in f" {one} ")


def _core(span: str, language: str) -> str:
    """The words of a span without function words at its edges."""
    found, lists = words(span), lexicon(language)
    while found and lists.is_edge(found[0]):
        found.pop(0)
    while found and lists.is_edge(found[-1]):
        found.pop()
    return " ".join(found)


def _repair(result: Edits, source: Texts) -> None:
    """A text some of whose sentences have their language repaired, and nothing else."""
    pairs = [source.pair("fluency") for _ in range(3)]
    others = [source.plain().text for _ in range(3)]
    glue = " " if source.spaced else ""
    sides = []
    for index in (0, 1):
        rows = [capital(pair[index]) + source.stop for pair in pairs]
        sides.append(glue.join(one for both in zip(rows, others, strict=True) for one in both))
    delta = analyze(*sides).delta
    result.fluency_phrases.append(len(delta.phrases_removed) + len(delta.phrases_added))
