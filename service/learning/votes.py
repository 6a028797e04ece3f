"""How one edit votes on each feature, and whether it offered the chance.

A vote must come from what the writer did to the feature itself. Most wrong claims are side effects: a call to
action adds a short sentence and a short paragraph, a list takes a sentence out of the prose. So lengths are
those that the analysis compared over what both texts share.

A feature with two sides is read by two functions: what the edit did to it (``emoji``: +1, -1 or 0) and, where that is
nothing, the vote with the chances it let pass (``no_emoji``). "Fewer emoji" had a chance only if the draft had emoji;
"more bullets" has one in any longer text, but not every text has something to list, so that chance counts half. They
are two because most edits do nothing to most features, and chances are asked for only when enough edits did something.
"""

from __future__ import annotations

from collections.abc import Callable
from operator import itemgetter
from typing import Final

from schemas.delta import Count, Measure, StyleDelta
from service.learning.belief import Vote, missed

# A change of the mean below this share is what any edit does.
LENGTH_CHANGE: Final = 0.08
# Where no sentence was split or joined, words were only trimmed or filled in.
TIGHTENED: Final = 0.12
# A mean below this has nothing left to shorten.
SHORT_SENTENCE: Final = {"words": 8.0, "characters": 14.0}
# One break more among ten is what any edit does.
BREAK: Final = 0.09
# Labels a model is less sure about than this say nothing.
LABEL_CONFIDENCE: Final = 0.5
# What a scale says after one sign; more signs say more (``service.analysis.scales``).
ONE_SIGN: Final = 0.5
# Lexical signals weaker than this come from a single weak word.
TONE_SIGNAL: Final = 0.15

LABELS: Final[dict[str, tuple[str, int]]] = {
    "more casual": ("formality", -1),
    "more professional": ("formality", 1),
    "more enthusiastic": ("enthusiasm", 1),
    "more subdued": ("enthusiasm", -1),
    "more direct": ("directness", 1),
    "more indirect": ("directness", -1),
    "more humorous": ("humor", 1),
    "more serious": ("humor", -1),
}
SCALES: Final = ("formality", "enthusiasm", "directness", "humor", "emotionality")


NOTHING: Final = Vote(0, 0.0, 0.0)


def _sign(value: float) -> int:
    return (value > 0) - (value < 0)


def _net(count: Count) -> int:
    """Which way a count went."""
    before, after = count.before, count.after
    return (after > before) - (after < before)


def _listed(delta: StyleDelta) -> int:
    bullets, numbered = delta.bullets, delta.numbered
    return bullets.after - bullets.before + numbered.after - numbered.before


def any_listed(delta: StyleDelta) -> bool:
    """Whether there are more or fewer items of lists than before."""
    return _listed(delta) != 0


def mostly_numbered(delta: StyleDelta) -> bool:
    """Whether more numbered items than bullets came or went."""
    numbered, bulleted = delta.numbered, delta.bullets
    return abs(numbered.after - numbered.before) > abs(bulleted.after - bulleted.before)


def _has_sentences(delta: StyleDelta) -> bool:
    words, sentences = delta.words, delta.sentences
    return bool(words.before and words.after and sentences.before and sentences.after)


def _compared_length(delta: StyleDelta) -> Measure:
    shared = delta.shared_length
    return shared if shared.before > 0 else delta.sentence_length


def sentence_length(delta: StyleDelta) -> int:
    """+1 longer, -1 shorter, by what the writer did to sentences that both texts have.

    A sentence added or dropped, a list or a phrase changes no sentence; in a text that shares none all count.
    """
    length = _compared_length(delta)
    change = length.difference / length.before if length.before > 0 else 0.0
    if not change or not _has_sentences(delta):
        return 0
    needed = LENGTH_CHANGE if _net(delta.sentences) else TIGHTENED
    return _sign(change) if abs(change) >= needed else 0


def no_sentence_length(delta: StyleDelta) -> Vote:
    if not _has_sentences(delta):
        return NOTHING
    long_enough = _compared_length(delta).before > SHORT_SENTENCE[delta.length_unit]
    return missed(1.0 if delta.sentences.before > 1 else 0.0, 1.0 if long_enough else 0.0)


def emoji(delta: StyleDelta) -> int:
    return _net(delta.emoji)


def no_emoji(delta: StyleDelta) -> Vote:
    before = delta.emoji.before
    return missed(1.0 if before < max(delta.posts.before, 1) else 0.3, 1.0 if before else 0.0)


def bullets(delta: StyleDelta) -> int:
    """+1 when a list appears or grows by several lines, -1 when one goes; a dropped item is content."""
    listed = _listed(delta)
    if not listed:
        return 0
    before = delta.bullets.before + delta.numbered.before
    if listed > 0:
        return int(not before or listed >= 2)
    return -int(not before + listed or listed <= -2)


