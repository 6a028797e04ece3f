"""How much a process may hold: its slots when idle, seconds of its own speed in a backlog, and never too many bytes."""

from __future__ import annotations

from service.streams.entry import Delivery
from service.streams.keys import Keys
from service.worker.inwork import KEPT_BYTES, READ, READ_BYTES, InWork

KEYS = Keys.of("", 1).partitions[0]
SLOTS = 5


class Clock:
    now = 100.0

    def __call__(self) -> float:
        return self.now


def holding(count: int, clock: Clock, *, prefetch: int = 5000, size: int = 10) -> InWork:
    held = InWork(SLOTS, prefetch, clock)
    for number in range(count):
        held.add(Delivery(KEYS, f"{number}-0", b"x" * size), clock())
    return held


def settle(held: InWork, count: int) -> None:
    held.drop(KEYS, held.ids(KEYS)[:count], settled=True)


def test_a_partition_left_to_others_is_no_backlog_of_ours() -> None:
    clock = Clock()
    held = holding(250, clock)
    settle(held, 100)
    clock.now += 1.5
    held.took(KEYS, 100, 100)
    assert held.room() > 0
    held.pass_by(KEYS)
    assert held.room() == 0


def test_an_idle_process_takes_as_many_as_it_has_slots() -> None:
    assert holding(0, Clock()).room() == SLOTS
    assert holding(2, Clock()).room() == SLOTS - 2
    assert holding(SLOTS, Clock()).room() == 0


def test_it_holds_what_it_settled_in_the_last_second() -> None:
    clock = Clock()
    held = holding(100, clock)
    settle(held, 100)
    assert held.room() == 100
    clock.now += 1.5
    assert held.room() == SLOTS


def test_full_reads_let_it_hold_ten_seconds_of_work_and_the_end_of_the_backlog_ends_that() -> None:
    clock = Clock()
    held = holding(250, clock)
    settle(held, 100)
    clock.now += 4  # 25 a second: 250 in ten seconds, of which 150 are held
    held.took(KEYS, 100, 100)
    assert held.room() == 100
    clock.now += 5.5
    assert held.room() == 0
    held.took(KEYS, 100, 3)
    settle(held, 150)
    clock.now += 1.5
    assert held.room() == SLOTS


def test_the_setting_bounds_what_is_held() -> None:
    held = holding(100, Clock(), prefetch=20)
    settle(held, 100)
    assert held.room() == 20


def test_a_read_is_bounded_and_a_busy_process_does_not_read_in_driblets() -> None:
    held = holding(2000, Clock())
    settle(held, 1000)
    assert held.room() == 0
    settle(held, 900)
    assert held.room() == READ
    for number in range(1790):
        held.add(Delivery(KEYS, f"{number}-1", None), held._clock())
    assert held.room() == 0


def test_large_entries_are_read_a_few_at_a_time() -> None:
    held = holding(1000, Clock())
    settle(held, 1000)
    held.took(KEYS, READ, 10, 10 * READ_BYTES // 4)
    assert held.room() == 4
    held.took(KEYS, 4, 1, 10 * READ_BYTES)
    assert held.room() == 1
    held.took(KEYS, READ, 0)
    assert held.room() == 1
    held.took(KEYS, READ, 10, 20_000)
    assert held.room() == READ


def test_payloads_are_held_up_to_a_number_of_bytes() -> None:
    held = InWork(SLOTS, 5000, Clock())
    deliveries = [Delivery(KEYS, f"{number}-0", b"x" * (KEPT_BYTES // 4)) for number in range(6)]

    def add(some: list[Delivery]) -> list[bool]:
        for delivery in some:
            held.add(delivery, 0.0)
            held.unburden(delivery)
        return [delivery.payload is not None for delivery in some]

    assert add(deliveries) == [True] * 4 + [False] * 2
    held.drop(KEYS, [deliveries[0].id, deliveries[4].id])
    more = [Delivery(KEYS, f"{number}-1", b"x" * (KEPT_BYTES // 4)) for number in range(2)]
    assert add(more) == [True, False]


def test_abandoned_entries_find_room_when_new_ones_do_not() -> None:
    held = holding(SLOTS, Clock())
    assert held.room() == 0
    assert held.room_for_abandoned() == SLOTS
