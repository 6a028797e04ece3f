"""``profile forget``: erasing a person from both servers, so that nothing comes back.

The streams are erased first: what is not there cannot be learned any more. A job in work may still be committed after
the profile was deleted; its worker learns of the loss when it renews the lease. So when something was in work, the
profile is deleted once more after that.
"""

from __future__ import annotations

from dataclasses import asdict

import anyio
from redis.asyncio import Redis

from service.cli.asking import confirm
from service.cli.output import console, plural, print_json
from service.cli.profiling import writer
from service.cli.servers import keys_of, profiles_of, redis_of, settings_of
from service.profiles import ProfileStore
from service.settings import RENEWALS_PER_LEASE, Settings
from service.streams.forget import Erased, forget_writer

MARGIN_SECONDS = 1.0  # after the renewal: for the commit that was on its way


def forget_everywhere(user_id: str, yes: bool, json: bool, redis_url: str | None, mongodb_uri: str | None) -> None:
    settings = settings_of(redis_url, mongodb_uri)
    user_id = writer(user_id)
    confirm(f"Erase {user_id} everywhere, for good?", yes)
    profile, erased = anyio.run(_forget, settings, user_id)
    if json:
        print_json({"profile": profile, **asdict(erased)})
        return
    screen = console()
    screen.print(f"Erased {user_id}:" if profile or any(asdict(erased).values()) else f"Nothing is kept of {user_id}.")
    if profile:
        screen.print("  the profile")
    for count, what in (
        (erased.jobs, "job"),
        (erased.dead_letters, "dead letter"),
        (erased.cache_keys, "cache key"),
    ):
        if count:
            screen.print(f"  {plural(count, what)}")


async def _forget(settings: Settings, user_id: str) -> tuple[bool, Erased]:
    async with redis_of(settings) as redis, profiles_of(settings) as store:
        profile, erased = await _once(redis, store, settings, user_id)
        if erased.in_work:
            seconds = settings.learning_lease_seconds / RENEWALS_PER_LEASE + MARGIN_SECONDS
            note = f"{plural(erased.in_work, 'job')} in work: waiting {seconds:.0f} s for the worker to let go"
            console(stderr=True).print(note, style="dim")
            await anyio.sleep(seconds)
            again, more = await _once(redis, store, settings, user_id)
            profile = profile or again
            erased = Erased(**{name: count + getattr(more, name) for name, count in asdict(erased).items()})
        return profile, erased


async def _once(redis: Redis, store: ProfileStore, settings: Settings, user_id: str) -> tuple[bool, Erased]:
    erased = await forget_writer(redis, keys_of(settings), user_id)
    return await store.forget(user_id), erased
