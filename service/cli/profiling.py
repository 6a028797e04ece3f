"""Reading profiles, and changing them the way a worker does: compare-and-swap, then telling the application."""

from __future__ import annotations

import sys
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

import anyio
import orjson
from pydantic import TypeAdapter, ValidationError

from schemas.job import EntityId
from schemas.profile import Profile
from service.cli import jsonl
from service.cli.failures import Failed
from service.cli.output import clean, console, print_json
from service.cli.servers import profiles_of, redis_of, settings_of
from service.errors import RevisionConflict
from service.learning.guide import guide_lines, render_guide
from service.learning.learn import Outcome, new_profile
from service.learning.rules import LearningRules
from service.profiles import Loaded, ProfileStore
from service.settings import Settings
from service.streams.clock import ServerClock
from service.streams.news import News, announce

TRIES = 20  # a worker commits a writer's batch at most every few milliseconds

Change = Callable[[Profile, LearningRules, datetime], Outcome]


def writer(user_id: str) -> str:
    """Return ``user_id`` when it can be one. Only checked strings reach a query."""
    try:
        return TypeAdapter(EntityId).validate_python(user_id)
    except ValidationError:
        raise Failed(f"{clean(user_id)!r} is no user_id: 1 to 128 of A-Z a-z 0-9 . _ : @ + / = -") from None


def read(user_id: str, mongodb_uri: str | None) -> Profile:
    """Return the whole profile. Raises ``Failed`` when there is none."""

    async def load() -> Profile | None:
        async with profiles_of(settings_of(None, mongodb_uri)) as store:
            return await store.history(writer(user_id))

    return _known(anyio.run(load), user_id)


def _known(profile: Profile | None, user_id: str) -> Profile:
    if profile is None:
        raise Failed(f"there is no profile of {clean(user_id)}")
    return profile


def change(user_id: str, edit: Change, redis_url: str | None, mongodb_uri: str | None, *, create: bool = False) -> None:
    """Commit ``edit`` as a new revision, tell the application, and print what changed."""
    settings = settings_of(redis_url, mongodb_uri)
    outcome = anyio.run(_change, settings, writer(user_id), edit, create)
    screen = console()
    screen.print(f"{user_id} is at revision {outcome.profile.revision} now.", style="green")
    for line in outcome.milestone.changes or ["nothing changed in the style"]:
        screen.print(f"  {clean(line)}", soft_wrap=True)
    screen.print(f"  evolution score: {outcome.score_before:.0f} % → {outcome.score_after:.0f} %")


async def _change(settings: Settings, user_id: str, edit: Change, create: bool) -> Outcome:
    async with redis_of(settings) as redis, profiles_of(settings, indexes=create) as store:
        clock = ServerClock()
        await clock.sync(redis)
        for _ in range(TRIES):
            try:
                outcome = await _commit(store, user_id, edit, settings.rules(), clock.now(), create)
            except RevisionConflict:
                continue
            profile = outcome.profile
            await announce(redis, [News(profile.user_id, profile.revision, profile.evolution_score)])
            return outcome
    raise RevisionConflict


async def _commit(
    store: ProfileStore, user_id: str, edit: Change, rules: LearningRules, now: datetime, create: bool
) -> Outcome:
    """Edit the profile with its timeline and versions, and swap it in."""
    found = await store.history(user_id)
    if not create:
        _known(found, user_id)
    try:
        outcome = edit(found or new_profile(user_id, now), rules, now)
    except ValueError as error:
        raise Failed(clean(str(error))) from None
    await store.commit(Loaded(found), outcome.profile, (), _no_entry, max_versions=rules.max_versions)
    return outcome


async def _no_entry() -> int:
    """Nothing is added to the ledger here, so it is never trimmed."""
    return 0


def parsed(value: str) -> Any:
    """Return ``value`` as JSON, or as the bare word it is."""
    try:
        found = orjson.loads(value)
    except orjson.JSONDecodeError:
        return value
    if found is None:
        raise Failed("null is no value: --unset gives a path back to learning")
    return found


def partial_of(path: Path) -> dict[str, Any]:
    """Return the JSON object in a file, or on stdin."""
    raw = sys.stdin.buffer.read() if path == jsonl.STDIN else path.read_bytes()
    try:
        found = orjson.loads(raw.removeprefix(b"\xef\xbb\xbf"))
    except orjson.JSONDecodeError as error:
        raise Failed(f"{path}: not valid JSON at line {error.lineno}, column {error.colno}") from None
    if not isinstance(found, dict):
        raise Failed(f"{path}: must hold a JSON object, a partial profile")
    return found


def print_guide(user_id: str, max_tokens: int | None, format: str, mongodb_uri: str | None) -> None:
    profile = read(user_id, mongodb_uri)
    text = render_guide(profile, max_tokens)
    shown = text.split("\n") if text else []
    if format == "json":
        lines = guide_lines(profile)[: len(shown)]
        print_json([{"text": line.text, "support": line.support, "path": line.path} for line in lines])
        return
    for line in shown or ["Nothing is known about this writer yet."]:
        console().print(clean(line), soft_wrap=True)
