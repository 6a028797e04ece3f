"""What a scenario is, and the register of all of them.

    @scenario
    async def redis_is_frozen(plan: Plan) -> Row: ...

Its name on the command line is the function's with dashes. Scenarios live in ``tests/chaos/scenarios/``, whose modules
are imported in alphabetical order.
"""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from tests.chaos.report import Row


@dataclass(frozen=True, slots=True)
class Plan:
    """How much of it: ``kills`` of the kill storm, ``rounds`` of the single faults; ``seed`` of all chance."""

    seed: int = 1
    kills: int = 200
    rounds: int = 3


Scenario = Callable[[Plan], Awaitable[Row]]
SCENARIOS: dict[str, Scenario] = {}


def scenario(play: Scenario) -> Scenario:
    """Register ``play`` under its name."""
    SCENARIOS[play.__name__.replace("_", "-")] = play
    return play


def all_scenarios() -> dict[str, Scenario]:
    """Return every scenario by name."""
    from tests.chaos import scenarios

    for module in sorted(module.name for module in pkgutil.iter_modules(scenarios.__path__)):
        importlib.import_module(f"{scenarios.__name__}.{module}")
    return SCENARIOS
