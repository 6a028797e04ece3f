"""How one edit votes on each feature, and whether it offered the chance.

A vote must come from what the writer did to the feature itself. Most wrong claims are side effects: a call to
action adds a short sentence and a short paragraph, a list takes a sentence out of the prose. So lengths are
those that the analysis compared over what both texts share.

``up`` and ``down`` of a vote are the chances. "Fewer emoji" had a chance only if the draft had emoji; "more
bullets" has one in any longer text, but not every text has something to list, so that chance counts half.
"""

from __future__ import annotations

from collections.abc import Callable

from schemas.delta import Count, StyleDelta
from service.learning.belief import Vote

# A change of the mean below this share is what any edit does.
LENGTH_CHANGE = 0.08
# Where no sentence was split or joined, words were only trimmed or filled in.
TIGHTENED = 0.12
# A mean below this has nothing left to shorten.
SHORT_SENTENCE = {"words": 8.0, "characters": 14.0}
# One break more among ten is what any edit does.
BREAK = 0.09
# Labels a model is less sure about than this say nothing.
LABEL_CONFIDENCE = 0.5
# What a scale says after one sign; more signs say more (``service.analysis.scales``).
ONE_SIGN = 0.5
# Lexical signals weaker than this come from a single weak word.
TONE_SIGNAL = 0.15

LABELS: dict[str, tuple[str, int]] = {
    "more casual": ("formality", -1),
    "more professional": ("formality", 1),
    "more enthusiastic": ("enthusiasm", 1),
    "more subdued": ("enthusiasm", -1),
    "more direct": ("directness", 1),
    "more indirect": ("directness", -1),
    "more humorous": ("humor", 1),
    "more serious": ("humor", -1),
}
SCALES = ("formality", "enthusiasm", "directness", "humor", "emotionality")


def _sign(value: float) -> int:
    return (value > 0) - (value < 0)


def _net(count: Count) -> int:
    return count.after - count.before


def _listed(delta: StyleDelta) -> int:
    return _net(delta.bullets) + _net(delta.numbered)


def sentence_length(delta: StyleDelta) -> Vote:
    """+1 longer, -1 shorter, by what the writer did to sentences that both texts have.

    A sentence added or dropped, a list or a phrase changes no sentence; in a text that shares none all count.
    """
    if not (delta.words.before and delta.words.after and delta.sentences.before and delta.sentences.after):
        return Vote(0, 0.0, 0.0)
    length = delta.shared_length if delta.shared_length.before > 0 else delta.sentence_length
    change = length.difference / length.before if length.before > 0 else 0.0
    needed = LENGTH_CHANGE if _net(delta.sentences) else TIGHTENED
    chance_down = 1.0 if length.before > SHORT_SENTENCE[delta.length_unit] else 0.0
    chance_up = 1.0 if delta.sentences.before > 1 else 0.0
    return Vote(_sign(change) if abs(change) >= needed else 0, chance_up, chance_down)


def emoji(delta: StyleDelta) -> Vote:
    posts = max(delta.posts.before, 1)
    return Vote(
        _sign(_net(delta.emoji)),
        1.0 if delta.emoji.before < posts else 0.3,
        1.0 if delta.emoji.before else 0.0,
    )


def bullets(delta: StyleDelta) -> Vote:
    """+1 when a list appears or grows by several lines, -1 when one goes; a dropped item is content."""
    before = delta.bullets.before + delta.numbered.before
    after = before + _listed(delta)
    value = 0
    if after > before and (not before or after >= before + 2):
        value = 1
    elif after < before and (not after or after <= before - 2):
        value = -1
    return Vote(value, 0.5 if delta.sentences.before > 2 else 0.0, 1.0 if before else 0.0)


def headings(delta: StyleDelta) -> Vote:
    long_enough = delta.paragraphs.before > 2
    return Vote(_sign(_net(delta.headings)), 0.6 if long_enough else 0.0, 1.0 if delta.headings.before else 0.0)


def paragraphs(delta: StyleDelta) -> Vote:
    """+1 longer (breaks taken out), -1 shorter (breaks put in).

    The analysis compares the breaks between sentences that both texts share, so that an ending, a list or a heading
    put in or taken out is none.
    """
    length = delta.paragraph_length
    value = 0
    if length.before > 0 and length.after > 0:
        ratio = length.after / length.before
        value = int(ratio >= 1 + BREAK) - int(ratio <= 1 / (1 + BREAK))
    splittable = delta.sentences.before > delta.paragraphs.before + 1
    return Vote(value, 1.0 if delta.paragraphs.before > 1 else 0.0, 1.0 if splittable else 0.0)


def questions(delta: StyleDelta) -> Vote:
    return Vote(_sign(_net(delta.questions)), 0.7, 1.0 if delta.questions.before else 0.0)


def ending(wanted: str) -> Callable[[StyleDelta], Vote]:
    """Votes on one kind of ending: +1 when the writer makes it, -1 when the writer takes it away."""

    def vote(delta: StyleDelta) -> Vote:
        return _switched(delta.ending_before == wanted, delta.ending_after == wanted)

    return vote


