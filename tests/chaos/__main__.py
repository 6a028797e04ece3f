"""``python -m tests.chaos``: run scenarios, show what they found, rewrite the table of README.md."""

from __future__ import annotations

import platform
from pathlib import Path
from typing import Annotated

import anyio
import typer

from service.embedded import EmbeddedMongo, EmbeddedRedis
from tests.chaos.report import Row, as_json, print_table, write_readme
from tests.chaos.scenario import Plan, all_scenarios

README = Path(__file__).parents[2] / "README.md"


def chaos(
    scenarios: Annotated[
        list[str] | None, typer.Option("--scenario", "-s", help="Only this one; may be given again.")
    ] = None,
    kills: Annotated[int, typer.Option(min=1, help="SIGKILLs of the kill storm.")] = 200,
    rounds: Annotated[int, typer.Option(min=1, help="Faults of each of the other scenarios.")] = 3,
    seed: Annotated[int, typer.Option(help="Of all chance: the same seed plans the same faults.")] = 1,
    json: Annotated[bool, typer.Option("--json", help="Print the rows as JSON.")] = False,
    readme: Annotated[bool, typer.Option("--readme", help="Rewrite the table in README.md.")] = False,
) -> None:
    """Kill, freeze and poison real workers and servers, and count what was lost or doubled.

    Exits 1 when an invariant is broken.

    Examples:
      python -m tests.chaos
      python -m tests.chaos --scenario kill-storm --kills 1000 --seed 7
      python -m tests.chaos --readme
    """
    known = all_scenarios()
    if unknown := set(scenarios or ()) - set(known):
        raise typer.BadParameter(f"no scenario {', '.join(sorted(unknown))}; there are: {', '.join(known)}")
    rows: list[Row] = []
    for name in scenarios or known:
        typer.echo(f"{name} (seed {seed})", err=True)
        rows.append(outcome(name, Plan(seed=seed, kills=kills, rounds=rounds)))
    if json:
        typer.echo(as_json(rows))
    else:
        print_table(rows)
    if readme:
        write_readme(rows, README, caption(seed))
    if any(row.broken for row in rows):
        raise typer.Exit(1)


def outcome(name: str, plan: Plan) -> Row:
    """Play one scenario; one that cannot be finished is broken, and stops no other."""
    try:
        return anyio.run(all_scenarios()[name], plan)
    except Exception as error:  # noqa: BLE001 - whatever it was, it is said
        first: BaseException = error
        while isinstance(first, BaseExceptionGroup):
            first = first.exceptions[0]
        return Row(name, injected=0, jobs=0, lost=0, doubled=0, dead=0, broken=(f"not finished: {first!r}",))


def caption(seed: int) -> str:
    """Return the line above the table: what it was measured on."""
    servers = f"Redis {EmbeddedRedis().version}, MongoDB {EmbeddedMongo().version}"
    return f"Last written by `make chaos ARGS=--readme`, seed {seed}: Python {platform.python_version()}, {servers}."


if __name__ == "__main__":
    typer.run(chaos)
