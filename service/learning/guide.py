"""The style guide: the profile in plain language, ready for a prompt.

One line a claim, each with its evidence. What a person set comes first, then claims by the number of edits
that support them; equal ones in the order of the style, so that the guide of a profile is always the same
text.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from schemas.profile import Claim, Phrase, Preference, ProfileFields
from service.learning.paths import EMOJI_FREQUENCY, SENTENCE_LENGTH, expand, get

# A token of English is about four characters; a character of another script or an emoji is up to one token by itself.
CHARACTERS_PER_TOKEN: Final = 4
ENDINGS: Final = {
    "cta": "a call to action",
    "question": "a question",
    "summary": "a summary",
    "reflection": "a reflection",
    "none": "no special ending",
}
TONES: Final[dict[str, tuple[str, str]]] = {
    "formality": ("Writes more formally than drafts", "Writes more casually than drafts"),
    "enthusiasm": (
        "Sounds more enthusiastic than drafts",
        "Sounds calmer than drafts, with fewer exclamations",
    ),
    "directness": (
        "Is more direct than drafts, with fewer hedges",
        "Is softer than drafts, with more hedges",
    ),
    "humor": ("Is more humorous than drafts", "Is more serious than drafts"),
    "emotionality": ("Shows more feeling than drafts", "Shows less feeling than drafts"),
}
LAYOUT: Final[dict[tuple[str, str], str]] = {
    ("directions.bullets", "more"): "Turns enumerations into bullet lists",
    ("directions.bullets", "fewer"): "Writes prose instead of bullet lists",
    ("directions.headings", "more"): "Adds headings",
    ("directions.headings", "fewer"): "Takes headings out",
    ("directions.paragraphs", "shorter"): "Breaks text into short paragraphs",
    ("directions.paragraphs", "longer"): "Merges short paragraphs into longer ones",
    ("writing_traits.uses_questions_often", "yes"): "Asks the reader questions",
    ("writing_traits.uses_questions_often", "no"): "Avoids questions",
    ("writing_traits.uses_hooks", "yes"): "Opens with a hook",
    ("writing_traits.uses_hooks", "no"): "Opens without a hook",
    ("vocabulary_level", "simple"): "Prefers simple words",
    ("vocabulary_level", "advanced"): "Prefers advanced vocabulary",
}


@dataclass(frozen=True, slots=True)
class GuideLine:
    """One line without its bullet, the number of edits behind it, and the path it speaks about."""

    text: str
    support: int
    path: str


def render_guide(profile: ProfileFields, max_tokens: int | None = None) -> str:
    """The guide as text; with ``max_tokens`` the strongest lines that fit."""
    budget = None if max_tokens is None else max_tokens * CHARACTERS_PER_TOKEN
    lines: list[str] = []
    for line in guide_lines(profile):
        text = f"- {line.text}"
        if budget is not None:
            budget -= _size(text) + 1
            if budget < 0:
                break
        lines.append(text)
    return "\n".join(lines)


def _size(text: str) -> int:
    """Return the characters of English that have about as many tokens as ``text``."""
    return sum(1 if character.isascii() else CHARACTERS_PER_TOKEN for character in text)


def guide_lines(profile: ProfileFields) -> list[GuideLine]:
    """All lines, strongest first."""
    overridden = expand(profile.manual_overrides)
    own = list(dict.fromkeys(path for path in profile.baseline.own if path not in overridden))
    set_lines = [line for path in overridden if (line := _set_line(profile, path, "set by hand"))]
    claimed = [line for claim in profile.claims if claim.path not in overridden and (line := _line(profile, claim))]
    claimed.sort(key=lambda line: -line.support)
    covered = {line.path for line in (*set_lines, *claimed)}
    covered |= {path for path, direction in COVERS.items() if direction in covered}
    seeded = [line for path in own if path not in covered and (line := _set_line(profile, path, "from the seed"))]
    return set_lines + claimed + seeded


COVERS: Final = {
    SENTENCE_LENGTH: "directions.sentence_length",
    EMOJI_FREQUENCY: "directions.emoji",
    "writing_traits.uses_emojis": "directions.emoji",
    "writing_traits.uses_bullet_points": "directions.bullets",
    "writing_traits.uses_short_paragraphs": "directions.paragraphs",
    "structure_preferences.ending": "directions.ending",
}


def _edits(claim: Claim) -> str:
    if not claim.support:
        return "from the seed"
    return f"{claim.support} of {max(claim.opportunities, claim.support)} edits"


def _line(profile: ProfileFields, claim: Claim) -> GuideLine | None:
    text = _preference(claim) if claim.path == "preferences" else _claim_text(profile, claim)
    return GuideLine(text, claim.support, claim.path) if text else None


def _preference(claim: Claim) -> str:
    """A statement in quotes: it is somebody's words, and has none that could close them."""
    seen = f"seen in {claim.support} of {claim.opportunities} edits" if claim.support else "from the seed"
    return f'Seems to keep to this: "{claim.value}" ({seen}).'


