"""How entries come in: reading new ones, taking over abandoned ones, handing both out to the lanes.

An entry is held (and its lease renewed) from the moment it is handed out. One whose payload can never be learned is
moved to the dead letters at once and settled with that.
"""

from __future__ import annotations

import random
import time
from collections.abc import Sequence
from contextlib import suppress
from datetime import timedelta
from typing import TYPE_CHECKING

from schemas.job import InvalidJob
from service.errors import Fault, classify, name
from service.streams.dead_letters import why
from service.streams.entry import Delivery, decode, triage
from service.streams.group import Membership
from service.streams.keys import PartitionKeys
from service.streams.sweep import PAGE, Page, claim_page
from service.telemetry.observer import Ending

if TYPE_CHECKING:
    from service.worker.loops import Worker

REAP_SECONDS = 60.0
DEPTH_SECONDS = 15.0  # a few looks a minute, so that each minute of the history has one
CLOCK_SECONDS = 30.0


class Intake:
    """Brings entries to the lanes of ``worker``."""

    def __init__(self, worker: Worker) -> None:
        self._worker = worker
        self._settings = worker.settings
        self._log = worker.log
        self._cursors: dict[str, str] = {}
        self._next_clock = self._next_reap = self._next_depth = 0.0
        self.claim_idle = worker.settings.lease
        self._unsure: set[PartitionKeys] = set()  # where a claim was cut off: entries may be ours that we never saw

    async def read(self, member: Membership, count: int) -> int:
        """Read up to ``count`` new entries and hand them out; return how many came."""
        since = time.monotonic()
        deliveries = await member.read(count, timedelta(seconds=self._settings.learning_block_seconds))
        size = sum([delivery.size for delivery in deliveries])
        self._worker.in_work.took(member.keys, count, len(deliveries), size)
        await self.hand_out(member, deliveries, since)
        return len(deliveries)

    async def sweep(self, member: Membership) -> int:
        """Take over what nobody renewed for ``claim_idle``, as far as there is room; return how many entries came.

        The cursor is kept from call to call, so a crowd of renewed entries hides nothing for ever.
        """
        if self.unsure(member):  # or each claim that is cut off would count as a delivery
            await self.recover(member)
        cursor, taken = self._cursors.get(member.keys.jobs, "0-0"), 0
        while room := 0 if "mongodb" in self._worker.down else self._worker.in_work.room_for_abandoned():
            since = time.monotonic()
            page = await self._claim(member, cursor, min(room, PAGE))
            cursor = self._cursors[member.keys.jobs] = page.cursor
            if page.deleted:
                self._log.error(
                    f"[Learning] {len(page.deleted)} pending entries of {member.keys.jobs} were deleted by somebody "
                    "else: their jobs are lost. Never trim or delete the stream",
                    entry_ids=page.deleted[:20],
                )
            if page.deliveries:
                kept = await self._one_last_attempt(member, page.deliveries)
                self._log.info(f"[Learning] Took over {len(kept)} abandoned entries") if kept else None
                taken += len(kept)
                self._worker.settler.counts["reclaimed"] += len(kept)
                await self.hand_out(member, kept, since)
            if cursor == "0-0":
                break
        return taken

    async def _claim(self, member: Membership, cursor: str, count: int) -> Page:
        try:
            return await claim_page(
                self._worker.redis, member.keys, member.consumer, min_idle=self.claim_idle, cursor=cursor, count=count
            )
        except Exception:
            self._unsure.add(member.keys)
            raise

    async def _one_last_attempt(self, member: Membership, deliveries: Sequence[Delivery]) -> list[Delivery]:
        """Return what to keep of a page: of entries at their last attempt one at a time, the others go back uncounted.

        An entry that kills the process costs a delivery of everything held beside it. Without this its neighbours
        would run out of attempts together with it.
        """
        last = self._settings.learning_max_attempts
        alone = last > 1 and self._worker.in_work.any_delivered(last)
        kept: list[Delivery] = []
        back: list[str] = []
        for delivery in deliveries:
            at_last = last > 1 and delivery.deliveries == last
            if at_last and alone and not self._worker.in_work.holds(member.keys, delivery.id):
                back.append(delivery.id)
                continue
            alone = alone or at_last
            kept.append(delivery)
        if back:
            self._worker.settler.counts["released"] += len(back)
            await member.release(back, idle=self._settings.lease, uncount=True)
        return kept

    async def recover(self, member: Membership) -> None:
        """After a read or a claim that was cut off: give back, uncounted, what was delivered to us and never seen."""
        held = self._worker.in_work.holds
        unseen = [id for id in await member.own_pending() if not held(member.keys, id)]
        if unseen:
            await member.release(unseen, idle=self._settings.lease, uncount=True)
            self._worker.settler.counts["released"] += len(unseen)
        self._unsure.discard(member.keys)

    def unsure(self, member: Membership) -> bool:
        """Whether entries may be ours that we never saw, because a claim was cut off."""
        return member.keys in self._unsure

    async def keep_house(self, members: Sequence[Membership]) -> None:
        """Now and then: read the server's clock, note the depth, remove consumers that are gone and hold nothing."""
        now = time.monotonic()
        if now >= self._next_clock:
            await self._worker.clock.sync(self._worker.redis)
            self._next_clock = now + CLOCK_SECONDS * random.uniform(0.8, 1.2)
        if now >= self._next_depth:
            for member in members:
                await member.observe()
            self._next_depth = now + DEPTH_SECONDS * random.uniform(0.8, 1.2)
        if now >= self._next_reap:
            idle = timedelta(seconds=max(REAP_SECONDS, 3 * self._settings.learning_lease_seconds))
            for member in members:
                if reaped := await member.reap(idle):
                    self._log.info(f"[Learning] Removed {reaped} consumers that are gone and held nothing")
            self._next_reap = now + REAP_SECONDS * random.uniform(0.8, 1.2)

    async def hand_out(self, member: Membership, deliveries: Sequence[Delivery], since: float) -> None:
        """Decode and queue ``deliveries``, ours from ``since`` on; bury what can never be learned.

        What is out of attempts is queued too: it may have been applied before its worker died, which the ledger knows.
        """
        now = self._worker.clock.now()
        attempts = self._settings.learning_max_attempts
        counts, observer = self._worker.settler.counts, self._worker.observer
        counts["received"] += len(deliveries)
        observer.received()
        for delivery in deliveries:
            held = self._worker.in_work.holds(member.keys, delivery.id)
            verdict = triage(delivery.deliveries, in_work=held, max_attempts=attempts)
            if verdict == "skip":
                continue
            self._worker.in_work.add(delivery, since)
            counts["redelivered"] += delivery.deliveries > 1
            try:
                work = decode(delivery, now=now, max_bytes=self._settings.learning_max_job_bytes)
            except InvalidJob as error:
                observer.decoded(delivery, None)
                await self.bury(delivery, error.reason, error.detail)
                observer.received()  # that took its time, and is no part of the next one's decoding
            else:
                observer.decoded(delivery, work)
                work.spent = verdict == "spent"
                self._worker.in_work.unburden(delivery)
                self._worker.lanes.submit(work)

    async def bury(self, delivery: Delivery, reason: str, detail: str) -> None:
        """Move an entry to the dead letters; if Redis cannot take it now, it comes again after a lease.

        That must stop neither the entries that came with it (a Redis at its `maxmemory` refuses only what grows) nor
        count as a delivery.
        """
        member = self._worker.member(delivery)
        ending: Ending = "released"
        try:
            payload = delivery.payload or (await member.payloads([delivery.id])).get(delivery.id)
            ending = "dead" if await member.bury(delivery.id, why(reason, detail, payload)) else "lost"
            self._worker.settler.counts[ending] += 1
            if ending == "dead":
                ids = {"entry_id": delivery.id, "trace_id": self._worker.observer.trace_id(delivery)}
                known = {name: id for name, id in ids.items() if id is not None}
                self._log.error(f"[Learning] Dead letter {delivery.id}: {reason}: {detail}", **known)
            self._worker.faults.recovered("bury")
        except Exception as error:
            if classify(error) not in (Fault.TRANSIENT, Fault.TOPOLOGY, Fault.GROUP_GONE):
                raise
            self._worker.faults.fault("bury", f"[Learning] Dead letters have to wait ({name(error)})")
            self._worker.settler.counts["released"] += 1
            with suppress(Exception):  # Redis is away altogether: the lease runs out instead
                await member.release([delivery.id], idle=timedelta(0), uncount=True)
        finally:
            self._worker.in_work.drop(delivery.keys, [delivery.id])
            self._worker.observer.closed(delivery.keys, [delivery.id], ending)
