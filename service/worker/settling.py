"""What a lane does with a batch: learn it, tell the application, settle it; and what becomes of one that fails.

Settling comes last: an entry stays pending until its effect is durable. A batch that fails as a whole is tried again
entry by entry, so one bad job is told apart; a job that fails alone is given back with growing waits, and its
delivery count, which Redis keeps, ends it after ``LEARNING_MAX_ATTEMPTS``.
"""

from __future__ import annotations

import time
from collections import Counter, deque
from collections.abc import Awaitable, Callable, Sequence
from datetime import timedelta
from typing import TYPE_CHECKING, NamedTuple

import anyio

from service.errors import DependencyDown, Fault, Misconfigured, Unstorable, classify, name
from service.gathering import Gathering
from service.logs import bound, together
from service.streams.entry import Work
from service.streams.group import Membership
from service.streams.news import News, announce
from service.telemetry.observer import Ending
from service.telemetry.stages import stage
from service.worker.batch import BatchLearner, Learned, exhausted
from service.worker.outages import backoff

if TYPE_CHECKING:
    from service.worker.loops import Worker

RECENT = 10
LINES = 3  # of single jobs of a batch; of more jobs one line has the ids
IDS = 100  # in a line, the longest being 128 characters: container runtimes split lines of 16 KB
RETRY_SECONDS = 1.0  # wait after the first failure; doubles with each further one, at most the lease


class Settlement(NamedTuple):
    """Entries of one batch, and the name of the counter that counts them."""

    member: Membership
    counter: str
    ids: list[str]


