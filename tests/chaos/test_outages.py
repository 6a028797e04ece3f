"""The outages that differ most, short: nothing lost or doubled, alive throughout, said in a few lines, resumed.

`make chaos` plays all of them, and as long as real ones are.
"""

import pytest

from tests.chaos.scenario import Plan, all_scenarios
from tests.chaos.scenarios.outages import OUTAGES

pytestmark = pytest.mark.anyio

# One freeze outlasts the grace of /readyz and every time-out; the others are as short as makes sense.
SECONDS = {
    "redis-frozen": 19.0,
    "redis-killed": 1.0,
    "redis-unpersisted": 0.2,
    "redis-flushed": 0.0,
    "redis-black-hole": 2.5,
    "redis-cut": 2.0,
    "redis-demoted": 0.0,
    "sentinel-failover": 0.0,
    "group-destroyed": 0.0,
    "clients-killed": 0.0,
    "mongodb-frozen": 2.5,
    "mongodb-killed": 1.0,
    "mongodb-refused": 2.0,
    "mongodb-step-down": 0.0,
    "mongodb-primary-killed": 0.0,
}


@pytest.mark.parametrize("name", SECONDS)
async def test_an_outage_costs_nothing_but_time(name: str, no_stray_tasks: None) -> None:
    row = await OUTAGES[name](Plan(), SECONDS[name])
    assert row.broken == ()
    assert (row.lost, row.doubled, row.dead) == (0, 0, 0)
    assert row.jobs > 0
    assert row.injected > 0


def test_outages_are_scenarios_of_the_harness() -> None:
    assert set(OUTAGES) <= set(all_scenarios())
