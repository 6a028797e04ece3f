"""``learnsvc doctor``: is everything a worker needs there, and as it should be."""

from __future__ import annotations

from typing import TYPE_CHECKING

from service.cli.options import Json, MongodbUri, RedisUrl

if TYPE_CHECKING:
    from service.doctor import Finding


def doctor(json: Json = False, redis_url: RedisUrl = None, mongodb_uri: MongodbUri = None) -> None:
    """Check settings, Redis, MongoDB, Gemini and clocks; say what to do.

    Changes nothing. A fail means that learnsvc cannot work so or will lose
    data; a warning, that a careful operator would change it, or that it could
    not be looked at. Exit code 1 when anything failed. With GEMINI_API_KEY it
    asks the model one short question.

    --json prints ok, failed, warned and checks: a list of area, check,
    status (ok, warn, fail), says and advice.

    Examples:
      learnsvc doctor
      learnsvc doctor --redis-url rediss://user:password@cache:6379/0
      learnsvc doctor --json | jq '.checks[] | select(.status == "fail")'
    """
    import anyio

    from service.cli.doctor_view import show
    from service.doctor import examine
    from service.logs import configure

    configure("error")  # the drivers' own warnings would stand between the lines
    given = {"redis_url": redis_url, "mongodb_uri": mongodb_uri}

    async def look() -> list[Finding]:
        return await examine(**{name: value for name, value in given.items() if value is not None})

    show(anyio.run(look), json)
