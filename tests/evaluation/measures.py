"""What is measured on simulated writers: claims, phrases, neutral writers, reversals, averages, the score."""

from __future__ import annotations

import random
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from statistics import mean, median

from schemas.profile import Profile
from service.analysis.lexicon import CHARACTER_LANGUAGES
from service.analysis.tokens import fold, words
from tests.evaluation.habits import OPPOSITES
from tests.evaluation.writers import Writer, claims, lives, neutral_writer, phrase_of, random_writer

DIRECTIONS = (
    *("sentence_length", "emoji", "bullets", "paragraphs", "ending"),
    *("tone.formality", "tone.enthusiasm", "tone.directness"),
)
# Other traits that have a direction or claim of their own.
OTHERS = ("headings", "hooks")
_SENTENCE = re.compile(r"[^.!?。！？]*[.!?。！？]+|[^.!?。！？]+$")
_LAST = 6


@dataclass
class Tally:
    """Claims that are right, wrong and missing."""

    hits: int = 0
    wrong: int = 0
    missed: int = 0

    @property
    def f1(self) -> float:
        total = 2 * self.hits + self.wrong + self.missed
        return 2 * self.hits / total if total else 1.0

    @property
    def precision(self) -> float:
        return self.hits / (self.hits + self.wrong) if self.hits + self.wrong else 1.0

    @property
    def recall(self) -> float:
        return self.hits / (self.hits + self.missed) if self.hits + self.missed else 1.0

    def count(self, found: set[str], expected: set[str]) -> None:
        self.hits += len(found & expected)
        self.wrong += len(found - expected)
        self.missed += len(expected - found)

    def add(self, other: Tally) -> None:
        self.hits += other.hits
        self.wrong += other.wrong
        self.missed += other.missed


@dataclass
class Measured:
    """Everything measured on the writers of some languages."""

    directions: dict[str, Tally] = field(default_factory=dict)
    exact: Tally = field(default_factory=Tally)
    contained: Tally = field(default_factory=Tally)
    listed: int = 0
    junk: int = 0
    neutral: list[bool] = field(default_factory=list)
    follow: list[int | None] = field(default_factory=list)
    wavering: list[bool] = field(default_factory=list)
    length_errors: list[float] = field(default_factory=list)
    scores: list[float] = field(default_factory=list)
    neutral_scores: list[float] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def add(self, other: Measured) -> None:
        """Take in the numbers of another language."""
        for name, tally in other.directions.items():
            self.directions.setdefault(name, Tally()).add(tally)
        self.exact.add(other.exact)
        self.contained.add(other.contained)
        self.listed += other.listed
        self.junk += other.junk
        for name in ("neutral", "follow", "wavering", "length_errors", "scores", "neutral_scores", "notes"):
            getattr(self, name).extend(getattr(other, name))

    @property
    def f1s(self) -> list[float]:
        """F1 of each of the eight directions."""
        return [self.directions[name].f1 for name in DIRECTIONS if name in self.directions]

    @property
    def auc(self) -> float:
        """How often a writer with habits has the higher score than one without."""
        wins = sum((a > b) + 0.5 * (a == b) for a in self.scores for b in self.neutral_scores)
        return wins / max(len(self.scores) * len(self.neutral_scores), 1)

    @property
    def edits_to_follow(self) -> float:
        """The median over reversals; those never followed count as endless."""
        return median([float("inf") if one is None else one for one in self.follow]) if self.follow else 0.0


def measure(language: str, seeds: range) -> Measured:
    """Writers of one language: one with habits and one neutral a seed, and reversals of every kind."""
    found = Measured()
    for seed in seeds:
        _learnable(found, random_writer(language, seed))
        _neutral(found, neutral_writer(language, seed))
    rng = random.Random(f"reversal-{language}-{seeds.start}")
    for one, other in OPPOSITES:
        pair = (one, other) if rng.random() < 0.5 else (other, one)
        _reversal(found, language, seeds.start, pair)
        _wavering(found, language, seeds.start, (one, other))
    return found


