"""Reading and showing the state for ``status``."""

from __future__ import annotations

import time
from contextlib import AsyncExitStack
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any

import anyio
from redis.asyncio import Redis
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from service.cli.failures import Failed, explain
from service.cli.output import ago, clean, columns, console, print_json, print_line
from service.cli.servers import keys_of, profiles_of, redis_of
from service.errors import DependencyDown, Misconfigured
from service.profiles import ProfileStore
from service.settings import Settings
from service.streams.depth import ConsumerState, QueueState, read_state
from service.streams.keys import Keys
from service.streams.minutes import rate as settled_a_minute
from service.streams.minutes import read_minutes, read_versions
from service.streams.reasons import count_reasons
from service.tone.shared import ToneKeys
from service.tone.usage import Usage, read_usage

MONGODB_SECONDS = 2.0  # what the Redis half waits for the other at most


RATES = (1, 5, 15)  # minutes


@dataclass(frozen=True, slots=True)
class History:
    """What Redis remembers: entries settled a minute over the last ``RATES`` minutes, and why the newest are dead."""

    rates: tuple[float, ...] = ()
    dead_by_reason: tuple[tuple[str, int], ...] = ()

    def as_json(self) -> dict[str, Any]:
        rates = {f"{minutes}m": round(one, 2) for minutes, one in zip(RATES, self.rates, strict=False)}
        return {"completed_a_minute": rates, "dead_by_reason": dict(self.dead_by_reason)}


@dataclass(frozen=True, slots=True)
class Learning:
    """What MongoDB knows: writers whose recorded edits wait to be learned, and how many of them are due.

    ``usage`` is what Redis knows of the model's cost, ``history`` what it remembers of the last minutes.
    """

    error: str | None = None
    waiting: int = 0
    due: int = 0
    usage: Usage = field(default_factory=Usage)
    history: History = field(default_factory=History)

    def as_json(self) -> dict[str, Any]:
        state = "disconnected" if self.error else "connected"
        return {"mongodb": state, "writers_waiting": self.waiting, "writers_due": self.due}


class Source:
    """Both servers; MongoDB is connected when it answers, and asked again when it does not."""

    def __init__(self, settings: Settings, redis: Redis, stack: AsyncExitStack) -> None:
        self._settings = settings
        self._redis = redis
        self._stack = stack
        self._store: ProfileStore | None = None

    async def read(self) -> tuple[QueueState, Learning]:
        keys = keys_of(self._settings)
        state = await read_state(self._redis, keys)
        history = await read_history(self._redis, keys, state)
        usage = await read_usage(self._redis, ToneKeys.of(self._settings.learning_key_prefix))
        try:
            return state, replace(await self._learning(), usage=usage, history=history)
        except (DependencyDown, Misconfigured, Failed) as error:
            return state, Learning(explain(error), usage=usage, history=history)

    async def _learning(self) -> Learning:
        if self._store is None:
            self._store = await self._stack.enter_async_context(profiles_of(self._settings))
        seconds, _ = await self._redis.time()
        return Learning(None, *await self._store.count_due(datetime.fromtimestamp(seconds, UTC)))


async def read_history(redis: Redis, keys: Keys, state: QueueState) -> History:
    """Return what Redis remembers, and note the version of each consumer in ``state``."""
    minutes = await read_minutes(redis, keys, max(RATES) + 1)
    versions = await read_versions(redis, keys, [one.name for one in state.consumers])
    for one in state.consumers:
        one.version = versions.get(one.name, "")
    reasons = await count_reasons(redis, keys) if state.dead else ()
    return History(tuple(settled_a_minute(minutes, number) for number in RATES), reasons)


async def show(settings: Settings, json: bool) -> None:
    async with redis_of(settings) as redis, AsyncExitStack() as stack:
        state, learning = await Source(_patient(settings), redis, stack).read()
    if json:
        print_json(_json(state, learning))
    else:
        console().print(render(state, learning, settings))


async def watch_it(settings: Settings, interval: float, json: bool) -> None:
    """Show the state every ``interval`` seconds, in place on a terminal."""
    async with redis_of(settings) as redis, AsyncExitStack() as stack:
        source = Source(_patient(settings), redis, stack)
        if json:
            while True:
                print_line(_json(*await source.read()))
                await anyio.sleep(interval)
        await _refresh(source, settings, interval)


async def _refresh(source: Source, settings: Settings, interval: float) -> None:
    from rich.live import Live

    rate = Rate()
    with Live(console=console(), auto_refresh=False, transient=False) as live:
        while True:
            state, learning = await source.read()
            live.update(render(state, learning, settings, rate.of(state.completed)), refresh=True)
            await anyio.sleep(interval)


class Rate:
    """Completed entries a second, between two looks."""

    def __init__(self) -> None:
        self._last: tuple[float, int] | None = None

    def of(self, completed: int) -> float | None:
        now, last = time.monotonic(), self._last
        self._last = now, completed
        return None if last is None else max(0.0, (completed - last[1]) / max(now - last[0], 0.001))


