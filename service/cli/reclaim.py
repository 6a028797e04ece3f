"""``learnsvc reclaim``: one sweep over what dead workers left, or a look at it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from service.cli.options import Json, MongodbUri, RedisUrl

if TYPE_CHECKING:
    from service.settings import Settings


def reclaim(
    min_idle: Annotated[
        float | None,
        typer.Option("--min-idle", min=0, help="Seconds without renewal; default LEARNING_LEASE_SECONDS."),
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only list what would be taken over.")] = False,
    watch: Annotated[bool, typer.Option("--watch", help="Go on until stopped.")] = False,
    due: Annotated[bool, typer.Option("--due", help="Also learn waiting edits whose time has come.")] = False,
    json: Json = False,
    redis_url: RedisUrl = None,
    mongodb_uri: MongodbUri = None,
) -> None:
    """Take over pending entries their consumers abandoned.

    Sweeps once over the pending entries of all consumers, learns those that
    nobody renewed for the lease, and settles them. Workers do the same all
    the time: this is for when none is running. Nothing is deleted.

    Examples:
      learnsvc reclaim --dry-run
      learnsvc reclaim --min-idle 60
      learnsvc reclaim --watch
      learnsvc reclaim --due
    """
    import anyio

    from service.cli.servers import settings_of
    from service.logs import configure

    settings = settings_of(redis_url, mongodb_uri)
    if dry_run:
        anyio.run(_list, settings, min_idle, json)
        return
    configure(settings.learning_log_level, {"auto": None, "json": True, "console": False}[settings.learning_log_format])
    taken = anyio.run(_sweep, settings, min_idle, watch, due)
    if json:
        typer.echo(f'{{"reclaimed": {taken}}}')
    else:
        typer.echo(f"Took over {taken} abandoned {'entry' if taken == 1 else 'entries'}.")


async def _sweep(settings: Settings, min_idle: float | None, watch: bool, due: bool) -> int:
    from service.worker.running import reclaim_abandoned

    return await reclaim_abandoned(settings, min_idle=min_idle, watch=watch, due=due)


async def _list(settings: Settings, min_idle: float | None, json: bool) -> None:
    from dataclasses import asdict
    from datetime import timedelta

    import orjson

    from service.cli.output import table
    from service.streams.client import connect
    from service.streams.keys import Keys
    from service.streams.sweep import stale

    redis = connect(settings.redis_url.get_secret_value(), timeout=settings.learning_redis_timeout_seconds)
    keys = Keys.of(settings.learning_key_prefix, settings.learning_partitions)
    idle = timedelta(seconds=settings.learning_lease_seconds if min_idle is None else min_idle)
    async with redis:
        rows = [row for partition in keys.partitions for row in await stale(redis, partition, min_idle=idle)]
    if json:
        typer.echo(orjson.dumps([asdict(row) for row in rows]).decode())
    elif not rows:
        typer.echo(f"No entry was abandoned for {idle.total_seconds():g} s.")
    else:
        table(
            ("entry", "consumer", "idle", "deliveries"),
            [(row.id, row.consumer, f"{row.idle_ms / 1000:.0f} s", str(row.deliveries)) for row in rows],
        )
