"""Reading as a member of the consumer group, renewing, settling, releasing, burying: one partition at a time.

Every change of a pending entry is a script that first asks whether the entry is still this consumer's, so a worker
that was frozen for longer than its lease changes nothing when it wakes up.
"""

from __future__ import annotations

import math
import os
import secrets
import socket
from collections.abc import Mapping, Sequence
from datetime import timedelta

import redis.exceptions
from redis.asyncio import Redis

from service.streams.client import Scripts
from service.streams.entry import Delivery
from service.streams.keys import GROUP, PartitionKeys
from service.streams.replies import pending, read_entries, text
from service.version import own_version

_SCRIPT_BATCH = 500


def consumer_name() -> str:
    """Return ``{pod or host}-{pid}-{random}``: no two processes ever share one."""
    host = os.environ.get("POD_NAME") or socket.gethostname()
    return f"{host[:80]}-{os.getpid()}-{secrets.token_hex(3)}"


class Membership:
    """This consumer in the group of one partition."""

    def __init__(self, redis: Redis, reader: Redis, keys: PartitionKeys, consumer: str) -> None:
        self._redis = redis
        self._reader = reader
        self._scripts = Scripts(redis)
        self.keys = keys
        self.consumer = consumer

    async def join(self) -> bool:
        """Create the group at the first entry, unless it is there; say whether it was created.

        Whatever was done already is recognised by the ledger.

        The consumer is created too: Redis before 7 would show an idle worker only after its first entry.
        """
        created = True
        try:
            await self._redis.xgroup_create(self.keys.jobs, GROUP, id="0", mkstream=True)
        except redis.exceptions.ResponseError as error:
            if not str(error).startswith("BUSYGROUP"):
                raise
            created = False
        await self._redis.xgroup_createconsumer(self.keys.jobs, GROUP, self.consumer)
        await self.observe()  # so that `status` knows the version of a worker from its first second
        return created

    async def read(self, count: int, block: timedelta) -> list[Delivery]:
        """Return up to ``count`` new entries, waiting at most ``block`` for the first."""
        reply = await self._reader.xreadgroup(
            GROUP,
            self.consumer,
            {self.keys.jobs: ">"},
            count=count,
            block=max(1, math.ceil(block.total_seconds() * 1000)),
        )
        return [Delivery.of(self.keys, id, fields) for id, fields in read_entries(reply)]

    async def renew(self, ids: Sequence[str]) -> set[str]:
        """Renew the lease of ``ids``; return those that are lost to another consumer."""
        lost: set[str] = set()
        for chunk in _chunks(ids):
            reply = await self._scripts.run("renew", [self.keys.jobs], [GROUP, self.consumer, *chunk])
            lost.update(map(text, reply))
        return lost

    async def settle(self, ids: Sequence[str], *, counter: str = "learned", counted: int = 0) -> set[str]:
        """Acknowledge and delete ``ids``; return those that are lost to another consumer."""
        lost: set[str] = set()
        for chunk in _chunks(ids):
            args: list[str | int] = [GROUP, self.consumer, counter, counted, *chunk]
            reply = await self._scripts.run("settle", [self.keys.jobs, self.keys.stats, self.keys.minutes], args)
            lost.update(map(text, reply))
            counted = 0
        return lost

    async def release(self, ids: Sequence[str], *, idle: timedelta, uncount: bool) -> int:
        """Give ``ids`` back: claimable once their idle time, now ``idle``, passes the lease."""
        ms = max(0, round(idle.total_seconds() * 1000))
        released = 0
        for chunk in _chunks(ids):
            args: list[str | int] = [GROUP, self.consumer, ms, int(uncount), *chunk]
            released += await self._scripts.run("release", [self.keys.jobs], args)
        return released

    async def payloads(self, ids: Sequence[str]) -> dict[str, bytes]:
        """Return the field ``job`` of those of ``ids`` that are on the stream and have it."""
        found: dict[str, bytes] = {}
        for chunk in _chunks(ids):
            reply = await self._scripts.run("payloads", [self.keys.jobs], chunk)
            found.update((id, payload) for id, payload in zip(chunk, reply, strict=True) if payload is not None)
        return found

    async def bury(self, id: str, why: Mapping[str, str]) -> bool:
        """Move an entry to the dead letters with its payload; return False when it is another's by now."""
        pairs = [part for pair in why.items() for part in pair]
        args = [GROUP, self.consumer, id, *pairs]
        keys = [self.keys.jobs, self.keys.dead, self.keys.stats, self.keys.minutes]
        return bool(await self._scripts.run("bury", keys, args))

    async def observe(self) -> None:
        """Note the length of the stream in this minute's history, and which version looked."""
        await self._scripts.run("observe", [self.keys.jobs, self.keys.minutes], [self.consumer, own_version()])

    async def own_pending(self, page: int = 10_000) -> list[str]:
        """Return the ids pending under this consumer, asked for ``page`` at a time."""
        ids: list[str] = []
        start = "-"
        while True:
            rows = await self._redis.xpending_range(self.keys.jobs, GROUP, start, "+", page, consumername=self.consumer)
            ids += [row.id for row in pending(rows)]
            if len(rows) < page:
                return ids
            start = f"({ids[-1]}"

    async def present(self, within: timedelta) -> list[str]:
        """Return the consumers that were delivered an entry or renewed one ``within`` that time.

        Before Redis 7.2 nothing else counts: neither a read nor a sweep that finds nothing.
        """
        infos = await self._redis.xinfo_consumers(self.keys.jobs, GROUP)
        return [text(info["name"]) for info in infos if info["idle"] <= within.total_seconds() * 1000]

    async def leave(self) -> bool:
        """Remove this consumer if nothing is pending under it."""
        return bool(await self._scripts.run("reap", [self.keys.jobs], [GROUP, self.consumer, 0]))

    async def reap(self, idle: timedelta) -> int:
        """Remove other consumers that hold nothing and were not seen for ``idle``; return how many."""
        ms = round(idle.total_seconds() * 1000)
        removed = 0
        for info in await self._redis.xinfo_consumers(self.keys.jobs, GROUP):
            name = text(info["name"])
            if name != self.consumer and info["pending"] == 0 and info["idle"] >= ms:
                removed += await self._scripts.run("reap", [self.keys.jobs], [GROUP, name, ms])
        return removed


def _chunks(ids: Sequence[str]) -> list[Sequence[str]]:
    """Split ``ids`` so that no script holds the server for long."""
    return [ids[start : start + _SCRIPT_BATCH] for start in range(0, len(ids), _SCRIPT_BATCH)]
