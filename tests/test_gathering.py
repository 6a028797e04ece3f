"""Calls that travel together: who comes along, whose error is whose, and what a cancelled caller leaves behind."""

from __future__ import annotations

from collections.abc import Sequence

import anyio
import anyio.lowlevel
import pytest

from service.gathering import Gathering

pytestmark = pytest.mark.anyio


class Server:
    """Doubles numbers, fails at negative ones, and answers when it is let."""

    def __init__(self, *, open_: bool = True) -> None:
        self.groups: list[list[int]] = []
        self.gate = anyio.Event()
        if open_:
            self.gate.set()

    async def send(self, items: Sequence[int]) -> list[int | Exception]:
        self.groups.append(list(items))
        await self.gate.wait()
        if 0 in items:
            raise ConnectionError
        return [2 * item if item > 0 else ValueError(item) for item in items]


async def _all(gathering: Gathering[int, int], numbers: Sequence[int]) -> dict[int, int | str]:
    """What each of ``numbers``, called at once, got."""
    told: dict[int, int | str] = {}

    async def one(number: int) -> None:
        try:
            told[number] = await gathering.call(number)
        except (ValueError, ConnectionError) as error:
            told[number] = type(error).__name__

    async with anyio.create_task_group() as group:
        for number in numbers:
            group.start_soon(one, number)
    return told


async def test_calls_of_one_turn_are_one_group_with_a_reply_each() -> None:
    server = Server()
    assert await _all(Gathering(server.send), [1, 2, -3]) == {1: 2, 2: 4, -3: "ValueError"}
    assert server.groups == [[1, 2, -3]]
    assert await Gathering(server.send).call(5) == 10


async def test_a_group_waits_for_as_long_as_each_turn_of_the_loop_brings_somebody() -> None:
    server = Server()
    gathering = Gathering(server.send)

    async def later(number: int, turns: int) -> None:
        for _ in range(turns):
            await anyio.lowlevel.checkpoint()
        await gathering.call(number)

    async with anyio.create_task_group() as group:
        for number, turns in ((2, 1), (3, 2), (4, 3), (5, 8), (1, 0)):
            group.start_soon(later, number, turns)
    assert server.groups == [[1, 2, 3, 4], [5]]


async def test_what_the_whole_group_met_everybody_is_told() -> None:
    assert await _all(Gathering(Server().send), [1, 0]) == {1: "ConnectionError", 0: "ConnectionError"}


async def test_a_group_holds_so_many_and_no_more() -> None:
    server = Server()
    assert len(await _all(Gathering(server.send, most=3), range(1, 8))) == 7
    assert [len(group) for group in server.groups] == [3, 3, 1]


async def test_while_groups_are_on_their_way_the_next_one_gathers() -> None:
    server = Server(open_=False)
    gathering = Gathering(server.send, in_flight=1)
    async with anyio.create_task_group() as group:
        for number in (1, 2, 3):
            group.start_soon(gathering.call, number)
            for _ in range(5):
                await anyio.lowlevel.checkpoint()
        assert server.groups == [[1]]
        server.gate.set()
    assert server.groups == [[1], [2, 3]]


async def test_a_cancelled_caller_spoils_nobody_s_call() -> None:
    server = Server(open_=False)
    gathering = Gathering(server.send)
    told: list[int] = []

    async def stays() -> None:
        told.append(await gathering.call(2))

    async with anyio.create_task_group() as group, anyio.create_task_group() as leaving:
        leaving.start_soon(gathering.call, 1)
        group.start_soon(stays)
        while not server.groups:
            await anyio.lowlevel.checkpoint()
        leaving.cancel_scope.cancel()
        server.gate.set()
    assert server.groups == [[1, 2]]
    assert told == [4]
