"""Preferences: statements of a model, held as evidence of the edits they name and never as truth.

A delta carries the statements that name its edit (``StyleDelta.statements``), so preferences follow from the ordered
deltas like everything else here. Models word one observation in many ways and change their mind:

* *The same* are statements about the same things on the same scales: their words, less generic ones and cut to stems,
  overlap by ``SAME``. The wording that most edits have is shown, the newer one of equals.
* *Opposites* ("Adds emoji", "Uses fewer emoji") are about the same and differ in side: each speaks against the other.
  Words of ``data/statements.toml`` name scale and side; those of different scales multiply ("Avoids long sentences"
  is on the side of short ones).
* *Evidence* is weighed by ``belief.read`` over the newest edits as for phrases: an edit that is named speaks for it;
  one that a model looked at without saying so is, half as strong, a chance not taken; one that no model saw says
  nothing. So a preference needs the threshold of common phrases, fades after about six edits in which nobody sees
  it, and is taken back by its opposite.

At most ``MOST`` are kept, those with most support. They move no direction, no average and no score: a model that was
talked into a statement can put one sentence into the guide, with its count beside it, and nothing else.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cache, lru_cache
from importlib.resources import files
from math import prod
from typing import Final

from schemas.delta import StyleDelta
from schemas.profile import Claim, Preference
from service.learning.belief import Habit, Reading, Vote, read
from service.learning.facts import facts_of
from service.learning.rules import LearningRules

PATH: Final = "preferences"
MOST: Final = 10
SAME: Final = 0.75
AMOUNT: Final = "amount"
HABIT: Final = Habit(act=0.75, chance=0.08)
UNNAMED: Final = Vote(0, 0.4, 0.0)
UNSEEN: Final = Vote(0, 0.0, 0.0)

_WORD: Final = re.compile(r"\w+")
_ENDINGS: Final = ("ings", "ing", "ies", "ed", "es", "s", "ly")


@dataclass(frozen=True, slots=True)
class Meaning:
    """What a statement is about, and on which side (+1, -1) of it it stands."""

    words: frozenset[str]
    scales: frozenset[str]
    side: int

    def same_topic(self, other: Meaning) -> bool:
        if len(self.words & other.words) < SAME * max(len(self.words), len(other.words)):
            return False
        return self.scales == other.scales or not self.scales.isdisjoint(other.scales)


@dataclass(slots=True)
class _Topic:
    """Statements about one thing: for each edit that made one, its position, wording and side."""

    meaning: Meaning
    said: list[tuple[int, str, int]] = field(default_factory=list)
    seed: Preference | None = None


def preferences(evidence: Sequence[StyleDelta], seeds: Sequence[Preference], rules: LearningRules) -> list[Preference]:
    """What the statements of the newest edits amount to, strongest first, at most ten."""
    edits = evidence[-rules.window :]
    found = [one for topic in _topics(edits, seeds) if (one := _weighed(topic, edits, rules.threshold_common_phrase))]
    found.sort(key=lambda one: (-one[0].support, -round(one[1].strength, 6), one[0].statement))
    return [preference for preference, _ in found[:MOST]]


def claims(found: Sequence[Preference]) -> list[Claim]:
    """The preferences as claims, for the guide and the log of changes."""
    return [
        Claim(
            path=PATH,
            value=one.statement,
            support=one.support,
            against=one.against,
            opportunities=one.support + one.against,
            edits=list(one.edits),
            last_seen=one.last_seen,
        )
        for one in found
    ]


def _topics(edits: Sequence[StyleDelta], seeds: Sequence[Preference]) -> list[_Topic]:
    """Statements by what they are about. The first of a kind decides where later ones belong."""
    topics = [_Topic(meaning(seed.statement), seed=seed) for seed in seeds]
    for index, edit in enumerate(edits):
        for statement in edit.statements:
            about = meaning(statement)
            topic = next((one for one in topics if one.meaning.same_topic(about)), None)
            if topic is None:
                topic = _Topic(about)
                topics.append(topic)
            topic.said.append((index, statement, about.side * topic.meaning.side))
    return topics


def _weighed(topic: _Topic, edits: Sequence[StyleDelta], threshold: int) -> tuple[Preference, Reading] | None:
    sides = [0] * len(edits)
    for index, _, side in topic.said:
        sides[index] += side
    votes = [_vote(edit, side) for edit, side in zip(edits, sides, strict=True)]
    reading = read(votes, threshold, HABIT, held=int(topic.seed is not None))
    if not reading.value:
        return None
    supporting = [edits[index] for index in reading.supporting]
    seed = topic.seed if reading.value > 0 else None
    preference = Preference(
        statement=seed.statement if seed else _wording(topic, reading.value),
        support=reading.support,
        against=reading.opportunities - reading.support,
        last_seen=supporting[-1].edited_at if supporting else None,
        edits=[edit.job_id for edit in supporting[-5:]],
    )
    return preference, reading


def _vote(edit: StyleDelta, side: int) -> Vote:
    if side:
        return Vote((side > 0) - (side < 0), 0.5, 0.5)
    return UNNAMED if facts_of(edit).judged else UNSEEN


def _wording(topic: _Topic, value: int) -> str:
    counts: dict[str, tuple[int, int]] = {}
    for index, statement, side in topic.said:
        if side == value:
            counts[statement] = (counts.get(statement, (0, 0))[0] + 1, index)
    return max(counts, key=lambda statement: (counts[statement], statement))


@lru_cache(maxsize=4096)
def meaning(statement: str) -> Meaning:
    """What a statement is about and on which side it stands, from its words alone."""
    generic, sides = _lists()
    words: set[str] = set()
    found: dict[str, int] = {}
    for word in _WORD.findall(statement.casefold()):
        if word in sides:
            scale, sign = sides[word]
            found[scale] = sign * found.get(scale, 1) if scale == AMOUNT else sign
        elif word not in generic:
            words.add(_stem(word))
    if not words and not found:
        words.add(statement)
    return Meaning(frozenset(words), frozenset(found), prod(found.values()))


def _stem(word: str) -> str:
    for ending in _ENDINGS:
        if word.endswith(ending) and len(word) - len(ending) >= 4:
            return word[: -len(ending)]
    return word


@cache
def _lists() -> tuple[frozenset[str], dict[str, tuple[str, int]]]:
    """Generic words, and for each word with a side the name of its scale and the sign."""
    raw = tomllib.loads((files("service.learning") / "data" / "statements.toml").read_text())
    sides = {
        word.strip(): (scale, sign)
        for scale, both in ((AMOUNT, raw["amount"]), *((pair[0], pair) for pair in raw["opposites"]))
        for sign, words in zip((1, -1), both, strict=True)
        for word in words.split(",")
    }
    return frozenset(word.strip() for word in raw["generic"].replace("\n", " ").split(",")), sides
