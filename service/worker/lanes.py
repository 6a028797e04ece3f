"""One writer, one lane: entries of a writer are taken together, and never two batches of one writer at a time.

So a process never races itself, and a burst of one writer costs one write and one call of the model. Lanes are as
many long-lived tasks as writers may be in work; no task is made per job.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass, field

import anyio

from service.streams.entry import Work

MAX_BATCH = 200  # entries of one writer in one commit: bounds the memory and time of a batch
MAX_BYTES = 2**20  # of their payloads, which are all in memory while the batch is; a larger one is a batch by itself
SUSPECT_DELIVERIES = 3


@dataclass(slots=True)
class Waiting:
    """What waits for one writer: decoded entries, and whether recorded edits are due."""

    works: list[Work] = field(default_factory=list)
    due: bool = False


Handle = Callable[[str, list[Work]], Awaitable[None]]


class Lanes:
    """Hands each writer's waiting work to ``handle``."""

    def __init__(self, handle: Handle) -> None:
        self._handle = handle
        self._waiting: dict[str, Waiting] = {}
        self._busy: set[str] = set()
        self._send, self._ready = anyio.create_memory_object_stream[str](float("inf"))
        self._idle = anyio.Event()
        self._idle.set()

    def submit(self, work: Work) -> None:
        self._wait_for(work.user_id).works.append(work)

    def submit_due(self, user_id: str) -> None:
        """Ask for a look at the recorded edits of ``user_id``."""
        self._wait_for(user_id).due = True

    @property
    def writers(self) -> int:
        """How many writers are in work."""
        return len(self._busy)

    async def idle(self) -> None:
        """Wait until nothing waits and nothing is in work."""
        await self._idle.wait()

    async def run(self) -> None:
        """Work for ever: one lane."""
        async for user_id in self._ready:
            waiting = self._waiting.pop(user_id)
            self._busy.add(user_id)
            try:
                for batch in _batches(waiting):
                    await self._handle(user_id, batch)
            finally:
                self._busy.discard(user_id)
                self._proceed(user_id)

    def close(self) -> None:
        self._send.close()
        self._ready.close()

    def _wait_for(self, user_id: str) -> Waiting:
        waiting = self._waiting.get(user_id)
        if waiting is None:
            waiting = self._waiting[user_id] = Waiting()
            if self._idle.is_set():
                self._idle = anyio.Event()
            if user_id not in self._busy:
                self._send.send_nowait(user_id)
        return waiting

    def _proceed(self, user_id: str) -> None:
        if user_id in self._waiting:
            self._send.send_nowait(user_id)
        elif not self._waiting and not self._busy:
            self._idle.set()


def _batches(waiting: Waiting) -> list[list[Work]]:
    """Split into batches; an entry delivered three times or more is worked on alone.

    So a payload that kills the process each time is told apart from the innocent entries of its batch.
    """
    together = [work for work in waiting.works if not _is_suspect(work)]
    alone = [[work] for work in waiting.works if _is_suspect(work)]
    return [*_bounded(together), *alone] or ([[]] if waiting.due else [])


def _bounded(works: list[Work]) -> Iterator[list[Work]]:
    """Cut ``works`` into batches of at most ``MAX_BATCH`` entries and ``MAX_BYTES``, each of one partition.

    A writer has entries in two when their number was changed, or a producer sends them to the wrong one.
    """
    batch: list[Work] = []
    size = 0
    for work in works:
        if batch and (len(batch) == MAX_BATCH or size + work.size > MAX_BYTES or _differ(work, batch[0])):
            yield batch
            batch, size = [], 0
        batch.append(work)
        size += work.size
    if batch:
        yield batch


def _differ(one: Work, other: Work) -> bool:
    return one.delivery.keys != other.delivery.keys


def _is_suspect(work: Work) -> bool:
    return work.spent or work.delivery.deliveries >= SUSPECT_DELIVERIES
