"""``learnsvc status``: what waits, what is in work, who works. Needs no worker, and half of it no MongoDB."""

from __future__ import annotations

from typing import Annotated

import typer

from service.cli.options import Json, MongodbUri, RedisUrl


def status(
    watch: Annotated[bool, typer.Option("--watch", "-w", help="Show it again and again, until Ctrl-C.")] = False,
    interval: Annotated[
        float, typer.Option("--interval", min=0.1, metavar="SECONDS", help="With --watch: seconds in between.")
    ] = 2.0,
    json: Json = False,
    redis_url: RedisUrl = None,
    mongodb_uri: MongodbUri = None,
) -> None:
    """Show what waits, what is in work, and who works.

    waiting and active together are exactly the entries of the stream;
    completed and failed count since its keys exist. Learning that waits for
    the rate limit is counted in MongoDB.

    --json prints waiting, active, completed, failed, dead, duplicates,
    oldest_pending_seconds, oldest_waiting_seconds, consumers (name, pending,
    idle_seconds), learning (mongodb, writers_waiting, writers_due) and gemini
    (calls, tokens_in, tokens_out, cache_hits, cache_misses, hit_rate,
    fallbacks, failures, calls_this_minute, tokens_today: of all workers);
    with --watch one line each time.

    Examples:
      learnsvc status
      learnsvc status --watch --interval 1
      learnsvc status --json | jq .waiting
    """
    import anyio

    from service.cli.servers import settings_of
    from service.cli.status_view import show, watch_it

    settings = settings_of(redis_url, mongodb_uri)
    if watch:
        anyio.run(watch_it, settings, interval, json)
    else:
        anyio.run(show, settings, json)
