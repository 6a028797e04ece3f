"""What a model may answer, and the reading of what it did answer.

The schema travels with the request and limits the output to the nine labels, but it is a wish: the SDK drops
an answer that does not fit without an error (its ``parsed`` is then None), and a proxy may ignore it. So the
text is validated here once more, strictly, and against the question: every id that was asked, once, and no
other. One edit cannot gain a second label, and an answer that is right in part is not used in part - which
part would be a guess. Only a statement whose words are not acceptable (:mod:`service.tone.statements`) is left
out by itself: that is taste, and no reason to doubt the labels beside it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from schemas.delta import ToneLabel, ToneShift
from service.tone.base import Judgement, ToneFailure
from service.tone.statements import MOST, acceptable

# Reasons for which the same texts would be refused again; any other that is not STOP is an unusable answer.
BLOCKED = frozenset({"SAFETY", "RECITATION", "LANGUAGE", "BLOCKLIST", "PROHIBITED_CONTENT", "SPII", "MODEL_ARMOR"})


class EditTone(BaseModel):
    """The tone of one edit."""

    model_config = ConfigDict(strict=True, hide_input_in_errors=True)

    id: int = Field(ge=0)
    label: ToneLabel
    confidence: float = Field(ge=0, le=1, allow_inf_nan=False)


class PreferenceStatement(BaseModel):
    """What the writer seems to prefer, and the edits that show it."""

    model_config = ConfigDict(strict=True, hide_input_in_errors=True)

    text: str
    edits: list[int]


class ToneAnswer(BaseModel):
    """One element for each edit of the question, and what the edits together say."""

    model_config = ConfigDict(strict=True, hide_input_in_errors=True)

    edits: list[EditTone]
    statements: list[PreferenceStatement] = Field(max_length=MOST)


@dataclass(frozen=True, slots=True)
class Reply:
    """What came back from one call, before anybody believed it."""

    text: str | None = field(repr=False)
    finish_reason: str | None
    blocked: bool
    tokens_in: int
    tokens_out: int


def read(reply: Reply, count: int, document: str) -> Sequence[Judgement]:
    """The judgements of edits 0..count-1 of ``document``, in order.

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
    return _validate(reply.text, count, document)


def _validate(text: str, count: int, document: str) -> list[Judgement]:
    try:
        answer = ToneAnswer.model_validate_json(text)
    except ValidationError:
        raise ToneFailure("bad_answer") from None  # the error would carry the model's words
    tones = sorted(answer.edits, key=lambda tone: tone.id)
    named = {id for statement in answer.statements for id in statement.edits}
    if [tone.id for tone in tones] != list(range(count)) or not named <= set(range(count)):
        raise ToneFailure("bad_answer")
    said = [(set(one.edits), kept) for one in answer.statements if (kept := acceptable(one.text, document))]
    return [
        Judgement(
            ToneShift(label=tone.label, confidence=tone.confidence, source="gemini"),
            tuple(dict.fromkeys(kept for edits, kept in said if tone.id in edits)),
        )
        for tone in tones
    ]
