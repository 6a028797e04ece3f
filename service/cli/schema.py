"""``learnsvc schema``: the JSON Schemas, generated from the models."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from service.cli.failures import Failed

DIALECT = "https://json-schema.org/draft/2020-12/schema"
FILES = {
    "job": "learning-job.schema.json",
    "delta": "style-delta.schema.json",
    "profile": "style-profile.schema.json",
    "dead-letter": "dead-letter.schema.json",
}


def schema(
    name: Annotated[
        str | None,
        typer.Argument(metavar="[job|delta|profile|dead-letter]", help="Default: all of them.", show_default=False),
    ] = None,
    write: Annotated[
        Path | None, typer.Option("--write", metavar="DIR", help="Write a file each instead of printing.")
    ] = None,
) -> None:
    """Print or write the JSON Schemas.

    Draft 2020-12, as programs in other languages check what they send and
    read. Without a name all are printed, as one object by name.

    Examples:
      learnsvc schema job
      learnsvc schema --write schemas/json
    """
    from service.cli.output import print_json

    if name is not None and name not in FILES:
        raise typer.BadParameter(f"{name!r} is no schema; there are: {', '.join(FILES)}")
    names = [name] if name else list(FILES)
    if write is None:
        print_json(generate(name) if name else {one: generate(one) for one in names})
        return
    if not write.is_dir():
        raise Failed(f"{write}: is no directory")
    for one in names:
        (write / FILES[one]).write_bytes(as_file(generate(one)))
        typer.echo(write / FILES[one])


def generate(name: str) -> dict[str, Any]:
    """Return the schema ``name`` of ``FILES``."""
    found = _model(name).model_json_schema()
    head = {key: found.pop(key) for key in ("title", "description", "type") if key in found}
    definitions = found.pop("$defs", None)
    return {"$schema": DIALECT, **head, **found, **({"$defs": definitions} if definitions else {})}


def as_file(value: dict[str, Any]) -> bytes:
    import orjson

    return orjson.dumps(value, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE)


def _model(name: str) -> Any:
    from schemas.dead_letter import DeadLetter
    from schemas.delta import StyleDelta
    from schemas.job import LearningJob

    if name == "profile":
        from schemas.profile import Profile

        return Profile
    return {"job": LearningJob, "delta": StyleDelta, "dead-letter": DeadLetter}[name]
