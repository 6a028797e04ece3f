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
from dataclasses import dataclass, field
from datetime import UTC, datetime
from operator import attrgetter

from schemas.delta import StyleDelta
from schemas.profile import Baseline, Style, Tone, Waiting
from service.learning.paths import EMOJI_FREQUENCY, NUMBERS, SENTENCE_LENGTH, TONE, copy_style, put
from service.learning.rules import LearningRules
from service.learning.samples import with_sample
from service.learning.schedule import Clock
from service.learning.votes import signals, speaks

TONE_REACH = 4.0
EMOJI_STEP = 0.5
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
LIMITS: dict[str, tuple[float, float]] = {
    SENTENCE_LENGTH: (5.0, 50.0),
    EMOJI_FREQUENCY: (0.0, 5.0),
    **dict.fromkeys(TONE, (1.0, 10.0)),
}


_numbers: Callable[[Style], tuple[float, ...]] = attrgetter(*NUMBERS)
_scales: Callable[[Tone], tuple[float, ...]] = attrgetter(*(path.removeprefix("tone.") for path in TONE))


@dataclass(slots=True)
class Fold:
    """Averages after some edits: ``values`` by path, ``origin`` of the tone, the open batch, the clock."""

    values: dict[str, float]
    origin: dict[str, float]
    known: bool
    clock: Clock
    samples: list[str]
    waiting: dict[str, tuple[float, int]] = field(default_factory=dict)
    folded: int = 0

    @classmethod
    def start(cls, baseline: Baseline) -> Fold:
        """The state before the first retained edit."""
        style = baseline.style
        origin = baseline.tone_origin or style.tone
        return cls(
            values=dict(zip(NUMBERS, _numbers(style), strict=True)),
            origin=dict(zip(TONE, _scales(origin), strict=True)),
            known=SENTENCE_LENGTH in baseline.own or baseline.folded > 0,
            clock=Clock(baseline.iterations, baseline.last_learned_at, baseline.waiting_since),
            samples=list(style.sample_posts),
            waiting={part.path: (part.total, part.count) for part in baseline.waiting},
            folded=baseline.folded,
        )

    def add(self, delta: StyleDelta, rules: LearningRules) -> None:
        """Take in the next edit; one that says nothing about style is no evidence and changes nothing."""
        moves = signals(delta)
        if not speaks(delta, moves):
            return
        at = delta.edited_at or EPOCH
        if self.clock.overdue(at, rules):
            self.close(rules)
        self.clock = self.clock.see(at, rules)
        seen = _observations(delta, moves)
        if self.clock.waiting_since is None and not self.waiting:
            self._move(seen, rules.step)
        else:
            for path, value in seen:
                total, count = self.waiting.get(path, (0.0, 0))
                self.waiting[path] = (total + value, count + 1)
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
            self._move([(path, total / count) for path, (total, count) in self.waiting.items()], rules.step)
            self.waiting = {}

    def _move(self, seen: Sequence[tuple[str, float]], step: float) -> None:
        """Make one iteration of what was seen."""
        for path, observed in seen:
            value = self.values[path]
            if path == SENTENCE_LENGTH:
                value = value + step * (observed - value) if self.known else observed
                self.known = True
            elif path == EMOJI_FREQUENCY:
                value += _at_most_one(EMOJI_STEP * (observed - value))
            else:
                value += _at_most_one(step * (self.origin[path] + observed - value))
            low, high = LIMITS[path]
            self.values[path] = low if value < low else high if value > high else value

    def write(self, style: Style) -> None:
        """Set the averages and samples of ``style``, rounded to what is worth reading."""
        for path, value in self.values.items():
            put(style, path, round(value, 2))
        style.sample_posts = list(self.samples)

    def baseline(self, before: Baseline) -> Baseline:
        """The state as a baseline: from it the remaining edits give what all of them gave."""
        style = copy_style(before.style)
        for path, value in self.values.items():
            put(style, path, value)
        style.sample_posts = list(self.samples)
        return before.model_copy(
            update={
                "style": style,
                "iterations": self.clock.iterations,
                "last_learned_at": self.clock.last_learned_at,
                "waiting_since": self.clock.waiting_since,
                "waiting": [Waiting(path=p, total=t, count=n) for p, (t, n) in sorted(self.waiting.items())],
                "tone_origin": Tone(**{path.removeprefix("tone."): value for path, value in self.origin.items()}),
                "folded": self.folded,
            }
        )


def _at_most_one(move: float) -> float:
    return -1.0 if move < -1.0 else 1.0 if move > 1.0 else move


def _observations(delta: StyleDelta, moves: tuple[float, ...]) -> list[tuple[str, float]]:
    """What one edit says about the averages, by path."""
    posts, emoji = delta.posts.after, delta.emoji.after
    seen = [(EMOJI_FREQUENCY, min(emoji / posts if posts > 1 else float(emoji), 5.0))]
    if delta.sentences.after:
        low, high = LIMITS[SENTENCE_LENGTH]
        seen.append((SENTENCE_LENGTH, min(max(delta.sentence_length.after, low), high)))
    if any(moves):
        seen += [(path, TONE_REACH * value) for path, value in zip(TONE, moves, strict=True) if value]
    return seen
