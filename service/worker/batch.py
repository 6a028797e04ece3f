"""Learning one batch of one writer: load, drop what is applied, extract, tone, learn, compare-and-swap.

A conflict (another pod was faster) or an unknown outcome loads again and learns again from the deltas already
extracted; the ledger says what was applied meanwhile. Nothing here settles: that is the caller's, after the commit.
"""

from __future__ import annotations

import random
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import TYPE_CHECKING, TypeVar

import anyio
import anyio.lowlevel
from anyio import CapacityLimiter

from schemas.delta import StyleDelta
from schemas.made import copied
from schemas.profile import PendingEdit, Profile
from service import ledger
from service.errors import DependencyDown, RevisionConflict
from service.learning.learn import Outcome, learn, new_profile
from service.learning.rules import LearningRules
from service.learning.schedule import due_at, learn_now
from service.profiles import Loaded, ProfileStore
from service.streams.entry import Work
from service.telemetry.stages import stage
from service.tone.base import Judgement, ToneClassifier, ToneRequest
from service.worker import late
from service.worker.extraction import Extract, Extractor, edit_of
from service.worker.outages import backoff

if TYPE_CHECKING:
    from service.worker.entries import Entries

CONFLICT_SECONDS = 0.02
TURN_SECONDS = 0.02  # of analysis, before the loop does something else

T = TypeVar("T")


class JobTimeout(Exception):
    """Extraction or tone took longer than a job may."""


@dataclass(slots=True)
class Learned:
    """What became of a batch. Everything named here may be settled or dead-lettered at once."""

    applied: list[Work] = field(default_factory=list)
    duplicates: list[Work] = field(default_factory=list)
    dead: list[tuple[Work, str, str]] = field(default_factory=list)
    outcome: Outcome | None = None
    recorded: Profile | None = None
    conflicts: int = 0


@dataclass(frozen=True, slots=True)
class Hooks:
    """What a batch needs of its worker."""

    now: Callable[[], datetime]
    entries: Entries
    down: Callable[[DependencyDown], None]
    up: Callable[[str], None]


