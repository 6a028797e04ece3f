"""StyleProfile: one document a writer, the Beanie model of the collection ``style_profiles``.

``Profile`` is the same shape without a database behind it, for learning, replays and tests.
"""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, ClassVar, Literal

from beanie import Document
from pydantic import BaseModel, ConfigDict, Field
from pymongo import ASCENDING, IndexModel

from schemas.delta import StyleDelta, VoiceType

Scale = Annotated[float, Field(ge=1, le=10)]
Direction = Literal["higher", "lower", "none"]
ProfileSource = Literal["manual", "file", "archetype", "feedback"]


class _Part(BaseModel):
    model_config = ConfigDict(extra="ignore")


class Tone(_Part):
    """Where the writer stands on five scales, 1..10; 5 is neutral."""

    formality: Scale = 5.0
    enthusiasm: Scale = 5.0
    directness: Scale = 5.0
    humor: Scale = 5.0
    emotionality: Scale = 5.0


class WritingTraits(_Part):
    """How the writer's posts look."""

    avg_sentence_length: float = Field(15.0, ge=5, le=50, description="words; characters for ja and zh")
    uses_questions_often: bool = False
    uses_emojis: bool = False
    emoji_frequency: float = Field(0.0, ge=0, le=5, description="emoji a post")
    uses_bullet_points: bool = False
    uses_short_paragraphs: bool = False
    uses_hooks: bool = False


class StructurePreferences(_Part):
    """How the writer's posts are built."""

    intro: Literal["hook", "story", "problem", "statement"] = "statement"
    body: Literal["steps", "narrative", "analysis", "bullets"] = "narrative"
    ending: Literal["cta", "reflection", "summary", "question", "none"] = "none"


class Phrase(_Part):
    """A phrase the writer puts in or takes out, with its evidence."""

    phrase: str
    support: int = Field(0, ge=0, description="edits that speak for it")
    against: int = Field(0, ge=0, description="edits that speak against it")
    last_seen: datetime | None = None
    edits: list[str] = Field(default_factory=list, description="job ids of the newest supporting edits")


class Preference(_Part):
    """A statement about the writer's style, made by a model or a person, with its evidence."""

    statement: str = Field(max_length=200)
    support: int = Field(0, ge=0, description="recent edits that speak for it")
    against: int = Field(0, ge=0, description="recent edits a model saw that do not, or speak against it")
    last_seen: datetime | None = None
    edits: list[str] = Field(default_factory=list, description="job ids of the newest supporting edits, at most 5")


class ToneDirections(_Part):
    formality: Direction = "none"
    enthusiasm: Direction = "none"
    directness: Direction = "none"
    humor: Direction = "none"
    emotionality: Direction = "none"


class Directions(_Part):
    """What the profile now claims about how the writer changes drafts."""

    sentence_length: Literal["shorter", "longer", "none"] = "none"
    emoji: Literal["more", "fewer", "none"] = "none"
    bullets: Literal["more", "fewer", "none"] = "none"
    headings: Literal["more", "fewer", "none"] = "none"
    paragraphs: Literal["shorter", "longer", "none"] = "none"
    ending: Literal["cta", "reflection", "summary", "question", "none"] = "none"
    tone: ToneDirections = Field(default_factory=ToneDirections)


class Style(_Part):
    """The style part of a profile: what an application reads before it writes."""

    voice_type: VoiceType = "professional"
    tone: Tone = Field(default_factory=Tone)
    writing_traits: WritingTraits = Field(default_factory=WritingTraits)
    structure_preferences: StructurePreferences = Field(default_factory=StructurePreferences)
    vocabulary_level: Literal["simple", "medium", "advanced"] = "medium"
    common_phrases: list[Phrase] = Field(default_factory=list, max_length=20)
    banned_phrases: list[Phrase] = Field(default_factory=list, max_length=20)
    preferences: list[Preference] = Field(default_factory=list, max_length=10)
    sample_posts: list[str] = Field(default_factory=list, max_length=10)
    directions: Directions = Field(default_factory=Directions)


class Claim(_Part):
    """Why the profile claims something: the evidence a person can look at."""

    path: str = Field(description="what is claimed, such as `directions.emoji`")
    value: str
    support: int = Field(0, ge=0, description="recent edits that speak for it")
    against: int = Field(0, ge=0, description="recent edits that speak against it")
    opportunities: int = Field(0, ge=0, description="recent edits that offered the chance")
    edits: list[str] = Field(default_factory=list, description="job ids of the newest supporting edits, at most 5")
    last_seen: datetime | None = None


class ScoreComponents(_Part):
    """The four parts of the evolution score, in points."""

    samples: float = 0.0
    iterations: float = 0.0
    completeness: float = 0.0
    consistency: float = 0.0


