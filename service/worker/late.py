"""Tone that comes later: edits learned without the model that was wanted are marked, and asked about again.

A batch never waits for a model, so while it is away batches are learned with the word lists' labels. Their edits are
marked in the profile (``late_tone``) together with the excerpts a model needs. The marks are answered

* by the writer's next batch: marked edits that no call has failed on yet go into its one call;
* else by any worker: the due loop finds the marks by their ``due_at`` (an index) when the breaker is closed.

The answer takes the place of the old label in ``recent_edits`` and the profile is computed anew from its baseline and
edits, so it is what it would have been had the model answered in time: nothing is added up twice. ``edits_applied`` and
the ledger are not touched; an edit that only its label makes speak is an iteration now, as it would have been then. It
is the same compare-and-swap as any commit.

So that a model that comes back is not stormed: ``WRITERS`` writers a look and worker, chosen by chance among those
due; half of the minute's budget at most (``late``); the breaker lets one probe through; and waits that quadruple from
``FIRST_SECONDS`` (one minute or two at first, one hour or two at last, five tries) for calls that were sent and
failed. A refusal before anything was sent costs no try.

Only the newest ``EDITS`` marked edits are kept, as many as patterns look at, and none that left ``recent_edits``.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import datetime, timedelta

from schemas.profile import LateTone, MarkedEdit, PendingEdit, Profile
from service.tone.base import Judgement
from service.tone.breaker import UNSENT

EDITS = 20
WRITERS = 5
CHOICE = 40  # writers looked up to choose from: two workers seldom take the same
TRIES = 5
FIRST_SECONDS = 60.0


def is_due(profile: Profile | None, now: datetime) -> bool:
    """Say whether marked edits of ``profile`` are to be asked about by ``now``."""
    return profile is not None and profile.late_tone is not None and profile.late_tone.due_at <= now


def some_of(users: Sequence[str]) -> list[str]:
    """Return the writers one look takes on."""
    return random.sample(users, min(WRITERS, len(users)))


def marked(profile: Profile) -> list[PendingEdit]:
    """Return the marked edits that are still among the recent ones, oldest first."""
    if profile.late_tone is None:
        return []
    pairs = {edit.job_id: edit.pairs for edit in profile.late_tone.edits}
    return [PendingEdit(delta=edit, pairs=pairs[edit.job_id]) for edit in profile.recent_edits if edit.job_id in pairs]


def companions(profile: Profile) -> list[PendingEdit]:
    """Return the marked edits that may share the call of a new batch.

    Those that a call has failed on may be its cause: they are asked about on their own.
    """
    return marked(profile) if profile.late_tone is not None and not profile.late_tone.tries else []


def was_sent(said: Collection[Judgement]) -> bool:
    """Say whether a model was asked and failed, rather than not asked at all."""
    return any(one.missed is not None and one.missed not in UNSENT | {"breaker_open"} for one in said)


def left_over(
    profile: Profile,
    edits: Sequence[PendingEdit],
    said: Mapping[str, Judgement],
    now: datetime,
    *,
    alone: bool,
    chance: Callable[[], float] = random.random,
) -> LateTone | None:
    """Return the marks of ``profile`` after ``edits`` were judged; None when nothing is left to ask about.

    Marks of edits that were not judged this time stay. ``alone`` says that only marked edits were asked about.
    """
    before = profile.late_tone
    if before is None and all(one.missed is None for one in said.values()):
        return None
    open_ = {edit.job_id: edit.pairs for edit in before.edits} if before else {}
    for edit in edits:
        open_.pop(edit.delta.job_id, None)
        if said[edit.delta.job_id].missed is not None:
            open_[edit.delta.job_id] = edit.pairs
    tries = _tries(before.tries if before else 0, [said[edit.delta.job_id] for edit in edits], alone)
    kept = [edit.job_id for edit in profile.recent_edits if edit.job_id in open_][-EDITS:]
    if not kept or tries >= TRIES:
        return None
    if before is not None and tries == before.tries:
        due_at = before.due_at
    else:
        due_at = now + timedelta(seconds=FIRST_SECONDS * 4 ** max(0, tries - 1) * (1 + chance()))
    return LateTone(edits=[MarkedEdit(job_id=id, pairs=open_[id]) for id in kept], due_at=due_at, tries=tries)


def _tries(tries: int, said: Sequence[Judgement], alone: bool) -> int:
    """Return how many calls about the marks were sent and failed in a row; a batch that failed counts as the first."""
    if not was_sent(said):
        answered = alone and any(one.shift.source == "gemini" for one in said)
        return 0 if answered else tries
    return tries + 1 if alone else max(tries, 1)
