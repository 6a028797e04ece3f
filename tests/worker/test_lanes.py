"""How the waiting entries of a writer become batches."""

from __future__ import annotations

import anyio
import pytest

from service.streams.entry import Delivery, Work
from service.streams.keys import Keys
from service.worker.lanes import MAX_BATCH, MAX_BYTES, SUSPECT_DELIVERIES, Lanes

pytestmark = pytest.mark.anyio
FIRST, SECOND = Keys.of("", 2).partitions


def works(count: int, size: int = 10, deliveries: int = 1) -> list[Work]:
    return [
        Work(Delivery(FIRST, f"{number}-{size}", None, deliveries=deliveries), "ana", "", b"", size)
        for number in range(count)
    ]


async def batches(given: list[Work]) -> list[list[Work]]:
    """What a lane makes of ``given``."""
    seen: list[list[Work]] = []

    async def handle(user_id: str, batch: list[Work]) -> None:
        seen.append(batch)

    lanes = Lanes(handle)
    async with anyio.create_task_group() as group:
        for work in given:
            lanes.submit(work)
        group.start_soon(lanes.run)
        await lanes.idle()
        lanes.close()
        group.cancel_scope.cancel()
    assert sorted([work.delivery.id for batch in seen for work in batch]) == sorted([one.delivery.id for one in given])
    return seen


@pytest.mark.parametrize(
    ("given", "sizes"),
    [
        (works(3), [3]),
        (works(2 * MAX_BATCH + 1), [MAX_BATCH, MAX_BATCH, 1]),
        (works(5, MAX_BYTES // 2), [2, 2, 1]),
        (works(1, 3 * MAX_BYTES) + works(2), [1, 2]),
        (works(2) + works(2, 20, SUSPECT_DELIVERIES), [2, 1, 1]),
    ],
)
async def test_a_batch_is_bounded(given: list[Work], sizes: list[int]) -> None:
    assert [len(batch) for batch in await batches(given)] == sizes


async def test_a_batch_is_of_one_partition() -> None:
    given = works(4)
    for work in given[1:3]:
        work.delivery.keys = SECOND
    assert await batches(given) == [given[:1], given[1:3], given[3:]]
