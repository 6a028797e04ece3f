"""LearningJob: the message on the stream. One entry is one job, as UTF-8 JSON in the field ``job``."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime
from typing import Annotated, Any, Literal

import orjson
from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, ValidationError

from schemas.made import made

MAX_POSTS = 100
DEFAULT_MAX_BYTES = 1_048_576

JobId = Annotated[str, Field(min_length=1, max_length=128, pattern=r"^[A-Za-z0-9._:-]+$")]
EntityId = Annotated[str, Field(min_length=1, max_length=128, pattern=r"^[A-Za-z0-9._:@+/=-]+$")]
ContentFormat = Literal["single", "mini_thread", "full_thread"]

# The end of every key, and of strings that look like one inside: never fewer than there are keys.
_KEY_END = re.compile(rb'"[ \t\r\n]*:')
_RFC3339 = re.compile(r"\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d:\d\d(\.\d{1,9})?([Zz]|[+-]\d\d:\d\d)\Z")


class InvalidJob(ValueError):
    """The entry can never be learned. ``reason`` is a closed word, ``detail`` names the key and never its text."""

    def __init__(self, reason: str, detail: str) -> None:
        super().__init__(f"{reason}: {detail}")
        self.reason = reason
        self.detail = detail


def _rfc3339(value: object) -> object:
    if isinstance(value, datetime):
        return value
    if not isinstance(value, str) or not _RFC3339.match(value):
        raise ValueError("must be an RFC 3339 time with an offset, such as 2026-01-31T12:00:00Z")
    try:
        return datetime.fromisoformat(value.upper()).astimezone(UTC)
    except (ValueError, OverflowError) as error:
        raise ValueError("is not a time that exists") from error


def _aware(value: datetime) -> datetime:
    if value.tzinfo is None:
        raise ValueError("must carry an offset")
    return value


Rfc3339 = Annotated[
    datetime,
    BeforeValidator(_rfc3339),
    AfterValidator(_aware),
    Field(json_schema_extra={"type": "string", "format": "date-time"}),
]
Text = str | Annotated[list[str], Field(min_length=1, max_length=MAX_POSTS)]


class LearningJob(BaseModel):
    """A saved edit. Unknown keys are ignored here and kept in dead letters."""

    model_config = ConfigDict(extra="ignore", strict=True, frozen=True, hide_input_in_errors=True)

    schema_version: Literal[1] = 1
    job_id: JobId | None = Field(None, description="identity for `counts once`, unique per user; absent: the entry id")
    user_id: EntityId = Field(description="the writer")
    content_id: EntityId = Field(description="the edited text")
    original_text: Text = Field(description="the generated draft; a list holds the posts of a thread, in order")
    edited_text: Text = Field(description="what the writer saved")
    edited_at: Rfc3339 | None = Field(None, description="when the writer saved; absent: the time in the entry id")
    platform: str | None = Field(None, max_length=128)
    content_format: ContentFormat | None = None


_DEFAULTS: dict[str, Any] = {name: field.default for name, field in LearningJob.model_fields.items()}


def decode_job(raw: bytes, *, max_bytes: int = DEFAULT_MAX_BYTES) -> LearningJob:
    """Return the job in ``raw`` (the field ``job`` of an entry).

    Size is measured before parsing; depth, number size, UTF-8 and surrogates are checked by the parser. Raises
    ``InvalidJob`` and nothing else.
    """
    if len(raw) > max_bytes:
        raise InvalidJob("too_large", f"the job has {len(raw):,} bytes, the limit is {max_bytes:,}")
    try:
        value = orjson.loads(raw)
    except orjson.JSONDecodeError as error:
        raise InvalidJob("undecodable", f"not valid UTF-8 JSON at character {error.pos}") from None
    if not isinstance(value, dict):
        raise InvalidJob("invalid", "the job must be a JSON object")
    _refuse_future_version(value.get("schema_version", 1))
    if len(_KEY_END.findall(raw)) != len(value) or not _is_flat(value):
        _refuse_duplicate_keys(raw)
    try:
        return LearningJob.model_validate(value)
    except ValidationError as error:
        raise InvalidJob("invalid", describe(error)) from None


def known_job(raw: bytes) -> LearningJob:
    """Return the job in ``raw``, which ``decode_job`` took before: only what it changes is done again."""
    value = orjson.loads(raw)
    given = {name: value[name] for name in _DEFAULTS if name in value}
    if given.get("edited_at") is not None:
        given["edited_at"] = _rfc3339(given["edited_at"])
    return made(LearningJob, _DEFAULTS | given, set(given))


def describe(error: ValidationError) -> str:
    """Return one line that names each wrong key and what is wrong with it, never the value."""
    seen: dict[str, str] = {}
    for item in error.errors(include_url=False, include_context=False, include_input=False):
        key = ".".join(str(part) for part in item["loc"] if isinstance(part, int) or part in LearningJob.model_fields)
        seen.setdefault(key, item["msg"].removeprefix("Value error, "))
    return "; ".join(f"{key}: {message}" for key, message in list(seen.items())[:5])


def _refuse_future_version(version: Any) -> None:
    if isinstance(version, int) and not isinstance(version, bool) and version > 1:
        raise InvalidJob("future_version", f"schema_version {version} is newer than 1, the newest known here")


def _is_flat(value: dict[str, Any]) -> bool:
    """Whether no value holds keys of its own; then as many ends of keys as keys are proof that none came twice."""
    return not any(
        isinstance(item, dict) or (isinstance(item, list) and not all(isinstance(post, str) for post in item))
        for item in value.values()
    )


def _refuse_duplicate_keys(raw: bytes) -> None:
    """orjson keeps the last of two equal keys in silence; the standard library can be asked to look.

    It takes nearly as long as all the rest of the decoding, so it is asked only when the keys cannot be counted.
    """
    try:
        json.loads(raw, object_pairs_hook=_unique)
    except RecursionError:
        raise InvalidJob("undecodable", "nested too deeply") from None


def _unique(pairs: list[tuple[str, Any]]) -> None:
    keys = {key for key, _ in pairs}
    if len(keys) != len(pairs):
        names = [key for key, _ in pairs]
        twice = next(key for key in names if names.count(key) > 1)
        known = twice if twice in LearningJob.model_fields else "a key"
        raise InvalidJob("duplicate_key", f"{known} is given twice")