class BatchLearner:
    """Learns batches; safe to share between lanes."""

    def __init__(
        self,
        store: ProfileStore,
        tone: ToneClassifier,
        rules: LearningRules,
        hooks: Hooks,
        *,
        job_timeout: float,
        extract: Extract | None = None,
    ) -> None:
        self._store = store
        self._tone = tone
        self._rules = rules
        self._hooks = hooks
        self._timeout = job_timeout
        self._extract = extract or Extractor()
        self._large = CapacityLimiter(1)  # a single process, or a burst of large jobs would take all the CPU

    async def learn(self, user_id: str, works: Sequence[Work]) -> Learned:
        """Apply ``works`` and whatever is due of ``user_id``, once, however often this has to be tried."""
        return await self._until_done(self._try, Attempt(user_id, works))

    async def give_up(self, user_id: str, works: Sequence[Work]) -> Learned:
        """Say which of ``works``, out of attempts, were applied after all; the others can be no more.

        Whoever held such an entry before may still be about to commit it. A new revision refuses that commit, and
        before its next try that worker finds that the entry is another's.
        """
        return await self._until_done(self._give_up, Attempt(user_id, works))

    async def _until_done(self, step: Callable[[Attempt], Awaitable[Learned]], attempt: Attempt) -> Learned:
        away: set[str] = set()
        tries = 0
        while True:
            try:
                learned = await step(attempt)
            except RevisionConflict:
                attempt.conflicts += 1
                await anyio.sleep(random.uniform(0, CONFLICT_SECONDS * min(2**attempt.conflicts, 32)))
            except DependencyDown as error:
                self._hooks.down(error)
                away.add(error.service)
                tries += 1
                await anyio.sleep(backoff(tries))
            else:
                for service in {"mongodb", *away}:
                    self._hooks.up(service)
                return learned

    async def _try(self, attempt: Attempt) -> Learned:
        loaded, learned, fresh = await self._judged(attempt)
        now = self._hooks.now()
        await in_step()
        fresh = await self._analysed(attempt, fresh)
        await in_step()
        if fresh or is_due(loaded.profile, now):
            await self._apply(attempt, loaded, learned, fresh, now)
        elif loaded.profile is not None and late.is_due(loaded.profile, now):
            learned.outcome = await self._add_tone(attempt, loaded, loaded.profile, now)
        return learned

    async def _judged(self, attempt: Attempt) -> tuple[Loaded, Learned, list[Work]]:
        """Load, and sort the entries; those lost meanwhile are left out.

        An entry that is ours after the load cannot have been given up by another before it: see ``give_up``.
        """
        loaded = await self._store.load(attempt.user_id)
        lost = await self._hooks.entries.lost(attempt.works)
        learned, fresh = judge([work for work in attempt.works if work.delivery.id not in lost], loaded)
        learned.conflicts = attempt.conflicts
        if learned.duplicates:
            await self._store.barrier(attempt.user_id)
        return loaded, learned, fresh

    async def _give_up(self, attempt: Attempt) -> Learned:
        loaded, learned, fresh = await self._judged(attempt)
        if fresh and loaded.profile is not None:
            await self._store.mark(loaded.profile, loaded.profile.late_tone)
        elif fresh:
            neutral = new_profile(attempt.user_id, self._hooks.now())
            await self._store.commit(loaded, neutral, [], self._hooks.entries.oldest_ms, max_versions=1)
        learned.dead += [(work, "attempts", exhausted(work)) for work in fresh]
        return learned

    async def _add_tone(self, attempt: Attempt, loaded: Loaded, profile: Profile, now: datetime) -> Outcome | None:
        """Ask about edits learned without the model; None when nothing came of it."""
        edits = late.marked(profile)
        deltas = await self._toned(attempt, edits, late=True)
        toned = [delta for delta in deltas if delta.tone_shift.source == "gemini"]
        marks = late.left_over(profile, edits, attempt.tones, now, alone=True)
        if toned:
            with stage("learn"):
                outcome = learn(profile, (), self._rules, now, toned)
            return await self._commit(loaded, outcome, {"late_tone": marks}, toned=toned)
        if marks != profile.late_tone:
            await self._store.mark(profile, marks)
        return None

    async def _commit(
        self,
        loaded: Loaded,
        outcome: Outcome,
        changed: dict[str, object],
        applied: Sequence[bytes] = (),
        toned: Sequence[StyleDelta] = (),
    ) -> Outcome:
        """Swap in what was learned, with what is the worker's to set."""
        profile = outcome.profile.model_copy(update=changed)
        again = {delta.job_id for delta in toned}
        with stage("commit"):
            await self._store.commit(
                replace(loaded, stored=loaded.stored - again),
                profile,
                applied,
                self._hooks.entries.oldest_ms,
                max_versions=self._rules.max_versions,
            )
        return replace(outcome, profile=profile)

    async def _apply(
        self,
        attempt: Attempt,
        loaded: Loaded,
        learned: Learned,
        fresh: list[Work],
        now: datetime,
    ) -> None:
        profile = loaded.profile or new_profile(attempt.user_id, now)
        edits = [attempt.edits[work.delivery.id] for work in fresh]
        applied = [work.item for work in fresh]
        count = profile.edits_applied + len(fresh)
        if must_wait(profile, edits, now, self._rules):
            recorded = record(profile, edits, now, self._rules, count)
            with stage("commit"):
                await self._store.record(loaded, recorded, applied, self._hooks.entries.oldest_ms)
            learned.recorded = recorded
        else:
            learned.outcome = await self._learn(attempt, loaded, profile, [*profile.pending, *edits], applied, now)
        learned.applied += fresh

    async def _learn(
        self,
        attempt: Attempt,
        loaded: Loaded,
        profile: Profile,
        edits: Sequence[PendingEdit],
        applied: Sequence[bytes],
        now: datetime,
    ) -> Outcome:
        """Learn ``edits`` in one iteration, and in the same call of the model what it has missed before."""
        missed = late.companions(profile) if self._tone.state() == "available" else []
        asked = [*missed, *edits]
        judged = await self._toned(attempt, asked)
        toned = [delta for delta in judged[: len(missed)] if delta.tone_shift.source == "gemini"]
        deltas = judged[len(missed) :]
        with stage("learn"):
            outcome = learn(profile, deltas, self._rules, now, toned)
        await in_step()
        changed: dict[str, object] = {
            "pending": [],
            "learn_due_at": None,
            "edits_applied": profile.edits_applied + len(applied),
            "late_tone": late.left_over(outcome.profile, asked, attempt.tones, now, alone=False),
        }
        if all(delta.is_noise for delta in deltas):
            changed["last_learned_at"] = profile.last_learned_at
        return await self._commit(loaded, outcome, changed, applied, toned)

    async def _analysed(self, attempt: Attempt, works: list[Work]) -> list[Work]:
        """Return those of ``works`` that are still there, their deltas extracted, once however often we try.

        Of a writer who has entries in several partitions a batch has those of one (``lanes``).
        """
        left = [work for work in works if work.delivery.id not in attempt.edits]
        payloads = await self._hooks.entries.payloads(left)
        if small := [work for work in left if not work.is_large and work.delivery.id in payloads]:
            await self._bounded(self._analyse(attempt, small, payloads))
        for work in (work for work in left if work.is_large and work.delivery.id in payloads):
            async with self._large:  # waited for before its time-out begins
                await self._bounded(self._analyse(attempt, [work], payloads))
        return [work for work in works if work.delivery.id in attempt.edits]

    async def _analyse(self, attempt: Attempt, works: Sequence[Work], payloads: Mapping[str, bytes]) -> None:
        """Extract the deltas of ``works``; the loop has its turn now and then, for it renews leases.

        Of an analysis, which holds all changed spans, only what is learned from is kept: many batches wait at a time.
        """
        asked = self._tone.state() != "disabled"
        turn_ends = time.monotonic() + TURN_SECONDS
        for work in works:
            with stage("analyse", work.delivery.id):
                job = work.job(payloads[work.delivery.id])
                attempt.edits[work.delivery.id] = edit_of(job, await self._extract(job), asked=asked)
            if time.monotonic() > turn_ends:
                await anyio.lowlevel.checkpoint()
                turn_ends = time.monotonic() + TURN_SECONDS

    async def _toned(self, attempt: Attempt, edits: Sequence[PendingEdit], *, late: bool = False) -> list[StyleDelta]:
        """Return the deltas with their tone: one call for all edits of the batch that have not been asked for yet."""
        asked = [edit for edit in edits if edit.delta.job_id not in attempt.tones]
        if asked:
            said = await self._judge(asked, late=late)
            attempt.tones |= {edit.delta.job_id: one for edit, one in zip(asked, said, strict=True)}
        return [judged(edit.delta, attempt.tones[edit.delta.job_id]) for edit in edits]

    async def _judge(self, edits: Sequence[PendingEdit], *, late: bool) -> Sequence[Judgement]:
        if self._tone.state() == "disabled":  # the lists' label is there already
            return [Judgement(edit.delta.tone_shift) for edit in edits]
        requests = [ToneRequest(edit.delta.job_id, edit.delta, tuple(edit.pairs)) for edit in edits]
        with stage("tone"):
            return await self._bounded(self._tone.classify(requests, late=late))

    async def _bounded(self, awaitable: Awaitable[T]) -> T:
        try:
            with anyio.fail_after(self._timeout):
                return await awaitable
        except TimeoutError:
            raise JobTimeout(f"took longer than {self._timeout:g} s") from None


