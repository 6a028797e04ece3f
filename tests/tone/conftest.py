"""A double of Gemini and classifiers that talk to it over the loopback."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any

import pytest

from service.tone import ToneOptions, open_tone
from service.tone.fake import FakeGemini
from service.tone.remote import RemoteTone

OpenTone = Callable[..., RemoteTone]


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture
def fake() -> Iterator[FakeGemini]:
    with FakeGemini() as fake:
        yield fake


@pytest.fixture
async def opened(fake: FakeGemini, anyio_backend: str) -> AsyncIterator[OpenTone]:
    """Opens classifiers against the double with options; closes them at the end."""
    tones: list[RemoteTone] = []

    def opening(**options: Any) -> RemoteTone:
        settings = {"api_key": fake.key, "base_url": fake.base_url, "timeout_seconds": 5.0, **options}
        tone = open_tone(ToneOptions(**settings))
        assert isinstance(tone, RemoteTone)
        tones.append(tone)
        return tone

    yield opening
    for tone in tones:
        await tone.aclose()
