"""What the commands of ``dead`` do and print."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import anyio
import orjson
from redis.asyncio import Redis
from rich.text import Text

from schemas.dead_letter import DeadLetter
from service.cli.asking import confirm
from service.cli.failures import Failed
from service.cli.output import clean, columns, console, plural, print_json
from service.cli.servers import keys_of, redis_of, settings_of
from service.streams import dead_letters
from service.streams.keys import Keys, PartitionKeys

Chosen = tuple[list[str], str | None]
Found = tuple[PartitionKeys, str, dict[bytes, bytes]]


def run(redis_url: str | None, action: Callable[..., Awaitable[None]], *args: Any) -> None:
    settings = settings_of(redis_url)

    async def with_redis() -> None:
        async with redis_of(settings) as redis:
            await action(redis, keys_of(settings), *args)

    anyio.run(with_redis)


async def show_list(redis: Redis, keys: Keys, limit: int, json: bool) -> None:
    letters: list[DeadLetter] = []
    async for _, id, fields in dead_letters.walk(redis, keys):
        letters.append(dead_letters.parse(id, {key: value for key, value in fields.items() if key != b"job"}))
        if len(letters) == limit:
            break
    if json:
        print_json([letter.model_dump(exclude={"fields"}) for letter in letters])
        return
    if not letters:
        console().print("No dead letters.", style="green")
        return
    _print_table(letters)
    total = sum([await redis.xlen(partition.dead) for partition in keys.partitions])
    if total > len(letters):
        console().print(f"{total - len(letters):,} newer ones are not shown: --limit {total}", style="dim")


def _print_table(letters: list[DeadLetter]) -> None:
    table = columns("id", "dead since", "reason", "writer", "detail")
    for name in ("id", "dead since", "reason"):
        table.columns[["id", "dead since", "reason"].index(name)].no_wrap = True
    for letter in letters:
        since = letter.dead_at[:16].replace("T", " ")
        reason = Text(letter.reason, style="red")
        table.add_row(letter.id, since, reason, clean(letter.user_id or "-"), clean(letter.detail))
    console().print(table)


async def show_one(redis: Redis, keys: Keys, id: str, json: bool) -> None:
    found = await dead_letters.find(redis, keys, id)
    if found is None:
        raise Failed(_unknown(id))
    letter = dead_letters.parse(id, found[1])
    if json:
        print_json(letter.model_dump())
        return
    facts = columns("", "")
    facts.show_header = False
    for name, value in letter.model_dump(exclude={"fields", "history"}).items():
        facts.add_row(Text(name, style="bold"), clean("-" if value is None else str(value)))
    for death in letter.history:
        facts.add_row(Text("died before", style="bold"), clean(f"{death.dead_at} {death.reason}: {death.detail}"))
    screen = console()
    screen.print(facts)
    for name, text in letter.fields.items():
        screen.print(f"\n{clean(name)}", style="bold")
        for line in _pretty(text).split("\n"):
            screen.print(_visible(line), soft_wrap=True)


def _visible(line: str) -> str:
    """The line with control characters made visible, whole, however long."""
    return "".join(clean(line[start : start + 1000]) for start in range(0, len(line), 1000))


def _pretty(text: str) -> str:
    try:
        return orjson.dumps(orjson.loads(text), option=orjson.OPT_INDENT_2).decode()
    except orjson.JSONDecodeError:
        return text


def _unknown(id: str) -> str:
    return f"there is no dead letter {id}: see learnsvc dead list"


async def replay_all(redis: Redis, keys: Keys, chosen: Chosen, json: bool) -> None:
    replayed = []
    async for partition, id, fields in _choose(redis, keys, chosen):
        new = await dead_letters.replay(redis, partition, id, fields)
        if new is not None:
            replayed.append({"id": id, "entry_id": new})
    if json:
        print_json({"replayed": replayed})
    else:
        console().print(f"Put back {plural(len(replayed), 'dead letter')}.")


async def drop_all(redis: Redis, keys: Keys, chosen: Chosen, yes: bool, json: bool) -> None:
    what = plural(len(chosen[0]), "dead letter") if chosen[0] else "all dead letters of now"
    only = f" with the reason {chosen[1]}" if chosen[1] else ""
    began = await _now(redis)
    confirm(f"Delete {what}{only} for good?", yes)
    dropped = []
    async for partition, id, _ in _choose(redis, keys, chosen, began):
        if await dead_letters.drop(redis, partition, id):
            dropped.append(id)
    if json:
        print_json({"dropped": dropped})
    else:
        console().print(f"Dropped {plural(len(dropped), 'dead letter')}.")


async def _choose(redis: Redis, keys: Keys, chosen: Chosen, began: int | None = None) -> AsyncIterator[Found]:
    """Yield the chosen dead letters; of all only those that were dead when the command began.

    A letter that is put back may die again at once, and would be found again without end.
    """
    ids, reason = chosen
    began = await _now(redis) if began is None else began
    for id in ids:
        found = await dead_letters.find(redis, keys, id)
        if found is None:
            raise Failed(_unknown(id))
        yield found[0], id, found[1]
    if ids:
        return
    async for partition, id, fields in dead_letters.walk(redis, keys):
        fits = reason is None or fields.get(b"reason") == reason.encode()
        if fits and int(id.partition("-")[0]) <= began:
            yield partition, id, fields


async def _now(redis: Redis) -> int:
    seconds, microseconds = await redis.time()
    return int(seconds) * 1000 + int(microseconds) // 1000
