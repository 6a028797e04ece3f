"""``learnsvc dead``: entries that could not be learned, with their payload and the reason."""

from __future__ import annotations

import re
from typing import Annotated

import typer

from service.cli.options import Json, RedisUrl, Yes

_ENTRY_ID = re.compile(r"\d{1,20}-\d{1,20}")


def _checked(ids: list[str] | None) -> list[str]:
    for id in ids or []:
        if not _ENTRY_ID.fullmatch(id):
            raise typer.BadParameter(f"{id!r} is no id of a dead letter, such as 1735732800000-0")
    return ids or []


def _one(id: str) -> str:
    return _checked([id])[0]


Ids = Annotated[
    list[str] | None,
    typer.Argument(metavar="ID", help="Ids from learnsvc dead list.", callback=_checked, show_default=False),
]
All = Annotated[bool, typer.Option("--all", help="All dead letters there are now.")]
Reason = Annotated[str | None, typer.Option("--reason", metavar="WORD", help="With --all: only those of this reason.")]

dead = typer.Typer(add_completion=False, no_args_is_help=True)


@dead.callback()
def _group() -> None:
    """Look at dead letters, put them back, drop them.

    Examples:
      learnsvc dead list
      learnsvc dead show 1735732800000-0
      learnsvc dead replay --all --reason attempts
    """


@dead.command("list")
def list_(
    limit: Annotated[int, typer.Option("--limit", min=1, metavar="N", help="Show the oldest N.")] = 100,
    json: Json = False,
    redis_url: RedisUrl = None,
) -> None:
    """List dead letters, the oldest first, without their payload.

    --json prints a list of id, reason, detail, source_id, deliveries,
    dead_at, user_id and job_id.

    Examples:
      learnsvc dead list --limit 20
      learnsvc dead list --json | jq -r '.[].user_id' | sort | uniq -c
    """
    from service.cli.dead_view import run, show_list

    run(redis_url, show_list, limit, json)


@dead.command()
def show(
    id: Annotated[str, typer.Argument(metavar="ID", callback=_one, show_default=False)],
    json: Json = False,
    redis_url: RedisUrl = None,
) -> None:
    """Show one dead letter with its whole payload.

    --json adds fields, the raw fields of the entry, to what the list has.

    Examples:
      learnsvc dead show 1735732800000-0
      learnsvc dead show 1735732800000-0 --json | jq -r .fields.job
    """
    from service.cli.dead_view import run, show_one

    run(redis_url, show_one, id, json)


@dead.command()
def replay(
    ids: Ids = None,
    all: All = False,
    reason: Reason = None,
    json: Json = False,
    redis_url: RedisUrl = None,
) -> None:
    """Put dead letters back on the stream, under their own job id.

    A job that was applied after all is recognised and counts once.

    Examples:
      learnsvc dead replay 1735732800000-0
      learnsvc dead replay --all --reason attempts
    """
    from service.cli.dead_view import replay_all, run

    run(redis_url, replay_all, _chosen(ids, all, reason), json)


@dead.command()
def drop(
    ids: Ids = None,
    all: All = False,
    reason: Reason = None,
    yes: Yes = False,
    json: Json = False,
    redis_url: RedisUrl = None,
) -> None:
    """Delete dead letters for good.

    Examples:
      learnsvc dead drop 1735732800000-0
      learnsvc dead drop --all --reason duplicate_key --yes
    """
    from service.cli.dead_view import drop_all, run

    run(redis_url, drop_all, _chosen(ids, all, reason), yes, json)


def _chosen(ids: list[str] | None, all: bool, reason: str | None) -> tuple[list[str], str | None]:
    """Return the ids, none for all, and the reason asked for."""
    from typing import get_args

    from schemas.dead_letter import DeadReason

    if bool(ids) is all:
        raise typer.BadParameter("give ids, or --all")
    if reason is not None and not all:
        raise typer.BadParameter("--reason goes with --all")
    if reason is not None and reason not in get_args(DeadReason):
        raise typer.BadParameter(f"--reason is one of: {', '.join(get_args(DeadReason))}")
    return ids or [], reason
