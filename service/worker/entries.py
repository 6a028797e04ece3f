"""What a batch asks about its entries: whose they are by now, their payloads, how far back the streams reach.

Payloads of entries that wait in a backlog are let go (``InWork.unburden``), and those of a batch are read again here.
An entry that is not on the stream any more is another worker's by now, or a person was forgotten meanwhile: it is LOST,
as the next renewal would have found.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

from service.gathering import Gathering
from service.streams.entry import Work
from service.streams.group import Membership
from service.streams.replies import entries
from service.worker.outages import redis_away

if TYPE_CHECKING:
    from service.worker.loops import Worker

BATCHES = 8  # whose payloads are read at once: with the largest, 8 MiB
SURE_SHARE = 0.8  # of a lease: so long nobody else takes an entry over, by any clock


class Reading(NamedTuple):
    """Entries of one batch to be read again."""

    member: Membership
    ids: list[str]


class Entries:
    """The entries of the batches of ``worker``. Every question raises ``DependencyDown`` when Redis is away."""

    def __init__(self, worker: Worker) -> None:
        self._worker = worker
        self._reads: Gathering[Reading, dict[str, bytes]] = Gathering(self._read, most=BATCHES)

    async def lost(self, works: Sequence[Work]) -> set[str]:
        """Return the entry ids of those of ``works`` that are another's; ask Redis when no renewal came in time."""
        in_work = self._worker.in_work
        deliveries = [work.delivery for work in works]
        if not in_work.any_doubtful(deliveries, self._worker.settings.learning_lease_seconds * SURE_SHARE):
            return set()
        with redis_away():
            await self._worker.renew_once()
        return {delivery.id for delivery in deliveries if not in_work.holds(delivery.keys, delivery.id)}

    async def payloads(self, works: Sequence[Work]) -> dict[str, bytes]:
        """Return the payload of each of ``works``, of one partition, by its entry id; drop as LOST what is gone."""
        held = {work.delivery.id: work.delivery.payload for work in works}
        found = {id: payload for id, payload in held.items() if payload is not None}
        if len(found) < len(works):
            left = [id for id in held if id not in found]
            with redis_away():
                found |= await self._reads.call(Reading(self._worker.member(works[0].delivery), left))
            self._worker.lose(works[0].delivery.keys, held.keys() - found.keys())
        return found

    async def _read(self, readings: Sequence[Reading]) -> list[dict[str, bytes]]:
        """Read the entries of several batches, each partition in one script call."""
        ids: dict[Membership, list[str]] = {}
        for one in readings:
            ids.setdefault(one.member, []).extend(one.ids)
        found: dict[Membership, dict[str, bytes]] = {}
        for member, some in ids.items():
            found[member] = await member.payloads(some)
        return [{id: found[member][id] for id in some if id in found[member]} for member, some in readings]

    async def oldest_ms(self) -> int:
        """Return the time of the oldest entry of any partition, now when there is none."""
        oldest = round(self._worker.clock.now().timestamp() * 1000)
        for keys in self._worker.keys.partitions:
            with redis_away():
                first = entries(await self._worker.redis.xrange(keys.jobs, "-", "+", count=1))
            oldest = min([oldest, *(int(id.partition("-")[0]) for id, _ in first)])
        return oldest
