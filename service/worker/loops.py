"""The loops of a worker: read, renew, sweep, due. Each is ``while not stopping: tick(); pause``; tests drive the ticks.

A loop never dies of a dependency: it says so once, backs off with jitter, and goes on. While MongoDB is away nothing
is read and what is held is renewed; nothing is counted against an entry for it.
"""

from __future__ import annotations

import itertools
import random
import time
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from functools import partial
from typing import Any

import anyio
from redis.asyncio import Redis

from service.errors import DependencyDown, Fault, Misconfigured, classify, name
from service.logs import FaultLog, get_logger
from service.profiles import ProfileStore
from service.settings import RENEWALS_PER_LEASE, Settings
from service.streams.client import connect_reader
from service.streams.clock import ServerClock
from service.streams.cluster import clustered
from service.streams.entry import Delivery
from service.streams.group import Membership, consumer_name
from service.streams.keys import Keys, PartitionKeys
from service.telemetry.observer import Observer
from service.tone.base import ToneClassifier
from service.worker import late
from service.worker.batch import BatchLearner, Hooks
from service.worker.entries import Entries
from service.worker.extraction import Extract
from service.worker.intake import Intake
from service.worker.inwork import InWork
from service.worker.lanes import Lanes
from service.worker.outages import Outages, backoff, refusal
from service.worker.rights import require_rights
from service.worker.settling import Settler
from service.worker.shares import Shares

CONFIG_TRIES = 3  # a wrong password may be a server that is being set up: a short grace before giving up