def _learnable(found: Measured, writer: Writer) -> None:
    states = list(lives(writer))
    profile = states[-1][0]
    claimed, expected = claims(profile), set(writer.habits)
    for name in (*DIRECTIONS, *OTHERS):
        ours = {one for one in claimed if one.startswith(f"{name}:")}
        wanted = {one for one in expected if one.startswith(f"{name}:")}
        if ours or wanted:
            found.directions.setdefault(name, Tally()).count(ours, wanted)
    for odd in sorted(claimed ^ expected):
        verdict = "wrong" if odd in claimed else "missed"
        found.notes.append(f"{writer.language} {writer.seed} {verdict} {odd} of {writer.habits}")
    _phrases(found, writer, profile)
    found.scores.append(profile.evolution_score)
    left = [mean_length(text, writer.language) for _, text in states[-_LAST:]]
    found.length_errors.append(abs(profile.writing_traits.avg_sentence_length - mean(left)))


def _phrases(found: Measured, writer: Writer, profile: Profile) -> None:
    sides = (("banned", writer.banned, profile.banned_phrases), ("common", writer.common, profile.common_phrases))
    for side, frames, listed in sides:
        wanted = {plain(phrase_of(frame)) for frame in frames}
        ours = {plain(one.phrase) for one in listed}
        found.exact.count(ours, wanted)
        near = {one for one in wanted if any(one in other or other in one for other in ours)}
        stray = {one for one in ours if not any(one in other or other in one for other in wanted)}
        found.contained.add(Tally(len(near), len(stray), len(wanted - near)))
        found.listed += len(ours)
        found.junk += len(stray)
        for one in sorted(ours ^ wanted):
            found.notes.append(f"{writer.language} {writer.seed} {side} {'listed' if one in ours else 'missed'}: {one}")


def plain(phrase: str) -> str:
    """A phrase as its words; characters of Japanese and Chinese stay together."""
    found = words(phrase)
    return "".join(found) if all(len(word) == 1 for word in found) else " ".join(found)


def _neutral(found: Measured, writer: Writer) -> None:
    profile = list(lives(writer))[-1][0]
    found.neutral.append(not profile.claims)
    found.neutral_scores.append(profile.evolution_score)
    for claim in profile.claims:
        found.notes.append(f"{writer.language} {writer.seed} neutral {claim.path}={claim.value} {writer.habits}")


def _reversal(found: Measured, language: str, seed: int, pair: tuple[str, str]) -> None:
    before, after = pair
    states = list(lives(Writer(language, seed, (before,), share=0.9, edits=8, later=(after,))))[8:]
    needed = next((index + 1 for index, (state, _) in enumerate(states) if after in claims(state)), None)
    found.follow.append(needed)
    if needed is None or needed > 5:
        found.notes.append(f"{language} {seed} reversal {before} -> {after}: {needed}")


def _wavering(found: Measured, language: str, seed: int, pair: tuple[str, str]) -> None:
    """A writer who goes back and forth, one edit this way and one that way."""
    profile = list(lives(Wavering(language, seed, pair[:1], share=1.0, edits=8, later=pair[1:])))[-1][0]
    feature = pair[0].split(":")[0]
    none = not any(one.startswith(f"{feature}:") for one in claims(profile))
    found.wavering.append(none)
    if not none:
        found.notes.append(f"{language} {seed} back and forth on {feature}: {claims(profile)}")


class Wavering(Writer):
    """Follows the one habit and the other in turns, an edit each."""

    def habits_of(self, index: int) -> tuple[str, ...]:
        return self.habits if index % 2 else self.later or ()


def mean_length(text: str, language: str) -> float:
    """Mean words (characters) of the sentences of prose of a simulated text, counted without the analysis."""
    rows = [row for row in text.split("\n") if row and not re.match(r"[-*•#] ?", row)]
    found = [one for row in rows for one in _SENTENCE.findall(row) if re.search(r"\w", one)]
    found = [one for one in found if one[-1] not in ":："]
    sizes = [_size(one, language in CHARACTER_LANGUAGES) for one in found]
    return mean(sizes) if sizes else 0.0


def _size(sentence: str, characters: bool) -> int:
    if characters:
        return len(re.findall(r"\w", sentence))
    return len([part for part in fold(sentence).split() if re.search(r"\w", part)])


def misses(found: Measured, kinds: Iterable[str] = ()) -> list[str]:
    """What was wrong, one line each; only lines that hold one of `kinds`, if any are given."""
    wanted: Sequence[str] = list(kinds)
    return [note for note in found.notes if not wanted or any(kind in note for kind in wanted)]
