"""One request to Gemini through google-genai, with nothing left to the SDK's defaults or to the environment.

Passed explicitly, because the SDK otherwise asks the environment and is answered: the key (``GOOGLE_API_KEY``
beats ``GEMINI_API_KEY``), the backend (``GOOGLE_GENAI_USE_VERTEXAI``), the address
(``GOOGLE_GEMINI_BASE_URL``) and the API version. The HTTP client is ours (:mod:`service.tone.transport`) and
closed by us. ``timeout`` must be set in the SDK's options too: it puts its own, else "none", over the
client's. Retries are ours, its are off by default; so is automatic function calling, which would log a line a
call.

Its errors are translated here and nowhere else, by type and status. Their texts are never read: they may
quote the request.

google-genai takes a second to import, so it is imported by :func:`open_gemini` and by what runs after it.
"""

from __future__ import annotations

import json
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Any

from service.tone.answer import Reply, ToneAnswer
from service.tone.base import ToneFailure
from service.tone.options import ToneOptions
from service.tone.prompt import INSTRUCTIONS, Prompt

if TYPE_CHECKING:
    import httpx2
    from google.genai import Client, types
    from google.genai.errors import APIError

GEMINI_URL = "https://generativelanguage.googleapis.com/"
# (tokens of thought asked for, room for them): 2.5 Flash can do without, 2.5 Pro thinks at least 128; a model
# nobody here knows thinks as it likes, and gets room for it, because thoughts count as output and would
# truncate the answer.
THINKING: tuple[tuple[str, int | None, int], ...] = (
    ("2.5-flash", 0, 0),
    ("2.5-pro", 128, 512),
    ("", None, 2_048),
)
MAX_COUNT = 10_000_000  # of tokens of one call: a counter is not broken by a server that says more


def open_gemini(options: ToneOptions) -> GeminiModel:
    """The model of these options; close it with ``aclose``."""
    import httpx2
    from google.genai import Client, types

    from service.tone.transport import open_http, quiet

    quiet()
    http = open_http(options.max_concurrency, options.timeout_seconds)
    unused = httpx2.Client(trust_env=False)  # else the SDK builds one for the synchronous calls nobody makes
    client = Client(
        vertexai=options.vertexai,
        # A project and a key exclude each other; the project decides.
        api_key=None if options.vertexai and options.project else options.api_key,
        project=options.project if options.vertexai else None,
        location=_location(options),
        http_options=types.HttpOptions(
            base_url=options.base_url or _google_url(options),
            api_version=options.version,
            timeout=round(options.timeout_seconds * 1000),
            httpx_client=unused,
            httpx_async_client=http,
        ),
    )
    return GeminiModel(client, http, unused, options.model)


def _location(options: ToneOptions) -> str | None:
    return (options.location or "global") if options.vertexai and options.project else None


def _google_url(options: ToneOptions) -> str:
    location = _location(options)
    if not options.vertexai:
        return GEMINI_URL
    if location in (None, "global"):
        return "https://aiplatform.googleapis.com/"
    if location in ("us", "eu"):
        return f"https://aiplatform.{location}.rep.googleapis.com/"
    return f"https://{location}-aiplatform.googleapis.com/"


class GeminiModel:
    """Asks one model of the Gemini API or of Vertex AI."""

    def __init__(self, client: Client, http: httpx2.AsyncClient, unused: httpx2.Client, model: str) -> None:
        self._client = client
        self._http = http
        self._unused = unused
        self._model = model

    async def ask(self, prompt: Prompt) -> Reply:
        """One ``generate_content`` request; raises ToneFailure and cancellation only."""
        try:
            response = await self._client.aio.models.generate_content(
                model=self._model, contents=prompt.document, config=_config(self._model, prompt)
            )
            return _reply(response)
        except Exception as error:  # noqa: BLE001 - the SDK raises what its transports, auth and parsers raise
            raise translate(error) from None  # the cause may quote the request or its headers

    async def aclose(self) -> None:
        self._unused.close()
        await self._http.aclose()