class Worker:
    """One consumer of the group, in one process."""

    def __init__(
        self,
        settings: Settings,
        redis: Redis,
        store: ProfileStore,
        tone: ToneClassifier,
        *,
        extract: Extract | None = None,
    ) -> None:
        self.settings = settings
        self.redis = redis
        self.store = store
        self.tone = tone
        self.log = get_logger().bind()  # bound once: a line costs a sixth less than by the proxy
        self.faults = FaultLog()
        self.outages = Outages(self.faults)
        self.clock = ServerClock()
        self.consumer = consumer_name()
        self.keys = Keys.of(settings.learning_key_prefix, settings.learning_partitions)
        self.in_work = InWork(settings.learning_queue_concurrency, settings.learning_prefetch)
        self.heartbeats: dict[str, float] = {}
        self.observer = Observer()
        self.awaiting = {"mongodb", "redis", "group"}  # what has not been good once
        self.joined = False
        self.fatal: Misconfigured | None = None
        self._stop = anyio.Event()
        self._tries: dict[str, int] = {}
        # A cluster's client has a connection for each blocking read; one of a server would block the other partitions.
        shared = clustered(redis)
        self._readers = [self._reader() for _ in self.keys.partitions[: 1 if shared else None]]
        self.members = [
            Membership(redis, reader, keys, self.consumer)
            for keys, reader in zip(self.keys.partitions, itertools.cycle(self._readers), strict=False)
        ]
        down = partial(self.outages.away, "lanes")
        hooks = Hooks(self.clock.now, Entries(self), down, self.outages.answered)
        learner = BatchLearner(
            store, tone, settings.rules(), hooks, job_timeout=settings.learning_job_timeout_seconds, extract=extract
        )
        self.shares = Shares(self.members, settings.lease)
        self.intake = Intake(self)
        self.settler = Settler(self, learner)
        self.lanes = Lanes(self.settler.handle)

    @property
    def down(self) -> set[str]:
        """The services that are away."""
        return self.outages.services

    @property
    def stopping(self) -> bool:
        return self._stop.is_set()

    def fail(self, error: Misconfigured) -> None:
        """Stop because a dependency refuses us for good; ``run`` raises ``error`` when all is released."""
        self.fatal = self.fatal or error
        self._stop.set()

    async def stopped(self) -> None:
        """Wait until somebody asked to stop."""
        await self._stop.wait()

    def stop(self) -> None:
        """Stop reading; ``run`` ends once what is in work is done or released."""
        self._stop.set()

    async def run(self) -> None:
        """Work until ``stop``. Raises ``Misconfigured`` when a dependency refuses us for good."""
        await self._join()
        if self.fatal is not None:
            raise self.fatal
        if self.stopping:
            return
        self.log.info(
            "Worker started · Redis connected · MongoDB connected · "
            f"Processing jobs with concurrency: {self.settings.learning_queue_concurrency}",
            consumer=self.consumer,
        )
        async with AsyncExitStack() as stack:
            for reader in self._readers:
                stack.push_async_callback(reader.aclose)
            async with anyio.create_task_group() as leases:
                leases.start_soon(self._keep, "lease", self.renew_once, self._renewal)
                await self._work()
                await self._leave()
                leases.cancel_scope.cancel()
        if self.fatal is not None:
            raise self.fatal

    async def run_once(self, *, due: bool = False, watch: bool = False) -> int:
        """Sweep until nothing abandoned is left, finish what that brought, and return how many entries came.

        With ``due`` writers whose waiting edits are due are learned too: one look, so one that fails ends nothing.
        With ``watch`` all this goes on until ``stop``, through outages too.
        """
        await self._join()
        taken = 0
        async with anyio.create_task_group() as leases:
            leases.start_soon(self._keep, "lease", self.renew_once, self._renewal)
            async with anyio.create_task_group() as lanes:
                self._start_lanes(lanes)
                taken = await self._take_over(due, watch)
                lanes.cancel_scope.cancel()
            await self._leave()
            leases.cancel_scope.cancel()
        for reader in self._readers:
            await reader.aclose()
        if self.fatal is not None:
            raise self.fatal
        return taken

    async def _take_over(self, due: bool, watch: bool) -> int:
        taken, pause = 0, self._jittered("learning_sweep_seconds")
        while not self.stopping:
            try:
                found = await self.sweep_once()
                if due and not found and not self.stopping:
                    await self.due_once()
            except Exception as error:
                if not watch:
                    raise
                await self._fault("sweep", error)
                continue
            self._recovered("sweep")
            taken += found
            await self.lanes.idle()
            if not found and not watch:
                break
            if not found:
                await self._pause(pause())
        return taken

    # ---- ticks

    async def poll_once(self, member: Membership) -> int:
        """Read once and hand out what came; return how many entries."""
        loop = f"read {member.keys.jobs}"
        if self._tries.get(loop) or self.intake.unsure(member):
            await self.intake.recover(member)
        count = await self._room(loop, member)
        return await self.intake.read(member, count) if count else 0

    async def renew_once(self) -> None:
        """Renew the lease of everything in work; drop what is lost."""
        for member in self.members:
            ids, since = self.in_work.ids(member.keys), time.monotonic()
            gone = await member.renew(ids) if ids else set()
            self.in_work.renewed(member.keys, ids, since)
            self.lose(member.keys, gone)

    def lose(self, keys: PartitionKeys, gone: set[str]) -> None:
        """Drop those of ``gone`` that are still held: they are another's, or deleted."""
        if lost := self.in_work.lose(keys, gone):
            self.settler.counts["lost"] += lost
            self.observer.closed(keys, gone, "lost")
            self.log.warning(f"[Learning] Lost the lease of {lost} entries to another worker")

    async def sweep_once(self) -> int:
        """Take over what its consumer abandoned; return how many entries came."""
        taken = 0
        for member in self.members:
            taken += await self.intake.sweep(member)
        await self.intake.keep_house(self.members)
        return taken

    async def due_once(self) -> int:
        """Hand out writers whose waiting edits are due; return how many."""
        now = self.clock.now()
        users = await self.store.due(now)
        if self.tone.state() == "available":
            users += late.some_of(await self.store.tone_due(now, late.CHOICE))
        for user_id in users:
            self.lanes.submit_due(user_id)
        return len(users)

    # ---- parts of a run

    async def _work(self) -> None:
        async with anyio.create_task_group() as lanes:
            self._start_lanes(lanes)
            async with anyio.create_task_group() as intake:
                for member in self.members:
                    read = partial(self.poll_once, member)
                    intake.start_soon(self._keep, f"read {member.keys.jobs}", read, lambda: 0.0)
                intake.start_soon(self._keep, "sweep", self.sweep_once, self._jittered("learning_sweep_seconds"))
                intake.start_soon(self._keep, "due", self.due_once, self._jittered("learning_due_seconds"))
            with anyio.move_on_after(self.settings.learning_grace_seconds):
                await self.lanes.idle()
            lanes.cancel_scope.cancel()
        self.lanes.close()

    def _start_lanes(self, group: Any) -> None:
        for _ in range(self.settings.learning_queue_concurrency):
            group.start_soon(self.lanes.run)

    async def _join(self) -> None:
        """Wait for Redis and MongoDB, create the groups, read the clock."""
        while not self.stopping:
            try:
                await self.store.ping()
                self.awaiting.discard("mongodb")
                await require_rights(self.redis, self.keys, self.store, sharing=self.tone.state() != "disabled")
                await self.clock.sync(self.redis)
                self.awaiting.discard("redis")
                for member in self.members:
                    await member.join()
                self.awaiting.discard("group")
            except Exception as error:  # noqa: BLE001 - sorted by class, and counted
                await self._fault("start", error)
            else:
                self._recovered("start")
                self.joined = True
                return

    async def _leave(self) -> None:
        """Release what was not finished, so that the next sweep of any worker takes it at once, and leave."""
        with anyio.move_on_after(self.settings.learning_redis_timeout_seconds * 2, shield=True):
            try:
                for member in self.members:
                    await self._release(member)
                    await member.leave()
            except Exception as error:  # noqa: BLE001 - nothing is lost: the lease runs out instead
                self.log.warning(f"[Learning] Could not release what is in work ({name(error)}): its lease runs out")

    async def _release(self, member: Membership) -> None:
        ids = self.in_work.ids(member.keys)
        if ids:
            await member.release(ids, idle=self.settings.lease, uncount=True)
            self.in_work.drop(member.keys, ids)
            self.settler.counts["released"] += len(ids)
            self.observer.closed(member.keys, ids, "released")
            self.log.info(f"[Learning] Released {len(ids)} entries to the other workers")

    def member(self, delivery: Delivery) -> Membership:
        return self.members[self.keys.partitions.index(delivery.keys)]

    # ---- pauses and faults

    async def _keep(self, loop: str, tick: Callable[[], Awaitable[object]], interval: Callable[[], float]) -> None:
        while not self.stopping or loop == "lease":
            self.heartbeats[loop] = time.monotonic()  # a turn that fails is a turn too: the loop is alive
            try:
                await tick()
            except Exception as error:  # noqa: BLE001 - sorted by class, and counted
                await self._fault(loop, error)
            else:
                self._recovered(loop)
                await self._pause(interval(), interruptible=loop != "lease")

    async def _pause(self, seconds: float, *, interruptible: bool = True) -> None:
        if not interruptible or seconds <= 0:
            return await anyio.sleep(max(0.0, seconds))
        with anyio.move_on_after(seconds):
            await self._stop.wait()
        return None

    async def _room(self, loop: str, member: Membership) -> int:
        """Wait until there is room for entries and MongoDB answers; return how many, 0 when stopping."""
        while not self.stopping:
            self.heartbeats[loop] = time.monotonic()
            if "mongodb" in self.down:
                await self._ping_mongodb()
            elif room := await self._room_in(member):
                return room
            else:
                with anyio.move_on_after(1):
                    await self.in_work.changed()
        return 0

    async def _room_in(self, member: Membership) -> int:
        """Return how many entries may be read from a partition: none while we are busy and it is another's share."""
        if not self.in_work.busy or await self.shares.holds(member):
            return self.in_work.room()
        self.in_work.pass_by(member.keys)
        return 0

    async def _ping_mongodb(self) -> None:
        try:
            await self.store.ping()
        except DependencyDown as error:
            self.outages.away("ping", error)
            await self._pause(random.uniform(0.1, 1))
        else:
            self.outages.answered("mongodb")

    async def _fault(self, loop: str, error: Exception) -> None:
        """Say what is wrong, do what its class asks for, and pause."""
        tries = self._tries[loop] = self._tries.get(loop, 0) + 1
        fault = Fault.TRANSIENT if isinstance(error, DependencyDown) else classify(error)
        if isinstance(error, Misconfigured) or (fault is Fault.CONFIG and tries >= CONFIG_TRIES):
            self.fail(error if isinstance(error, Misconfigured) else Misconfigured(refusal(error)))
            return
        if fault is Fault.GROUP_GONE:
            try:
                await self._join_again()
            except Exception as again:  # noqa: BLE001 - sorted by class like the first
                error, fault = again, classify(again)
        if fault is Fault.TOPOLOGY:
            for client in (self.redis, *self._readers):  # each has a pool that may hold the demoted server
                if not clustered(client):  # a cluster's client looks for the nodes again by itself
                    await client.connection_pool.disconnect(inuse_connections=False)
        if fault in (Fault.TRANSIENT, Fault.TOPOLOGY):
            down = error if isinstance(error, DependencyDown) else DependencyDown("redis", name(error))
            self.outages.away(loop, down)
        elif fault is not Fault.GROUP_GONE:
            self.faults.fault(loop, f"[Learning] The {loop} loop cannot go on ({name(error)}): trying again")
        await self._pause(backoff(tries), interruptible=loop != "lease")

    async def _join_again(self) -> None:
        """Create the groups that are gone; of all that meet the loss, the one that creates says so."""
        created = [await member.join() for member in self.members]
        if any(created):
            self.log.error(
                "[Learning] The stream or its group was gone (flushed, failed over or deleted) and is created again. "
                "Jobs that Redis lost are lost"
            )

    def _recovered(self, loop: str) -> None:
        if self._tries.pop(loop, 0):
            self.faults.recovered(loop)
            self.outages.back(loop)

    def _renewal(self) -> float:
        return self.settings.learning_lease_seconds / RENEWALS_PER_LEASE * random.uniform(0.8, 1.0)

    def _jittered(self, setting: str) -> Callable[[], float]:
        seconds: float = getattr(self.settings, setting)
        return lambda: seconds * random.uniform(0.5, 1.0)

    def _reader(self) -> Redis:
        return connect_reader(
            self.settings.redis_url.get_secret_value(),
            block=self.settings.learning_block_seconds,
            timeout=self.settings.learning_redis_timeout_seconds,
        )
