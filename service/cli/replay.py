"""``learnsvc replay``: learning offline, for trying thresholds."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from service.cli.options import Json


def replay(
    file: Annotated[
        Path, typer.Argument(metavar="FILE", help="Jobs as JSON, one a line; - reads stdin.", show_default=False)
    ],
    baseline: Annotated[
        Path | None,
        typer.Option("--baseline", metavar="FILE", help="JSON list of partial profiles, with user_id, to start from."),
    ] = None,
    history: Annotated[bool, typer.Option("--history", help="With --json: the profile after each edit.")] = False,
    set: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="NAME=VALUE", help="A setting of learning, such as PATTERN_THRESHOLD_EMOJI=2."),
    ] = None,
    json: Json = False,
) -> None:
    """Learn a JSONL of edits offline: profiles, for trying thresholds.

    Analysis, lexical tone and learning run as in the worker, with edited_at
    as the clock and without any server. Edits of a writer are ordered by
    edited_at; one without it counts as saved a minute after the one before it
    in the file. A job_id that comes again counts once.

    --json prints a list of profiles, one a writer, as profile show --json
    does; with --history each has history, the profile after each edit less
    recent_edits, baseline and evolution_timeline, with after_edit from 1.

    Examples:
      learnsvc replay edits.jsonl
      learnsvc replay edits.jsonl --set PATTERN_THRESHOLD_EMOJI=2
      learnsvc replay edits.jsonl --json --history | jq '.[0].history[-1]'
    """
    from service.cli.replay_view import run

    if history and not json:
        raise typer.BadParameter("--history goes with --json")
    run(file, baseline, history, set or [], json)
