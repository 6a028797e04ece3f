"""What this process holds, and how much more it may take.

A process holds at least as many entries as it has slots and at most what it settled in the last second, so that a
slow model hoards nothing from other pods. While reads come back full there is a backlog, more than enough for every
pod: then it holds up to ten seconds of work at the pace of late, because the more entries of a writer it holds, the
more of them share one load, one learning and one write.

An entry may be 1 MiB, and of an entry that waits no more is needed than whose it is and what the ledger calls it. So
while some payloads are held those of further entries are let go, and read again when their batch begins: that costs a
script call a batch, and ten thousand entries of 2 KB take 7 MB and not 28.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from itertools import takewhile

import anyio

from service.streams.entry import Delivery
from service.streams.keys import PartitionKeys

RATE_SECONDS = 1.0
BACKLOG_SECONDS = 10.0
READ = 200  # entries of one read at most
READ_BYTES = 8 * 2**20  # of their payloads, as large as those of the last read were
KEPT_BYTES = 2 * 2**20  # of payloads, 1,000 jobs of 2 KB: twice as many spare 1 % of all that is not extraction


@dataclass(slots=True)
class Hold:
    """One entry in work and, once a lane has taken it, the scope that its loss cancels.

    ``since`` is when the command was sent that delivered or last renewed it: nobody can take it over before a lease
    has passed from then; ``taken`` is the first of these. While it is being settled, a renewal may find it gone
    already: that is no loss, and the settling will tell.
    """

    delivery: Delivery
    since: float
    taken: float
    scope: HoldScope | None = None
    settling: bool = False


@dataclass(slots=True)
class HoldScope:
    """The entries of one batch and the cancel scope they share; cancelled when the last of them is lost."""

    cancel: anyio.CancelScope
    left: set[str] = field(default_factory=set)


class InWork:
    """The entries this process holds: delivered, not yet settled, released or lost."""

    def __init__(self, concurrency: int, prefetch: int, clock: Callable[[], float] = time.monotonic) -> None:
        self._concurrency = concurrency
        self._prefetch = prefetch
        self._clock = clock
        self._held: dict[PartitionKeys, dict[str, Hold]] = {}
        self._count = 0
        self._bytes = 0
        self._mean = 0  # bytes of an entry of the last read
        self._backlogs: set[PartitionKeys] = set()  # whose last read came back full
        self._settled: deque[tuple[float, int]] = deque()  # when, and how many
        self._pace = 0  # all of them together
        self._changed = anyio.Event()

    def __len__(self) -> int:
        return self._count

    def holds(self, keys: PartitionKeys, id: str) -> bool:
        return id in self._held.get(keys, ())

    def add(self, delivery: Delivery, since: float) -> None:
        """Hold ``delivery``, ours from ``since`` on (monotonic seconds)."""
        self._held.setdefault(delivery.keys, {})[delivery.id] = Hold(delivery, since, since)
        self._count += 1
        self._bytes += delivery.size

    def unburden(self, delivery: Delivery) -> None:
        """Let go of the payload of an entry just added, unless less than ``KEPT_BYTES`` are held with it."""
        if self._bytes > KEPT_BYTES:
            self._bytes -= delivery.size
            delivery.payload = None

    def begin(self, deliveries: Iterable[Delivery], scope: anyio.CancelScope) -> None:
        """Tie ``deliveries`` to the scope of their batch."""
        shared = HoldScope(scope)
        for delivery in deliveries:
            hold = self._held.get(delivery.keys, {}).get(delivery.id)
            if hold is not None:
                hold.scope = shared
                shared.left.add(delivery.id)

    def settling(self, keys: PartitionKeys, ids: Iterable[str]) -> None:
        """Note that ``ids`` are about to be settled."""
        for id in ids:
            hold = self._held.get(keys, {}).get(id)
            if hold is not None:
                hold.settling = True

    def drop(self, keys: PartitionKeys, ids: Iterable[str], *, settled: bool = False) -> None:
        """Forget ``ids``: settled, dead-lettered or released."""
        held = self._held.get(keys, {})
        dropped = [hold.delivery.size for id in ids if (hold := held.pop(id, None)) is not None]
        self._count -= len(dropped)
        self._bytes -= sum(dropped)
        if settled and dropped:
            self._settled.append((self._clock(), len(dropped)))
            self._pace += len(dropped)
        self._changed.set()
        self._changed = anyio.Event()

    def lose(self, keys: PartitionKeys, ids: Iterable[str]) -> int:
        """Forget ``ids`` that are another consumer's by now, and return how many were still held.

        A batch that lost all its entries is cancelled.
        """
        holds = self._held.get(keys, {})
        lost = [id for id in ids if id in holds and not holds[id].settling]
        for id in lost:
            scope = holds[id].scope
            if scope is not None:
                scope.left.discard(id)
                if not scope.left:
                    scope.cancel.cancel()
        self.drop(keys, lost)
        return len(lost)

    def renewed(self, keys: PartitionKeys, ids: Iterable[str], since: float) -> None:
        """Note that those of ``ids`` that are still held are ours from ``since`` on."""
        held = self._held.get(keys, {})
        for id in ids:
            if id in held:
                held[id].since = since

    def any_doubtful(self, deliveries: Iterable[Delivery], seconds: float) -> bool:
        """Whether one of ``deliveries`` is not held, or for so long without renewal that it may be another's."""
        oldest = self._clock() - seconds
        for delivery in deliveries:
            hold = self._held.get(delivery.keys, {}).get(delivery.id)
            if hold is None or hold.since < oldest:
                return True
        return False

    def ids(self, keys: PartitionKeys) -> list[str]:
        return list(self._held.get(keys, ()))

    @property
    def busy(self) -> bool:
        """Whether there is work for every slot."""
        return self._count >= self._concurrency

    def room(self) -> int:
        """Return how many entries the next read may take, 0 for none.

        While the slots are busy it waits for room for a good part of a read: small reads cost as much as large ones.
        """
        room = self._budget() - self._count
        if room < (min(READ, self._budget() // 4) if self.busy else 1):
            return 0
        return min(room, READ, max(1, READ_BYTES // max(1, self._mean)))

    def oldest_seconds(self) -> float:
        """Return for how long the entry is held that was taken first, 0 when none is."""
        now = self._clock()
        return max((now - next(iter(held.values())).taken for held in self._held.values() if held), default=0.0)

    def any_delivered(self, times: int) -> bool:
        """Whether an entry is held that was delivered ``times`` times or more."""
        return any(hold.delivery.deliveries >= times for holds in self._held.values() for hold in holds.values())

    def room_for_abandoned(self) -> int:
        """Return how many abandoned entries a sweep may take: they go before new ones, so a backlog starves none."""
        return max(0, self._budget() + self._concurrency - self._count)

    def took(self, keys: PartitionKeys, asked: int, count: int, size: int = 0) -> None:
        """Note that a read asked for ``asked`` entries and got ``count``, of ``size`` bytes in all.

        A full one means that more wait.
        """
        if count:
            self._mean = size // count
        if count == asked:
            self._backlogs.add(keys)
        else:
            self._backlogs.discard(keys)

    def pass_by(self, keys: PartitionKeys) -> None:
        """Note that a partition is left to others: how much waits there says nothing any more."""
        self._backlogs.discard(keys)

    async def changed(self) -> None:
        """Wait until something was dropped."""
        await self._changed.wait()

    def _budget(self) -> int:
        now = self._clock()
        while self._settled and self._settled[0][0] < now - BACKLOG_SECONDS:
            self._pace -= self._settled.popleft()[1]
        if not self._backlogs:
            recent = takewhile(lambda settled: settled[0] >= now - RATE_SECONDS, reversed(self._settled))
            return self._bounded(sum(count for _, count in recent))
        # From a shorter time, as after a start, what ten seconds would have been.
        seconds = now - self._settled[0][0] if self._settled else 0.0
        return self._bounded(round(self._pace * BACKLOG_SECONDS / max(RATE_SECONDS, seconds)))

    def _bounded(self, entries: int) -> int:
        return max(self._concurrency, min(self._prefetch, entries))