class Milestone(_Part):
    """One point of the evolution timeline: what an update changed and why."""

    at: datetime
    revision: int
    iteration: int
    score: float
    components: ScoreComponents = Field(default_factory=ScoreComponents)
    edits: list[str] = Field(default_factory=list, description="job ids learned, the newest 20")
    edit_count: int = 0
    toned: int = Field(0, ge=0, description="edits learned before whose tone a model judged now")
    patterns: list[str] = Field(default_factory=list, description="such as `emoji: fewer`")
    changes: list[str] = Field(default_factory=list, description="one line a change, with its evidence")


class Waiting(_Part):
    """Observations of one average that wait to be folded together, as one iteration."""

    path: str
    total: float = 0.0
    count: int = Field(0, ge=0)


class Baseline(_Part):
    """Where the fold over ``recent_edits`` starts: the style before them.

    ``own`` names the style paths that were known before any edit (a seed, a set value): averages start from
    these; any other average starts from the first edit that shows it.
    """

    style: Style = Field(default_factory=Style)
    own: list[str] = Field(default_factory=list)
    iterations: int = Field(0, ge=0)
    last_learned_at: datetime | None = None
    waiting_since: datetime | None = None
    waiting: list[Waiting] = Field(default_factory=list, description="of edits that left with their batch still open")
    tone_origin: Tone | None = Field(None, description="the tone before any edit, once edits have left; else `style`")
    folded: int = Field(0, ge=0, description="evidence edits that left recent_edits into this baseline")


class PendingEdit(_Part):
    """An edit recorded and not yet learned, with the excerpts a tone model may need."""

    delta: StyleDelta
    pairs: list[tuple[str, str]] = Field(default_factory=list, description="changed sentences, bounded")


class MarkedEdit(_Part):
    """A learned edit that a tone model was wanted for and did not answer, with the excerpts to ask it again."""

    job_id: str
    pairs: list[tuple[str, str]] = Field(default_factory=list, description="changed sentences, bounded")


class LateTone(_Part):
    """Edits learned without the tone model, and when it is asked about them again."""

    edits: list[MarkedEdit] = Field(description="among recent_edits, oldest first, at most 20")
    due_at: datetime
    tries: int = Field(0, ge=0, description="calls about them that were sent and failed, in a row")


class ProfileVersion(_Part):
    """The style as an update left it, for rollback; less ``sample_posts``, which a rollback keeps."""

    revision: int
    at: datetime
    iteration: int
    score: float
    style: Style


class ProfileFields(Style):
    """Everything a profile holds beside its identity."""

    schema_version: Literal[1] = 1
    profile_source: ProfileSource = "feedback"
    manual_overrides: list[str] = Field(default_factory=list, description="style paths that learning never touches")

    learning_iterations: int = Field(0, ge=0)
    evolution_score: float = Field(0.0, ge=0, le=100)
    evolution_components: ScoreComponents = Field(default_factory=ScoreComponents)
    evolution_timeline: list[Milestone] = Field(default_factory=list, description="the newest 50")
    claims: list[Claim] = Field(default_factory=list)
    style_guide: str = Field("", description="the profile in plain language, ready for a prompt")

    baseline: Baseline = Field(default_factory=Baseline)
    recent_edits: list[StyleDelta] = Field(default_factory=list, description="learned edits, oldest first")
    pending: list[PendingEdit] = Field(default_factory=list, description="recorded edits, not yet learned")
    learn_due_at: datetime | None = None
    late_tone: LateTone | None = Field(None, description="learned edits whose tone a model has yet to judge")
    last_learned_at: datetime | None = None

    edits_applied: int = Field(0, ge=0, description="distinct jobs that had their effect")
    revision: int = Field(0, ge=0)
    versions: list[ProfileVersion] = Field(default_factory=list)
    created_at: datetime | None = None
    updated_at: datetime | None = None


class Profile(ProfileFields):
    """One writer's profile, without a database behind it."""

    user_id: str


class StyleProfile(Document, ProfileFields):
    """The stored profile. ``_id`` is the ``user_id``, which stands beside it once more for readers.

    The ledger ``applied`` (ids of applied jobs) and the ``commit_mark`` of the last write are no fields of the model:
    they are read and written beneath it. See ``service/profiles.py``.
    """

    id: str  # type: ignore[assignment]
    user_id: str

    class Settings:
        name = "style_profiles"
        indexes: ClassVar[list[IndexModel]] = [
            IndexModel([("learn_due_at", ASCENDING)], name="learn_due_at", sparse=True),
            IndexModel([("late_tone.due_at", ASCENDING)], name="late_tone_due_at", sparse=True),
        ]