def _patient(settings: Settings) -> Settings:
    seconds = min(MONGODB_SECONDS, settings.learning_mongodb_timeout_seconds)
    return settings.model_copy(update={"learning_mongodb_timeout_seconds": seconds})


def _json(state: QueueState, learning: Learning) -> dict[str, Any]:
    return {
        **state.as_json(),
        **learning.history.as_json(),
        "learning": learning.as_json(),
        "gemini": learning.usage.as_json(),
    }


def render(state: QueueState, learning: Learning, settings: Settings, rate: float | None = None) -> Group:
    """The state as a person reads it; what needs attention says what to do."""
    stream = ", ".join(partition.jobs for partition in keys_of(settings).partitions[:1])
    more = f" and {settings.learning_partitions - 1} more" if settings.learning_partitions > 1 else ""
    head = Text.assemble(("Jobs", "bold"), f" in {stream}{more}")
    parts: list[RenderableType] = [
        head,
        _counts(state, settings, rate, learning.history),
        Text(),
        Text("Learning", style="bold"),
        _learning(learning),
    ]
    if learning.usage.asked:
        parts += [Text(), Text("Gemini", style="bold"), _gemini(learning.usage, settings)]
    return Group(*parts, Text(), Text("Consumers", style="bold"), _consumers(state.consumers, settings))


def _counts(state: QueueState, settings: Settings, rate: float | None, history: History) -> Table:
    stale = state.oldest_pending_seconds > 2 * settings.learning_lease_seconds
    pending = f"oldest {ago(state.oldest_pending_seconds)}" if state.active else ""
    waiting = f"oldest {ago(state.oldest_waiting_seconds)}" if state.waiting else ""
    done = [f"{state.duplicates:,} of them seen before"] if state.duplicates else []
    done += [f"{rate:,.1f} a second"] if rate is not None else []
    table = _facts()
    table.add_row("  waiting", f"{state.waiting:,}", waiting)
    table.add_row("  active", f"{state.active:,}", pending + (": see learnsvc reclaim --dry-run" if stale else ""))
    table.add_row("  completed", f"{state.completed:,}", ", ".join(done))
    if any(history.rates):
        spans = ", ".join(f"{one:,.1f} over {minutes}" for one, minutes in zip(history.rates, RATES, strict=True))
        table.add_row("  a minute", f"{history.rates[0]:,.1f}", f"{spans} min")
    table.add_row("  failed", f"{state.failed:,}", "")
    hint = Text("see learnsvc dead list", style="yellow") if state.dead else Text()
    table.add_row("  dead", Text(f"{state.dead:,}", style="red" if state.dead else ""), hint)
    for reason, number in history.dead_by_reason:
        table.add_row(f"    {clean(reason)}", f"{number:,}", "")
    return table


def _learning(learning: Learning) -> Table | Text:
    if learning.error:
        return Text(f"  {clean(learning.error)}", style="red")
    table = _facts()
    table.add_row(
        "  writers waiting",
        f"{learning.waiting:,}",
        "edits recorded, learned when the rate limit allows" if learning.waiting else "",
    )
    table.add_row("  writers due", f"{learning.due:,}", "a worker learns them now" if learning.due else "")
    return table


def _gemini(usage: Usage, settings: Settings) -> Table:
    ceiling = settings.gemini_max_tokens_per_day
    table = _facts()
    table.add_row("  calls", f"{usage.calls:,}", f"{usage.calls_this_minute:,} in the last minute")
    today = f"{usage.tokens_today:,} of {ceiling:,} today" if ceiling else ""
    table.add_row("  tokens in, out", f"{usage.tokens_in:,}", f"{usage.tokens_out:,} out, {today}".rstrip(", "))
    table.add_row("  from the cache", f"{usage.hit_rate:.0%}", f"of {usage.cache_hits + usage.cache_misses:,} edits")
    hint = f"{usage.failures:,} failed questions: word lists answered" if usage.failures else ""
    table.add_row("  fell back", f"{usage.fallbacks:,}", hint)
    return table


def _consumers(consumers: list[ConsumerState], settings: Settings) -> Table | Text:
    if not consumers:
        return Text("  none: start one with learnsvc consume", style="yellow")
    table = columns("  name", ">pending", ">idle", "version")
    for one in sorted(consumers, key=lambda one: one.idle_seconds):
        gone = one.idle_seconds > settings.learning_lease_seconds
        table.add_row(
            "  " + clean(one.name),
            f"{one.pending:,}",
            ago(one.idle_seconds),
            clean(one.version),
            style="dim" if gone else "",
        )
    return table


def _facts() -> Table:
    table = Table.grid(padding=(0, 2))
    table.add_column(min_width=19)
    table.add_column(justify="right", min_width=7)
    table.add_column(style="dim", overflow="fold")
    return table
