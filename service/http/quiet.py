"""uvicorn that sleeps. Its own server looks ten times a second whether it is to end.

Each look wakes the thread, and the worker's thread must give it the interpreter lock and warm its caches up again: that
was 3 % of the CPU of a busy worker. This one is woken to end, and once a second for the header ``Date``.
"""

from __future__ import annotations

import asyncio
from contextlib import suppress

import uvicorn

DATE_SECONDS = 1.0


class QuietServer(uvicorn.Server):
    """A server that ``end`` ends, from any thread."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self._loop: asyncio.AbstractEventLoop | None = None
        self._ended = asyncio.Event()

    async def main_loop(self) -> None:
        self._loop = asyncio.get_running_loop()
        while not await self.on_tick(0):  # 0: a tick that renews the date
            with suppress(TimeoutError):
                await asyncio.wait_for(self._ended.wait(), DATE_SECONDS)

    def end(self) -> None:
        self.should_exit = True
        if self._loop is not None:
            with suppress(RuntimeError):  # its loop has ended
                self._loop.call_soon_threadsafe(self._ended.set)
