"""The timeline of a profile."""

from __future__ import annotations

from rich.text import Text

from schemas.profile import Milestone, Profile
from service.cli.output import clean, console, plural, print_json
from service.cli.profile_view import bar

SHOWN_CHANGES = 8


def print_history(profile: Profile, json: bool) -> None:
    kept = {version.revision for version in profile.versions}
    if json:
        print_json(
            [{**one.model_dump(mode="json"), "kept": one.revision in kept} for one in profile.evolution_timeline]
        )
        return
    if not profile.evolution_timeline:
        console().print(f"{clean(profile.user_id)} has edits recorded, and nothing learned from them yet.")
        return
    for one in profile.evolution_timeline:
        _print_milestone(one)
    if kept:
        console().print(
            f"learnsvc profile rollback {clean(profile.user_id)} REVISION goes back to one of: "
            f"{', '.join(map(str, sorted(kept)))}",
            style="dim",
        )


def _print_milestone(milestone: Milestone) -> None:
    """A line with the score, then the patterns of the update and its changes, indented."""
    head = Text.assemble((f"{milestone.at:%Y-%m-%d %H:%M}", "dim"), f"  revision {milestone.revision}".ljust(15))
    head.append(f"iteration {milestone.iteration}".ljust(14))
    head.append(bar(milestone.score, 100)).append(f" {milestone.score:>3.0f} %  ")
    head.append(_cause(milestone), style="dim")
    screen = console()
    screen.print(head, soft_wrap=True)
    for pattern in milestone.patterns:
        screen.print(f"    {clean(pattern)}", style="cyan", soft_wrap=True)
    for change in milestone.changes[:SHOWN_CHANGES]:
        screen.print(f"    {clean(change)}", soft_wrap=True)
    if len(milestone.changes) > SHOWN_CHANGES:
        screen.print(f"    and {len(milestone.changes) - SHOWN_CHANGES} more", style="dim")


def _cause(milestone: Milestone) -> str:
    if milestone.edit_count:
        return plural(milestone.edit_count, "edit")
    return f"tone of {plural(milestone.toned, 'edit')}, later" if milestone.toned else "by hand"
