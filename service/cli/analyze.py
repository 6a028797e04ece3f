"""``learnsvc analyze``: the style delta of an edit, without any server."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from service.cli.options import Json


def analyze(
    original: Annotated[Path | None, typer.Argument(metavar="ORIGINAL", help="The draft.", show_default=False)] = None,
    edited: Annotated[
        Path | None, typer.Argument(metavar="EDITED", help="What the writer saved.", show_default=False)
    ] = None,
    jsonl: Annotated[
        Path | None, typer.Option("--jsonl", metavar="FILE", help="Jobs as JSON, one a line; - reads stdin.")
    ] = None,
    json: Json = False,
) -> None:
    """Say what an edit says about style.

    Two text files are compared for a person, with the changed spans by class:
    moved, typo, correction and case say nothing about style; substitution,
    insertion and deletion do. --json prints the StyleDelta instead.

    --jsonl prints a StyleDelta a line, with its job_id (the line's own, or
    line-N). Wrong lines are named on stderr and the exit code is 1.

    Examples:
      learnsvc analyze draft.txt saved.txt
      learnsvc analyze --jsonl edits.jsonl | jq -c '[.job_id, .is_noise]'
    """
    from service.cli.analyzing import print_deltas, print_edit

    if (jsonl is None) is (original is None or edited is None):
        raise typer.BadParameter("give ORIGINAL and EDITED, or --jsonl FILE")
    if jsonl is not None:
        if original is not None:
            raise typer.BadParameter("give ORIGINAL and EDITED, or --jsonl FILE")
        print_deltas(jsonl)
    elif original is not None and edited is not None:
        print_edit(original, edited, json)
