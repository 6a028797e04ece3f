"""Workers that are wrong on purpose: the harness must catch each of them. None of this is in the shipped package."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from pymongo import WriteConcern

from service import profiles
from service.ledger import Ledger
from service.profiles import ProfileStore
from service.streams.entry import Work
from service.streams.group import Membership
from service.streams.keys import GROUP
from service.streams.sweep import Page, claim_page
from service.worker import intake
from service.worker.settling import Settler

VARIABLE = "CHAOS_MUTANT"


def settle_before_commit() -> None:
    """Acknowledge first, learn afterwards."""
    learn = Settler._learn

    async def hasty(self: Settler, user_id: str, works: Sequence[Work]) -> None:
        deliveries = [work.delivery for work in works]
        await self._worker.member(deliveries[0]).settle([delivery.id for delivery in deliveries])
        await learn(self, user_id, works)

    Settler._learn = hasty  # type: ignore[method-assign]


def no_ledger() -> None:
    """Never recognise a job that was applied."""
    Ledger.judge = lambda *_: "new"  # type: ignore[method-assign]


def not_durable() -> None:
    """Take MongoDB's word before it is in the journal: ``w: 1``."""
    profiles.DURABLE = WriteConcern(1, j=False)


def no_barrier() -> None:
    """Settle a job found applied without waiting until that is durable."""

    async def nothing(self: ProfileStore, user_id: str) -> None: ...

    ProfileStore.barrier = nothing  # type: ignore[method-assign]


def renew_without_owner_check() -> None:
    """Renew with a plain XCLAIM, which takes an entry back from its new owner."""

    async def renew(self: Membership, ids: Sequence[str]) -> set[str]:
        if ids:
            await self._redis.xclaim(self.keys.jobs, GROUP, self.consumer, 0, list(ids), justid=True)
        return set()

    Membership.renew = renew  # type: ignore[method-assign]


def cursor_restarted() -> None:
    """Begin every sweep at 0-0, whatever cursor the server gave."""

    async def first_page(*arguments: Any, **options: Any) -> Page:
        page = await claim_page(*arguments, **{**options, "cursor": "0-0"})
        page.cursor = "0-0"
        return page

    intake.claim_page = first_page  # type: ignore[attr-defined]


MUTANTS: dict[str, Callable[[], None]] = {
    mutant.__name__.replace("_", "-"): mutant
    for mutant in (
        settle_before_commit,
        no_ledger,
        not_durable,
        no_barrier,
        renew_without_owner_check,
        cursor_restarted,
    )
}
