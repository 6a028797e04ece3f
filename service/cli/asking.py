"""Asking before something is deleted for good."""

from __future__ import annotations

import typer

from service.cli.failures import Failed
from service.cli.output import is_terminal


def confirm(question: str, yes: bool) -> None:
    """Go on after a yes; ``Failed`` after a no, and where nobody can be asked."""
    if yes:
        return
    if not is_terminal():
        raise Failed("this deletes for good and nobody can be asked here: add --yes")
    if not typer.confirm(question, err=True):
        raise Failed("nothing was deleted")