async def in_step() -> None:
    """Let the lanes that were woken with this one come as far as it has.

    Then all of them analyse, after that all of them learn, and each finds the code and the tables of its step in the
    processor's caches. Of batches of one edit, as `make bench ARGS="--rows edits"` has them, this spares 9 to 16 % of a
    worker's CPU.
    """
    await anyio.lowlevel.checkpoint()


def judged(delta: StyleDelta, said: Judgement) -> StyleDelta:
    """Return the delta with what was said of it."""
    if said.shift is delta.tone_shift and said.statements == delta.statements:
        return delta
    return copied(delta, {"tone_shift": said.shift, "statements": said.statements})


class Attempt:
    """One batch and what was computed for it already."""

    def __init__(self, user_id: str, works: Sequence[Work]) -> None:
        self.user_id = user_id
        self.works = works
        self.edits: dict[str, PendingEdit] = {}
        self.tones: dict[str, Judgement] = {}
        self.conflicts = 0


def exhausted(work: Work) -> str:
    return f"delivered {work.delivery.deliveries - 1} times, and never finished"


def judge(works: Sequence[Work], loaded: Loaded) -> tuple[Learned, list[Work]]:
    """Sort ``works`` into applied already, dead, and fresh; a job given twice in one batch is fresh once."""
    learned = Learned()
    fresh: dict[bytes, Work] = {}
    for work in works:
        seen = loaded.ledger.judge(work.item)
        twin = fresh.get(ledger.id_of(work.item))
        if seen == "new" and twin is not None:
            seen = "applied" if ledger.is_same_content(twin.item, work.item) else "id_reuse"
        if seen == "applied":
            learned.duplicates.append(work)
        elif seen == "id_reuse":
            learned.dead.append((work, seen, "this job_id was applied before with other content"))
        elif seen == "undecidable":
            learned.dead.append((work, seen, "too old for the ledger to tell whether it was applied"))
        else:
            fresh[ledger.id_of(work.item)] = work
    return learned, list(fresh.values())


def is_due(profile: Profile | None, now: datetime) -> bool:
    return profile is not None and profile.learn_due_at is not None and profile.learn_due_at <= now


def must_wait(profile: Profile, edits: Sequence[PendingEdit], now: datetime, rules: LearningRules) -> bool:
    """Say whether edits are recorded now and learned later.

    They are learned at once after a quiet time, when waiting ones are due, or when as many wait as a profile keeps:
    a writer's document stays bounded. Noise teaches nothing, so it neither waits nor starts a waiting time.
    """
    if is_due(profile, now) or len(profile.pending) + len(edits) > rules.max_edits:
        return False
    if profile.pending:
        return True
    if all(edit.delta.is_noise for edit in edits):
        return False
    return not learn_now(profile.last_learned_at, False, now, rules)


def record(profile: Profile, edits: Sequence[PendingEdit], now: datetime, rules: LearningRules, count: int) -> Profile:
    """Return the profile with ``edits`` waiting; the first of them decides when they are due."""
    due = profile.learn_due_at or due_at(profile.last_learned_at, now, rules)
    return profile.model_copy(
        update={
            "pending": [*profile.pending, *edits],
            "learn_due_at": due,
            "edits_applied": count,
            "revision": profile.revision + 1,
            "updated_at": now,
        }
    )
