"""``learnsvc consume``: the worker."""

from __future__ import annotations

from typing import Annotated

import typer

from service.cli.options import MongodbUri, RedisUrl


def consume(
    concurrency: Annotated[
        int | None, typer.Option("--concurrency", "-c", min=1, max=200, help="Writers in work at a time, a process.")
    ] = None,
    processes: Annotated[
        int, typer.Option("--processes", "-p", min=1, max=64, help="Worker processes on this machine; ports count up.")
    ] = 1,
    redis_url: RedisUrl = None,
    mongodb_uri: MongodbUri = None,
) -> None:
    """Run the worker: read jobs, learn, commit, settle.

    It also takes over what dead workers left and learns waiting edits when
    they are due. SIGTERM or Ctrl-C finishes or releases what is in work and
    exits 0; a second signal stops at once. Nothing is lost either way.

    Examples:
      learnsvc consume
      learnsvc consume --concurrency 20 --processes 2
      REDIS_URL=redis://cache:6379/0 learnsvc consume
    """
    from service.cli.servers import settings_of
    from service.logs import configure
    from service.worker.fleet import Fleet, end_with_parent

    settings = settings_of(redis_url, mongodb_uri, learning_queue_concurrency=concurrency)
    formats = {"auto": None, "json": True, "console": False}
    configure(settings.learning_log_level, formats[settings.learning_log_format])
    if processes > 1:
        arguments = _arguments(concurrency, redis_url, mongodb_uri)
        raise typer.Exit(Fleet(processes, arguments, settings.learning_http_port).run())
    import anyio

    from service.worker.running import run_worker

    end_with_parent()
    anyio.run(run_worker, settings)


def _arguments(concurrency: int | None, redis_url: str | None, mongodb_uri: str | None) -> list[str]:
    options = {"--concurrency": concurrency, "--redis-url": redis_url, "--mongodb-uri": mongodb_uri}
    return ["consume", *(part for name, value in options.items() if value is not None for part in (name, str(value)))]
