"""Patterns: what the retained evidence edits say about each feature of a style.

A feature is a path of the style, the votes of edits on it, the setting that is its threshold, and the two
values a verdict stands for. ``survey`` reads all features over the most recent ``window`` evidence edits.
Where no edit of the window says anything a seed keeps its value.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Final, Literal, NamedTuple

from schemas.delta import StyleDelta
from schemas.profile import Claim, Style
from service.learning import phrases, votes
from service.learning.belief import ACT, DIRECTION, Habit, Reading, Vote, enough, read, weigh
from service.learning.facts import PLACES, Facts, facts_of
from service.learning.marks import tone_votes
from service.learning.paths import get
from service.learning.phrases import Found
from service.learning.rules import LearningRules

Threshold = Literal[
    "threshold_sentence_length",
    "threshold_emoji",
    "threshold_structure",
    "threshold_major_change",
    "threshold_common_phrase",
    "threshold_banned_phrase",
]
Voter = Callable[[StyleDelta], Vote]


@dataclass(frozen=True, slots=True)
class Feature:
    """A two-sided feature, which is one of ``facts.QUESTIONS``, and the values claimed."""

    path: str
    threshold: Threshold
    up: str
    down: str
    habit: Habit = DIRECTION


@dataclass(frozen=True, slots=True)
class Kinds:
    """A feature with several values, of which at most one is claimed; each has its own votes.

    ``made`` names the values that an edit brings about; only those are looked at.
    """

    path: str
    voter: Callable[[str], Voter]
    threshold: Threshold
    made: Callable[[StyleDelta], tuple[str, ...]]


# Any exchange of words makes the vocabulary a little harder or simpler, so that happens by chance more often.
VOCABULARY: Final = Habit(chance=0.35, waver=0.5)

FEATURES: Final = (
    Feature("directions.sentence_length", "threshold_sentence_length", "longer", "shorter"),
    Feature("directions.emoji", "threshold_emoji", "more", "fewer"),
    Feature("directions.bullets", "threshold_structure", "more", "fewer"),
    Feature("directions.headings", "threshold_structure", "more", "fewer"),
    Feature("directions.paragraphs", "threshold_structure", "longer", "shorter"),
    Feature("writing_traits.uses_questions_often", "threshold_structure", "yes", "no"),
    Feature("writing_traits.uses_hooks", "threshold_structure", "yes", "no"),
    Feature("vocabulary_level", "threshold_major_change", "advanced", "simple", VOCABULARY),
)
TONES: Final = {scale: f"directions.tone.{scale}" for scale in votes.SCALES}


def _body(wanted: str) -> Voter:
    """Votes on how the middle is built: lists made or dissolved, or a kind that a larger change ends in."""

    def vote(edit: StyleDelta) -> Vote:
        facts = facts_of(edit)
        lists = facts.done[PLACES["directions.bullets"]]
        if lists and wanted in ("bullets", "steps"):
            return ACT[lists] if wanted == ("steps" if facts.numbered else "bullets") else votes.NOTHING
        if lists < 0 and wanted == "narrative":
            return ACT[1]
        return votes.becomes(edit, edit.body_after, wanted)

    return vote


def _made_body(edit: StyleDelta) -> tuple[str, ...]:
    if facts_of(edit).listed:
        return ("bullets", "steps", "narrative")
    return (edit.body_after,) if edit.change_ratio >= votes.REWRITTEN else ()


KINDS: Final = (
    Kinds("directions.ending", votes.ending, "threshold_structure", votes.made_ending),
    Kinds("structure_preferences.intro", votes.opening, "threshold_structure", votes.made_opening),
    Kinds("structure_preferences.body", _body, "threshold_structure", _made_body),
    Kinds("voice_type", votes.voice, "threshold_major_change", votes.made_voice),
)


class Finding(NamedTuple):
    """A claim on one path: the value, and the verdict it rests on."""

    path: str
    value: str
    reading: Reading


@dataclass(frozen=True, slots=True)
class Survey:
    """Everything the window says: claims by path, phrases, and the edits that were looked at."""

    edits: tuple[StyleDelta, ...]
    findings: dict[str, Finding]
    banned: list[Found]
    common: list[Found]

    def value(self, path: str) -> str | None:
        finding = self.findings.get(path)
        return finding.value if finding else None


def survey(
    evidence: Sequence[StyleDelta], answered: Sequence[Facts], seed: Style, own: frozenset[str], rules: LearningRules
) -> Survey:
    """Read every feature over the newest edits of ``evidence`` (ordered, without noise), with what each answered."""
    edits = tuple(evidence[-rules.window :])
    facts = answered[-rules.window :]
    sides = phrases.sides(edits, facts)
    banned = phrases.banned(edits, sides, rules.threshold_banned_phrase, seed.banned_phrases)
    common = phrases.common(edits, sides, rules.threshold_common_phrase, seed.common_phrases)
    banned, common = phrases.overlap(banned, common)
    findings: dict[str, Finding] = {}
    for feature in FEATURES:
        held = _held(get(seed, feature.path), feature.up, feature.down) if feature.path in own else 0
        threshold = getattr(rules, feature.threshold)
        place = PLACES[feature.path]
        done = [one.done[place] for one in facts]
        if held or enough(done, threshold):
            cast = [ACT[value] if value else one.missed(place) for value, one in zip(done, facts, strict=True)]
            reading = weigh(cast, threshold, feature.habit, held)
            _find(findings, feature.path, reading, feature.up, feature.down)
    for scale, cast in tone_votes(edits, facts, sides, (*banned, *common)).items():
        path = TONES[scale]
        held = _held(get(seed, path), "higher", "lower") if path in own else 0
        _find(findings, path, read(cast, rules.threshold_major_change, held=held), "higher", "lower")
    for kinds in KINDS:
        best = _best_kind(kinds, edits, seed if kinds.path in own else None, rules)
        if best:
            findings[kinds.path] = best
    return Survey(edits, findings, banned, common)


def _find(findings: dict[str, Finding], path: str, reading: Reading, up: str, down: str) -> None:
    if reading.value:
        findings[path] = Finding(path, up if reading.value > 0 else down, reading)


def _held(value: object, up: str, down: str) -> int:
    """The claim of a seed that has ``value``."""
    if isinstance(value, bool):
        return 1 if value else -1
    return (value == up) - (value == down)


def _best_kind(kinds: Kinds, edits: Sequence[StyleDelta], seed: Style | None, rules: LearningRules) -> Finding | None:
    threshold = getattr(rules, kinds.threshold)
    seeded: str | None = get(seed, kinds.path) if seed is not None else None
    made = [kinds.made(edit) for edit in edits]
    readings = []
    for kind in sorted({seeded or "none", *chain.from_iterable(made)} - {"none"}):
        # An edit that made or dissolved lists may vote for any kind, others for what they made.
        if kind != seeded and sum([kind in one or len(one) > 1 for one in made]) < threshold:
            continue
        voter = kinds.voter(kind)
        reading = read([voter(edit) for edit in edits], threshold, held=int(kind == seeded))
        if reading.value > 0:
            readings.append(Finding(kinds.path, kind, reading))
    return max(readings, key=lambda one: (one.reading.strength, one.reading.support)) if readings else None


def claims(found: Survey) -> list[Claim]:
    """The claims as stored, in the order of the style."""
    rows = [_claim(one.path, one.value, one.reading, found.edits) for one in found.findings.values()]
    for path, listed in (("banned_phrases", found.banned), ("common_phrases", found.common)):
        rows += [_claim(path, one.phrase.phrase, one.reading, found.edits) for one in listed]
    return rows


def _claim(path: str, value: str, reading: Reading, edits: tuple[StyleDelta, ...]) -> Claim:
    supporting = [edits[index] for index in reading.supporting]
    return Claim(
        path=path,
        value=value,
        support=reading.support,
        against=reading.against,
        opportunities=reading.opportunities,
        edits=[edit.job_id for edit in supporting[-5:]],
        last_seen=supporting[-1].edited_at if supporting else None,
    )
