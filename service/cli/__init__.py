"""The commands of ``learnsvc``: they join rooms and print, and decide nothing themselves."""

from __future__ import annotations

from service.cli.app import main

__all__ = ["main"]
