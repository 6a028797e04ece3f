"""How a text opens and ends, what its body is, and what it reads like.

The last sentence decides the ending: a call to action names what to do (an imperative, `let us know`, `link in bio`),
a question ends with its mark, a summary and a reflection start with their expressions. Only what is clear gets a
name: `none` costs nothing, a wrong claim does. The voice needs at least three signs, twice as many as any other
voice's, and one in twenty-five words.
"""

from __future__ import annotations

from typing import Final

from schemas.delta import Body, Ending, Opening, VoiceType
from service.analysis.document import Unit
from service.analysis.lexicon import Lexicon
from service.analysis.markers import Found
from service.analysis.tokens import fold

_QUESTION: Final = ("?", "？", "؟")
_SHORT_LINE: Final = 8
_FEWEST_SIGNS: Final = 3


def ending(units: list[Unit], lexicon: Lexicon) -> Ending:
    """What the text ends in."""
    if len(units) < 2:
        return "none"
    last = units[-1]
    text = fold(last.text).rstrip("\"'”’»)]」 ")
    if _opens_with(text, lexicon, "cta") or _is_imperative(last.words, text, lexicon):
        return "cta"
    if text.endswith(_QUESTION):
        return "question"
    if _opens_with(text, lexicon, "summary"):
        return "summary"
    return "reflection" if _opens_with(text, lexicon, "reflection") else "none"


def opening(units: list[Unit], lexicon: Lexicon) -> Opening:
    """What the text opens with."""
    if not units:
        return "none"
    first = units[0]
    text = fold(first.text).rstrip("\"'”’»)]」 ")
    if _opens_with(text, lexicon, "story"):
        return "story"
    if _opens_with(text, lexicon, "problem"):
        return "problem"
    if text.endswith(_QUESTION) or _opens_with(text, lexicon, "hook"):
        return "hook"
    alone = len(units) > 1 and units[1].paragraph != first.paragraph and not first.leads_list
    if alone and len(first.words) <= _SHORT_LINE and text.endswith(("!", "！", ":", "...", "…")):
        return "hook"
    return "statement"


def body(units: list[Unit], found: Found) -> Body:
    """What the body mostly is."""
    kinds = [unit.kind for unit in units]
    bullets, numbered = kinds.count("bullet"), kinds.count("numbered")
    if max(bullets, numbered) >= 2:
        return "bullets" if bullets >= numbered else "steps"
    steps = len(set(found.get("steps", ())))
    narrative, analytic = len(found.get("narrative", ())), len(found.get("analytic", ()))
    if steps >= 3:
        return "steps"
    if narrative >= 3 and narrative > analytic:
        return "narrative"
    return "analysis" if analytic >= 3 and analytic > narrative else "none"


def voice(found: Found, word_count: int) -> VoiceType | None:
    """What the text reads like, if that is clear."""
    if sum(map(len, found.values())) < _FEWEST_SIGNS:
        return None
    signs: dict[VoiceType, int] = {
        "educational": len(found.get("teaching", ())) + len(found.get("steps", ())),
        "storytelling": len(found.get("narrative", ())),
        "opinionated": len(found.get("opinion", ())),
        "analytical": len(found.get("analytic", ())),
        "casual": len(found.get("casual", ()))
        + len(found.get("laughter", ()))
        + len(found.get("contractions", ())) // 2,
        "professional": len(found.get("formal", ())),
    }
    ranked = sorted(signs.items(), key=lambda item: -item[1])
    (best, most), (_, next_most) = ranked[0], ranked[1]
    return best if most >= _FEWEST_SIGNS and most >= 2 * next_most and most * 25 >= word_count else None


def _opens_with(text: str, lexicon: Lexicon, name: str) -> bool:
    openers = lexicon.openers.get(name)
    return openers is not None and openers.match(text)


_BEFORE_VERB: Final = frozenset(
    ["please", "so", "now", "and", "then", "just", "go", "kindly", "simply", "today", "bitte", "jetzt", "por", "favor"]
)


def _is_imperative(words: list[str], text: str, lexicon: Lexicon) -> bool:
    at = 0
    while at < len(words) - 1 and words[at] in _BEFORE_VERB and at < 3:
        at += 1
    if at < len(words) and words[at] in lexicon.imperatives:
        return at + 1 == len(words) or words[at + 1] not in lexicon.after_imperative
    return False
