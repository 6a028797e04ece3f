"""``learnsvc enqueue``: checks every job first, then appends them, many a round trip."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from service.cli.options import Json, JsonlFile, RedisUrl


def enqueue(
    file: JsonlFile = None,
    original: Annotated[
        Path | None, typer.Option("--original", metavar="FILE", help="The draft, when there is one job.")
    ] = None,
    edited: Annotated[Path | None, typer.Option("--edited", metavar="FILE", help="What the writer saved.")] = None,
    user: Annotated[
        str | None, typer.Option("--user", metavar="ID", help="The writer; overrides the user_id of all lines.")
    ] = None,
    content: Annotated[
        str | None, typer.Option("--content", metavar="ID", help="With --original; default: name of the edited file.")
    ] = None,
    job: Annotated[
        str | None, typer.Option("--job", metavar="ID", help="With --original: a job_id, to count once however often.")
    ] = None,
    skip_invalid: Annotated[
        bool, typer.Option("--skip-invalid", help="Add the valid lines although others are wrong.")
    ] = False,
    verbose: Annotated[bool, typer.Option("--verbose", "-v", help="Log each job, also when there are many.")] = False,
    json: Json = False,
    redis_url: RedisUrl = None,
) -> None:
    """Add jobs from JSONL or from two files.

    Every line is checked before the first is added; if one is wrong, nothing
    is added. The lines are job objects as schemas/json/learning-job.schema.json
    describes them; a job_id makes a job count once, however often it is added.

    --json prints queued, skipped, first_id and last_id.

    Examples:
      learnsvc enqueue edits.jsonl
      zcat edits.jsonl.gz | learnsvc enqueue - --user ana
      learnsvc enqueue --original draft.txt --edited saved.txt --user ana
    """
    from service.cli.enqueueing import Request, run, single

    pair = original is not None and edited is not None
    if (file is None) is not pair or (original is None) is not (edited is None):
        raise typer.BadParameter("give FILE, or both --original and --edited")
    if not pair and (content or job):
        raise typer.BadParameter("--content and --job go with --original and --edited")
    if pair and user is None:
        raise typer.BadParameter("--original and --edited need --user")
    raw = single(original, edited, user, content, job) if original and edited and user else None
    run(Request(file, raw, user, skip_invalid, verbose, json), redis_url)
