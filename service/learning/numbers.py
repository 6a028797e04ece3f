"""The averages of a profile as a fold over the ordered evidence edits.

Averages move a step (15 %) of the way towards what the writer actually leaves in the text, and so stop there:
fifty edits that leave sentences of 12 words end at 12 words, not at the floor. A profile that feedback
created has no average of its own, so its first evidence edit gives it one; a seeded one starts from the seed.

Tone has no measurable "what is left", only a signal that a text became, say, more casual. Its target is
therefore relative to the tone before any edit: four points away at a full signal (``TONE_REACH``), reached at
the same 15 % a step, never more than one point an iteration, only by edits that say something about the
scale. An edit that is silent on it changes nothing: once drafts sound right nobody needs to edit them, and
that must not undo what was learned.

Emoji frequency follows faster, half of the way and at most one a step, so that somebody who stops is followed
in about five edits.

An edit that only exchanges words, as somebody who mends facts does, moves nothing and is no iteration.

Edits that were learned together are one iteration: their mean is folded once. ``Fold`` is the whole state,
and it can be stored in a ``Baseline`` between any two edits. That is how an edit leaves ``recent_edits``
without a trace.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from operator import attrgetter
from typing import Final

from schemas.delta import StyleDelta
from schemas.made import assign
from schemas.profile import Baseline, Style, Tone, Waiting
from service.learning.facts import Facts
from service.learning.paths import EMOJI_FREQUENCY, NUMBERS, SENTENCE_LENGTH, TONE, copy_style
from service.learning.rules import LearningRules
from service.learning.samples import with_sample
from service.learning.schedule import Clock
from service.learning.votes import SCALES, SILENT

TONE_REACH: Final = 4.0
EMOJI_STEP: Final = 0.5
EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
LIMITS: Final[dict[str, tuple[float, float]]] = {
    SENTENCE_LENGTH: (5.0, 50.0),
    EMOJI_FREQUENCY: (0.0, 5.0),
    **dict.fromkeys(TONE, (1.0, 10.0)),
}


_numbers: Callable[[Style], tuple[float, ...]] = attrgetter(*NUMBERS)
_scales: Callable[[Tone], tuple[float, ...]] = attrgetter(*(path.removeprefix("tone.") for path in TONE))
# Where an average stands among ``NUMBERS``.
_LENGTH: Final = 0
_EMOJI: Final = 1
_FIRST_SCALE: Final = 2
_LIMITS: Final = tuple(LIMITS[path] for path in NUMBERS)
_SHORTEST: Final = LIMITS[SENTENCE_LENGTH][0]
_LONGEST: Final = LIMITS[SENTENCE_LENGTH][1]
_MOST_EMOJI: Final = LIMITS[EMOJI_FREQUENCY][1]


@dataclass(slots=True)
class Fold:
    """Averages after some edits: ``values`` of ``NUMBERS``, ``origin`` of the tone, the open batch, the clock.

    ``waiting`` has the sum and the count of what the open batch shows of an average, by its place.
    """

    values: list[float]
    origin: tuple[float, ...]
    known: bool
    clock: Clock
    samples: list[str]
    waiting: dict[int, tuple[float, int]]
    folded: int

    @classmethod
    def start(cls, baseline: Baseline) -> Fold:
        """The state before the first retained edit."""
        style = baseline.style
        return cls(
            values=list(_numbers(style)),
            origin=_scales(baseline.tone_origin or style.tone),
            known=SENTENCE_LENGTH in baseline.own or baseline.folded > 0,
            clock=Clock(baseline.iterations, baseline.last_learned_at, baseline.waiting_since),
            samples=list(style.sample_posts),
            waiting={NUMBERS.index(part.path): (part.total, part.count) for part in baseline.waiting},
            folded=baseline.folded,
        )

    def add(self, delta: StyleDelta, facts: Facts, rules: LearningRules) -> None:
        """Take in the next edit and its answers; one that says nothing about style changes nothing."""
        if not facts.speaks:
            return
        at = delta.edited_at or EPOCH
        if self.clock.overdue(at, rules):
            self.close(rules)
        self.clock = self.clock.see(at, rules)
        seen = _observations(facts)
        if self.clock.waiting_since is None and not self.waiting:
            self._move(seen, rules.step)
        else:
            for place, value in seen:
                total, count = self.waiting.get(place, (0.0, 0))
                self.waiting[place] = (total + value, count + 1)
            if self.clock.waiting_since is None:
                self._learn_waiting(rules)
        if delta.sample:
            self.samples = with_sample(self.samples, delta.sample)
        self.folded += 1

    def close(self, rules: LearningRules) -> None:
        """Learn the open batch."""
        self.clock = self.clock.learn_waiting(rules)
        self._learn_waiting(rules)

    def _learn_waiting(self, rules: LearningRules) -> None:
        if self.waiting:
            self._move([(place, total / count) for place, (total, count) in self.waiting.items()], rules.step)
            self.waiting = {}

    def _move(self, seen: Sequence[tuple[int, float]], step: float) -> None:
        """Make one iteration of what was seen."""
        values = self.values
        for place, observed in seen:
            value = values[place]
            if place == _LENGTH:
                value = value + step * (observed - value) if self.known else observed
                self.known = True
            elif place == _EMOJI:
                value += _at_most_one(EMOJI_STEP * (observed - value))
            else:
                value += _at_most_one(step * (self.origin[place - _FIRST_SCALE] + observed - value))
            low, high = _LIMITS[place]
            values[place] = low if value < low else high if value > high else value

    def write(self, style: Style) -> None:
        """Set the averages and samples of ``style``, rounded to what is worth reading."""
        self._assign(style, [round(value, 2) for value in self.values])

    def baseline(self, before: Baseline) -> Baseline:
        """The state as a baseline: from it the remaining edits give what all of them gave."""
        style = copy_style(before.style)
        self._assign(style, self.values)
        waiting = sorted((NUMBERS[place], total, count) for place, (total, count) in self.waiting.items())
        return before.model_copy(
            update={
                "style": style,
                "iterations": self.clock.iterations,
                "last_learned_at": self.clock.last_learned_at,
                "waiting_since": self.clock.waiting_since,
                "waiting": [Waiting(path=path, total=total, count=count) for path, total, count in waiting],
                "tone_origin": Tone(**dict(zip(SCALES, self.origin, strict=True))),
                "folded": self.folded,
            }
        )

    def _assign(self, style: Style, values: Sequence[float]) -> None:
        traits = {"avg_sentence_length": values[_LENGTH], "emoji_frequency": values[_EMOJI]}
        assign(style.writing_traits, traits)
        assign(style.tone, dict(zip(SCALES, values[_FIRST_SCALE:], strict=True)))
        style.sample_posts = list(self.samples)


def _at_most_one(move: float) -> float:
    return -1.0 if move < -1.0 else 1.0 if move > 1.0 else move


def _observations(facts: Facts) -> list[tuple[int, float]]:
    """What one edit says about the averages, by place."""
    frequency, length = facts.frequency, facts.length
    seen = [(_EMOJI, frequency if frequency < _MOST_EMOJI else _MOST_EMOJI)]
    if length is not None:
        seen.append((_LENGTH, _SHORTEST if length < _SHORTEST else _LONGEST if length > _LONGEST else length))
    if facts.moves != SILENT:
        seen += [(place, TONE_REACH * value) for place, value in enumerate(facts.moves, _FIRST_SCALE) if value]
    return seen
