"""What a series of votes amounts to: a habit, its opposite, nothing, or going back and forth.

Every edit votes on every feature: ``+1`` (say, emoji taken away), ``-1`` (put in) or ``0`` (there was a
chance and the writer left it). Four explanations compete, and each edit makes each of them more or less
likely:

    for        the writer wants +1: does it in most edits that offer the chance, hardly ever the opposite
    against    the mirror image
    neither    changes happen now and then, in either direction
    wavering   changes happen often, in both directions

This is the forward pass of a hidden Markov model, one multiplication an edit. It replaces four rules of thumb
that fight each other when written separately:

* *Most of the opportunities.* A missed chance speaks against a habit a little less than taking one speaks for
  it (``act`` 0.75 against ``chance`` 0.12): of eight edits four are enough when the others went the same way
  or nowhere, three are not.
* *Newer edits weigh more.* Before each edit every explanation leaks ``switch`` (6 %) to the prior: people
  change, and evidence older than some ten edits fades. A reversed habit is followed after three to five
  edits: four after four, whichever came first.
* *Back and forth ends in none.* Two reversals cost two switches and explain less than "wavering".
* *Hysteresis.* A claim is made at 65 % and kept down to 35 %.

The numbers were chosen on series of votes: habits that show in 60, 70 and 80 % of the edits (claimed after twelve
edits in 81, 94 and 97 %), changes at random in 8 and 15 % each way (1 and 3 % claimed), coin flips, reversals.

The threshold of the settings stays a count: without that many supporting edits nothing is claimed.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

PRIOR = (0.2, 0.2, 0.5, 0.1)
SWITCH = 0.06
ENTER = 0.65
LEAVE = 0.35
# A direction known from a seed starts as likely as one that a dozen edits support.
SEEDED = 0.95


class Vote(NamedTuple):
    """One edit on one feature. ``up`` and ``down`` (0..1) say how sure it is that it offered the chance."""

    value: int = 0
    up: float = 1.0
    down: float = 1.0


@dataclass(frozen=True, slots=True)
class Habit:
    """How often a habit shows when it can, how often the same happens by chance, and by mistake."""

    act: float = 0.75
    chance: float = 0.12
    slip: float = 0.04
    waver: float = 0.42


@dataclass(frozen=True, slots=True)
class Reading:
    """The verdict on one feature: ``value`` +1, -1 or 0 (nothing claimed), with the evidence behind it.

    ``supporting`` are the positions of the votes that speak for the claim; ``opportunities`` counts the votes
    that could have.
    """

    value: int = 0
    strength: float = 0.0
    support: int = 0
    against: int = 0
    opportunities: int = 0
    supporting: tuple[int, ...] = ()


DIRECTION = Habit()


def read(votes: Sequence[Vote], threshold: int, habit: Habit = DIRECTION, held: int = 0) -> Reading:
    """Weigh ``votes``, oldest first; ``held`` is the claim of a seed, kept until evidence contradicts it."""
    if not held and not any(vote.value for vote in votes):
        return Reading()
    belief = _start(held)
    counts = {1: threshold if held > 0 else 0, -1: threshold if held < 0 else 0}
    for vote in votes:
        if vote.value:
            counts[vote.value] += 1
        belief = _weigh(belief, vote, habit)
        held = _claim(held, belief, counts, threshold)
    return _reading(votes, held, belief)


Belief = tuple[float, float, float, float]


def _start(held: int) -> Belief:
    if not held:
        return PRIOR
    rest = (1.0 - SEEDED) / 3
    return (SEEDED, rest, rest, rest) if held > 0 else (rest, SEEDED, rest, rest)


_STAY = 1.0 - SWITCH
_INFLOW = (SWITCH * PRIOR[0], SWITCH * PRIOR[1], SWITCH * PRIOR[2], SWITCH * PRIOR[3])


def _weigh(belief: Belief, vote: Vote, habit: Habit) -> Belief:
    """Let every explanation leak to the prior, then weigh it by what the vote says of it."""
    plus = _STAY * belief[0] + _INFLOW[0]
    minus = _STAY * belief[1] + _INFLOW[1]
    neither = _STAY * belief[2] + _INFLOW[2]
    waver = _STAY * belief[3] + _INFLOW[3]
    if vote.value:
        for_plus, for_minus = (habit.act, habit.slip) if vote.value > 0 else (habit.slip, habit.act)
        plus, minus, neither, waver = plus * for_plus, minus * for_minus, neither * habit.chance, waver * habit.waver
    else:
        either = vote.up + vote.down
        plus *= 1.0 - habit.act * vote.up - habit.slip * vote.down
        minus *= 1.0 - habit.act * vote.down - habit.slip * vote.up
        neither *= 1.0 - habit.chance * either
        waver *= 1.0 - habit.waver * either
    total = plus + minus + neither + waver
    return plus / total, minus / total, neither / total, waver / total


def _claim(held: int, belief: Belief, counts: dict[int, int], threshold: int) -> int:
    for sign, likely in ((1, belief[0]), (-1, belief[1])):
        if likely >= ENTER and counts[sign] >= threshold:
            return sign
    if held and belief[0 if held > 0 else 1] < LEAVE:
        return 0
    return held


def _reading(votes: Sequence[Vote], value: int, belief: Belief) -> Reading:
    if not value:
        return Reading(strength=max(belief[0], belief[1]))
    supporting = tuple(index for index, vote in enumerate(votes) if vote.value == value)
    against = sum(vote.value == -value for vote in votes)
    chances = sum(_offered(vote, value) for vote in votes)
    return Reading(value, belief[0 if value > 0 else 1], len(supporting), against, chances, supporting)


def _offered(vote: Vote, value: int) -> bool:
    return bool(vote.value) or (vote.up if value > 0 else vote.down) >= 0.5
