"""Every environment variable, once: its unit, its default, what it must agree with.

Values come from the environment and from ``.env`` in the working directory. A wrong one raises
``InvalidSettings`` with one line that names it. ``.env.example`` is printed from here (``env_example``).
"""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated, Literal

from pydantic import Field, SecretStr, ValidationError, field_validator, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from service.learning.rules import LearningRules

RENEWALS_PER_LEASE = 3
_REDIS_SCHEMES = ("redis://", "rediss://", "redis+cluster://", "rediss+cluster://", "unix://")
Minutes = Annotated[float, Field(ge=0, le=1440)]
Threshold = Annotated[int, Field(ge=1, le=20)]


class InvalidSettings(ValueError):
    """A setting is missing, out of range or at odds with another; the text names it and says what to do."""


class Settings(BaseSettings):
    """The settings of one process. Field names are the environment variables in lower case."""

    model_config = SettingsConfigDict(
        env_file=".env", env_file_encoding="utf-8", extra="ignore", hide_input_in_errors=True, env_ignore_empty=True
    )

    redis_url: SecretStr = Field(
        SecretStr("redis://127.0.0.1:6379/0"),
        description="Redis 6.2 or newer, or Valkey; rediss:// for TLS; redis+sentinel://host,host/service/0; redis+cluster://host",
    )
    mongodb_uri: SecretStr = Field(
        SecretStr("mongodb://127.0.0.1:27017/learnsvc"),
        description="MongoDB 6.0 or newer; the database is the one in the path, else learnsvc",
    )
    gemini_api_key: SecretStr | None = Field(
        None, description="key of the Gemini API; without it tone is judged by word lists alone"
    )

    learning_queue_concurrency: int = Field(5, ge=1, le=200, description="writers in work at a time, in a process")
    learning_rate_limit_minutes: Minutes = Field(
        5.0, description="minutes; a writer's style is learned at most once in this time; 0 switches it off"
    )
    edit_batch_window_minutes: Minutes = Field(
        5.0, description="minutes from the first waiting edit in which edits are learned together; 0 switches it off"
    )
    pattern_threshold_sentence_length: Threshold = Field(3, description="supporting edits for sentence length")
    pattern_threshold_emoji: Threshold = Field(3, description="supporting edits for emoji added or removed")
    pattern_threshold_structure: Threshold = Field(3, description="supporting edits for bullets, paragraphs, ending")
    pattern_threshold_common_phrase: Threshold = Field(3, description="edits that add a phrase before it is common")
    pattern_threshold_banned_phrase: Threshold = Field(2, description="edits that remove a phrase before it is banned")
    pattern_threshold_major_change: Threshold = Field(5, description="supporting edits for tone, vocabulary, voice")
    max_edit_metadata_per_user: int = Field(50, ge=20, le=200, description="deltas kept in a profile")
    max_profile_versions: int = Field(10, ge=1, le=50, description="versions kept for rollback")
    learning_step_percent: float = Field(
        15.0, ge=10, le=20, description="per cent of the way an average moves towards what the writer leaves, an edit"
    )

    learning_max_attempts: int = Field(5, ge=3, le=100, description="deliveries before an entry is dead-lettered")
    learning_lease_seconds: float = Field(
        30.0, ge=1, le=3600, description="seconds without renewal after which another worker takes an entry over"
    )
    learning_sweep_seconds: float = Field(
        1.0, ge=0.05, le=600, description="seconds between two looks for abandoned entries (jittered)"
    )
    learning_due_seconds: float = Field(
        5.0, ge=0.05, le=600, description="seconds between two looks for writers whose waiting edits are due (jittered)"
    )
    learning_prefetch: int = Field(20_000, ge=1, le=20_000, description="entries a process holds at most")
    learning_block_seconds: float = Field(1.0, ge=0.05, le=5, description="seconds a read waits for new entries")
    learning_job_timeout_seconds: float = Field(60.0, ge=1, le=3600, description="seconds to extract and judge a batch")
    learning_grace_seconds: float = Field(
        20.0, ge=0, le=3600, description="seconds to finish what is in work after the first stop signal"
    )
    learning_max_job_bytes: int = Field(
        1_048_576, ge=1024, le=16_777_216, description="bytes of the field `job`, measured before it is parsed"
    )
    learning_partitions: int = Field(1, ge=1, le=64, description="streams the jobs are spread over, by writer")
    learning_key_prefix: str = Field(
        "learning", pattern=r"^[A-Za-z0-9._-]{1,64}$", description="hash tag of all keys: {learning}:jobs"
    )
    learning_redis_timeout_seconds: float = Field(5.0, ge=0.1, le=60, description="seconds for one command to Redis")
    learning_mongodb_timeout_seconds: float = Field(
        5.0, ge=0.1, le=60, description="seconds for one operation on MongoDB, its waiting included"
    )
    learning_http_port: int = Field(3002, ge=0, le=65535, description="port of /health and the rest; 0 switches it off")
    learning_http_host: str = Field("127.0.0.1", description="address the port is bound to; 0.0.0.0 in a container")
    learning_page_token: SecretStr | None = Field(
        None, description="password of pages about writers; needed where the port is not bound to loopback"
    )
    learning_log_level: Literal["debug", "info", "warning", "error"] = Field("info", description="least level logged")
    learning_log_format: Literal["auto", "console", "json"] = Field(
        "auto", description="auto: colours on a terminal, JSON lines otherwise"
    )

    gemini_model: str = Field("gemini-2.5-flash", min_length=1, description="model that labels tone")
    gemini_base_url: str | None = Field(None, description="another origin for Gemini: a proxy, or a double in tests")
    gemini_timeout_seconds: float = Field(8.0, ge=0.1, le=120, description="seconds for all tries of one call")
    gemini_max_concurrency: int = Field(4, ge=1, le=100, description="calls at a time, in a process")
    gemini_max_calls_per_minute: int = Field(
        60, ge=1, le=100_000, description="calls a minute, of all workers together"
    )
    gemini_max_input_tokens: int = Field(2000, ge=1200, le=100_000, description="tokens of one call, estimated")
    gemini_max_tokens_per_day: int | None = Field(
        None, ge=10_000, description="tokens in and out in 24 hours, of all workers; none: no ceiling"
    )
    gemini_cache_days: float = Field(30.0, gt=0, le=365, description="days an answer is kept in Redis, by content")
    google_genai_use_vertexai: bool = Field(False, description="ask Vertex AI in place of the Gemini API")
    google_cloud_project: str | None = Field(None, description="project of Vertex AI; needs Google's credentials")
    google_cloud_location: str | None = Field(None, description="location of Vertex AI; none: global")

    @field_validator("redis_url")
    @classmethod
    def _redis_scheme(cls, url: SecretStr) -> SecretStr:
        if url.get_secret_value().startswith(("redis+sentinel://", "rediss+sentinel://")):
            from service.streams.sentinel import parse  # it imports redis-py, which most commands do without

            parse(url.get_secret_value())
        elif not url.get_secret_value().startswith(_REDIS_SCHEMES):
            raise ValueError(
                "must start with redis://, rediss://, unix://, or with redis+ or rediss+ and sentinel:// or cluster://"
            )
        return url

    @field_validator("mongodb_uri")
    @classmethod
    def _mongodb_scheme(cls, uri: SecretStr) -> SecretStr:
        if not uri.get_secret_value().startswith(("mongodb://", "mongodb+srv://")):
            raise ValueError("must start with mongodb:// or mongodb+srv://")
        return uri

    @model_validator(mode="after")
    def _agree(self) -> Settings:
        renewal = self.learning_lease_seconds / RENEWALS_PER_LEASE
        if self.learning_redis_timeout_seconds > renewal * 2:
            raise ValueError(
                f"LEARNING_REDIS_TIMEOUT_SECONDS ({self.learning_redis_timeout_seconds:g}) leaves no time to renew a "
                f"lease of {self.learning_lease_seconds:g} s: keep it at most two thirds of LEARNING_LEASE_SECONDS"
            )
        if self.gemini_timeout_seconds >= self.learning_job_timeout_seconds:
            raise ValueError(
                "GEMINI_TIMEOUT_SECONDS must be less than LEARNING_JOB_TIMEOUT_SECONDS, else a slow Gemini fails jobs"
            )
        if self.google_genai_use_vertexai and not (self.google_cloud_project or self.gemini_api_key):
            raise ValueError("GOOGLE_GENAI_USE_VERTEXAI needs GOOGLE_CLOUD_PROJECT, or GEMINI_API_KEY in express mode")
        if self.learning_prefetch < self.learning_queue_concurrency:
            raise ValueError("LEARNING_PREFETCH must be at least LEARNING_QUEUE_CONCURRENCY")
        return self

    @property
    def lease(self) -> timedelta:
        return timedelta(seconds=self.learning_lease_seconds)

    def rules(self) -> LearningRules:
        """Return what learning needs to know, as plain values."""
        return LearningRules(
            threshold_sentence_length=self.pattern_threshold_sentence_length,
            threshold_emoji=self.pattern_threshold_emoji,
            threshold_structure=self.pattern_threshold_structure,
            threshold_common_phrase=self.pattern_threshold_common_phrase,
            threshold_banned_phrase=self.pattern_threshold_banned_phrase,
            threshold_major_change=self.pattern_threshold_major_change,
            step=self.learning_step_percent / 100,
            max_edits=self.max_edit_metadata_per_user,
            max_versions=self.max_profile_versions,
            rate_limit=timedelta(minutes=self.learning_rate_limit_minutes),
            batch_window=timedelta(minutes=self.edit_batch_window_minutes),
        )


def load_settings(**overrides: object) -> Settings:
    """Return the settings of the environment, ``overrides`` winning. Raises ``InvalidSettings``."""
    try:
        return Settings(**overrides)  # type: ignore[arg-type]
    except ValidationError as error:
        raise InvalidSettings(_one_line(error)) from None


def _one_line(error: ValidationError) -> str:
    item = error.errors(include_url=False, include_input=False)[0]
    message = item["msg"].removeprefix("Value error, ")
    name = ".".join(str(part) for part in item["loc"]).upper()
    return f"{name}: {message}" if name else message


def env_example() -> str:
    """Return the text of ``.env.example``: each setting with its meaning, unit and default."""
    lines = ["# Settings of learnsvc: copy to .env and change what you need. Every line shows the default."]
    for name, field in Settings.model_fields.items():
        default = field.default.get_secret_value() if isinstance(field.default, SecretStr) else field.default
        shown = "" if default is None else f"{default:g}" if isinstance(default, float) else str(default)
        lines += ["", f"# {field.description}", f"{'# ' if default is None else ''}{name.upper()}={shown}"]
    return "\n".join(lines) + "\n"
