"""The pure parts around a call: breaker, retries, budget, cache and the reading of an answer."""

from __future__ import annotations

import json

import anyio
import pytest

from schemas.delta import ToneShift
from service.tone.answer import Reply, read
from service.tone.base import REASONS, Judgement, Reason, ToneFailure
from service.tone.breaker import ANSWERED, UNSENT, Breaker
from service.tone.budget import LocalCallBudget
from service.tone.cache import MemoryToneCache, content_key
from service.tone.retry import RetryPolicy, pause


class Clock:
    def __init__(self) -> None:
        self.now = 1_000.0

    def __call__(self) -> float:
        return self.now


def attempt(breaker: Breaker, reason: Reason | None = None) -> str:
    """One guarded call with this outcome; says whether it was let through."""
    try:
        with breaker.guard():
            if reason is not None:
                raise ToneFailure(reason)
    except ToneFailure as failure:
        return failure.reason
    return "answered"


def test_the_breaker_opens_probes_and_closes() -> None:
    clock = Clock()
    breaker = Breaker(3, 30, clock)
    assert [attempt(breaker, "timeout") for _ in range(3)] == ["timeout"] * 3
    assert breaker.is_open
    assert attempt(breaker) == "breaker_open"
    clock.now += 29.9
    assert attempt(breaker) == "breaker_open"
    clock.now += 0.1
    assert not breaker.is_open
    assert attempt(breaker, "server_error") == "server_error"  # the probe fails: open again, at once
    assert attempt(breaker) == "breaker_open"
    clock.now += 30
    assert attempt(breaker) == "answered"
    assert attempt(breaker, "timeout") == "timeout"
    assert not breaker.is_open


def test_half_open_lets_one_call_through() -> None:
    clock = Clock()
    breaker = Breaker(1, 30, clock)
    attempt(breaker, "network")
    clock.now += 31
    with breaker.guard():
        assert attempt(breaker) == "breaker_open"
    assert attempt(breaker) == "answered"


def test_a_cancelled_probe_is_given_back() -> None:
    clock = Clock()
    breaker = Breaker(1, 30, clock)
    attempt(breaker, "network")
    clock.now += 31
    with pytest.raises(KeyboardInterrupt), breaker.guard():
        raise KeyboardInterrupt
    assert attempt(breaker) == "answered"


@pytest.mark.parametrize("reason", [reason for reason in REASONS if reason != "breaker_open"])
def test_what_counts_against_the_service(reason: Reason) -> None:
    breaker = Breaker(2, 30, Clock())
    attempt(breaker, "timeout")
    attempt(breaker, reason)
    assert breaker.is_open == (reason not in ANSWERED | UNSENT)
    attempt(breaker, "timeout")
    assert breaker.is_open == (reason not in ANSWERED)  # an answer between two failures breaks the row


PAUSES: list[tuple[list[ToneFailure], int, float, float | None]] = [
    ([ToneFailure("server_error")], 2, 8, 0.25),
    ([ToneFailure("server_error")], 1, 8, None),
    ([ToneFailure("server_error"), ToneFailure("network")], 2, 8, None),
    ([ToneFailure("server_error"), ToneFailure("network")], 3, 8, 0.5),
    ([ToneFailure("rate_limited", 3)], 2, 8, 3.25),
    ([ToneFailure("rate_limited", 8)], 2, 8, None),
    ([ToneFailure("rate_limited", float("inf"))], 2, 8, None),
    ([ToneFailure("network")], 2, 0.1, None),
    ([ToneFailure("bad_answer")], 1, 8, 0.0),
    ([ToneFailure("bad_answer"), ToneFailure("empty")], 5, 8, None),
    ([ToneFailure("server_error"), ToneFailure("bad_answer")], 2, 8, 0.0),
    ([ToneFailure("bad_answer"), ToneFailure("server_error")], 2, 8, 0.25),
    *(([ToneFailure(reason)], 5, 8.0, None) for reason in ("timeout", "refused", "redirect", "too_large", "blocked")),
    *(([ToneFailure(reason)], 5, 8.0, None) for reason in ("truncated", "budget", "busy", "internal")),
]


@pytest.mark.parametrize(("failed", "attempts", "remaining", "expected"), PAUSES)
def test_pauses(failed: list[ToneFailure], attempts: int, remaining: float, expected: float | None) -> None:
    assert pause(RetryPolicy(attempts, lambda: 0.5), failed, remaining) == expected


def test_no_minute_has_more_calls_than_the_budget() -> None:
    clock = Clock()
    budget = LocalCallBudget(3, clock)
    taken: list[float] = []

    async def drive() -> None:
        for _ in range(400):
            clock.now += 1
            if await budget.take(10) is None:
                taken.append(clock.now)

    anyio.run(drive)
    assert len(taken) >= 18
    assert all(later - earlier >= 60 for earlier, later in zip(taken, taken[3:], strict=False))


