"""One call a batch, none where none is needed, and never more than the budget."""

from __future__ import annotations

import json
import time

import anyio
import pytest

from service.tone import ToneOptions, open_tone
from service.tone.base import Judgement
from service.tone.cache import MemoryToneCache
from service.tone.fake import FakeGemini
from service.tone.lexical import LexicalTone

from .conftest import OpenTone
from .samples import CASUAL, LOUD, decided, edit

pytestmark = pytest.mark.anyio


def labels(said: list[Judgement]) -> list[tuple[str, str]]:
    return [(one.shift.label, one.shift.source) for one in said]


async def test_one_call_for_all_edits_in_order(fake: FakeGemini, opened: OpenTone) -> None:
    tone = opened()
    shifts = await tone.classify([edit(LOUD), edit(), decided(), edit(is_noise=True), edit(("a", "b"))])
    assert labels(shifts) == [
        ("more enthusiastic", "gemini"),
        ("more casual", "gemini"),
        ("more humorous", "lexical"),
        ("no change", "lexical"),
        ("no change", "gemini"),
    ]
    assert (len(fake.requests), tone.stats.calls, tone.stats.fallbacks) == (1, 1, 0)
    assert tone.stats.tokens_in > 0
    assert tone.stats.tokens_out > 0


async def test_no_call_without_a_question(fake: FakeGemini, opened: OpenTone) -> None:
    tone = opened()
    assert await tone.classify([]) == []
    edits = [edit(is_noise=True), decided(), edit()]
    edits[2] = type(edits[2])("job-3", edits[2].delta, ())
    assert {one.shift.source for one in await tone.classify(edits)} == {"lexical"}
    assert not fake.requests
    assert tone.stats.fallbacks == 0


async def test_pairs_without_a_visible_difference_are_no_question(fake: FakeGemini, opened: OpenTone) -> None:
    assert (await opened().classify([edit(("a b", "a\u200b  b"))]))[0].shift.source == "lexical"
    assert not fake.requests


async def test_a_second_run_costs_nothing(fake: FakeGemini, opened: OpenTone) -> None:
    cache = MemoryToneCache()
    batches = [[edit((f"Writer {w} edit {e}.", f"Writer {w} edit {e}!")) for e in range(25)] for w in range(20)]
    first = opened(cache=cache)
    answers = [await first.classify(batch) for batch in batches]
    assert len(fake.requests) <= 20
    assert first.stats.fallbacks == 0
    second = opened(cache=cache)
    assert [await second.classify(batch) for batch in batches] == answers
    assert (len(fake.requests), second.stats.calls, second.stats.hit_rate) == (20, 0, 1.0)


async def test_only_what_is_unknown_is_asked(fake: FakeGemini, opened: OpenTone) -> None:
    tone = opened()
    await tone.classify([edit(LOUD)])
    await tone.classify([edit(LOUD), edit(), edit()])
    document = json.loads((fake.requests[1].body or {})["contents"][0]["parts"][0]["text"])
    assert [entry["changes"] for entry in document["edits"]] == [[{"before": CASUAL[0], "after": CASUAL[1]}]]
    assert (tone.stats.cache_hits, tone.stats.cache_misses) == (1, 3)


async def test_lexical_answers_are_not_cached(fake: FakeGemini, opened: OpenTone) -> None:
    fake.script("500")
    tone = opened(attempts=1)
    assert (await tone.classify([edit()]))[0].shift.source == "lexical"
    assert (await tone.classify([edit()]))[0].shift.source == "gemini"


async def test_edits_that_do_not_fit_stay_lexical_and_the_newest_are_asked(fake: FakeGemini, opened: OpenTone) -> None:
    tone = opened(max_input_tokens=1_200)
    edits = [edit((f"{n} " + "old words " * 30, f"{n} " + "new words! " * 30)) for n in range(12)]
    sources = [one.shift.source for one in await tone.classify(edits)]
    assert sources[-1] == "gemini"
    assert sources[0] == "lexical"
    assert sources == sorted(sources, reverse=True)
    assert tone.stats.fallbacks == sources.count("lexical")
    assert len(fake.requests) == 1


async def test_the_minute_budget_stops_calls_at_once(fake: FakeGemini, opened: OpenTone) -> None:
    tone = opened(max_calls_per_minute=2)
    shifts = [await tone.classify([edit((f"{n}", f"{n}!"))]) for n in range(4)]
    assert [said[0].shift.source for said in shifts] == ["gemini", "gemini", "lexical", "lexical"]
    assert (len(fake.requests), tone.stats.failures["budget"], tone.state()) == (2, 2, "available")


async def test_a_full_house_waits_no_longer_than_the_timeout(fake: FakeGemini, opened: OpenTone) -> None:
    fake.always = "hang"
    tone = opened(max_concurrency=2, timeout_seconds=1.5, breaker_failures=3)
    started = time.monotonic()
    async with anyio.create_task_group() as tasks:
        for n in range(6):
            tasks.start_soon(tone.classify, [edit((f"{n}", f"{n}!"))])
    assert time.monotonic() - started < 4.0  # three rounds one after the other would take 4.5
    assert (len(fake.requests), tone.stats.failures["timeout"], tone.stats.failures["busy"]) == (2, 2, 4)
    assert tone.state() == "available"  # waiting for a slot is not the model's failure


async def test_cancellation_is_the_callers(fake: FakeGemini, opened: OpenTone) -> None:
    fake.script("hang")
    tone = opened(breaker_failures=1, max_concurrency=1)
    with anyio.move_on_after(0.2) as scope:
        await tone.classify([edit()])
    assert scope.cancelled_caught
    assert tone.state() == "available"
    assert (await tone.classify([edit()]))[0].shift.source == "gemini"


async def test_an_open_breaker_answers_at_once_and_a_probe_closes_it(fake: FakeGemini, opened: OpenTone) -> None:
    fake.script("500", "500")
    tone = opened(attempts=1, breaker_failures=2, breaker_seconds=0.3)
    for _ in range(2):
        await tone.classify([edit()])
    assert tone.state() == "open"
    started = time.monotonic()
    assert (await tone.classify([edit()]))[0].shift.source == "lexical"
    assert time.monotonic() - started < 0.1
    assert (len(fake.requests), tone.stats.failures["breaker_open"]) == (2, 1)
    await anyio.sleep(0.3)
    assert (await tone.classify([edit()]))[0].shift.source == "gemini"
    assert (tone.state(), len(fake.requests)) == ("available", 3)


async def test_without_a_key_nobody_is_asked() -> None:
    tone = open_tone(ToneOptions())
    assert isinstance(tone, LexicalTone)
    assert labels(await tone.classify([decided(), edit()])) == [
        ("more humorous", "lexical"),
        ("no change", "lexical"),
    ]
    assert tone.state() == "disabled"
    await tone.aclose()
