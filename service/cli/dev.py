"""``learnsvc dev``: Redis, MongoDB and a worker together, with kept data."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def dev(
    directory: Annotated[
        Path, typer.Option("--directory", help="Folder that keeps the data of both servers.", file_okay=False)
    ] = Path(".learnsvc"),
    redis_port: Annotated[
        int, typer.Option("--redis-port", min=0, max=65535, help="Port of Redis; 0: a free one.")
    ] = 0,
    mongodb_port: Annotated[
        int, typer.Option("--mongodb-port", min=0, max=65535, help="Port of MongoDB; 0: a free one.")
    ] = 0,
    processes: Annotated[int, typer.Option("--processes", "-p", min=1, max=16, help="Worker processes.")] = 1,
    rate_limit: Annotated[
        float | None, typer.Option("--rate-limit", min=0, help="Minutes, instead of LEARNING_RATE_LIMIT_MINUTES.")
    ] = None,
) -> None:
    """Run Redis, MongoDB and a worker together, keeping the data.

    Lines of each are prefixed and coloured: [REDIS] [MONGO] [WORKER]. The
    addresses are printed first, for producers and for learnsvc in another
    terminal. Ctrl-C ends all of it; the data stays in the folder.

    Examples:
      learnsvc dev
      learnsvc dev --directory /var/tmp/learnsvc --redis-port 6379
      learnsvc dev --processes 2 --rate-limit 0
    """
    from service.development import run_dev

    raise typer.Exit(run_dev(directory, redis_port, mongodb_port, processes, rate_limit))
