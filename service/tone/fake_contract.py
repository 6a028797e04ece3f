"""What the real generateContent endpoint checks before it thinks, for its double in :mod:`service.tone.fake`.

A request the real API refuses must not pass a test. Statuses and messages are those of the Gemini API
(``v1beta``) and of Vertex AI (``v1``): an unknown path or model is 404, a wrong key 400 ``API_KEY_INVALID``,
no key 403, an unknown field 400 "Unknown name". ``v1`` of the Gemini API knows neither ``systemInstruction``
nor ``responseSchema``.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

_GEMINI = re.compile(r"/(?P<version>v1|v1beta)/models/(?P<model>[a-z0-9.-]+):generateContent")
_VERTEX = re.compile(
    r"/v1/(?:projects/(?P<project>[a-z0-9-]+)/locations/(?P<location>[a-z0-9-]+)/)?"
    r"publishers/google/models/(?P<model>[a-z0-9.-]+):generateContent"
)
_BODY = {
    "contents",
    "systemInstruction",
    "generationConfig",
    "safetySettings",
    "tools",
    "toolConfig",
    "labels",
}
_CONFIG = {
    "temperature",
    "topP",
    "topK",
    "seed",
    "stopSequences",
    "candidateCount",
    "maxOutputTokens",
    "responseMimeType",
    "responseSchema",
    "thinkingConfig",
}
_SCHEMA = {
    "type",
    "title",
    "description",
    "nullable",
    "enum",
    "format",
    "properties",
    "required",
    "items",
    "minItems",
    "maxItems",
    "max_items",  # the SDK writes some names as protobuf does; its JSON reads either
    "minimum",
    "maximum",
    "propertyOrdering",
    "property_ordering",
}
_TYPES = {"OBJECT", "ARRAY", "STRING", "NUMBER", "INTEGER", "BOOLEAN"}


class Refused(Exception):
    """The request would be refused: HTTP status, Google's status and message."""

    def __init__(self, code: int, status: str, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.body = {"error": {"code": code, "message": message, "status": status}}


def check(path: str, headers: Mapping[str, str], raw: bytes, key: str, token: str) -> dict[str, Any]:
    """The parsed body of a request the real endpoint would accept; header names in lower case.

    :raises Refused: as the real endpoint would answer.
    """
    gemini, vertex = _GEMINI.fullmatch(path), _VERTEX.fullmatch(path)
    found = gemini or vertex
    if found is None:
        raise Refused(404, "NOT_FOUND", "Requested entity was not found.")
    if not found["model"].startswith("gemini-"):
        raise Refused(404, "NOT_FOUND", f"models/{found['model']} is not found for this API version.")
    if vertex is not None and vertex["project"]:
        _check_token(headers, token)
    else:
        _check_key(headers, key)
    body = _parse(headers, raw)
    _check_body(body, old=gemini is not None and gemini["version"] == "v1")
    return body


def _check_key(headers: Mapping[str, str], key: str) -> None:
    sent = headers.get("x-goog-api-key")
    if not sent:
        raise Refused(403, "PERMISSION_DENIED", "Method doesn't allow unregistered callers.")
    if sent != key:
        raise Refused(400, "INVALID_ARGUMENT", "API key not valid. Please pass a valid API key.")


def _check_token(headers: Mapping[str, str], token: str) -> None:
    if headers.get("authorization") != f"Bearer {token}":
        raise Refused(401, "UNAUTHENTICATED", "Request had invalid authentication credentials.")


def _parse(headers: Mapping[str, str], raw: bytes) -> dict[str, Any]:
    try:
        body = json.loads(raw)
    except ValueError:
        body = None
    if not headers.get("content-type", "").startswith("application/json") or not isinstance(body, dict):
        raise _invalid("Invalid JSON payload received.")
    return body


def _check_body(body: dict[str, Any], *, old: bool) -> None:
    config = body.get("generationConfig", {})
    _known(body, _BODY - {"systemInstruction"} if old else _BODY)
    _known(config, _CONFIG - {"responseSchema", "responseMimeType"} if old else _CONFIG)
    if not body.get("contents"):
        raise _invalid("* GenerateContentRequest.contents: contents is not specified")
    for content in body["contents"]:
        if content.get("role") not in ("user", "model"):
            raise _invalid("Please use a valid role: user, model.")
        _check_parts(content)
    if "systemInstruction" in body:
        _check_parts(body["systemInstruction"])
    if "responseSchema" in config:
        if config.get("responseMimeType") != "application/json":
            raise _invalid("responseSchema needs response mime type application/json")
        _check_schema(config["responseSchema"])


def _check_parts(content: dict[str, Any]) -> None:
    parts = content.get("parts")
    if not parts or not all(isinstance(part.get("text"), str) for part in parts):
        raise _invalid("contents.parts must not be empty.")


def _check_schema(schema: dict[str, Any]) -> None:
    _known(schema, _SCHEMA)
    kind = schema.get("type")
    if kind not in _TYPES or ("enum" in schema and kind != "STRING"):
        raise _invalid("response_schema: type is missing or does not fit")
    if kind == "OBJECT" and not schema.get("properties"):
        raise _invalid("response_schema.properties: should be non-empty for OBJECT type")
    if kind == "ARRAY" and "items" not in schema:
        raise _invalid("response_schema.items: missing field.")
    for inner in (*schema.get("properties", {}).values(), *([schema["items"]] if "items" in schema else [])):
        _check_schema(inner)


def _known(fields: dict[str, Any], names: set[str]) -> None:
    for name in fields:
        if name not in names:
            raise _invalid(f'Invalid JSON payload received. Unknown name "{name}": Cannot find field.')


def _invalid(message: str) -> Refused:
    return Refused(400, "INVALID_ARGUMENT", message)
