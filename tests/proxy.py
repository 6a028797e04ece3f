"""A TCP proxy on loopback that does what networks do: delay, cut, black-hole, half-open, refuse, lead elsewhere.

It belongs to the event loop of the test. `port` stays the same, so a client's URL leads through it for good.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

CHUNK = 65_536


class Proxy:
    """Carries bytes to ``target`` (a port) and back.

    ``delay`` is in seconds, of each chunk in each direction; ``cut_after`` the bytes of answers a connection may carry
    before it is reset. ``connections`` counts those that were accepted, ``accepted_at`` says when.
    """

    def __init__(self, target: int) -> None:
        self.target = target
        self.delay = 0.0
        self.cut_after: int | None = None
        self.accepted_at: list[float] = []
        self._passing = asyncio.Event()
        self._passing.set()
        self._refusing = False
        self._writers: set[asyncio.StreamWriter] = set()
        self._deaf: set[asyncio.StreamWriter] = set()
        self._server: asyncio.Server | None = None

    @property
    def port(self) -> int:
        assert self._server is not None
        port: int = self._server.sockets[0].getsockname()[1]
        return port

    @property
    def connections(self) -> int:
        return len(self.accepted_at)

    def black_hole(self) -> None:
        """From now on nothing passes, and nobody is told; what was sent arrives after ``heal``, as TCP would."""
        self._passing.clear()

    def half_open(self) -> None:
        """The connections there are go deaf for ever, as after a crash of a host or a firewall; new ones work."""
        self._deaf |= self._writers

    def refuse(self) -> None:
        """Reset every connection, and each new one at once."""
        self._refusing = True
        self.cut()

    def cut(self) -> None:
        """Reset every connection; new ones work."""
        for writer in self._writers:
            writer.transport.abort()

    def heal(self) -> None:
        """Let everything pass again."""
        self._refusing, self.cut_after, self.delay = False, None, 0.0
        self._passing.set()

    @asynccontextmanager
    async def serving(self) -> AsyncIterator[Proxy]:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        try:
            yield self
        finally:
            self._server.close()
            self._passing.set()
            self.cut()
            while self._writers:
                await asyncio.sleep(0.01)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.accepted_at.append(asyncio.get_running_loop().time())
        if self._refusing:
            writer.transport.abort()
            return
        ends = {writer}
        self._writers.add(writer)
        try:
            with suppress(OSError):
                back, forth = await asyncio.open_connection("127.0.0.1", self.target)
                ends.add(forth)
                self._writers.add(forth)
                ways = (self._carry(reader, forth), self._carry(back, writer, True))
                tasks = [asyncio.create_task(way) for way in ways]
                await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
                for task in tasks:
                    task.cancel()
                await asyncio.gather(*tasks, return_exceptions=True)
        finally:
            for end in ends:
                end.transport.abort()
            self._writers -= ends
            self._deaf -= ends

    async def _carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, answers: bool = False) -> None:
        carried = 0
        while data := await reader.read(CHUNK):
            await self._passing.wait()
            await asyncio.sleep(self.delay)
            carried += len(data)
            if answers and self.cut_after is not None and carried > self.cut_after:
                return
            if writer not in self._deaf:
                writer.write(data)
                await writer.drain()
