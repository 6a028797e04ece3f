"""DeadLetter: an entry that could not be learned, with its whole payload and the reason."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

DeadReason = Literal[
    "undecodable",
    "invalid",
    "too_large",
    "duplicate_key",
    "future_version",
    "future_time",
    "id_reuse",
    "undecidable",
    "attempts",
    "unstorable",
]


class EarlierDeath(BaseModel):
    """Why an entry was dead before it was put back."""

    model_config = ConfigDict(extra="ignore")

    reason: DeadReason
    detail: str = ""
    deliveries: int = Field(0, ge=0)
    dead_at: str = Field("", description="RFC 3339, clock of the server")


class DeadLetter(BaseModel):
    """One entry of the stream ``{learning}:dead``."""

    model_config = ConfigDict(extra="ignore")

    id: str = Field(description="entry id in the dead-letter stream")
    reason: DeadReason
    detail: str = Field("", description="what was wrong, naming keys and never texts")
    source_id: str = Field(description="entry id in the stream of jobs")
    deliveries: int = Field(0, ge=0)
    dead_at: str = Field("", description="RFC 3339, clock of the server")
    user_id: str | None = Field(None, description="the writer, when the payload tells")
    job_id: str | None = None
    history: list[EarlierDeath] = Field(default_factory=list, description="earlier deaths, the last ten, oldest first")
    fields: dict[str, str] = Field(default_factory=dict, description="the raw fields; bytes that are no UTF-8 escaped")
