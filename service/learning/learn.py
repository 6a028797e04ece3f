"""From deltas to a profile: one call is one update of one writer's profile.

The profile is a function of its baseline and the ordered deltas. ``learn`` adds deltas to ``recent_edits``
(ordered by when they were saved, each job once), lets the oldest leave into the baseline when there are too
many, and computes the style anew from both. Nothing is carried over from the previous style but what a person
set. So arrival order, duplicates, retries and the size of batches cannot matter.

What belongs to the caller stays untouched: ``edits_applied``, ``pending``, ``learn_due_at`` and ``late_tone``.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from schemas.delta import StyleDelta
from schemas.made import assign, copied, made
from schemas.profile import Baseline, Claim, Milestone, Profile, ProfileVersion, Style
from service.learning import explain, preferences, score, traits
from service.learning.facts import answers, asked_anew, facts_of, with_facts
from service.learning.guide import render_guide
from service.learning.numbers import EPOCH, Fold
from service.learning.paths import copy_style, expand, get, put
from service.learning.patterns import claims as claims_of
from service.learning.patterns import survey
from service.learning.rules import LearningRules

TIMELINE: Final = 50
MILESTONE_EDITS: Final = 20


@dataclass(frozen=True, slots=True)
class Outcome:
    """The updated profile and what the update was about; ``patterns`` are words of the log."""

    profile: Profile
    milestone: Milestone
    patterns: list[str]
    score_before: float
    score_after: float


def new_profile(user_id: str, now: datetime) -> Profile:
    """A neutral profile, as the first job of an unknown writer creates it."""
    return Profile(user_id=user_id, created_at=now, updated_at=now)


def learn(
    profile: Profile,
    deltas: Iterable[StyleDelta],
    rules: LearningRules,
    now: datetime,
    toned: Sequence[StyleDelta] = (),
) -> Outcome:
    """Learn ``deltas`` (some of which may be known already); ``profile`` itself is not changed.

    ``toned`` are edits among the recent ones whose tone was judged later: they take the place of those.
    """
    revision = profile.revision + 1
    known = replaced(map(with_facts, profile.recent_edits), map(asked_anew, toned))
    new = _new_edits(known, deltas, revision)
    baseline, retained = retain(profile.baseline, merge(known, new), rules)
    updated = profile.model_copy(update={"baseline": baseline, "recent_edits": retained, "revision": revision})
    recompute(updated, rules)
    restore_overrides(updated, profile)
    assign(updated, {"updated_at": now, "last_learned_at": now} if new else {"updated_at": now})
    return finish(profile, updated, new, rules, now, toned=len(toned))


def relearn(profile: Profile, rules: LearningRules, now: datetime) -> Outcome:
    """Compute the profile anew from the edits it has, after an override or under other rules."""
    return learn(profile, (), rules, now)


def order(edit: StyleDelta) -> tuple[datetime, str]:
    return edit.edited_at or EPOCH, edit.job_id


def merge(known: Sequence[StyleDelta], new: Sequence[StyleDelta]) -> list[StyleDelta]:
    """All of them in order, as either already is; most edits are newer than all that are known."""
    if not known or not new or order(known[-1]) <= order(new[0]):
        return [*known, *new]
    return sorted((*known, *new), key=order)


def replaced(known: Iterable[StyleDelta], toned: Iterable[StyleDelta]) -> list[StyleDelta]:
    """The known edits, those of ``toned`` in the place of their namesakes; the rest of ``toned`` has left them."""
    newer = {edit.job_id: edit for edit in toned}
    if not newer:
        return list(known)
    return [newer.get(edit.job_id, edit) for edit in known]


def _new_edits(known: Sequence[StyleDelta], deltas: Iterable[StyleDelta], revision: int) -> list[StyleDelta]:
    """The deltas not learned yet, each once, marked with the revision that learns them."""
    seen = {edit.job_id for edit in known}
    fresh: dict[str, StyleDelta] = {}
    for delta in deltas:
        if delta.job_id not in seen:
            fresh.setdefault(delta.job_id, copied(delta, {"revision": revision, "facts": answers(delta)}))
    return sorted(fresh.values(), key=order)


def retain(baseline: Baseline, edits: list[StyleDelta], rules: LearningRules) -> tuple[Baseline, list[StyleDelta]]:
    """At most ``max_edits``: the oldest noise goes first, then the oldest evidence, into the baseline."""
    excess = len(edits) - rules.max_edits
    if excess <= 0:
        return baseline, edits
    noise = [index for index, edit in enumerate(edits) if edit.is_noise][:excess]
    gone = set(noise)
    edits = [edit for index, edit in enumerate(edits) if index not in gone]
    excess -= len(gone)
    if not excess:
        return baseline, edits
    fold = Fold.start(baseline)
    for edit in edits[:excess]:
        fold.add(edit, facts_of(edit), rules)
    return fold.baseline(baseline), edits[excess:]


def recompute(profile: Profile, rules: LearningRules) -> None:
    """Set the style, claims and iterations of ``profile`` from its baseline and retained edits, in place."""
    evidence = [edit for edit in profile.recent_edits if not edit.is_noise]
    facts = [facts_of(edit) for edit in evidence]
    own = frozenset(profile.baseline.own)
    style = copy_style(profile.baseline.style)
    found = survey(evidence, facts, profile.baseline.style, own, rules)
    traits.clear_directions(style, own)
    traits.write(style, found, rules)
    held = preferences.preferences(evidence, profile.baseline.style.preferences, rules)
    fold = Fold.start(profile.baseline)
    for edit, answered in zip(evidence, facts, strict=True):
        fold.add(edit, answered, rules)
    fold.close(rules)
    fold.write(style)
    changes = {
        "preferences": held,
        "claims": claims_of(found) + preferences.claims(held),
        "learning_iterations": fold.clock.iterations,
    }
    assign(profile, style.__dict__ | changes)


def set_style(profile: Profile, style: Style) -> None:
    assign(profile, style.__dict__)


def restore_overrides(updated: Profile, before: Profile) -> None:
    held = expand(before.manual_overrides)
    if not held:
        return
    for path in held:
        put(updated, path, get(before, path))
    updated.claims = [claim for claim in updated.claims if claim.path not in held]


def finish(
    before: Profile,
    updated: Profile,
    new: Sequence[StyleDelta],
    rules: LearningRules,
    now: datetime,
    toned: int = 0,
) -> Outcome:
    """Score, guide, milestone and version of a recomputed profile."""
    own = (*updated.baseline.own, *updated.manual_overrides)
    parts = score.components(updated.learning_iterations, updated.claims, own, bool(updated.sample_posts))
    guide = render_guide(updated)
    assign(updated, {"evolution_components": parts, "evolution_score": score.total(parts), "style_guide": guide})
    milestone, detected = _milestone(before, updated, new, now, toned)
    timeline = [*before.evolution_timeline, milestone][-TIMELINE:]
    versions = [*before.versions, _version(updated, now)][-rules.max_versions :] if rules.max_versions else []
    assign(updated, {"evolution_timeline": timeline, "versions": versions})
    words = explain.log_words(claim.path for claim in detected)
    return Outcome(updated, milestone, words, before.evolution_score, updated.evolution_score)


def _milestone(
    before: Profile, updated: Profile, new: Sequence[StyleDelta], now: datetime, toned: int
) -> tuple[Milestone, list[Claim]]:
    jobs = frozenset(edit.job_id for edit in new)
    changed = explain.changed_paths(before, updated)
    detected = explain.detected(updated.claims, changed, jobs)
    evidence = sum([not edit.is_noise for edit in new])
    milestone = Milestone(
        at=now,
        revision=updated.revision,
        iteration=updated.learning_iterations,
        score=updated.evolution_score,
        components=updated.evolution_components,
        edits=[edit.job_id for edit in new[-MILESTONE_EDITS:]],
        edit_count=len(new),
        toned=toned,
        patterns=[explain.pattern(claim.path, claim.value) for claim in detected],
        changes=explain.changes(before, updated, changed, updated.claims, evidence),
    )
    return milestone, detected


def _version(profile: Profile, now: datetime) -> ProfileVersion:
    style = made(Style, {name: getattr(profile, name) for name in Style.model_fields} | {"sample_posts": []})
    return ProfileVersion(
        revision=profile.revision,
        at=now,
        iteration=profile.learning_iterations,
        score=profile.evolution_score,
        style=style,
    )
