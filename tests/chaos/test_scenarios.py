"""The scenarios in the size of CI: each fault once, and a storm of 200 kills."""

from __future__ import annotations

import pytest

from tests.chaos.scenario import Plan, all_scenarios

pytestmark = pytest.mark.anyio
SINGLE = (
    "conflicts",
    "crowded-sweep",
    "given-up-before-commit",
    "given-up-before-load",
    "given-up-before-settle",
    "hostile",
    "killed-before-commit",
    "killed-before-settle",
    "mongod-killed-after-settle",
    "poison",
    "released",
    "seen-before-durable",
    "stopped-twice",
    "stopped-under-load",
    "zombie-before-commit",
    "zombie-before-settle",
    "zombie-renews",
)


@pytest.mark.timeout(300)
@pytest.mark.parametrize("name", SINGLE)
async def test_a_fault_breaks_nothing(name: str) -> None:
    row = await all_scenarios()[name](Plan(rounds=1))
    assert row.injected
    assert row.broken == ()


@pytest.mark.timeout(900)
async def test_a_storm_of_kills_breaks_nothing() -> None:
    plan = Plan(seed=20, kills=200)
    row = await all_scenarios()["kill-storm"](plan)
    assert row.injected >= plan.kills
    assert row.jobs > 100
    assert row.broken == (), f"seed {plan.seed}"
