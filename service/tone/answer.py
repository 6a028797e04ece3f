"""What a model may answer, and the reading of what it did answer.

The schema travels with the request and limits the output to the nine labels, but it is a wish: the SDK drops
an answer that does not fit without an error (its ``parsed`` is then None), and a proxy may ignore it. So the
text is validated here once more, strictly, and against the question: every id that was asked, once, and no
other. One edit cannot gain a second label, and an answer that is right in part is not used in part - which
part would be a guess.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from schemas.delta import ToneLabel, ToneShift
from service.tone.base import ToneFailure

# Reasons for which the same texts would be refused again; any other that is not STOP is an unusable answer.
BLOCKED = frozenset({"SAFETY", "RECITATION", "LANGUAGE", "BLOCKLIST", "PROHIBITED_CONTENT", "SPII", "MODEL_ARMOR"})


class EditTone(BaseModel):
    """The tone of one edit."""

    model_config = ConfigDict(strict=True, hide_input_in_errors=True)

    id: int = Field(ge=0)
    label: ToneLabel
    confidence: float = Field(ge=0, le=1, allow_inf_nan=False)


class ToneAnswer(BaseModel):
    """One element for each edit of the question."""

    model_config = ConfigDict(strict=True, hide_input_in_errors=True)

    edits: list[EditTone]


@dataclass(frozen=True, slots=True)
class Reply:
    """What came back from one call, before anybody believed it."""

    text: str | None = field(repr=False)
    finish_reason: str | None
    blocked: bool
    tokens_in: int
    tokens_out: int


def read(reply: Reply, count: int) -> Sequence[ToneShift]:
    """The shifts of edits 0..count-1, in order.

    :raises ToneFailure: blocked, truncated, empty or bad_answer.
    """
    if reply.blocked or reply.finish_reason in BLOCKED:
        raise ToneFailure("blocked")
    if reply.finish_reason == "MAX_TOKENS":
        raise ToneFailure("truncated")
    if not reply.text:
        raise ToneFailure("empty")
    if reply.finish_reason != "STOP":
        raise ToneFailure("bad_answer")
    return _validate(reply.text, count)


def _validate(text: str, count: int) -> list[ToneShift]:
    try:
        tones = sorted(ToneAnswer.model_validate_json(text).edits, key=lambda tone: tone.id)
    except ValidationError:
        raise ToneFailure("bad_answer") from None  # the error would carry the model's words
    if [tone.id for tone in tones] != list(range(count)):
        raise ToneFailure("bad_answer")
    return [ToneShift(label=tone.label, confidence=tone.confidence, source="gemini") for tone in tones]
