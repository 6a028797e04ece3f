"""Floors under the evaluation of simulated writers, on a few seeds; `python -m tests.learning.simulated` prints more.

Writers follow a habit in 80 % of their edits by chance, so some do too little of it to be claimed: the floors are
below what the evaluation prints on more seeds.
"""

from __future__ import annotations

from statistics import median

from tests.learning.simulated import (
    OPPOSITES,
    Tally,
    edits_to_follow,
    evaluate,
    live,
    neutral_writer,
    random_writer,
    separation,
)


def test_directions_and_phrases() -> None:
    tallies = evaluate(range(200, 240))
    phrases = {name: tallies.pop(name) for name in ("banned", "common") if name in tallies}
    directions = Tally(*(sum(getattr(one, part) for one in tallies.values()) for part in ("hits", "wrong", "missed")))
    assert directions.f1 >= 0.9
    assert directions.wrong <= 4
    for tally in phrases.values():
        assert tally.f1 >= 0.8
        assert tally.wrong <= 1


def test_neutral_writers_stay_without_claims_and_score_low() -> None:
    neutral = [live(neutral_writer(seed))[-1] for seed in range(12)]
    assert sum(not one.claims for one in neutral) >= 11
    learnable = [live(random_writer(seed)[0])[-1].evolution_score for seed in range(300, 312)]
    assert separation(learnable, [one.evolution_score for one in neutral]) >= 0.97


def test_reversed_habits_are_followed() -> None:
    needed = [edits_to_follow(before, after, 5) for before, after in OPPOSITES.items()]
    assert all(one is not None for one in needed)
    assert median(one for one in needed if one is not None) <= 5