def test_a_day_has_no_more_tokens_than_its_ceiling() -> None:
    clock = Clock()
    budget = LocalCallBudget(99, clock, daily_tokens=100)

    async def drive() -> None:
        assert [await budget.take(60) for _ in range(2)] == [None, "ceiling"]
        await budget.settle(60, 40)
        assert [await budget.take(60) for _ in range(2)] == [None, "ceiling"]
        clock.now += 86_400
        assert await budget.take(60) is None

    anyio.run(drive)


def test_the_memory_cache_forgets_the_least_recently_used() -> None:
    async def drive() -> None:
        cache, said = MemoryToneCache(entries=2), Judgement(ToneShift(source="gemini"))
        await cache.put_many({"a": said, "b": said})
        assert await cache.get_many(["a", "x"]) == {"a": said}
        await cache.put_many({"c": said})
        assert set(await cache.get_many(["a", "b", "c"])) == {"a", "c"}

    anyio.run(drive)


def test_the_cache_key_is_the_content() -> None:
    pairs = (("a", "b"),)
    assert content_key(1, "m", pairs) == content_key(1, "m", (("a", "b"),))
    others = [
        content_key(2, "m", pairs),
        content_key(1, "n", pairs),
        content_key(1, "m", (("a", 'b"'),)),
        content_key(1, "m", (("a", "b"), ("a", "b"))),
        content_key(1, "m", (("\ud800", "b"),)),
    ]
    assert len({content_key(1, "m", pairs), *others}) == 6


def reply(text: str | None, finish: str | None = "STOP", blocked: bool = False) -> Reply:
    return Reply(text=text, finish_reason=finish, blocked=blocked, tokens_in=1, tokens_out=1)


def tones(*entries: tuple[object, object, object]) -> str:
    edits = [dict(zip(("id", "label", "confidence"), entry, strict=True)) for entry in entries]
    return json.dumps({"edits": edits, "statements": []})


def saying(*statements: object) -> str:
    return json.dumps({"edits": [{"id": 0, "label": "no change", "confidence": 1}], "statements": statements})


GOOD = (0, "more direct", 0.5)
BAD: list[tuple[Reply, Reason]] = [
    (reply(None), "empty"),
    (reply(None, None), "empty"),
    (reply(tones(GOOD), None), "bad_answer"),
    (reply(tones(GOOD), "OTHER"), "bad_answer"),
    (reply(tones(GOOD), "MAX_TOKENS"), "truncated"),
    (reply(tones(GOOD), "SPII"), "blocked"),
    (reply(tones(GOOD), blocked=True), "blocked"),
    (reply("[]"), "bad_answer"),
    (reply("[" * 100_000), "bad_answer"),
    (reply('{"edits": []}'), "bad_answer"),
    (reply('{"edits": [{"id": 0, "label": "no change", "confidence": 1}]}'), "bad_answer"),
    (reply(saying("Adds emoji")), "bad_answer"),
    (reply(saying({"text": "Adds emoji", "edits": [1]})), "bad_answer"),
    (reply(saying({"text": "Adds emoji", "edits": [-1]})), "bad_answer"),
    (reply(saying({"text": "Adds emoji", "edits": ["0"]})), "bad_answer"),
    (reply(saying(*[{"text": "Adds emoji", "edits": [0]}] * 6)), "bad_answer"),
    (reply(tones((0, "", 0.5))), "bad_answer"),
    (reply(tones(("0", "more direct", 0.5))), "bad_answer"),
    (reply(tones((True, "more direct", 0.5))), "bad_answer"),
    (reply(tones((0, "more direct", "0.5"))), "bad_answer"),
    (reply(tones((0, "more direct", float("nan")))), "bad_answer"),
    (reply(tones((0, "more direct", -0.1))), "bad_answer"),
    (reply(tones((-1, "more direct", 0.5))), "bad_answer"),
    (reply(tones(GOOD, GOOD)), "bad_answer"),
    (reply(tones(GOOD) + "x"), "bad_answer"),
]


@pytest.mark.parametrize(("bad", "reason"), BAD)
def test_unusable_answers(bad: Reply, reason: Reason) -> None:
    with pytest.raises(ToneFailure) as caught:
        read(bad, 1, "")
    assert caught.value.reason == reason
    assert caught.value.__cause__ is None


def test_answers_are_put_in_order() -> None:
    said = read(reply(tones((1, "more casual", 1), (0, "no change", 0))), 2, "")
    assert [one.shift.label for one in said] == ["no change", "more casual"]
    assert {one.shift.source for one in said} == {"gemini"}
