"""What ``replay`` reads and prints."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import orjson
from rich.text import Text

from schemas.delta import StyleDelta
from schemas.job import DEFAULT_MAX_BYTES, InvalidJob
from schemas.profile import Profile
from service.cli import jsonl
from service.cli.analyzing import delta_of
from service.cli.failures import Failed
from service.cli.output import clean, columns, console, print_json
from service.cli.profile_view import directions_of, published
from service.cli.replaying import START, collect, start, states
from service.cli.servers import settings_of
from service.learning.rules import LearningRules

LEARNING_SETTINGS = (
    "learning_rate_limit_minutes",
    "edit_batch_window_minutes",
    "learning_step_percent",
    "max_edit_metadata_per_user",
    "max_profile_versions",
    "pattern_threshold_sentence_length",
    "pattern_threshold_emoji",
    "pattern_threshold_structure",
    "pattern_threshold_common_phrase",
    "pattern_threshold_banned_phrase",
    "pattern_threshold_major_change",
)
NOT_IN_HISTORY = ("recent_edits", "baseline", "evolution_timeline")

Partials = dict[str, Mapping[str, Any]]


def run(file: Path, baseline: Path | None, history: bool, given: list[str], json: bool) -> None:
    rules = settings_of(**_overrides(given)).rules()
    partials = _partials(baseline) if baseline else {}
    writers = collect(_deltas(file))
    rows: list[dict[str, Any]] = []
    profiles: list[Profile] = []
    for user_id in sorted({*writers, *partials}):
        deltas = writers[user_id].ordered() if user_id in writers else []
        first = deltas[0].edited_at if deltas else None
        profile = _start(user_id, partials, rules, first or START)
        past: list[dict[str, Any]] = []
        for number, profile in enumerate(states(profile, deltas, rules), 1):  # noqa: B020 - each follows the last
            if history:
                past.append(_state(profile, number))
        profiles.append(profile)
        if json:
            rows.append({**published(profile), **({"history": past} if history else {})})
    if json:
        print_json(rows)
    else:
        _print_table(profiles)


def _overrides(given: list[str]) -> dict[str, str]:
    """Return ``--set NAME=VALUE`` as settings."""
    found: dict[str, str] = {}
    for item in given:
        name, equals, value = item.partition("=")
        if not equals or name.strip().lower() not in LEARNING_SETTINGS:
            known = ", ".join(setting.upper() for setting in LEARNING_SETTINGS)
            raise Failed(f"--set {clean(item)}: needs NAME=VALUE with one of {known}")
        found[name.strip().lower()] = value.strip()
    return found


def _deltas(path: Path) -> Iterator[tuple[str, StyleDelta]]:
    with jsonl.opened(path) as file:
        for line in jsonl.lines(file, DEFAULT_MAX_BYTES):
            try:
                job = line.decoded(DEFAULT_MAX_BYTES)
            except InvalidJob as error:
                raise Failed(clean(f"{jsonl.named(path)} line {line.number}: {error.detail}")) from None
            yield job.user_id, delta_of(job, job.job_id or f"line-{line.number}")


def _partials(path: Path) -> Partials:
    """Return the partial profiles of ``--baseline`` by writer."""
    try:
        found = orjson.loads(path.read_bytes())
    except orjson.JSONDecodeError as error:
        raise Failed(f"{path}: not valid JSON at line {error.lineno}, column {error.colno}") from None
    if not isinstance(found, list) or not all(
        isinstance(item, dict) and isinstance(item.get("user_id"), str) for item in found
    ):
        raise Failed(f"{path}: must hold a JSON list of partial profiles, each with its user_id")
    return {item["user_id"]: {key: value for key, value in item.items() if key != "history"} for item in found}


def _start(user_id: str, partials: Partials, rules: LearningRules, now: Any) -> Profile:
    try:
        return start(user_id, partials.get(user_id), rules, now)
    except ValueError as error:
        raise Failed(f"baseline of {clean(user_id)}: {clean(str(error))}") from None


def _state(profile: Profile, number: int) -> dict[str, Any]:
    shape = published(profile.model_copy(update={"recent_edits": [], "pending": []}))
    for name in NOT_IN_HISTORY:
        del shape[name]
    return {"after_edit": number, **shape}


def _print_table(profiles: list[Profile]) -> None:
    table = columns("writer", ">edits", ">iterations", ">score", "what the edits say", "phrases")
    table.columns[4].no_wrap = True  # phrases are longer and break better
    for profile in profiles:
        table.add_row(
            Text(clean(profile.user_id), style="bold"),
            str(profile.edits_applied),
            str(profile.learning_iterations),
            f"{profile.evolution_score:.0f} %",
            directions_of(profile),
            _phrases(profile),
        )
    console().print(table)


def _phrases(profile: Profile) -> Text:
    """Banned and common phrases, one a line."""
    never = [Text(f"never: {clean(one.phrase)}", "red") for one in profile.banned_phrases]
    likes = [Text(f"likes: {clean(one.phrase)}", "green") for one in profile.common_phrases]
    return Text("\n").join([*never, *likes]) if never or likes else Text("-")
