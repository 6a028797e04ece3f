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
from functools import cache
from typing import Final, NamedTuple

# Not Final: mypyc would say that it is not set.
PRIOR = (0.2, 0.2, 0.5, 0.1)
SWITCH: Final = 0.06
ENTER: Final = 0.65
LEAVE: Final = 0.35
# A direction known from a seed starts as likely as one that a dozen edits support.
SEEDED: Final = 0.95


class Vote(NamedTuple):
    """One edit on one feature. ``up`` and ``down`` (0..1) say how sure it is that it offered the chance.

    They matter where nothing was done (``value`` 0): what was done had its chance.
    """

    value: int = 0
    up: float = 1.0
    down: float = 1.0


# The votes of edits that did something, by value.
ACT: Final = (Vote(0), Vote(1), Vote(-1))


@cache
def missed(up: float, down: float) -> Vote:
    """The vote of an edit that did nothing, with these chances; there are few different ones."""
    return Vote(0, up, down)


@dataclass(frozen=True, slots=True)
class Habit:
    """How often a habit shows when it can, how often the same happens by chance, and by mistake."""

    act: float = 0.75
    chance: float = 0.12
    slip: float = 0.04
    waver: float = 0.42


class Reading(NamedTuple):
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


NOTHING_CLAIMED: Final = Reading()
DIRECTION: Final = Habit()


def read(votes: Sequence[Vote], threshold: int, habit: Habit = DIRECTION, held: int = 0) -> Reading:
    """Weigh ``votes``, oldest first; ``held`` is the claim of a seed, kept until evidence contradicts it.

    Without a seed, and with fewer than ``threshold`` votes for either side, nothing can be claimed and nothing is
    weighed.
    """
    if not held and not enough([vote.value for vote in votes], threshold):
        return NOTHING_CLAIMED
    return weigh(votes, threshold, habit, held)


def weigh(votes: Sequence[Vote], threshold: int, habit: Habit, held: int) -> Reading:
    """``read`` where there is something to weigh."""
    plus, minus, neither, waver = _start(held)
    says = {vote: _said(vote, habit) for vote in set(votes)}
    values = [vote.value for vote in votes]
    # A claim of a seed has its votes, however few edits say the same.
    of_seed = {held: threshold}
    for index, vote in enumerate(votes, 1):
        by_plus, by_minus, by_neither, by_waver = says[vote]
        plus = (_STAY * plus + _PLUS) * by_plus
        minus = (_STAY * minus + _MINUS) * by_minus
        neither = (_STAY * neither + _NEITHER) * by_neither
        waver = (_STAY * waver + _WAVER) * by_waver
        total = plus + minus + neither + waver
        plus /= total
        minus /= total
        neither /= total
        waver /= total
        if plus >= ENTER and (held > 0 or values[:index].count(1) + of_seed.get(1, 0) >= threshold):
            held = 1
        elif minus >= ENTER and (held < 0 or values[:index].count(-1) + of_seed.get(-1, 0) >= threshold):
            held = -1
        elif held and (plus if held > 0 else minus) < LEAVE:
            held = 0
    return _reading(votes, held, plus if held > 0 else minus) if held else NOTHING_CLAIMED


def enough(values: Sequence[int], threshold: int) -> bool:
    """Whether ``threshold`` votes, one at least, are for one side."""
    least = threshold or 1
    return values.count(1) >= least or values.count(-1) >= least


Belief = tuple[float, float, float, float]


def _start(held: int) -> Belief:
    if not held:
        return PRIOR
    rest = (1.0 - SEEDED) / 3
    return (SEEDED, rest, rest, rest) if held > 0 else (rest, SEEDED, rest, rest)


# What is left of a belief before each edit, and what flows into it from the prior.
_STAY: Final = 1.0 - SWITCH
_PLUS: Final = SWITCH * PRIOR[0]
_MINUS: Final = SWITCH * PRIOR[1]
_NEITHER: Final = SWITCH * PRIOR[2]
_WAVER: Final = SWITCH * PRIOR[3]


def _said(vote: Vote, habit: Habit) -> Belief:
    """How likely each explanation makes the vote."""
    value, up, down = vote
    if value:
        for_plus, for_minus = (habit.act, habit.slip) if value > 0 else (habit.slip, habit.act)
        return for_plus, for_minus, habit.chance, habit.waver
    either = up + down
    return (
        1.0 - habit.act * up - habit.slip * down,
        1.0 - habit.act * down - habit.slip * up,
        1.0 - habit.chance * either,
        1.0 - habit.waver * either,
    )


def _reading(votes: Sequence[Vote], value: int, strength: float) -> Reading:
    values = [vote.value for vote in votes]
    supporting = tuple([index for index, one in enumerate(values) if one == value])
    if value > 0:
        chances = sum([bool(vote.value) or vote.up >= 0.5 for vote in votes])
    else:
        chances = sum([bool(vote.value) or vote.down >= 0.5 for vote in votes])
    return Reading(value, strength, len(supporting), values.count(-value), chances, supporting)
