"""Floors under `make eval`, on few seeds; the program prints more, on any seeds."""

from __future__ import annotations

from statistics import mean, median

import pytest

from tests.evaluation.cases import Case, cases, wrong
from tests.evaluation.machine import Edits, measure_edits
from tests.evaluation.measures import Measured, measure
from tests.evaluation.texts import LANGUAGES

SEEDS = range(900, 906)
# A difference between readers, not a slip: whether a Chinese quotation and what follows it are one sentence.
OPEN = {"Chinese quotation and ellipsis"}


@pytest.mark.parametrize("case", cases(), ids=lambda case: case.name)
def test_a_hard_case_holds(case: Case) -> None:
    found = wrong(case)
    assert bool(found) == (case.name in OPEN), found


def test_simulated_writers_of_all_languages() -> None:
    found = Measured()
    for language in LANGUAGES:
        found.add(measure(language, SEEDS))
    assert mean(found.f1s) >= 0.95
    assert found.contained.f1 >= 0.9
    assert found.junk <= 0.06 * found.listed
    assert mean(found.neutral) >= 0.9
    assert all(found.wavering)
    assert sum(one is not None for one in found.follow) >= len(found.follow) - 1
    assert median(one for one in found.follow if one is not None) <= 5
    assert mean(found.length_errors) <= 1.0
    assert found.auc >= 0.97


def test_edits_of_machine_text() -> None:
    found = Edits()
    for language in LANGUAGES:
        found.add(measure_edits(language, SEEDS))
    assert found.share_found >= 0.9
    assert found.phrases_an_edit <= 6
    assert found.phrases_a_repair <= 0.3
