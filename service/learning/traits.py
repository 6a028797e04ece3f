"""From a survey to the values of a style: what follows from the claims, beside the claims themselves.

A trait such as ``uses_bullet_points`` follows its direction. ``uses_emojis`` also follows what the writer
leaves in the text, because somebody who keeps every emoji of the drafts uses them too, and somebody whose
texts have had none for a while does not. A value that nothing speaks about stays as the seed (or the neutral
default) has it.
"""

from __future__ import annotations

from typing import Final

from schemas.made import assign
from schemas.profile import Style
from service.learning.facts import facts_of
from service.learning.paths import put
from service.learning.patterns import Survey
from service.learning.rules import LearningRules

# Shares of recent edits that leave emoji in the text. Between them nothing is concluded.
MOSTLY: Final = 0.6
HARDLY: Final = 0.25
AGEING: Final = 0.85
# Seen in this many edits before what was merely left counts.
ENOUGH_LEFT: Final = 5

FOLLOWS: Final[dict[str, dict[str, tuple[str, object]]]] = {
    "directions.bullets": {
        "more": ("writing_traits.uses_bullet_points", True),
        "fewer": ("writing_traits.uses_bullet_points", False),
    },
    "directions.paragraphs": {
        "shorter": ("writing_traits.uses_short_paragraphs", True),
        "longer": ("writing_traits.uses_short_paragraphs", False),
    },
}
YES_NO: Final = ("writing_traits.uses_questions_often", "writing_traits.uses_hooks")


def write(style: Style, found: Survey, rules: LearningRules) -> None:
    """Set what ``found`` says in ``style``, in place."""
    for path, finding in found.findings.items():
        put(style, path, finding.value == "yes" if path in YES_NO else finding.value)
        follows = FOLLOWS.get(path, {}).get(finding.value)
        if follows:
            put(style, *follows)
    banned, common = [one.phrase for one in found.banned], [one.phrase for one in found.common]
    assign(style, {"banned_phrases": banned, "common_phrases": common})
    _ending(style, found)
    uses = uses_emojis(found, rules)
    if uses is not None:
        style.writing_traits.uses_emojis = uses


def clear_directions(style: Style, own: frozenset[str]) -> None:
    """Directions are claims of the survey; those of a seed are read by it, so none survives beside it."""
    for path in own:
        if path.startswith("directions."):
            put(style, path, "none")


def _ending(style: Style, found: Survey) -> None:
    value = found.value("directions.ending")
    if value in ("cta", "question", "summary", "reflection"):
        put(style, "structure_preferences.ending", value)
    elif sum([edit.ending_after == "none" and edit.ending_before != "none" for edit in found.edits]) >= 3:
        # Endings are taken away and none is put in their place.
        style.structure_preferences.ending = "none"


def uses_emojis(found: Survey, rules: LearningRules) -> bool | None:
    """Whether the writer uses emoji; None when nothing speaks about it."""
    direction = found.value("directions.emoji")
    if direction == "more":
        return True
    share = _share_with_emoji(found)
    if direction == "fewer":
        return share >= MOSTLY
    if len(found.edits) < max(ENOUGH_LEFT, rules.threshold_emoji) or HARDLY < share < MOSTLY:
        return None
    return share >= MOSTLY


def _share_with_emoji(found: Survey) -> float:
    weight, total, having = 1.0, 0.0, 0.0
    for edit in reversed(found.edits):
        total += weight
        if facts_of(edit).has_emoji:
            having += weight
        weight *= AGEING
    return having / total if total else 0.0
