"""A profile as a person reads it, and as programs do."""

from __future__ import annotations

from typing import Any

from rich.console import Group, RenderableType
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from schemas.profile import Claim, Phrase, Profile, ScoreComponents
from service.cli.output import clean, columns, console, plural

DIRECTIONS = ("sentence_length", "emoji", "bullets", "headings", "paragraphs", "ending")
FULL = {"samples": 20, "iterations": 40, "completeness": 20, "consistency": 20}


def published(profile: Profile) -> dict[str, Any]:
    """The profile as stored, less ``applied`` and ``versions``; deltas without their default values."""
    shape: dict[str, Any] = {"user_id": profile.user_id}
    shape |= profile.model_dump(mode="json", exclude={"user_id", "versions", "recent_edits", "pending"})
    shape["recent_edits"] = [edit.model_dump(mode="json", exclude_defaults=True) for edit in profile.recent_edits]
    shape["pending"] = [edit.model_dump(mode="json", exclude_defaults=True) for edit in profile.pending]
    return shape


def print_profile(profile: Profile) -> None:
    parts: list[RenderableType] = [
        _head(profile),
        _beside(_panel("Style", _style(profile)), _panel("Tone, 1 to 10", _tone(profile))),
        _panel("What the edits say", _claims(profile)),
        _panel("Phrases", _phrases(profile)),
        _panel(f"Evolution score {profile.evolution_score:.0f} %", _score(profile.evolution_components)),
    ]
    console().print(Group(*parts))


def _beside(left: Panel, right: Panel) -> RenderableType:
    """Both beside each other where the terminal is wide enough for that."""
    screen = console()
    if sum(screen.measure(panel).maximum for panel in (left, right)) + 1 > screen.width:
        return Group(left, right)
    table = Table.grid(padding=(0, 1))
    table.add_row(left, right)
    return table


def _panel(title: str, content: RenderableType) -> Panel:
    return Panel(content, title=title, title_align="left", border_style="dim", expand=False)


def _head(profile: Profile) -> Text:
    text = Text.assemble((clean(profile.user_id), "bold"), f"  revision {profile.revision}, ")
    text.append(f"{plural(profile.edits_applied, 'edit')}, {plural(profile.learning_iterations, 'iteration')}")
    text.append(f", started from {profile.profile_source}")
    if profile.updated_at:
        text.append(f"\nchanged {profile.updated_at:%Y-%m-%d %H:%M} UTC", style="dim")
    if profile.pending:
        due = f", learned from {profile.learn_due_at:%H:%M:%S} UTC on" if profile.learn_due_at else ""
        text.append(f"\n{plural(len(profile.pending), 'edit')} recorded and waiting{due}", style="yellow")
    if profile.late_tone:
        edits = plural(len(profile.late_tone.edits), "edit")
        text.append(f"\ntone of {edits} by word lists alone, Gemini is asked again", style="yellow")
    return text


def _style(profile: Profile) -> Table:
    traits, structure = profile.writing_traits, profile.structure_preferences
    uses = {
        "emoji": traits.uses_emojis,
        "bullets": traits.uses_bullet_points,
        "questions": traits.uses_questions_often,
        "short paragraphs": traits.uses_short_paragraphs,
        "hooks": traits.uses_hooks,
    }
    rows = {
        "voice": profile.voice_type,
        "vocabulary": profile.vocabulary_level,
        "sentence length": f"{traits.avg_sentence_length:.1f}",
        "emoji a post": f"{traits.emoji_frequency:.1f}",
        "uses": ", ".join(name for name, used in uses.items() if used) or "-",
        "structure": f"{structure.intro}, {structure.body}, ending: {structure.ending}",
        "sample posts": str(len(profile.sample_posts)),
    }
    if profile.manual_overrides:
        rows["set by hand"] = ", ".join(map(clean, profile.manual_overrides))
    return _pairs(rows)


def _pairs(rows: dict[str, str]) -> Table:
    table = Table.grid(padding=(0, 2))
    table.add_column(style="dim", no_wrap=True)
    table.add_column(overflow="fold")
    for name, value in rows.items():
        table.add_row(name, value)
    return table


def _tone(profile: Profile) -> Table:
    table = Table.grid(padding=(0, 2))
    table.add_column(style="dim", no_wrap=True)
    table.add_column(no_wrap=True)
    table.add_column(justify="right", no_wrap=True)
    table.add_column(no_wrap=True)
    for scale, value in profile.tone.model_dump().items():
        claimed = getattr(profile.directions.tone, scale)
        table.add_row(scale, bar(value, 10), f"{value:.1f}", Text("" if claimed == "none" else claimed, style="cyan"))
    return table


def bar(value: float, full: float, width: int = 10) -> Text:
    """A bar of ``width`` cells."""
    filled = max(0, min(width, round(value / full * width))) if full else 0
    return Text.assemble(("█" * filled, "cyan"), ("░" * (width - filled), "dim"))


def _claims(profile: Profile) -> RenderableType:
    shown = [claim for claim in profile.claims if not claim.path.endswith("_phrases")]
    if not shown:
        return Text("Nothing yet: no pattern has its number of supporting edits.", style="dim")
    table = columns("claim", "value", ">edits for", ">against", "last seen")
    for claim in shown:
        table.add_row(
            _name(claim.path), Text(claim.value, style="cyan"), _support(claim), str(claim.against), _day(claim)
        )
    return table


def _name(path: str) -> str:
    return path.removeprefix("directions.").replace("_", " ").replace(".", " ")


def _support(claim: Claim) -> str:
    return f"{claim.support} of {max(claim.opportunities, claim.support)}"


def _day(item: Claim | Phrase) -> str:
    return f"{item.last_seen:%Y-%m-%d}" if item.last_seen else "-"


def _phrases(profile: Profile) -> RenderableType:
    if not profile.common_phrases and not profile.banned_phrases:
        return Text("None yet.", style="dim")
    table = columns("", "phrase", ">edits for", ">against", "last seen")
    for kind, style, phrases in (
        ("banned", "red", profile.banned_phrases),
        ("common", "green", profile.common_phrases),
    ):
        for one in phrases:
            table.add_row(Text(kind, style=style), clean(one.phrase), str(one.support), str(one.against), _day(one))
    return table


def _score(parts: ScoreComponents) -> Table:
    table = Table.grid(padding=(0, 2))
    table.add_column(style="dim")
    table.add_column(no_wrap=True)
    table.add_column(justify="right")
    for name, full in FULL.items():
        value = getattr(parts, name)
        table.add_row(name, bar(value, full), f"{value:.0f} of {full}")
    return table


def directions_of(profile: Profile) -> str:
    """The claimed directions, one a line."""
    found = [f"{name.replace('_', ' ')}: {getattr(profile.directions, name)}" for name in DIRECTIONS]
    found += [f"{scale}: {value}" for scale, value in profile.directions.tone.model_dump().items()]
    return "\n".join(one for one in found if not one.endswith(": none")) or "-"
