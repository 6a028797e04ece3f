"""Which partitions are read by whom while there is more to do than hands: so the jobs of a writer meet in one process.

What several processes read from one stream, they divide by chance: each gets some jobs of every writer, and does a
load, a learning and a write for them that another does as well. A partition holds all jobs of its writers. So with
several partitions the consumers of the group, sorted by name, take them in turn, and a process that has its hands full
reads from its own alone. What it sees in one read of a writer is then all there is, the batches are larger, and no two
processes race for a profile.

It is a preference and no assignment, for nobody may depend on one process: who has a slot free reads everywhere. A
consumer that is gone, or was silent for longer than a living one can be, has no share. Two processes that see the
group differently for a moment read the same partition, as they would without shares.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Sequence
from datetime import timedelta

from service.streams.group import Membership

LOOK_SECONDS = 0.25  # a process that has just started reads all there is, before the others take notice


class Shares:
    """The partitions of which this consumer is a member, and which of them are its share.

    ``silent`` is how long a consumer that lives may go unseen.
    """

    def __init__(self, members: Sequence[Membership], silent: timedelta) -> None:
        self._members = members
        self._silent = silent
        self._own = frozenset(members)
        self._next_look = 0.0

    async def holds(self, member: Membership) -> bool:
        """Whether a partition is of this consumer's share, as of ``LOOK_SECONDS`` ago at most."""
        if len(self._members) > 1 and time.monotonic() >= self._next_look:
            self._next_look = time.monotonic() + LOOK_SECONDS
            await self.look()
        return member in self._own

    async def look(self) -> None:
        """See who is there. All consumers sweep all partitions, so the first of these tells."""
        first = self._members[0]
        places = shared_out(first.consumer, await first.present(self._silent), len(self._members))
        self._own = frozenset(self._members[place] for place in places)


def shared_out(consumer: str, present: Iterable[str], partitions: int) -> frozenset[int]:
    """Return the places of the partitions that are the share of ``consumer``; if many are present they share each."""
    names = sorted({consumer, *present})
    rank = names.index(consumer)
    if len(names) > partitions:
        return frozenset((rank % partitions,))
    return frozenset(range(rank, partitions, len(names)))