def no_bullets(delta: StyleDelta) -> Vote:
    listed = delta.bullets.before or delta.numbered.before
    return missed(0.5 if delta.sentences.before > 2 else 0.0, 1.0 if listed else 0.0)


def headings(delta: StyleDelta) -> int:
    return _net(delta.headings)


def no_headings(delta: StyleDelta) -> Vote:
    return missed(0.6 if delta.paragraphs.before > 2 else 0.0, 1.0 if delta.headings.before else 0.0)


def paragraphs(delta: StyleDelta) -> int:
    """+1 longer (breaks taken out), -1 shorter (breaks put in).

    The analysis compares the breaks between sentences that both texts share, so that an ending, a list or a heading
    put in or taken out is none.
    """
    length = delta.paragraph_length
    before, after = length.before, length.after
    if before == after or not (before > 0 and after > 0):
        return 0
    ratio = after / before
    return int(ratio >= 1 + BREAK) - int(ratio <= 1 / (1 + BREAK))


def no_paragraphs(delta: StyleDelta) -> Vote:
    before = delta.paragraphs.before
    return missed(1.0 if before > 1 else 0.0, 1.0 if delta.sentences.before > before + 1 else 0.0)


def questions(delta: StyleDelta) -> int:
    return _net(delta.questions)


def no_questions(delta: StyleDelta) -> Vote:
    return missed(0.7, 1.0 if delta.questions.before else 0.0)


def hooks(delta: StyleDelta) -> int:
    return (delta.opening_after == "hook") - (delta.opening_before == "hook")


def no_hooks(delta: StyleDelta) -> Vote:
    return missed(0.0, 1.0) if delta.opening_before == "hook" else missed(1.0, 0.0)


def vocabulary(delta: StyleDelta) -> int:
    return delta.complexity_shift


def no_vocabulary(delta: StyleDelta) -> Vote:
    return missed(0.7, 0.7)


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
    return _SWITCHED[before][after]


_SWITCHED: Final = ((Vote(0, 1.0, 0.0), Vote(1, 1.0, 0.0)), (Vote(-1, 0.0, 1.0), Vote(0, 0.0, 1.0)))


def signals(delta: StyleDelta) -> tuple[float, ...]:
    """How the edit moves each of ``SCALES``, -1..1; a confident label of a model joins what was counted."""
    found = _SCALES_OF(delta.tone_scales.__dict__)
    if found != SILENT:
        found = tuple([value if abs(value) >= TONE_SIGNAL else 0.0 for value in found])
    shift = delta.tone_shift
    if shift.source == "gemini" and shift.confidence >= LABEL_CONFIDENCE and shift.label in LABELS:
        scale, sign = LABELS[shift.label]
        at = SCALES.index(scale)
        found = (*found[:at], _joined(found[at], sign * shift.confidence), *found[at + 1 :])
    return found


SILENT: Final[tuple[float, ...]] = (0.0,) * len(SCALES)
_SCALES_OF: Final[Callable[[dict[str, float]], tuple[float, ...]]] = itemgetter(*SCALES)


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
    return TONE[(value > 0) - (value < 0)]


TONE: Final = tuple(Vote(value, 0.7, 0.7) for value in (0, 1, -1))  # the last is that of -1


# Less than this share of a text changed says little about what the rest reads like.
REWRITTEN: Final = 0.3


def voice(wanted: str) -> Callable[[StyleDelta], Vote]:
    def vote(delta: StyleDelta) -> Vote:
        return becomes(delta, delta.voice_after or "none", wanted)

    return vote


def becomes(delta: StyleDelta, kind: str, wanted: str) -> Vote:
    """A kind known only for the saved text is the writer's choice when much of the text was changed."""
    if delta.change_ratio < REWRITTEN or kind == "none":
        return NOTHING
    return _BECOMES[kind == wanted]


_BECOMES: Final = (Vote(0, 1.0, 0.0), Vote(1, 1.0, 0.0))


def made_ending(delta: StyleDelta) -> tuple[str, ...]:
    return () if delta.ending_before == delta.ending_after else (delta.ending_after,)


def made_opening(delta: StyleDelta) -> tuple[str, ...]:
    return () if delta.opening_before == delta.opening_after else (delta.opening_after,)


def made_voice(delta: StyleDelta) -> tuple[str, ...]:
    return (delta.voice_after,) if delta.voice_after and delta.change_ratio >= REWRITTEN else ()


def speaks(delta: StyleDelta, moves: tuple[float, ...], did: bool) -> bool:
    """Whether an edit says anything about style; noise and a mere exchange of words say nothing.

    ``moves`` are its ``signals``; ``did`` says that it did something to a length or a count of the text.
    """
    if delta.is_noise:
        return False
    if delta.phrases_added or delta.is_rewrite or moves != SILENT:
        return True
    if delta.phrases_removed and not {swap.before for swap in delta.substitutions}.issuperset(delta.phrases_removed):
        return True
    return did or delta.ending_before != delta.ending_after or delta.opening_before != delta.opening_after
