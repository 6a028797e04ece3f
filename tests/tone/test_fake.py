"""The double refuses what the real endpoint refuses, and Vertex AI works by options alone."""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any

import pytest

from service.tone.fake import FakeGemini
from service.tone.fake_contract import Refused, check
from service.tone.fake_judge import by_marks

from .accounts import service_account
from .conftest import OpenTone
from .samples import edit

pytestmark = pytest.mark.anyio
HEADERS = {"x-goog-api-key": "k", "content-type": "application/json"}
PATH = "/v1beta/models/gemini-2.5-flash:generateContent"
BODY: dict[str, Any] = {
    "contents": [{"role": "user", "parts": [{"text": "{}"}]}],
    "systemInstruction": {"parts": [{"text": "judge"}]},
    "generationConfig": {
        "responseMimeType": "application/json",
        "responseSchema": {"type": "OBJECT", "properties": {"a": {"type": "STRING", "enum": ["b"]}}},
    },
}


def changed(path: str, value: object) -> dict[str, Any]:
    body = copy.deepcopy(BODY)
    *parents, last = path.split(".")
    inner = body
    for name in parents:
        inner = inner[name]
    inner[last] = value
    return body


def test_a_right_request_passes() -> None:
    assert check(PATH, HEADERS, json.dumps(BODY).encode(), "k", "t") == BODY


@pytest.mark.parametrize(
    ("path", "headers", "body", "code"),
    [
        ("/v1beta/models/gemini-2.5-flash", HEADERS, BODY, 404),
        ("/v1beta/models/other:generateContent", HEADERS, BODY, 404),
        ("/v1/models/gemini-2.5-flash:generateContent", HEADERS, BODY, 400),
        (PATH, {**HEADERS, "x-goog-api-key": "wrong"}, BODY, 400),
        (PATH, {"content-type": "application/json"}, BODY, 403),
        (PATH, {**HEADERS, "content-type": "text/plain"}, BODY, 400),
        (PATH, HEADERS, [], 400),
        (PATH, HEADERS, changed("contents", []), 400),
        (PATH, HEADERS, changed("contents", [{"role": "system", "parts": [{"text": "x"}]}]), 400),
        (PATH, HEADERS, changed("contents", [{"role": "user", "parts": []}]), 400),
        (PATH, HEADERS, changed("prompt", "x"), 400),
        (PATH, HEADERS, changed("generationConfig.responseMimeType", "text/plain"), 400),
        (PATH, HEADERS, changed("generationConfig.maxTokens", 5), 400),
        (PATH, HEADERS, changed("generationConfig.responseSchema.type", "object"), 400),
        (PATH, HEADERS, changed("generationConfig.responseSchema.properties", {}), 400),
        (PATH, HEADERS, changed("generationConfig.responseSchema.additionalProperties", False), 400),
        (PATH, HEADERS, changed("generationConfig.responseSchema.properties.a.type", "NUMBER"), 400),
        (PATH, HEADERS, changed("generationConfig.responseSchema.properties.a", {"type": "ARRAY"}), 400),
        ("/v1/projects/p/locations/global/publishers/google/models/gemini-2:generateContent", HEADERS, BODY, 401),
    ],
)
def test_a_wrong_request_is_refused(path: str, headers: dict[str, str], body: object, code: int) -> None:
    with pytest.raises(Refused) as caught:
        check(path, headers, json.dumps(body).encode(), "k", "t")
    assert caught.value.code == code


def test_the_judge_of_the_demo() -> None:
    assert by_marks([("Fine.", "Fine! lol haha")])[0] == "more humorous"
    assert by_marks([("It's here!", "It is here.")])[0] in ("more subdued", "more professional")
    assert by_marks([("Perhaps we could.", "We will.")])[0] == "more direct"
    assert by_marks([("a", "b")])[0] == "no change"


@pytest.mark.parametrize("model", ["gemini-2.5-flash", "gemini-2.5-pro", "gemini-9"])
async def test_models_get_room_to_think_as_they_do(fake: FakeGemini, opened: OpenTone, model: str) -> None:
    assert (await opened(model=model).classify([edit()]))[0].shift.source == "gemini"
    config = (fake.requests[0].body or {})["generationConfig"]
    thinking, room = {
        "gemini-2.5-flash": ({"thinking_budget": 0}, 370),
        "gemini-2.5-pro": ({"thinking_budget": 128}, 882),
        "gemini-9": (None, 2_418),
    }[model]
    assert (config.get("thinkingConfig"), config["maxOutputTokens"]) == (thinking, room)


async def test_vertex_ai_in_express_mode(fake: FakeGemini, opened: OpenTone) -> None:
    assert (await opened(vertexai=True).classify([edit()]))[0].shift.source == "gemini"
    assert fake.requests[0].path == "/v1/publishers/google/models/gemini-2.5-flash:generateContent"


async def test_vertex_ai_with_a_project(
    fake: FakeGemini, opened: OpenTone, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", str(service_account(fake, tmp_path)))
    tone = opened(api_key=None, vertexai=True, project="p-1", location="europe-west4")
    assert (await tone.classify([edit()]))[0].shift.source == "gemini"
    path = "/v1/projects/p-1/locations/europe-west4/publishers/google/models/gemini-2.5-flash:generateContent"
    assert fake.requests[0].path == path
    assert "x-goog-api-key" not in fake.requests[0].headers


async def test_vertex_ai_without_credentials_is_lexical(
    fake: FakeGemini, opened: OpenTone, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", str(tmp_path / "missing.json"))
    tone = opened(api_key=None, vertexai=True, project="p-1")
    assert (await tone.classify([edit()]))[0].shift.source == "lexical"
    assert (tone.stats.failures["refused"], fake.requests) == (1, [])
