"""StyleDelta: what one saved edit says about its writer's style.

A delta is a pure function of the two texts. Every count is given before and after, so a reader can see the
evidence and not only its conclusion. Fields that equal their default are left out of stored deltas.
"""

from __future__ import annotations

from datetime import datetime
from typing import Literal, NamedTuple

from pydantic import BaseModel, ConfigDict, Field

ToneLabel = Literal[
    "more casual",
    "more professional",
    "more enthusiastic",
    "more subdued",
    "more direct",
    "more indirect",
    "more humorous",
    "more serious",
    "no change",
]
Ending = Literal["none", "cta", "question", "summary", "reflection"]
Opening = Literal["none", "hook", "story", "problem", "statement"]
Body = Literal["none", "steps", "narrative", "analysis", "bullets"]
VoiceType = Literal["educational", "storytelling", "opinionated", "analytical", "casual", "professional"]
SpanKind = Literal["moved", "typo", "correction", "case", "substitution", "insertion", "deletion"]


class _Part(BaseModel):
    model_config = ConfigDict(extra="ignore", frozen=True)


class Count(_Part):
    """How often a feature occurs in the draft and in the saved text, and how many were added and removed.

    ``added - removed == after - before`` always; both can be positive, as when an emoji is swapped.
    """

    before: int = Field(0, ge=0)
    after: int = Field(0, ge=0)
    added: int = Field(0, ge=0)
    removed: int = Field(0, ge=0)


class Measure(_Part):
    """A mean in the draft and in the saved text, with ``difference = after - before``."""

    before: float = 0.0
    after: float = 0.0
    difference: float = 0.0


class Substitution(_Part):
    """One expression replaced by another at the same place, as written."""

    before: str
    after: str


class Span(NamedTuple):
    """One changed span, as written, with its class; only the last three classes are style evidence."""

    kind: SpanKind
    before: str = ""
    after: str = ""


class ToneScales(_Part):
    """Lexical evidence on the five scales: -1 (clearly lower) .. 0 (nothing said) .. 1 (clearly higher)."""

    formality: float = Field(0.0, ge=-1, le=1)
    enthusiasm: float = Field(0.0, ge=-1, le=1)
    directness: float = Field(0.0, ge=-1, le=1)
    humor: float = Field(0.0, ge=-1, le=1)
    emotionality: float = Field(0.0, ge=-1, le=1)


class ToneShift(_Part):
    """How the tone moved, how sure that is (0..1), and who says so."""

    label: ToneLabel = "no change"
    confidence: float = Field(0.0, ge=0, le=1)
    source: Literal["gemini", "lexical"] = "lexical"


NOTHING = Count()  # one object, so that most fields of a delta are seen to be their default without a comparison


class StyleDelta(_Part):
    """What one edit says about style."""

    job_id: str = ""
    content_id: str = ""
    edited_at: datetime | None = Field(None, description="when the writer saved; orders the deltas of a writer")
    platform: str | None = None
    content_format: str | None = None

    language: str = Field("und", description="BCP 47 primary language, `und` when unknown")
    change_ratio: float = Field(0.0, ge=0, le=1, description="share of the text that changed")
    is_noise: bool = Field(True, description="only typo, number, name, case or spacing repairs, or nothing")
    is_rewrite: bool = Field(False, description="more than 80 % changed: a sample of the writer's own text")
    truncated: bool = Field(False, description="too long to align in full; the rest was compared coarsely")
    posts: Count = Field(Count(before=1, after=1), description="posts of a thread")

    length_unit: Literal["words", "characters"] = Field("words", description="characters for ja and zh")
    words: Count = Field(NOTHING, description="words (or characters) of prose")
    sentences: Count = NOTHING
    sentence_length: Measure = Field(Measure(), description="mean words (or characters) a sentence")

    emoji: Count = NOTHING
    emoji_added: tuple[str, ...] = ()
    emoji_removed: tuple[str, ...] = ()

    shared_length: Measure = Field(
        Measure(),
        description="sentence length over the prose that both texts share: without sentences, lists and phrases that "
        "were only added or dropped; 0 when the texts share none",
    )
    paragraphs: Count = NOTHING
    paragraph_length: Measure = Field(Measure(), description="mean words (or characters) a paragraph of prose")
    bullets: Count = NOTHING
    numbered: Count = NOTHING
    headings: Count = NOTHING
    emphasis: Count = Field(NOTHING, description="bold and italic runs")
    links: Count = NOTHING
    code: Count = Field(NOTHING, description="inline code and fenced blocks")
    hashtags: Count = NOTHING
    mentions: Count = NOTHING
    em_dashes: Count = NOTHING

    contractions: Count = NOTHING
    hedges: Count = NOTHING
    intensifiers: Count = NOTHING
    exclamations: Count = NOTHING
    capitals: Count = Field(NOTHING, description="words in capitals for emphasis, no acronyms")
    questions: Count = NOTHING
    second_person: Count = NOTHING
    formal_words: Count = NOTHING
    casual_words: Count = NOTHING
    laughter: Count = Field(NOTHING, description="markers of jokes: lol, haha, laughing emoji")

    substitutions: tuple[Substitution, ...] = ()
    complexity_shift: Literal[-1, 0, 1] = Field(0, description="vocabulary simpler, the same, harder")
    long_word_share: Measure = Field(Measure(), description="share of words of 7 letters or more")
    phrases_added: tuple[str, ...] = ()
    phrases_removed: tuple[str, ...] = ()

    opening_before: Opening = "none"
    opening_after: Opening = "none"
    body_after: Body = "none"
    ending_before: Ending = "none"
    ending_after: Ending = "none"
    voice_after: VoiceType | None = Field(None, description="what the saved text reads like, if it is clear")

    tone_scales: ToneScales = ToneScales()
    tone_shift: ToneShift = ToneShift()
    statements: tuple[str, ...] = Field(
        (), max_length=5, description="what a model read from this edit and others of its batch; evidence, not truth"
    )

    kept_words: bytes = Field(
        b"",
        repr=False,
        description="two-byte hashes of the words the writer left standing, in order (base64 in JSON): tells later "
        "whether a phrase was kept in this text, without keeping the text",
    )
    sample: str | None = Field(None, repr=False, description="the saved text of a rewrite, at most 800 characters")
    revision: int = Field(0, ge=0, description="revision of the profile that learned it; 0 before that")
    facts: bytes = Field(
        b"",
        repr=False,
        description="what learning asks of this edit, answered once and packed (base64 in JSON); empty before it is "
        "learned. For learnsvc alone: the other fields say the same",
    )

    model_config = ConfigDict(extra="ignore", frozen=True, ser_json_bytes="base64", val_json_bytes="base64")


class Analysis(NamedTuple):
    """A delta together with what is not stored: the classified spans and aligned sentence pairs.

    ``pairs`` are (before, after) sentences that changed, the only text a tone model is shown.
    """

    delta: StyleDelta
    spans: tuple[Span, ...] = ()
    pairs: tuple[tuple[str, str], ...] = ()
