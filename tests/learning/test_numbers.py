"""Averages: a target, small steps, batches, and a baseline that continues where edits left."""

from __future__ import annotations

import itertools
from datetime import timedelta

import pytest

from schemas.delta import ToneScales
from service.learning.edit import seed
from service.learning.learn import learn, new_profile
from service.learning.rules import LearningRules
from service.learning.schedule import Clock, due_at, learn_now
from tests.learning.handmade import RULES, START, at, count, edit, essence, noise, shorter, taught

MINUTE = timedelta(minutes=1)


def test_a_new_profile_takes_its_average_from_the_first_edit() -> None:
    assert taught(shorter(0)).writing_traits.avg_sentence_length == pytest.approx(93 / 9, abs=0.01)


def test_a_seeded_average_moves_a_step_of_the_way() -> None:
    start = seed(new_profile("w", START), {"writing_traits": {"avg_sentence_length": 20}}, RULES, START).profile
    assert start.writing_traits.avg_sentence_length == 20
    moved = taught(shorter(0), profile=start).writing_traits.avg_sentence_length
    assert moved == pytest.approx(20 + 0.15 * (93 / 9 - 20), abs=0.01)


def test_fifty_edits_end_at_what_the_writer_leaves() -> None:
    start = seed(new_profile("w", START), {"writing_traits": {"avg_sentence_length": 40}}, RULES, START).profile
    end = taught(*(shorter(index) for index in range(50)), profile=start)
    assert end.writing_traits.avg_sentence_length == pytest.approx(93 / 9, abs=0.1)


def test_tone_moves_at_most_one_an_iteration_and_has_a_target() -> None:
    profile = new_profile("w", START)
    steps = [profile.tone.formality]
    for index in range(40):
        delta = edit(index, tone_scales=ToneScales(formality=-1.0))
        profile = learn(profile, [delta], RULES, at(index)).profile
        steps.append(profile.tone.formality)
    moves = [before - after for before, after in itertools.pairwise(steps)]
    assert all(0 <= move <= 1 for move in moves)
    assert steps[-1] == pytest.approx(1.0, abs=0.1)


def test_silence_does_not_undo_tone() -> None:
    profile = taught(*(edit(index, tone_scales=ToneScales(formality=-1.0)) for index in range(6)))
    later = taught(*(shorter(10 + index) for index in range(6)), profile=profile)
    assert later.tone.formality == profile.tone.formality


def test_emoji_frequency_counts_by_post_and_moves_at_most_one() -> None:
    first = taught(edit(0, emoji=count(0, 12), posts=count(3, 3)))
    assert first.writing_traits.emoji_frequency == 1.0
    later = taught(*(edit(index, emoji=count(0, 12), posts=count(3, 3)) for index in range(12)))
    assert later.writing_traits.emoji_frequency == pytest.approx(4.0, abs=0.1)


def test_edits_of_one_batch_are_one_iteration() -> None:
    start = seed(new_profile("w", START), {"writing_traits": {"avg_sentence_length": 20}}, RULES, START).profile
    burst = [shorter(0), *(shorter(index / 1000) for index in range(1, 8))]
    profile = taught(*burst, profile=start)
    assert profile.learning_iterations == 2
    once = 20 + 0.15 * (93 / 9 - 20)
    assert profile.writing_traits.avg_sentence_length == pytest.approx(once + 0.15 * (93 / 9 - once), abs=0.01)


def test_edits_that_leave_do_not_change_the_result() -> None:
    edits = [
        edit(
            index / 50 if index % 5 else index,
            sentences=count(6, 6 + index % 4),
            emoji=count(0, index % 3),
            tone_scales=ToneScales(formality=-0.3 * (index % 3)),
        )
        for index in range(60)
    ]
    small = LearningRules(max_edits=20)
    kept, left = taught(*edits, rules=LearningRules(max_edits=500)), taught(*edits, rules=small)
    assert len(left.recent_edits) == 20
    assert left.learning_iterations == kept.learning_iterations
    assert left.writing_traits.avg_sentence_length == pytest.approx(kept.writing_traits.avg_sentence_length, abs=0.3)
    assert left.tone.formality == pytest.approx(kept.tone.formality, abs=0.2)


def test_ordered_edits_that_leave_change_nothing_at_all() -> None:
    edits = [edit(index / 7, sentences=count(6, 6 + index % 4), emoji=count(0, index % 3)) for index in range(60)]
    burst = [edit(20 + index / 500, tone_scales=ToneScales(formality=-0.5)) for index in range(9)]
    small, large = LearningRules(max_edits=23), LearningRules(max_edits=500)
    kept, left = essence(taught(*edits, *burst, rules=large)), essence(taught(*edits, *burst, rules=small))
    different = {key for key in kept if kept[key] != left[key]}
    assert different <= {"recent_edits", "baseline"}


def test_the_oldest_noise_leaves_first() -> None:
    edits = [shorter(index) if index % 2 else noise(index) for index in range(8)]
    profile = taught(*edits, rules=LearningRules(max_edits=5))
    assert [one.job_id for one in profile.recent_edits] == ["job-1", "job-3", "job-5", "job-6", "job-7"]
    assert profile.baseline.folded == 0


@pytest.mark.parametrize(
    ("minutes", "iterations"),
    [
        ([0], 1),
        ([0, 6], 2),
        ([0, 5], 2),
        ([0, 1], 2),
        ([0, 1, 2, 3, 6], 2),
        ([0, 1, 2, 7], 3),
        ([0, 4, 8.9, 9], 2),
        ([0, 4, 9.1], 3),
        ([0, 60, 120], 3),
    ],
)
def test_iterations_by_the_clock_of_the_edits(minutes: list[float], iterations: int) -> None:
    clock = Clock()
    for minute in minutes:
        when = START + minute * MINUTE
        if clock.overdue(when, RULES):
            clock = clock.learn_waiting(RULES)
        clock = clock.see(when, RULES)
    assert clock.learn_waiting(RULES).iterations == iterations


def test_limits_of_zero_switch_waiting_off() -> None:
    rules = LearningRules(rate_limit=timedelta(0), batch_window=timedelta(0))
    assert taught(*(shorter(index / 1000) for index in range(5)), rules=rules).learning_iterations == 5


def test_due_and_now() -> None:
    assert learn_now(None, False, START, RULES)
    assert not learn_now(None, True, START, RULES)
    assert not learn_now(START, False, START + 4 * MINUTE, RULES)
    assert learn_now(START, False, START + 5 * MINUTE, RULES)
    assert due_at(None, START, RULES) == START + 5 * MINUTE
    assert due_at(START, START + 1 * MINUTE, RULES) == START + 6 * MINUTE
    assert due_at(START, START - 4 * MINUTE, RULES) == START + 5 * MINUTE


def test_noise_is_no_iteration() -> None:
    profile = taught(*(noise(index) for index in range(12)))
    assert profile.learning_iterations == 0
    assert profile.evolution_score == 0
    assert profile.writing_traits == new_profile("w", START).writing_traits
