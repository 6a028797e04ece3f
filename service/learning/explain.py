"""What an update changed and why, in words: for the log, the timeline and ``profile history``."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import cache
from typing import Any, Final

from schemas.profile import Claim, Phrase, Preference, Style
from service.learning.paths import LEAVES, NUMBERS, get, values

# The words people grep the log for, by the beginning of the path.
WORDS: Final[tuple[tuple[str, str], ...]] = (
    ("directions.sentence_length", "sentence length change"),
    ("directions.emoji", "emoji usage"),
    ("directions.tone", "major change"),
    ("vocabulary_level", "major change"),
    ("voice_type", "major change"),
    ("common_phrases", "common phrase"),
    ("banned_phrases", "banned phrase"),
    ("preferences", "preference"),
    ("directions.", "structure preference"),
    ("structure_preferences.", "structure preference"),
    ("writing_traits.uses_", "structure preference"),
)
OTHER: Final = "style change"
KINDS: Final = tuple(dict.fromkeys([*(word for _, word in WORDS), OTHER]))
SHORT: Final = {"directions.sentence_length": "sentence length", "directions.emoji": "emoji"}
# Averages are reported when they move by at least this much.
VISIBLE: Final = 0.05


@cache
def log_word(path: str) -> str:
    return next((word for prefix, word in WORDS if path.startswith(prefix)), OTHER)


def log_words(paths: Iterable[str]) -> list[str]:
    """The patterns behind ``paths`` in the words of the log, each once."""
    return list(dict.fromkeys(log_word(path) for path in paths))


def pattern(path: str, value: str) -> str:
    """One pattern with its value, such as ``emoji: fewer`` or ``major change: formality lower``."""
    if path in SHORT:
        return f"{SHORT[path]}: {value}"
    name = path.rsplit(".", 1)[-1].replace("_", " ")
    if path.endswith("_phrases") or path == "preferences":
        return f"{log_word(path)}: {value}"
    return f"{log_word(path)}: {name} {value}"


def detected(claims: Sequence[Claim], changed: Iterable[str], new_jobs: frozenset[str]) -> list[Claim]:
    """The claims this update is about: those that changed and those the new edits support."""
    paths = set(changed)
    return [claim for claim in claims if claim.path in paths or not new_jobs.isdisjoint(claim.edits)]


def changed_paths(before: Style, after: Style) -> list[str]:
    both = zip(LEAVES, values(before), values(after), strict=True)
    return [path for path, old, new in both if old is not new and (old or new) and _differs(path, old, new)]


def _differs(path: str, old: Any, new: Any) -> bool:
    if path in NUMBERS:
        return bool(abs(old - new) >= VISIBLE)
    if path.endswith("_phrases"):
        return {one.phrase for one in old} != {one.phrase for one in new}
    if path == "preferences":
        return {one.statement for one in old} != {one.statement for one in new}
    return bool(old != new)


def changes(before: Style, after: Style, changed: Iterable[str], claims: Sequence[Claim], edit_count: int) -> list[str]:
    """One line for each of the ``changed`` paths, with its evidence."""
    lines: list[str] = []
    for path in changed:
        old, new = get(before, path), get(after, path)
        if path.endswith("_phrases"):
            lines += _phrase_changes(path, old, new)
        elif path == "preferences":
            lines += _preference_changes(old, new)
        elif path == "sample_posts":
            lines.append(f"sample posts: {len(old)} -> {len(new)}")
        else:
            lines.append(f"{path}: {_text(old)} -> {_text(new)} ({_evidence(path, claims, edit_count)})")
    return lines


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return f"{value:.1f}" if isinstance(value, float) else str(value)


def _evidence(path: str, claims: Sequence[Claim], edit_count: int) -> str:
    for claim in claims:
        if claim.path == path:
            return f"{claim.support} of {claim.opportunities} edits"
    if not edit_count:
        return "set"
    if path in NUMBERS:
        return f"{edit_count} edit{'' if edit_count == 1 else 's'}"
    return "evidence of recent edits"


def _phrase_changes(path: str, old: list[Phrase], new: list[Phrase]) -> list[str]:
    kind = "banned" if path == "banned_phrases" else "common"
    had, have = {one.phrase for one in old}, {one.phrase for one in new}
    came = [
        f'{kind} phrase "{one.phrase}" ({one.support} for, {one.against} against)'
        for one in new
        if one.phrase not in had
    ]
    return came + [f'{kind} phrase "{one.phrase}" taken back' for one in old if one.phrase not in have]


def _preference_changes(old: list[Preference], new: list[Preference]) -> list[str]:
    had, have = {one.statement for one in old}, {one.statement for one in new}
    came = [f'preference "{one.statement}" ({one.support} edits)' for one in new if one.statement not in had]
    return came + [f'preference "{one.statement}" taken back' for one in old if one.statement not in have]
