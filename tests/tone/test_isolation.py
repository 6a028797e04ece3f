"""The key and the texts go to one origin, and nowhere else: no redirect, proxy, environment or log takes them."""

from __future__ import annotations

import logging
import subprocess
import sys
from typing import Any

import pytest

from service.tone import ToneOptions, open_tone
from service.tone.fake import FakeGemini, Fault
from service.tone.gemini import open_gemini
from service.tone.options import InvalidToneOptions
from service.tone.transport import NOISY

from .conftest import OpenTone
from .samples import edit

pytestmark = pytest.mark.anyio
SECRET = "canary-key-5f1c"
TEXT = "canary text of a writer"


async def test_a_redirect_is_not_followed(fake: FakeGemini, opened: OpenTone) -> None:
    with FakeGemini() as other:
        fake.script("redirect")
        fake.redirect_to = other.base_url
        tone = opened()
        assert (await tone.classify([edit()]))[0].shift.source == "lexical"
        assert other.requests == []
    assert (tone.stats.failures["redirect"], len(fake.requests)) == (1, 1)


async def test_the_environment_is_not_asked(
    fake: FakeGemini, opened: OpenTone, monkeypatch: pytest.MonkeyPatch
) -> None:
    with FakeGemini() as other:
        for name in ("HTTP_PROXY", "http_proxy", "HTTPS_PROXY", "ALL_PROXY", "GOOGLE_GEMINI_BASE_URL"):
            monkeypatch.setenv(name, other.base_url)
        monkeypatch.setenv("NO_PROXY", "")
        monkeypatch.setenv("GOOGLE_API_KEY", "another key")
        monkeypatch.setenv("GOOGLE_GENAI_USE_VERTEXAI", "true")
        monkeypatch.setenv("GOOGLE_GENAI_API_VERSION", "v7")
        monkeypatch.setenv("GOOGLE_CLOUD_PROJECT", "elsewhere")
        assert (await opened().classify([edit()]))[0].shift.source == "gemini"
        assert other.requests == []
    assert fake.requests[0].path == "/v1beta/models/gemini-2.5-flash:generateContent"
    assert fake.requests[0].headers["x-goog-api-key"] == fake.key
    assert fake.requests[0].headers["x-server-timeout"] == "5"  # the server may give up when we do


@pytest.mark.parametrize("fault", ["ok", "429", "503-html", "401", "cut", "not-json", "safety", "huge", "redirect"])
async def test_neither_key_nor_text_is_logged(
    opened: OpenTone, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str], fault: Fault
) -> None:
    caplog.set_level(logging.DEBUG)
    with FakeGemini(SECRET) as fake:
        fake.always = fault
        fake.redirect_to = fake.base_url
        tone = opened(api_key=SECRET, base_url=fake.base_url, attempts=1)
        await tone.classify([edit((TEXT, TEXT + "!"))])
        assert fake.requests
    out, err = capfd.readouterr()
    said = caplog.text + out + err + repr(tone) + repr(tone.stats)
    assert SECRET not in said
    assert TEXT not in said
    assert [record.name for record in caplog.records if record.name.startswith(NOISY)] == []


def test_no_repr_shows_the_key_or_a_text() -> None:
    assert SECRET not in repr(ToneOptions(api_key=SECRET))
    assert TEXT not in repr(edit((TEXT, "b")))


def test_wrong_options_are_refused_by_name() -> None:
    for options in ({"attempts": 0}, {"timeout_seconds": 0}, {"max_input_tokens": 10}, {"vertexai": True}):
        with pytest.raises(InvalidToneOptions, match=next(iter(options))):
            ToneOptions(**options)


def test_nothing_heavy_is_imported_without_a_key() -> None:
    code = (
        "import sys; from service.tone import ToneOptions, open_tone; open_tone(ToneOptions());"
        "print([m for m in ('google.genai', 'httpx2', 'redis') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_opening_needs_no_event_loop() -> None:
    assert open_tone(ToneOptions(api_key=SECRET)).state() == "available"


@pytest.mark.parametrize(
    ("options", "url"),
    [
        ({"api_key": SECRET}, "https://generativelanguage.googleapis.com/"),
        ({"api_key": SECRET, "vertexai": True}, "https://aiplatform.googleapis.com/"),
        ({"vertexai": True, "project": "p"}, "https://aiplatform.googleapis.com/"),
        ({"vertexai": True, "project": "p", "location": "eu"}, "https://aiplatform.eu.rep.googleapis.com/"),
        (
            {"vertexai": True, "project": "p", "location": "us-east1"},
            "https://us-east1-aiplatform.googleapis.com/",
        ),
    ],
)
def test_without_an_address_it_is_googles(monkeypatch: pytest.MonkeyPatch, options: dict[str, Any], url: str) -> None:
    monkeypatch.setenv("GOOGLE_GEMINI_BASE_URL", "https://elsewhere.test/")
    monkeypatch.setenv("GOOGLE_VERTEX_BASE_URL", "https://elsewhere.test/")
    client = open_gemini(ToneOptions(**options))._client
    assert client._api_client._http_options.base_url == url  # the SDK has no public way to ask
