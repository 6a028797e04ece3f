"""Calls that come together travel together: what databases call group commit.

Many lanes load, commit and settle at about the same time, and a round trip costs a driver as much CPU as a job. The
first call opens a group and lets the loop turn, so that whoever was woken with it comes along, and again for as long as
a turn brought somebody; while as many groups as allowed are on their way, further calls gather in the next one. So a
call of an idle worker goes alone and at once, and under load groups grow until the server keeps up.

A group once begun is not cancelled with one of its callers: the others need it, and a write that was cut off has an
unknown outcome anyway. ``send`` must end by itself, as every command to a server here does by its time-out.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import Generic, TypeVar

import anyio
import anyio.lowlevel
from anyio import CancelScope

IN_FLIGHT = 2  # one is worked on by the server while the next is on its way; more only make smaller groups
MOST = 64  # calls in a group: bounds what one reply, or one failure, can be

Item = TypeVar("Item")
Reply = TypeVar("Reply")
Send = Callable[[Sequence[Item]], Awaitable[Sequence[Reply | Exception]]]


@dataclass(slots=True)
class _Group(Generic[Item, Reply]):
    items: list[Item] = field(default_factory=list)
    replies: Sequence[Reply | Exception] = ()
    done: anyio.Event = field(default_factory=anyio.Event)


class Gathering(Generic[Item, Reply]):
    """One kind of call. ``send`` takes the items of a group and returns a reply, or an error, for each in order."""

    def __init__(self, send: Send[Item, Reply], *, in_flight: int = IN_FLIGHT, most: int = MOST) -> None:
        self._send = send
        self._most = most
        self._open: _Group[Item, Reply] | None = None
        self._turns = anyio.Semaphore(in_flight, fast_acquire=True)

    async def call(self, item: Item) -> Reply:
        """Return the reply to ``item``. Raises its error, or the one that the whole group met."""
        group = self._open
        if group is None:
            group = self._open = _Group()
        place = len(group.items)
        group.items.append(item)
        if len(group.items) >= self._most:
            self._open = None
        with CancelScope(shield=True):
            if place == 0:
                await self._lead(group)
            else:
                await group.done.wait()
        reply = group.replies[place]
        if isinstance(reply, Exception):
            raise reply
        return reply

    async def _lead(self, group: _Group[Item, Reply]) -> None:
        """Send the group, when it is its turn."""
        try:
            came = 0
            while self._open is group and came < len(group.items):
                came = len(group.items)
                await anyio.lowlevel.checkpoint()
            async with self._turns:
                if self._open is group:
                    self._open = None
                group.replies = await self._send(group.items)
        except Exception as error:  # noqa: BLE001 - raised in every caller
            group.replies = [error] * len(group.items)
        finally:
            group.done.set()
