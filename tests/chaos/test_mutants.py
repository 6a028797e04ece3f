"""The harness can fail: each way of being wrong is caught by the scenario that is about it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import pytest

from tests.chaos.mutants import MUTANTS
from tests.chaos.report import Row
from tests.chaos.scenario import Plan
from tests.chaos.scenarios.crowded_sweep import crowded
from tests.chaos.scenarios.durability import after_settle, barrier
from tests.chaos.scenarios.takeover import killed
from tests.chaos.scenarios.zombies import renewing

pytestmark = [pytest.mark.anyio, pytest.mark.timeout(300)]
ONCE = Plan(rounds=1)
OFTEN = Plan(rounds=4)  # whether a write is in the journal when mongod dies is a matter of luck


async def killed_early(plan: Plan, mutant: str) -> Row:
    return await killed(plan, "loaded", "killed between load and commit", mutant)


async def killed_late(plan: Plan, mutant: str) -> Row:
    return await killed(plan, "committed", "killed between commit and settle", mutant)


Caught = Callable[[Plan, str], Awaitable[Row]]
CAUGHT_BY: dict[str, tuple[Caught, str]] = {
    "settle-before-commit": (killed_early, "jobs lost"),
    "no-ledger": (killed_late, "applied more than once"),
    "not-durable": (after_settle, "jobs lost"),
    "no-barrier": (barrier, "jobs lost"),
    "renew-without-owner-check": (renewing, "the zombie took the entry back"),
    "cursor-restarted": (crowded, "the sweep never reached"),
}


def test_every_mutant_is_hunted() -> None:
    assert set(CAUGHT_BY) == set(MUTANTS)


@pytest.mark.parametrize("mutant", CAUGHT_BY)
async def test_the_mutant_is_caught(mutant: str) -> None:
    play, symptom = CAUGHT_BY[mutant]
    row = await play(OFTEN if play in (after_settle, barrier) else ONCE, mutant)
    assert any(symptom in broken for broken in row.broken), row