class Settler:
    """Handles batches for the lanes of ``worker``."""

    def __init__(self, worker: Worker, learner: BatchLearner) -> None:
        self._worker = worker
        self._learner = learner
        self._log = worker.log
        self._news: Gathering[News, None] = Gathering(self._announce)
        self._settlements: Gathering[Settlement, set[str]] = Gathering(self._settle_all)
        self.counts: Counter[str] = Counter()
        # What the status page shows: time (monotonic), writer, patterns, score before and after.
        self.recent: deque[tuple[float, str, tuple[str, ...], float, float]] = deque(maxlen=RECENT)

    async def handle(self, user_id: str, works: Sequence[Work]) -> None:
        """Learn and settle one batch. Never raises but for cancellation: a failure is an attempt."""
        held = [work for work in works if self._worker.in_work.holds(work.delivery.keys, work.delivery.id)]
        if works and not held:
            return
        with anyio.CancelScope() as scope, bound(**self._ids(user_id, held)):
            self._worker.in_work.begin((work.delivery for work in held), scope)
            try:
                with self._worker.observer.batch(held):
                    await (self._give_up if held and held[0].spent else self._learn)(user_id, held)
            except Misconfigured as error:
                self._worker.fail(error)
            except Unstorable as error:
                await self._failed(user_id, held, error, reason="unstorable")
            except Exception as error:  # noqa: BLE001 - one bad thing stays one bad thing
                await self._failed(user_id, held, error)

    async def _learn(self, user_id: str, works: Sequence[Work]) -> None:
        started = time.monotonic()
        with together():
            self._tell_begun(works)
        learned = await self._learner.learn(user_id, works)
        with together():
            self._tell_learned(user_id, learned)
        await self._finish(user_id, learned)
        with together():
            self._tell_completed(learned.applied, time.monotonic() - started)

    async def _give_up(self, user_id: str, works: Sequence[Work]) -> None:
        """Settle what was applied before its last worker died, and bury the rest."""
        await self._finish(user_id, await self._learner.give_up(user_id, works))

    async def _finish(self, user_id: str, learned: Learned) -> None:
        """Tell the application and settle, until Redis took it or the entries are another's."""
        self._count(learned)
        if learned.outcome is not None or learned.duplicates:
            await self._until_done("notify", lambda: self._notify(user_id, learned))
        ending: Ending = "learned" if learned.recorded is None else "deferred"
        with stage("settle"):
            await self._until_done("settle", lambda: self._settle(learned.applied, "learned", ending))
            await self._until_done("settle", lambda: self._settle(learned.duplicates, "duplicate", "duplicate"))
        for work, reason, detail in learned.dead:
            await self._worker.intake.bury(work.delivery, reason, detail)

    async def _until_done(self, what: str, step: Callable[[], Awaitable[None]]) -> None:
        tries, source = 0, f"{what} {id(step)}"  # each lane waits for itself
        try:
            while True:
                try:
                    return await step()
                except Exception as error:
                    fault = classify(error)
                    if fault is Fault.GROUP_GONE:
                        return None
                    if fault not in (Fault.TRANSIENT, Fault.TOPOLOGY):
                        raise
                    tries += 1
                    self._worker.outages.away(source, DependencyDown("redis", name(error)))
                await anyio.sleep(backoff(tries))
        finally:
            self._worker.outages.back(source)

    async def _notify(self, user_id: str, learned: Learned) -> None:
        """Delete the application's cache keys and publish the change; done again when an entry comes again."""
        profile = learned.outcome.profile if learned.outcome else None
        news = News(user_id, profile.revision, profile.evolution_score) if profile else News(user_id, None, 0.0)
        await self._news.call(news)

    async def _announce(self, news: Sequence[News]) -> list[None]:
        await announce(self._worker.redis, news)
        return [None] * len(news)

    async def _settle_all(self, settlements: Sequence[Settlement]) -> list[set[str] | Exception]:
        """Settle the entries of several batches; return for each which of its entries are lost."""
        ids: dict[tuple[Membership, str], list[str]] = {}
        for one in settlements:
            ids.setdefault((one.member, one.counter), []).extend(one.ids)
        lost: dict[tuple[Membership, str], set[str] | Exception] = {}
        for (member, counter), some in ids.items():
            try:
                lost[member, counter] = await member.settle(some, counter=counter, counted=len(some))
            except Exception as error:  # noqa: BLE001 - of these alone: who is settled must not ask again
                lost[member, counter] = error
        found = ((one, lost[one.member, one.counter]) for one in settlements)
        return [told if isinstance(told, Exception) else told.intersection(one.ids) for one, told in found]

    async def _settle(self, works: Sequence[Work], counter: str, ending: Ending) -> None:
        if not works:
            return
        keys = works[0].delivery.keys
        ids = [work.delivery.id for work in works]
        self._worker.in_work.settling(keys, ids)
        try:
            lost = await self._settlements.call(Settlement(self._worker.member(works[0].delivery), counter, ids))
        except Exception as error:
            if classify(error) is Fault.GROUP_GONE:  # held on, an entry that a new group brings again would be skipped
                self._worker.in_work.drop(keys, ids)
                self._worker.observer.closed(keys, ids, "lost")
            raise
        self._worker.in_work.drop(keys, ids, settled=True)
        self.counts[ending] += len(ids) - len(lost)
        self.counts["lost"] += len(lost)
        self._worker.observer.closed(keys, lost, "lost")
        self._worker.observer.closed(keys, ids, ending)

    async def _failed(self, user_id: str, works: Sequence[Work], error: Exception, reason: str = "") -> None:
        """Try the entries of a failed batch one by one; give a failed entry back, or bury it."""
        if len(works) > 1:
            for work in works:
                await self.handle(user_id, [work])
            return
        cause = name(error)
        if not works:
            self._log.error(f"[Learning] Could not learn what is due ({cause})")
            return
        work = works[0]
        if reason:
            await self._worker.intake.bury(work.delivery, reason, str(error))
            return
        if work.spent:
            await self._worker.intake.bury(work.delivery, "attempts", f"{exhausted(work)} ({cause})")
            return
        attempt = work.delivery.deliveries
        self._log.error(f"[Learning] Job {work.job_id} failed, attempt {attempt} ({cause})", **self._about(work))
        self.counts["failed_attempt"] += 1
        lease = self._worker.settings.lease
        wait = min(lease, timedelta(seconds=RETRY_SECONDS * 2 ** (attempt - 1)))
        await self._until_done("release", lambda: self._release(work, lease - wait))

    async def _release(self, work: Work, idle: timedelta) -> None:
        member = self._worker.member(work.delivery)
        await member.release([work.delivery.id], idle=idle, uncount=False)
        self._worker.in_work.drop(work.delivery.keys, [work.delivery.id])
        self._worker.observer.closed(work.delivery.keys, [work.delivery.id], "failed_attempt")

    def _count(self, learned: Learned) -> None:
        """Count what a batch was about, for the metrics."""
        self.counts["conflicts"] += learned.conflicts
        for kind in learned.outcome.patterns if learned.outcome else ():
            self.counts[f"pattern {kind}"] += 1
        self._worker.observer.learned(len(learned.applied), learned.outcome)
        if (outcome := learned.outcome) is not None:
            scores = outcome.score_before, outcome.score_after
            self.recent.append((time.monotonic(), outcome.profile.user_id, tuple(outcome.patterns), *scores))

    def _tell_begun(self, works: Sequence[Work]) -> None:
        """Log what is learned, in the words people search for: a line a job, or one for many, with their ids."""
        if len(works) > LINES:
            self._log.info(f"[Learning] Processing {len(works)} jobs", job_ids=_ids_of(works))
        else:
            for work in works:
                self._log.info(f"[Learning] Processing job {work.job_id}", **self._about(work))
        if works:
            more = f" of {len(works)} jobs" if len(works) > 1 else "..."
            self._log.info(f"[Learning] Extracting style deltas{more}")

    def _tell_completed(self, works: Sequence[Work], seconds: float) -> None:
        if len(works) > LINES:
            self._log.info(f"[Learning] {len(works)} jobs completed in {seconds:.1f}s", job_ids=_ids_of(works))
        else:
            for work in works:
                self._log.info(f"[Learning] Job {work.job_id} completed in {seconds:.1f}s", **self._about(work))

    def _tell_learned(self, user_id: str, learned: Learned) -> None:
        if learned.recorded is not None:
            due = learned.recorded.learn_due_at
            when = f"{due:%H:%M:%S}" if due else "soon"
            self._log.info(
                f"[Learning] Recorded {len(learned.applied)} edits for user {user_id}, to be learned at {when}"
            )
        if learned.outcome is None:
            return
        outcome = learned.outcome
        if outcome.patterns:
            self._log.info(f"[Learning] Detected patterns: {', '.join(outcome.patterns)}")
        self._log.info(f"[Learning] Updating profile for user {user_id}...")
        self._log.info("[Learning] Profile updated successfully", revision=outcome.profile.revision)
        self._log.info(f"[Learning] Evolution score: {outcome.score_before:.0f}% → {outcome.score_after:.0f}%")

    def _ids(self, user_id: str, works: Sequence[Work]) -> dict[str, str]:
        """Return what every line about a batch says: of a single job all its ids."""
        return self._about(works[0]) if len(works) == 1 else {"user_id": user_id}

    def _about(self, work: Work) -> dict[str, str]:
        """Return what a line about one job says beside its text."""
        ids = {"job_id": work.job_id, "user_id": work.user_id, "entry_id": work.delivery.id}
        trace = self._worker.observer.trace_id(work.delivery)
        return ids if trace is None else {**ids, "trace_id": trace}


def _ids_of(works: Sequence[Work]) -> list[str]:
    return [work.job_id for work in works[:IDS]]
