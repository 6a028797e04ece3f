"""How one edit votes on each feature, and whether it offered the chance.

A vote must come from what the writer did to the feature itself. Most wrong claims are side effects: a call to
action adds a short sentence and a short paragraph, a list takes a sentence out of the prose. So lengths are
compared after taking out what was merely added or dropped.

``up`` and ``down`` of a vote are the chances. "Fewer emoji" had a chance only if the draft had emoji; "more
bullets" has one in any longer text, but not every text has something to list, so that chance counts half.
"""

from __future__ import annotations

from collections.abc import Callable

from schemas.delta import Count, StyleDelta
from service.learning.belief import Vote
from service.learning.phrase_text import piece

# A change of the mean below this share is what any edit does.
LENGTH_CHANGE = 0.08
# Where no sentence was split or joined, words were only trimmed or filled in.
TIGHTENED = 0.12
# The shortest complete sentence people add on its own (a call to action), in words and in characters.
ADDED_SENTENCE = {"words": 4.0, "characters": 8.0}
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
    """+1 longer, -1 shorter, by restructuring; not by a sentence added or dropped, a list, or a phrase."""
    if not (delta.words.before and delta.words.after and delta.sentences.before and delta.sentences.after):
        return Vote(0, 0.0, 0.0)
    before, after, moved = _comparable(delta)
    change = (after - before) / before
    needed = LENGTH_CHANGE if abs(moved) >= 0.75 else TIGHTENED
    chance_down = 1.0 if before > SHORT_SENTENCE[delta.length_unit] else 0.0
    chance_up = 1.0 if delta.sentences.before > 1 else 0.0
    return Vote(_sign(change) if abs(change) >= needed else 0, chance_up, chance_down)


def _comparable(delta: StyleDelta) -> tuple[float, float, float]:
    """Mean lengths of what is in both texts, and how many sentences splitting or joining made of it."""
    words, sentences = [delta.words.before, delta.words.after], [delta.sentences.before, delta.sentences.after]
    one = ADDED_SENTENCE[delta.length_unit]
    # The side that has more: of list lines, of an ending, of whole sentences. It is reduced to what both have.
    listed, ended = _listed(delta), _ended(delta)
    parts = [float(part) for part in (*words, *sentences)]
    if listed:
        less = 0 if listed > 0 else 1
        parts[less] = min(parts[less], parts[1 - less])
        parts[2 + less] -= max(1, round(abs(listed) / 5))
    if ended:
        more = 1 if ended > 0 else 0
        parts[more] -= one
        parts[2 + more] -= 1
    parts[1] += _phrase_words(delta)
    surplus, extra = parts[1] - parts[0], parts[3] - parts[2]
    if surplus * extra > 0:
        more = 1 if extra > 0 else 0
        length = one if more else max(parts[0] / max(parts[2], 1) / 2, one)
        parts[2 + more] -= min(abs(extra), abs(surplus) / length)
        parts[more] = parts[1 - more]
    before, after = parts[0] / max(parts[2], 1), parts[1] / max(parts[3], 1)
    return max(before, 1.0), after, parts[3] - parts[2]


def _ended(delta: StyleDelta) -> int:
    """+1 when a sentence that ends the text was put in, -1 when one was taken out."""
    if delta.ending_before == delta.ending_after:
        return 0
    if delta.ending_after != "none" and delta.words.added >= 3:
        return 1 if delta.sentences.after >= delta.sentences.before else 0
    taken = delta.ending_before != "none" and delta.words.removed >= 3
    # A last sentence that became a list was not taken out.
    return -1 if taken and not _listed(delta) else 0


def _phrase_words(delta: StyleDelta) -> int:
    """Words that phrases took out of sentences, less those they put in: phrases are learned as phrases."""
    out, put = ([len(piece(one).words) for one in side] for side in (delta.phrases_removed, delta.phrases_added))
    return sum(out) - sum(put)


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


def speaks(delta: StyleDelta) -> bool:
    """Whether an edit says anything about style; noise and a mere exchange of words say nothing."""
    if delta.is_noise:
        return False
    exchanged = {swap.before for swap in delta.substitutions}
    if delta.phrases_added or delta.is_rewrite or not exchanged.issuperset(delta.phrases_removed):
        return True
    if any(signals(delta)):
        return True
    if delta.ending_before != delta.ending_after or delta.opening_before != delta.opening_after:
        return True
    return any(vote(delta).value for vote in (emoji, sentence_length, paragraphs, bullets, headings, questions))