def _claim_text(profile: ProfileFields, claim: Claim) -> str | None:
    path, value, evidence = claim.path, claim.value, _edits(claim)
    traits = profile.writing_traits
    if path == "banned_phrases":
        return f'Never writes "{value}" ({_phrase_evidence(claim, "removed in", "drafts")}).'
    if path == "common_phrases":
        return f'Likes to write "{value}" ({_phrase_evidence(claim, "added in", "edits")}).'
    if path == "directions.sentence_length":
        near = f"{traits.avg_sentence_length:.0f} {_unit(profile)}"
        return f"Keeps sentences near {near}, {value} than drafts ({evidence})."
    if path == "directions.emoji":
        return f"{_emoji(value, traits.emoji_frequency)} ({evidence})."
    if path == "directions.ending":
        return f"Ends with {ENDINGS[value]} ({evidence})."
    if path.startswith("directions.tone."):
        higher, lower = TONES[path.rsplit(".", 1)[-1]]
        return f"{higher if value == 'higher' else lower} ({evidence})."
    if path == "voice_type":
        return f"Sounds {value} ({evidence})."
    if path == "structure_preferences.intro":
        return f"Opens with a {value} ({evidence})."
    if path == "structure_preferences.body":
        return (
            None
            if any(one.path == "directions.bullets" for one in profile.claims)
            else f"Builds on {value} ({evidence})."
        )
    text = LAYOUT.get((path, value))
    return f"{text} ({evidence})." if text else None


def _phrase_evidence(claim: Claim, verb: str, what: str) -> str:
    if not claim.support:
        return "from the seed"
    return f"{verb} {claim.support} of {max(claim.opportunities, claim.support)} {what}"


def _unit(profile: ProfileFields) -> str:
    newest = next((edit for edit in reversed(profile.recent_edits) if not edit.is_noise), None)
    return newest.length_unit if newest else "words"


def _emoji(value: str, frequency: float) -> str:
    if value == "more":
        return f"Adds emoji, about {max(round(frequency), 1)} a post"
    return "Takes emoji out" if frequency < 0.5 else f"Uses fewer emoji than drafts, about {round(frequency)} a post"


def _set_line(profile: ProfileFields, path: str, source: str) -> GuideLine | None:
    value = get(profile, path)
    text = _value_text(path, value)
    return GuideLine(f"{text} ({source}).", 0, path) if text else None


def _value_text(path: str, value: object) -> str | None:
    name = path.rsplit(".", 1)[-1].replace("_", " ")
    if path == "sample_posts" or value in ("none", [], None):
        return None
    if isinstance(value, list):
        quoted = ", ".join(f'"{_name(one)}"' for one in value)
        if path == "preferences":
            return f"Keeps to this: {quoted}"
        return f"Never writes {quoted}" if path == "banned_phrases" else f"Likes to write {quoted}"
    if path.startswith("tone."):
        return f"{name.capitalize()} {value:.0f} of 10"
    if path == SENTENCE_LENGTH:
        return f"Keeps sentences near {value:.0f} words"
    if path == EMOJI_FREQUENCY:
        return f"Uses about {value:.1f} emoji a post"
    if isinstance(value, bool):
        return f"{'Uses' if value else 'Does not use'} {name.removeprefix('uses ')}"
    if path.startswith("directions.tone."):
        higher, lower = TONES[path.rsplit(".", 1)[-1]]
        return higher if value == "higher" else lower
    return f"{name.capitalize()}: {value}"


def _name(phrase: object) -> str:
    if isinstance(phrase, Preference):
        return phrase.statement
    return phrase.phrase if isinstance(phrase, Phrase) else str(phrase)
