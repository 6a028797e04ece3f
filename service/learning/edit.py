"""What a person does to a profile: seed it, set single values, go back to an earlier revision.

Each is an update like learning: a new revision, a milestone, a version. None of them counts as an iteration.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

from schemas.profile import Baseline, Profile, ProfileSource, Style
from service.learning.learn import Outcome, finish, recompute, relearn, restore_overrides, set_style
from service.learning.numbers import LIMITS
from service.learning.partial import known_path, parse, parse_value
from service.learning.paths import LEAVES, NUMBERS, copy_style, get, put, under
from service.learning.rules import LearningRules

SOURCES: Final[tuple[ProfileSource, ...]] = ("manual", "file", "archetype", "feedback")


def seed(
    profile: Profile,
    partial: Mapping[str, Any],
    rules: LearningRules,
    now: datetime,
    source: ProfileSource = "file",
) -> Outcome:
    """Start from ``partial``, a profile in the published shape with any keys left out.

    Edits already learned are weighed again on top of it. ``learning_iterations``, ``profile_source`` and
    ``manual_overrides`` are taken over as well; other keys that are no style are ignored. ValueError says
    which value is wrong and what is allowed.
    """
    style, given = parse(partial)
    baseline = _with_values(profile.baseline, style, given)
    baseline.iterations = _count(partial.get("learning_iterations", baseline.iterations))
    overrides = _overrides(partial.get("manual_overrides", profile.manual_overrides))
    seeded = profile.model_copy(
        update={
            "baseline": baseline,
            "profile_source": _source(partial.get("profile_source", source)),
            "manual_overrides": overrides,
        }
    )
    held = copy_style(profile)
    for path in given:
        put(held, path, get(style, path))
    set_style(seeded, held)
    return _against(profile, relearn(seeded, rules, now), rules, now)


def _with_values(baseline: Baseline, style: Style, given: list[str]) -> Baseline:
    merged = copy_style(baseline.style)
    origin = baseline.tone_origin.model_copy() if baseline.tone_origin else None
    for path in given:
        put(merged, path, get(style, path))
        if origin is not None and path.startswith("tone."):
            setattr(origin, path.removeprefix("tone."), get(style, path))
    own = list(dict.fromkeys((*baseline.own, *given)))
    return baseline.model_copy(update={"style": merged, "own": own, "tone_origin": origin})


def _count(value: Any) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or value < 0:
        raise ValueError(f"learning_iterations: needs a whole number from 0, got {value!r}")
    return value


def _source(value: Any) -> ProfileSource:
    for source in SOURCES:
        if value == source:
            return source
    raise ValueError(f"profile_source: allowed are {', '.join(SOURCES)}, got {value!r}")


def _overrides(value: Any) -> list[str]:
    if not isinstance(value, list) or not all(isinstance(path, str) for path in value):
        raise ValueError(f"manual_overrides: needs a list of style paths, got {value!r}")
    return [known_path(path) for path in value]


def override(profile: Profile, path: str, value: Any, rules: LearningRules, now: datetime) -> Outcome:
    """Set ``path`` to ``value`` for good; None gives it back to learning.

    ``path`` is one value (``tone.formality``) or a group (``tone``) with an object of values; a group is held
    whole.
    """
    if value is None:
        return _give_back(profile, known_path(path), rules, now)
    wanted = parse_value(path, value)
    given = [leaf for leaf in under(path) if leaf == path or _has(value, leaf.removeprefix(path + "."))]
    held = copy_style(profile)
    for leaf in given:
        put(held, leaf, get(wanted, leaf))
    overrides = list(dict.fromkeys((*profile.manual_overrides, path)))
    changed = profile.model_copy(update={"manual_overrides": overrides})
    set_style(changed, held)
    return _against(profile, relearn(changed, rules, now), rules, now)


def _has(value: Any, path: str) -> bool:
    for name in path.split("."):
        if not isinstance(value, Mapping) or name not in value:
            return False
        value = value[name]
    return True


def _give_back(profile: Profile, path: str, rules: LearningRules, now: datetime) -> Outcome:
    if path not in profile.manual_overrides:
        known = ", ".join(profile.manual_overrides) or "none"
        raise ValueError(f"{path}: not overridden; overridden are: {known}")
    left = [one for one in profile.manual_overrides if one != path]
    return relearn(profile.model_copy(update={"manual_overrides": left}), rules, now)


def _against(before: Profile, outcome: Outcome, rules: LearningRules, now: datetime) -> Outcome:
    """The same update, explained against the profile as it was before the person's change."""
    updated = outcome.profile
    return finish(before, updated, (), rules, now)


def rollback(profile: Profile, revision: int, rules: LearningRules, now: datetime) -> Outcome:
    """The style as ``revision`` left it; later edits are evidence no more, a next one learns on from there.

    Values that a person set stay, and so do sample posts. ValueError lists the revisions that are kept.
    """
    version = next((one for one in profile.versions if one.revision == revision), None)
    if version is None:
        known = ", ".join(str(one.revision) for one in profile.versions) or "none"
        raise ValueError(f"revision {revision} is not kept; known are: {known}")
    kept = [edit for edit in profile.recent_edits if edit.revision <= revision]
    style = copy_style(version.style)
    style.sample_posts = list(profile.sample_posts)
    back = profile.model_copy(update={"recent_edits": kept, "revision": profile.revision + 1, "updated_at": now})
    back.baseline = _leading_to(back, style, rules)
    recompute(back, rules)
    set_style(back, style)
    restore_overrides(back, profile)
    return finish(profile, back, (), rules, now)


def _leading_to(profile: Profile, style: Style, rules: LearningRules) -> Baseline:
    """A baseline from which the retained edits lead to ``style``.

    It is the present one unless something else changed since (a seed, an edit that left): then values that
    the edits do not decide are taken over, and averages are found by bisection, for the fold never reverses
    their order.
    """
    trial = profile.model_copy()
    trial.baseline = profile.baseline.model_copy(update={"style": copy_style(profile.baseline.style)})
    recompute(trial, rules)
    for path in LEAVES:
        if path in NUMBERS and abs(get(trial, path) - get(style, path)) > 0.02:
            put(trial.baseline.style, path, _start_of(trial, path, get(style, path), rules))
        elif path not in NUMBERS and path != "sample_posts" and get(trial, path) != get(style, path):
            put(trial.baseline.style, path, get(style, path))
    return trial.baseline


def _start_of(trial: Profile, path: str, wanted: float, rules: LearningRules) -> float:
    low, high = LIMITS[path]
    for _ in range(14):
        middle = (low + high) / 2
        put(trial.baseline.style, path, middle)
        recompute(trial, rules)
        low, high = (middle, high) if get(trial, path) < wanted else (low, middle)
    return (low + high) / 2
