"""The Typer app ``learnsvc``: the table of its commands, and where their errors end.

A command lives in a file of its own, ``service/cli/NAME.py``, which exports either

* a function ``NAME`` with Typer's annotated parameters, or
* a ``typer.Typer`` called ``NAME``, for a group of commands,

and has a row in ``COMMANDS`` below. The file is imported when the command is run or its own help is asked for, and
not before: ``learnsvc --help`` knows the summaries from the table. Importing pymongo and Beanie takes a second, Rich
half of one; so a file imports Typer, ``options`` and ``failures`` at its top and everything else inside its function,
and help is plain text, not Rich's. The rules, each with a test:

* the docstring of the function begins with the summary of its row and has a paragraph that starts with
  ``Examples:``, which keeps its line breaks;
* shared options come from ``options``; ``servers.settings_of(redis_url, mongodb_uri)`` makes the settings of them;
* a function returns None; it ends early with ``raise Failed("one line")`` (exit 1) or ``typer.BadParameter`` (2);
* any error that gets out becomes one line on stderr (``failures.explain``), and a traceback only with ``--debug``.
"""

from __future__ import annotations

import os
import sys
from dataclasses import dataclass
from importlib import import_module
from typing import Annotated, Any

import typer
import typer.main
from typer.core import TyperCommand, TyperGroup
from typer.exceptions import TyperException

from service.cli.failures import Failed, explain


@dataclass(frozen=True, slots=True)
class Command:
    """One row of ``learnsvc --help``."""

    name: str
    panel: str
    summary: str


COMMANDS = {
    row.name: row
    for row in (
        Command("demo", "Try it", "Show the whole way on sample writers, with servers of its own."),
        Command("dev", "Try it", "Run Redis, MongoDB and a worker together, keeping the data."),
        Command("consume", "Work", "Run the worker: read jobs, learn, commit, settle."),
        Command("reclaim", "Work", "Take over pending entries their consumers abandoned."),
        Command("enqueue", "Work", "Add jobs from JSONL or from two files."),
        Command("status", "Look", "Show what waits, what is in work, and who works."),
        Command("doctor", "Look", "Check settings, Redis, MongoDB, Gemini and clocks; say what to do."),
        Command("dead", "Look", "Look at dead letters, put them back, drop them."),
        Command("profile", "Look", "Look at one writer's profile, change it, forget it."),
        Command("analyze", "Without servers", "Say what an edit says about style."),
        Command("replay", "Without servers", "Learn a JSONL of edits offline: profiles, for trying thresholds."),
        Command("schema", "Without servers", "Print or write the JSON Schemas."),
    )
}


class LazyGroup(TyperGroup):
    """Knows its commands from the table and imports the one that is called."""

    def __init__(self, **attributes: Any) -> None:
        super().__init__(**attributes)
        for row in COMMANDS.values():
            self.add_command(TyperCommand(row.name, help=row.summary))

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        if args and args[0] in COMMANDS:
            self.add_command(load(args[0]))
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: Any, formatter: Any) -> None:
        width = max(map(len, COMMANDS))
        for panel in dict.fromkeys(row.panel for row in COMMANDS.values()):
            with formatter.section(panel):
                formatter.write_dl(
                    [(row.name.ljust(width), row.summary) for row in COMMANDS.values() if row.panel == panel]
                )

    def invoke(self, ctx: Any) -> Any:
        """Run the command; unless ``--debug`` is on, its errors leave as one line."""
        if ctx.params.get("debug"):
            return super().invoke(ctx)
        try:
            return super().invoke(ctx)
        except (TyperException, typer.Exit, typer.Abort, BrokenPipeError):
            raise
        except Exception as error:  # noqa: BLE001 - the outermost place: sorted by class, none swallowed
            raise Failed(explain(error)) from None


def load(name: str) -> Any:
    """Import the file of a command and return the command, ready to run."""
    found = getattr(import_module(f"service.cli.{name}"), name)
    if isinstance(found, typer.Typer):
        group = found
    else:
        group = typer.Typer(add_completion=False)
        group.command(name)(found)
    return prepared(group, name)


def prepared(group: typer.Typer, name: str) -> Any:
    """Return the command of ``group`` with plain help, in which examples keep their lines."""
    group.rich_markup_mode = None
    command = typer.main.get_command(group)
    command.name = name
    for one in (command, *getattr(command, "commands", {}).values()):
        # A backspace alone on a line is Click's mark of a paragraph that must not be wrapped.
        one.help = (one.help or "").replace("\n\nExamples:", "\n\n\b\nExamples:")
    return command


app = typer.Typer(
    cls=LazyGroup,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _version(wanted: bool) -> None:
    if wanted:
        from service.version import is_compiled, own_version

        typer.echo(f"learnsvc {own_version()}{', analysis and learning compiled' if is_compiled() else ''}")
        raise typer.Exit


@app.callback()
def learnsvc(
    debug: Annotated[bool, typer.Option("--debug", help="Show the traceback of an error.")] = False,
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    """Learn each writer's style from the edits they save.

    Jobs come from a Redis stream, profiles go to MongoDB. Settings are
    environment variables or lines of .env, such as REDIS_URL and MONGODB_URI.

    Examples:
      learnsvc demo
      learnsvc enqueue edits.jsonl && learnsvc consume
      learnsvc profile show ana
    """


def main() -> None:
    """Run ``learnsvc`` and exit: 0 done, 1 failed, 2 wrong usage, 130 after Ctrl-C."""
    try:
        code = prepared(app, "learnsvc").main(prog_name="learnsvc", standalone_mode=False)
        sys.stdout.flush()
    except TyperException as error:
        code = _complain(error)
    except typer.Abort:
        code = 1
    except KeyboardInterrupt:
        code = 130
    except BrokenPipeError:
        # The reader of our output has gone, as in `learnsvc dead list | head`; nothing may complain at exit either.
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
        code = 1
    sys.exit(code if isinstance(code, int) else 0)


def _complain(error: TyperException) -> int:
    """Write the one line of an error and return the exit code."""
    context = getattr(error, "ctx", None)
    line = " ".join(error.format_message().split()).removeprefix("Invalid value: ")
    if context is not None and line:
        line = f"{line.rstrip('.')}. See {context.command_path} --help"
    if line:
        typer.echo(typer.style("Error: ", fg="red", bold=True) + line, err=True)
    return error.exit_code