def opening(wanted: str) -> Callable[[StyleDelta], Vote]:
    def vote(delta: StyleDelta) -> Vote:
        return _switched(delta.opening_before == wanted, delta.opening_after == wanted)

    return vote


def _switched(before: bool, after: bool) -> Vote:
    return Vote(int(after) - int(before), 0.0 if before else 1.0, 1.0 if before else 0.0)


def signals(delta: StyleDelta) -> tuple[float, ...]:
    """How the edit moves each of ``SCALES``, -1..1; a confident label of a model joins what was counted."""
    scales, shift = delta.tone_scales, delta.tone_shift
    found = [scales.formality, scales.enthusiasm, scales.directness, scales.humor, scales.emotionality]
    found = [value if abs(value) >= TONE_SIGNAL else 0.0 for value in found]
    if shift.source == "gemini" and shift.confidence >= LABEL_CONFIDENCE and shift.label in LABELS:
        scale, sign = LABELS[shift.label]
        at = SCALES.index(scale)
        found[at] = _joined(found[at], sign * shift.confidence)
    return tuple(found)


def _joined(counted: float, labelled: float) -> float:
    """What was counted on a scale and what a model says of it, as one signal.

    Where they agree the stronger counts. Against one sign the label is right: words out of context prove little. Two
    signs or more are facts of the text, so that a label against them, mistaken or talked into it, turns no direction:
    the two cancel and the edit says nothing. "No change" takes nothing back: a habit may be too small to be heard in
    one edit and still be one.
    """
    if counted * labelled >= 0:
        return max(counted, labelled, key=abs)
    return labelled if abs(counted) <= ONE_SIGN else 0.0


def tone(value: float) -> Vote:
    """The vote of an edit on a tone scale that it moves by ``value``; whether it had the chance is not sure."""
    return _TONE[_sign(value)]


_TONE = {value: Vote(value, 0.7, 0.7) for value in (-1, 0, 1)}


def no_vote(delta: StyleDelta) -> Vote:
    """For features that are not voted on edit by edit."""
    return Vote(0, 0.0, 0.0)


def vocabulary(delta: StyleDelta) -> Vote:
    return Vote(delta.complexity_shift, 0.7, 0.7)


# Less than this share of a text changed says little about what the rest reads like.
REWRITTEN = 0.3


def body(wanted: str) -> Callable[[StyleDelta], Vote]:
    """Votes on how the middle is built: lists made or dissolved, or a kind that a larger change ends in."""

    def vote(delta: StyleDelta) -> Vote:
        listed = bullets(delta).value
        if listed and wanted in ("bullets", "steps"):
            kind = "steps" if abs(_net(delta.numbered)) > abs(_net(delta.bullets)) else "bullets"
            return Vote(listed if kind == wanted else 0, 0.0, 0.0)
        if listed < 0 and wanted == "narrative":
            return Vote(1)
        return _becomes(delta, delta.body_after, wanted)

    return vote


def voice(wanted: str) -> Callable[[StyleDelta], Vote]:
    def vote(delta: StyleDelta) -> Vote:
        return _becomes(delta, delta.voice_after or "none", wanted)

    return vote


def _becomes(delta: StyleDelta, kind: str, wanted: str) -> Vote:
    """A kind known only for the saved text is the writer's choice when much of the text was changed."""
    if delta.change_ratio < REWRITTEN or kind == "none":
        return Vote(0, 0.0, 0.0)
    return Vote(int(kind == wanted), 1.0, 0.0)


def made_ending(delta: StyleDelta) -> tuple[str, ...]:
    return () if delta.ending_before == delta.ending_after else (delta.ending_after,)


def made_opening(delta: StyleDelta) -> tuple[str, ...]:
    return () if delta.opening_before == delta.opening_after else (delta.opening_after,)


def made_body(delta: StyleDelta) -> tuple[str, ...]:
    if _listed(delta):
        return ("bullets", "steps", "narrative")
    return (delta.body_after,) if delta.change_ratio >= REWRITTEN else ()


def made_voice(delta: StyleDelta) -> tuple[str, ...]:
    return (delta.voice_after,) if delta.voice_after and delta.change_ratio >= REWRITTEN else ()


def speaks(delta: StyleDelta, moves: tuple[float, ...]) -> bool:
    """Whether an edit says anything about style; noise and a mere exchange of words say nothing.

    ``moves`` are its ``signals``.
    """
    if delta.is_noise:
        return False
    exchanged = {swap.before for swap in delta.substitutions}
    if delta.phrases_added or delta.is_rewrite or not exchanged.issuperset(delta.phrases_removed):
        return True
    if any(moves):
        return True
    if delta.ending_before != delta.ending_after or delta.opening_before != delta.opening_after:
        return True
    return any(vote(delta).value for vote in (emoji, sentence_length, paragraphs, bullets, headings, questions))
