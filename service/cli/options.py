"""Options and arguments that several commands share, declared once."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

Json = Annotated[bool, typer.Option("--json", help="Print JSON, stable and complete, for programs.")]
RedisUrl = Annotated[
    str | None, typer.Option("--redis-url", metavar="URL", help="Redis to use, instead of the setting REDIS_URL.")
]
MongodbUri = Annotated[
    str | None,
    typer.Option("--mongodb-uri", metavar="URI", help="MongoDB to use, instead of the setting MONGODB_URI."),
]
Yes = Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")]
Writer = Annotated[str, typer.Argument(metavar="USER", help="The writer's user_id.", show_default=False)]
JsonlFile = Annotated[
    Path | None,
    typer.Argument(metavar="FILE", help="Jobs as JSON, one a line; - reads stdin.", show_default=False),
]
