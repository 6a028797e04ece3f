"""``learnsvc profile``: one writer's profile: look at it, change it, erase it."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from service.cli.options import Json, MongodbUri, RedisUrl, Writer, Yes

profile = typer.Typer(add_completion=False, no_args_is_help=True)


@profile.callback()
def _group() -> None:
    """Look at one writer's profile, change it, forget it.

    Changes are new revisions: nothing is lost but by forget.

    Examples:
      learnsvc profile show ana
      learnsvc profile override ana tone.formality 8
      learnsvc profile forget ana
    """


@profile.command()
def show(user: Writer, json: Json = False, mongodb_uri: MongodbUri = None) -> None:
    """Show a profile: style, what is claimed with its evidence, score.

    --json prints the profile as stored, less applied and versions.

    Examples:
      learnsvc profile show ana
      learnsvc profile show ana --json | jq .directions
    """
    from service.cli.output import print_json
    from service.cli.profile_view import print_profile, published
    from service.cli.profiling import read

    found = read(user, mongodb_uri)
    if json:
        print_json(published(found))
    else:
        print_profile(found)


@profile.command()
def history(user: Writer, json: Json = False, mongodb_uri: MongodbUri = None) -> None:
    """Show how a profile came about: each update with its reasons.

    --json prints a list of at, revision, iteration, score, components, edits,
    edit_count, patterns, changes, and kept: whether rollback can go there.

    Examples:
      learnsvc profile history ana
    """
    from service.cli.history_view import print_history
    from service.cli.profiling import read

    print_history(read(user, mongodb_uri), json)


@profile.command()
def rollback(
    user: Writer,
    revision: Annotated[int, typer.Argument(metavar="REVISION", min=1, help="As profile history shows it.")],
    redis_url: RedisUrl = None,
    mongodb_uri: MongodbUri = None,
) -> None:
    """Go back to the style of an earlier revision.

    Later edits are evidence no more; the next one learns on from there.

    Examples:
      learnsvc profile rollback ana 12
    """
    from service.cli.profiling import change
    from service.learning.edit import rollback as go_back

    change(user, lambda profile, rules, now: go_back(profile, revision, rules, now), redis_url, mongodb_uri)


@profile.command()
def override(
    user: Writer,
    path: Annotated[
        str | None, typer.Argument(metavar="PATH", help="Such as tone.formality.", show_default=False)
    ] = None,
    value: Annotated[
        str | None, typer.Argument(metavar="VALUE", help="JSON, or a bare word.", show_default=False)
    ] = None,
    unset: Annotated[str | None, typer.Option("--unset", metavar="PATH", help="Give this back to learning.")] = None,
    redis_url: RedisUrl = None,
    mongodb_uri: MongodbUri = None,
) -> None:
    """Set a value that learning never touches again, or give it back.

    Paths are those of profile show --json; a group such as tone takes an
    object of values.

    Examples:
      learnsvc profile override ana tone.formality 8
      learnsvc profile override ana banned_phrases '["delve into"]'
      learnsvc profile override ana --unset tone.formality
    """
    from service.cli.profiling import change, parsed
    from service.learning.edit import override as set_value

    if (unset is None) is (path is None) or (value is None) is not (path is None):
        raise typer.BadParameter("give PATH and VALUE, or --unset PATH")
    where, what = (unset, None) if path is None or value is None else (path, parsed(value))
    change(user, lambda profile, rules, now: set_value(profile, where or "", what, rules, now), redis_url, mongodb_uri)


@profile.command()
def seed(
    user: Writer,
    file: Annotated[Path, typer.Argument(metavar="FILE", help="A partial profile as JSON; - reads stdin.")],
    source: Annotated[
        str, typer.Option("--source", metavar="WORD", help="Where it comes from: manual, file or archetype.")
    ] = "file",
    redis_url: RedisUrl = None,
    mongodb_uri: MongodbUri = None,
) -> None:
    """Start a profile from what is known, or put it under what was learned.

    FILE has the shape of profile show --json, with any keys left out.

    Examples:
      learnsvc profile seed ana archetype.json --source archetype
      echo '{"tone": {"formality": 8}}' | learnsvc profile seed ana -
    """
    from service.cli.profiling import change, partial_of
    from service.learning.edit import seed as start_from

    match source:
        case "manual" | "file" | "archetype":
            partial = partial_of(file)
            change(
                user,
                lambda profile, rules, now: start_from(profile, partial, rules, now, source),
                redis_url,
                mongodb_uri,
                create=True,
            )
        case _:
            raise typer.BadParameter("--source is one of: manual, file, archetype")


@profile.command()
def forget(
    user: Writer,
    yes: Yes = False,
    json: Json = False,
    redis_url: RedisUrl = None,
    mongodb_uri: MongodbUri = None,
) -> None:
    """Erase a person everywhere, for good.

    The profile, jobs that wait or are in work, dead letters, and the
    application's cache keys. What the application sends later is new.

    --json prints profile, jobs, in_work, dead_letters and cache_keys.

    Examples:
      learnsvc profile forget ana
      learnsvc profile forget ana --yes --json
    """
    from service.cli.forgetting import forget_everywhere

    forget_everywhere(user, yes, json, redis_url, mongodb_uri)


@profile.command()
def guide(
    user: Writer,
    max_tokens: Annotated[
        int | None, typer.Option("--max-tokens", min=1, metavar="N", help="Leave out the least supported lines.")
    ] = None,
    format: Annotated[str, typer.Option("--format", metavar="WORD", help="text, or json with evidence.")] = "text",
    mongodb_uri: MongodbUri = None,
) -> None:
    """Print the style guide: the profile in plain language, for a prompt.

    --format json prints a list of text, support and path.

    Examples:
      learnsvc profile guide ana --max-tokens 200
      learnsvc profile guide ana --format json
    """
    from service.cli.profiling import print_guide

    if format not in ("text", "json"):
        raise typer.BadParameter("--format is text or json")
    print_guide(user, max_tokens, format, mongodb_uri)
