"""``learnsvc demo``: the sample edits on their whole way, and what they taught."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated

import typer

from service.cli.options import Json

if TYPE_CHECKING:
    from rich.console import Console

    from schemas.profile import Profile
    from service.settings import Settings

GUIDE_OF = "chloe"


def demo(
    json: Json = False,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Leave out the worker's log.")] = False,
    gemini_fake: Annotated[
        bool, typer.Option("--gemini-fake", help="Judge tone through a local double of the Gemini API.")
    ] = False,
) -> None:
    """Show the whole way on sample writers, with servers of its own.

    Starts a private Redis and MongoDB, appends 64 sample edits of eight
    writers, runs the real worker on them with its log, and shows what each
    profile learned. Needs no set-up; nothing is left behind.

    Examples:
      learnsvc demo
      learnsvc demo --quiet
      learnsvc demo --json
    """
    from contextlib import ExitStack

    from service.cli.output import console
    from service.demonstration import demo_settings
    from service.embedded import EmbeddedMongo, EmbeddedRedis, start_both
    from service.logs import configure

    screen = console(stderr=True)
    redis, mongo = EmbeddedRedis(), EmbeddedMongo()
    with ExitStack() as servers:
        with screen.status("Starting a private Redis and MongoDB"):
            start_both(redis, mongo)
        servers.callback(redis.stop)
        servers.callback(mongo.stop)
        screen.print(f"Redis {redis.version} and MongoDB {mongo.version} are running, only for this demo.", style="dim")
        others: dict[str, object] = {}
        if gemini_fake:
            from service.tone.fake import FakeGemini

            fake = servers.enter_context(FakeGemini())
            others = {"gemini_api_key": fake.key, "gemini_base_url": fake.base_url}
        configure("warning" if quiet else "info", json=False)
        profiles = _learn(demo_settings(redis, mongo, **others), screen)
    _show(profiles, json)


def _learn(settings: Settings, screen: Console) -> list[Profile]:
    """Run the demo under a progress bar that the log lines scroll above."""
    import anyio
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

    from service.demonstration import run_demo, sample_jobs

    jobs = sample_jobs()
    bar = Progress(
        TextColumn("Learning"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("edits"),
        TimeElapsedColumn(),
        console=screen,
        transient=True,
    )
    with bar:
        task = bar.add_task("", total=len(jobs))
        return anyio.run(run_demo, settings, jobs, lambda done: bar.update(task, completed=done))


def _show(profiles: Sequence[Profile], json: bool) -> None:
    from service.cli.output import columns, console, print_json
    from service.demonstration import directions_of

    if json:
        hidden = {"versions", "evolution_timeline", "recent_edits", "baseline"}
        print_json([profile.model_dump(mode="json", exclude=hidden) for profile in profiles])
        return
    screen = console()
    table = columns("Writer", ">Edits", "What the profile learned", "Never writes", "Likes to write", ">Score")
    for profile in profiles:
        table.add_row(
            profile.user_id,
            str(profile.edits_applied),
            ", ".join(directions_of(profile)) or "nothing to claim",
            ", ".join(phrase.phrase for phrase in profile.banned_phrases),
            ", ".join(phrase.phrase for phrase in profile.common_phrases),
            f"0 → {profile.evolution_score:.0f}",
        )
    screen.print()
    screen.print(table)
    chosen = next((profile for profile in profiles if profile.user_id == GUIDE_OF), profiles[0])
    screen.print()
    screen.print(f"Style guide of {chosen.user_id}, as an application would put it into a prompt:", style="bold")
    screen.print(chosen.style_guide)
    screen.print()
    screen.print("Next: learnsvc dev keeps servers and data; learnsvc analyze shows what one edit says.", style="dim")