def _config(model: str, prompt: Prompt) -> types.GenerateContentConfig:
    from google.genai import types

    thoughts, room = next((thoughts, room) for part, thoughts, room in THINKING if part in model)
    return types.GenerateContentConfig(
        system_instruction=INSTRUCTIONS,
        response_mime_type="application/json",
        response_schema=ToneAnswer,
        temperature=0.0,
        candidate_count=1,
        max_output_tokens=prompt.max_output_tokens + room,
        thinking_config=None if thoughts is None else types.ThinkingConfig(thinking_budget=thoughts),
        automatic_function_calling=types.AutomaticFunctionCallingConfig(disable=True),
    )


def _reply(response: types.GenerateContentResponse) -> Reply:
    usage, feedback = response.usage_metadata, response.prompt_feedback
    candidate = response.candidates[0] if response.candidates else None
    content = candidate.content if candidate else None
    parts = (content.parts if content else None) or []
    finish = candidate.finish_reason if candidate else None
    return Reply(
        text="".join(part.text for part in parts if part.text and not part.thought) or None,
        finish_reason=finish.value if finish else None,
        blocked=bool(feedback and feedback.block_reason),
        tokens_in=_tokens(usage.prompt_token_count if usage else None),
        tokens_out=_tokens(usage.candidates_token_count if usage else None)
        + _tokens(usage.thoughts_token_count if usage else None),
    )


def _tokens(count: int | None) -> int:
    return min(max(count or 0, 0), MAX_COUNT)


def translate(error: Exception) -> ToneFailure:
    """What an error of the SDK, the HTTP client or Google's auth library means for a batch."""
    import httpx2
    from google.auth.exceptions import GoogleAuthError, TransportError
    from google.genai.errors import APIError, UnknownApiResponseError
    from pydantic import ValidationError

    from service.tone.transport import AnswerTooLarge

    if isinstance(error, APIError):
        return _refusal(error)
    if isinstance(error, AnswerTooLarge):
        return ToneFailure("too_large")
    if isinstance(error, (httpx2.TimeoutException, TimeoutError)):
        return ToneFailure("timeout")
    if isinstance(error, (httpx2.TransportError, TransportError)):
        return ToneFailure("network")
    if isinstance(error, (json.JSONDecodeError, UnknownApiResponseError, ValidationError, RecursionError)):
        return ToneFailure("bad_answer")
    return ToneFailure("refused" if isinstance(error, GoogleAuthError) else "internal")


def _refusal(error: APIError) -> ToneFailure:
    code = error.code
    if code == 429:
        return ToneFailure("rate_limited", _asked_to_wait(error))
    if code >= 500:
        return ToneFailure("server_error", _asked_to_wait(error))
    if code == 408:
        return ToneFailure("timeout")
    return ToneFailure("redirect" if 300 <= code < 400 else "refused")


def _asked_to_wait(error: APIError) -> float | None:
    """Seconds of the header ``Retry-After`` (RFC 9110, 10.2.3) or of Google's ``RetryInfo`` ("38s")."""
    header = getattr(error.response, "headers", {}).get("retry-after")
    if header is not None:
        return _seconds(header)
    for detail in _details(error.details):
        if str(detail.get("@type", "")).endswith("google.rpc.RetryInfo"):
            return _seconds(str(detail.get("retryDelay", "")).removesuffix("s"))
    return None


def _details(body: Any) -> list[dict[str, Any]]:
    inner = body.get("error", body) if isinstance(body, dict) else {}
    details = inner.get("details") if isinstance(inner, dict) else None
    return [detail for detail in details if isinstance(detail, dict)] if isinstance(details, list) else []


def _seconds(text: str) -> float | None:
    try:
        return max(0.0, float(text)) if len(text) < 16 else _until(parsedate_to_datetime(text))
    except ValueError:
        return None


def _until(moment: datetime) -> float:
    return max(0.0, (moment.replace(tzinfo=moment.tzinfo or UTC) - datetime.now(UTC)).total_seconds())
