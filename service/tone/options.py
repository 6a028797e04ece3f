"""Everything that decides how tone is judged, checked once."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from service.tone.budget import CallBudget
from service.tone.cache import ToneCache

if TYPE_CHECKING:
    from service.tone.usage import UsageLog  # its module knows Redis, which nobody without a key needs to import


class InvalidToneOptions(ValueError):
    """The options contradict each other; the message names the option and holds no value of a secret."""


@dataclass(frozen=True, slots=True)
class ToneOptions:
    """How tone is judged. Neither a key nor Vertex AI means: lexically.

    :param api_key: key of the Gemini API, or of Vertex AI in express mode (then without ``project``).
    :param model: model id. 2.5 Flash: it need not think, and nine labels need no thinking.
    :param base_url: root of the API, for a proxy or a test; None is Google's. The environment is never asked.
    :param api_version: None is ``v1beta`` for the Gemini API: its ``v1`` has refused ``systemInstruction``
        and ``responseSchema`` ("Unknown name ... Cannot find field", 400), which carry our instructions and
        our labels. For Vertex AI it is ``v1``, which has both. The SDK's own default (``v1``, or an
        environment variable) is not used.
    :param timeout_seconds: from the question to the answer, cache, queueing and retries included.
    :param max_concurrency: calls at a time of this process; also its connections.
    :param max_calls_per_minute: requests sent in any minute, retries included; see ``budget``.
    :param daily_tokens: tokens in and out that may be spent in 24 hours; None is any number.
    :param max_input_tokens: upper estimate of one request, instructions and schema included.
    :param attempts: tries of a request that failed for a passing reason.
    :param breaker_failures: consecutive failures that stop all calls for ``breaker_seconds``.
    :param decisive_confidence: from this lexical confidence on no model is asked.
    :param cache: None is one in memory of this process.
    :param budget: None counts ``max_calls_per_minute`` and ``daily_tokens`` for this process.
    :param usage: told the counts after each batch; None tells nobody.
    """

    api_key: str | None = field(default=None, repr=False)
    model: str = "gemini-2.5-flash"
    base_url: str | None = None
    api_version: str | None = None
    timeout_seconds: float = 8.0
    max_concurrency: int = 4
    max_calls_per_minute: int = 60
    daily_tokens: int | None = None
    max_input_tokens: int = 2_000
    attempts: int = 2
    breaker_failures: int = 5
    breaker_seconds: float = 30.0
    decisive_confidence: float = 0.9
    vertexai: bool = False
    project: str | None = None
    location: str | None = None
    cache: ToneCache | None = None
    budget: CallBudget | None = None
    usage: UsageLog | None = None

    def __post_init__(self) -> None:
        for name in ("max_concurrency", "max_calls_per_minute", "attempts", "breaker_failures"):
            if getattr(self, name) < 1:
                raise InvalidToneOptions(f"{name} must be at least 1")
        if self.daily_tokens is not None and self.daily_tokens < 1:
            raise InvalidToneOptions("daily_tokens must be at least 1, or None for any number")
        if self.timeout_seconds <= 0 or self.breaker_seconds < 0:
            raise InvalidToneOptions("timeout_seconds must be above 0 and breaker_seconds not below it")
        if self.max_input_tokens < 1_200:
            raise InvalidToneOptions("max_input_tokens must be at least 1200: instructions and schema need 900")
        if self.vertexai and not (self.project or self.api_key):
            raise InvalidToneOptions("vertexai needs a project, or an api_key in express mode")

    @property
    def uses_model(self) -> bool:
        """Whether there is anybody to ask."""
        return self.vertexai or bool(self.api_key)

    @property
    def version(self) -> str:
        """The API version that is sent."""
        return self.api_version or ("v1" if self.vertexai else "v1beta")
