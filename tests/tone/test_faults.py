"""Whatever the model's side does, the batch gets lexical labels in bounded time and the right counter moves."""

from __future__ import annotations

import time

import pytest

from schemas.delta import ToneScales
from service.tone.base import Reason
from service.tone.fake import FakeGemini, Fault

from .conftest import OpenTone
from .samples import edit

pytestmark = pytest.mark.anyio

# fault, reason, requests sent: an unusable answer is asked for once more, attempts=1 forbids any other retry
FAULTS: list[tuple[Fault, Reason, int]] = [
    ("429", "rate_limited", 1),
    ("429-retry-info", "rate_limited", 1),
    ("500", "server_error", 1),
    ("503", "server_error", 1),
    ("503-html", "server_error", 1),
    ("401", "refused", 1),
    ("hang", "timeout", 1),
    ("drip", "timeout", 1),
    ("cut", "network", 1),
    ("reset", "network", 1),
    ("html", "bad_answer", 2),
    ("bad-json", "bad_answer", 2),
    ("empty-body", "empty", 2),
    ("max-tokens", "truncated", 1),
    ("prompt-blocked", "blocked", 1),
    ("safety", "blocked", 1),
    ("no-candidates", "empty", 2),
    ("no-parts", "empty", 2),
    ("unknown-finish", "bad_answer", 2),
    ("not-json", "bad_answer", 2),
    ("fenced-json", "bad_answer", 2),
    ("wrong-enum", "bad_answer", 2),
    ("out-of-range", "bad_answer", 2),
    ("missing-id", "bad_answer", 2),
    ("foreign-id", "bad_answer", 2),
    ("twice-id", "bad_answer", 2),
    ("huge", "too_large", 1),
    ("huge-announced", "too_large", 1),
    ("compressed", "too_large", 1),
]


@pytest.mark.parametrize(("fault", "reason", "requests"), FAULTS, ids=[fault for fault, _, _ in FAULTS])
async def test_each_fault_is_a_lexical_answer(
    fake: FakeGemini, opened: OpenTone, fault: Fault, reason: Reason, requests: int
) -> None:
    fake.always = fault
    limit = 1.5 if reason == "timeout" else 5.0
    tone = opened(attempts=1, timeout_seconds=limit)
    edits = [edit(), edit(("a.", "b."), tone_scales=ToneScales(formality=-0.5))]
    started = time.monotonic()
    shifts = await tone.classify(edits)
    assert time.monotonic() - started < limit + 0.5
    assert [(one.shift.label, one.shift.source) for one in shifts] == [
        ("no change", "lexical"),
        ("more casual", "lexical"),
    ]
    assert {key: count for key, count in tone.stats.failures.items() if count} == {reason: requests}
    assert (tone.stats.calls, len(fake.requests), tone.stats.fallbacks) == (requests, requests, 2)
    assert fake.bytes_sent < 16 * 1024 * 1024  # of 64 MB: reading stopped, the rest filled socket buffers at most


@pytest.mark.parametrize("fault", ["hang", "drip", "huge", "cut", "reset", "503-html"])
async def test_the_client_is_usable_after_a_fault(fake: FakeGemini, opened: OpenTone, fault: Fault) -> None:
    fake.script(fault)
    tone = opened(attempts=1, timeout_seconds=1.5, max_concurrency=1)
    assert (await tone.classify([edit()]))[0].shift.source == "lexical"
    assert (await tone.classify([edit()]))[0].shift.source == "gemini"


@pytest.mark.parametrize("fault", ["429", "500", "503", "503-html", "cut", "reset", "not-json", "no-candidates"])
async def test_a_passing_fault_is_tried_again(fake: FakeGemini, opened: OpenTone, fault: Fault) -> None:
    fake.script(fault)
    tone = opened()
    assert (await tone.classify([edit()]))[0].shift.source == "gemini"
    assert (tone.stats.calls, tone.stats.fallbacks, sum(tone.stats.failures.values())) == (2, 0, 1)


async def test_a_retry_after_beyond_the_deadline_is_not_waited_for(fake: FakeGemini, opened: OpenTone) -> None:
    fake.script("429", "ok")
    fake.retry_after = "30"
    tone = opened()
    started = time.monotonic()
    assert (await tone.classify([edit()]))[0].shift.source == "lexical"
    assert time.monotonic() - started < 1
    assert len(fake.requests) == 1


async def test_a_retry_after_is_obeyed(fake: FakeGemini, opened: OpenTone) -> None:
    fake.script("503", "429", "ok")
    fake.retry_after = "0.7"
    tone = opened(attempts=3)
    started = time.monotonic()
    assert (await tone.classify([edit()]))[0].shift.source == "gemini"
    assert time.monotonic() - started >= 0.7


async def test_nothing_listens(opened: OpenTone) -> None:
    tone = opened(base_url="http://127.0.0.1:9/", attempts=1)
    assert (await tone.classify([edit()]))[0].shift.source == "lexical"
    assert tone.stats.failures["network"] == 1


async def test_a_closed_classifier_answers_lexically(opened: OpenTone) -> None:
    tone = opened()
    await tone.aclose()
    await tone.aclose()
    assert (await tone.classify([edit()]))[0].shift.source == "lexical"
