"""Which partitions are read by whom while there is more to do than hands: so the jobs of a writer meet in one process.

What several processes read from one stream, they divide by chance: each gets some jobs of every writer, and does a
load, a learning and a write for them that another does as well. A partition holds all jobs of its writers. So with
several partitions the consumers of the group, sorted by name, take them in turn, and a process that has its hands full
reads from its own alone. What it sees in one read of a writer is then all there is, the batches are larger, and no two
processes race for a profile.

It is a preference and no assignment, for nobody may depend on one process: who has a slot free reads everywhere. A
consumer that is gone, or of which no partition has heard for a lease, has no share: one with work renews it, and one
without has all slots free. Two processes that see the group differently for a moment read the same partition, as they
would without shares.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Sequence
from datetime import timedelta

from service.streams.group import Membership

LOOK_SECONDS = 0.25  # a process that has just started reads all there is, before the others take notice
PARTITION_SECONDS = 0.05  # more time between two looks for each partition: so many commands does a look cost


class Shares:
    """The partitions of which this consumer is a member, and which of them are its share."""

    def __init__(self, members: Sequence[Membership], lease: timedelta) -> None:
        self._members = members
        self._lease = lease
        self._pause = max(LOOK_SECONDS, PARTITION_SECONDS * len(members))
        self._own = frozenset(members)
        self._next_look = 0.0

    async def holds(self, member: Membership) -> bool:
        """Whether a partition is of this consumer's share, as of a moment ago."""
        if len(self._members) > 1 and time.monotonic() >= self._next_look:
            self._next_look = time.monotonic() + self._pause
            await self.look()
        return member in self._own

    async def look(self) -> None:
        """See who is there: a busy consumer may have entries of its own share alone."""
        present = [name for member in self._members for name in await member.present(self._lease)]
        places = shared_out(self._members[0].consumer, present, len(self._members))
        self._own = frozenset(self._members[place] for place in places)


def shared_out(consumer: str, present: Iterable[str], partitions: int) -> frozenset[int]:
    """Return the places of the partitions that are the share of ``consumer``; if many are present they share each."""
    names = sorted({consumer, *present})
    rank = names.index(consumer)
    if len(names) > partitions:
        return frozenset((rank % partitions,))
    return frozenset(range(rank, partitions, len(names)))
