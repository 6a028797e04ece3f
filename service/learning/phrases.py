"""Banned and common phrases: what the writer takes out, or puts in, again and again.

1. *Candidates* are the changed spans as the analysis gives them, and the longest word runs that spans of
   several edits share: "delve into the data" and "delve into this topic" share "delve into". Runs are grown
   over word pairs that enough edits have, so the work is linear in the text of the spans.
2. *Junk* is refused: function words, numbers, single very common words, words swapped as part of a change of
   register (that is tone), and anything that is part of another candidate with about the same evidence.
3. *Evidence*: removing speaks for a ban; a draft that had the phrase and kept it is a chance not taken, known
   from the hashes of kept words; putting it in speaks against. ``belief.read`` weighs them: removed in 5 of 6
   drafts is banned, in 2 of 14 is not. For a common phrase adding speaks for it and removing against.

Nobody removes the same two words from two drafts by chance as easily as they shorten a sentence, so
``chance`` is smaller here than for directions, and smaller still for adding.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Hashable, Iterable, Sequence
from dataclasses import dataclass, field
from itertools import chain, pairwise
from typing import Final, NamedTuple, TypeVar

from schemas.delta import StyleDelta
from schemas.profile import Phrase
from service.analysis.sketch import contains
from service.learning.belief import ACT, Habit, Reading, Vote, read
from service.learning.facts import Facts
from service.learning.phrase_text import Piece, content_words, is_junk, key, piece, shown, trimmed

MOST: Final = 20
BAN: Final = Habit(act=0.75, chance=0.08)
USE: Final = Habit(act=0.8, chance=0.05)
# A longer phrase replaces its part when it has this share of the part's evidence.
NEARLY_ALL: Final = 0.75
# Two spans of one edit with this share of content words in common are one span that was changed.
SAME: Final = 0.6

Words = tuple[str, ...]
T = TypeVar("T", bound=Hashable)


class Spans(NamedTuple):
    """The changed spans of one edit on one side.

    ``text`` are the keys of the pieces, a line each: no key has a line break, so that ``key in text`` finds a run of
    words within one piece. ``swapped`` are single words exchanged for others, ``register`` how much of a change of
    register the edit has: such exchanges and contractions.
    """

    pieces: list[Piece]
    text: str
    swapped: frozenset[str] = frozenset()
    register: int = 0


Sides = tuple[list[Spans], list[Spans]]
NO_SPANS: Final = Spans([], "")
KEPT: Final = Vote(0, 1.0, 0.0)
ABSENT: Final = Vote(0, 0.0, 0.0)
COULD_ADD: Final = Vote(0, 0.8, 0.0)


@dataclass(slots=True)
class Candidate:
    words: Words
    key: str
    support: int = 0
    forms: list[str] = field(default_factory=list)


class Found(NamedTuple):
    """A phrase and the verdict on it."""

    phrase: Phrase
    reading: Reading


def sides(edits: Sequence[StyleDelta], facts: Sequence[Facts]) -> Sides:
    """What each edit took out, and what it put in."""
    pairs = [_both(edit, one.contracted) for edit, one in zip(edits, facts, strict=True)]
    return [out for out, _ in pairs], [put for _, put in pairs]


def _both(edit: StyleDelta, contracted: int) -> tuple[Spans, Spans]:
    out = _pieces(edit.phrases_removed) if edit.phrases_removed else []
    put = _pieces(edit.phrases_added) if edit.phrases_added else []
    if out and put:
        # What came back with a word changed ("we are open late", "we're open late") was neither taken out nor put in.
        back = [(a, b) for a in out for b in put if _alike(a, b)]
        out = [part for part in out if all(part is not a for a, _ in back)]
        put = [part for part in put if all(part is not b for _, b in back)]
    return _with_swaps(edit, out, contracted), _spans(put) if put else NO_SPANS


def _spans(pieces: list[Piece], swapped: frozenset[str] = frozenset(), register: int = 0) -> Spans:
    return Spans(pieces, "\n".join([part.key for part in pieces]), swapped, register)


def _alike(first: Piece, second: Piece) -> bool:
    if len(first.words) < 2 or len(second.words) < 2:
        return False
    one, other = first.content, second.content
    return bool(one) and len(one & other) >= SAME * max(len(one), len(other))


def _pieces(texts: Sequence[str]) -> list[Piece]:
    return [part for part in map(piece, texts) if part.words]


def _with_swaps(edit: StyleDelta, pieces: list[Piece], contracted: int) -> Spans:
    if not edit.substitutions:
        return _spans(pieces, register=contracted) if pieces or contracted else NO_SPANS
    swaps = {part.key: part for part in [piece(swap.before) for swap in edit.substitutions]}
    singles = [part for part in swaps.values() if len(part.words) == 1 and part.content]
    pieces = pieces + [part for part in singles if not any(part.key in one.key for one in pieces)]
    return _spans(pieces, frozenset([part.key for part in singles]), len(swaps) + contracted)


def banned(edits: Sequence[StyleDelta], sides: Sides, threshold: int, seeds: Sequence[Phrase] = ()) -> list[Found]:
    """Phrases the writer takes out, strongest first, at most 20; ``sides`` are what edits removed and added."""
    out, put = sides
    candidates = [one for one in _candidates(out, threshold) if not _is_register(one, out, threshold)]
    return _weigh(edits, candidates, (out, put), (threshold, BAN, True), seeds)


def common(edits: Sequence[StyleDelta], sides: Sides, threshold: int, seeds: Sequence[Phrase] = ()) -> list[Found]:
    """Phrases the writer puts in, strongest first, at most 20."""
    out, put = sides
    return _weigh(edits, _candidates(put, threshold), (put, out), (threshold, USE, False), seeds)


def _candidates(sides: list[Spans], threshold: int) -> list[Candidate]:
    having = [spans for spans in sides if spans.pieces]
    if len(having) < threshold:
        return []
    found: dict[Words, Candidate] = {}
    words, pairs = _frequent(having, threshold)
    for part in [part for spans in having for part in spans.pieces]:
        # A span holding a word that too few edits have cannot recur as a whole.
        if words.issuperset(part.words):
            _offer(found, part, 0, len(part.words))
        if not pairs.isdisjoint(pairwise(part.words)):
            for start, end in _runs(part.words, pairs):
                _offer(found, part, start, end)
    usable = [one for one in found.values() if not is_junk(one.words)]
    for one in usable:
        one.support = sum([one.key in spans.text for spans in having])
    return _maximal([one for one in usable if one.support >= threshold])


def _frequent(sides: list[Spans], threshold: int) -> tuple[set[str], set[tuple[str, str]]]:
    """Words, and pairs of neighbouring words, that at least ``threshold`` edits have."""
    words = _often([set().union(*[part.words for part in one.pieces]) for one in sides], threshold)
    if not words:
        return words, set()
    return words, _often([set().union(*[pairwise(part.words) for part in one.pieces]) for one in sides], threshold)


def _often(sets: Iterable[set[T]], threshold: int) -> set[T]:
    """What at least ``threshold`` of ``sets`` hold."""
    return {one for one, count in Counter(chain.from_iterable(sets)).items() if count >= threshold}


def _runs(words: Words, pairs: set[tuple[str, str]]) -> list[tuple[int, int]]:
    """Stretches of ``words`` that other spans share, without function words at their ends."""
    runs: list[tuple[int, int]] = []
    start = 0
    for index in range(1, len(words) + 1):
        if index < len(words) and (words[index - 1], words[index]) in pairs:
            continue
        if index - start >= 2:
            low, high = trimmed(words[start:index])
            if content_words(words[start + low : start + high]) >= 2:
                runs.append((start + low, start + high))
        start = index
    return runs


def _offer(found: dict[Words, Candidate], part: Piece, start: int, end: int) -> None:
    words = part.words[start:end]
    candidate = found.get(words)
    if candidate is None:
        candidate = found[words] = Candidate(words, key(words))
    candidate.forms.append(part.written(start, end))


def _maximal(candidates: list[Candidate]) -> list[Candidate]:
    """No candidate that is part of another: the longer one with about the same evidence, else the shorter."""
    candidates = sorted(candidates, key=lambda one: (-len(one.words), one.words))
    dropped: set[Words] = set()
    for index, longer in enumerate(candidates):
        for shorter in candidates[index + 1 :]:
            if longer.words in dropped or shorter.words in dropped or shorter.key not in longer.key:
                continue
            loser = shorter if longer.support >= NEARLY_ALL * shorter.support else longer
            dropped.add(loser.words)
    return [one for one in candidates if one.words not in dropped]


def _is_register(one: Candidate, sides: list[Spans], threshold: int) -> bool:
    """Whether a word is mostly exchanged as part of a change of register: that is tone, not a dislike.

    The sign is other exchanges and contractions in the window. A single word that is only ever exchanged needs one
    supporting edit more than a phrase that is taken out.
    """
    if len(one.words) > 1:
        return False
    having = [spans for spans in sides if one.key in spans.text]
    swapped = sum([one.key in spans.swapped for spans in having])
    if 2 * swapped < len(having):
        return False
    others = sum([spans.register > (one.key in spans.swapped) for spans in sides])
    return swapped <= threshold or 2 * others >= swapped


def _weigh(
    edits: Sequence[StyleDelta],
    candidates: list[Candidate],
    sides: Sides,
    rule: tuple[int, Habit, bool],
    seeds: Sequence[Phrase],
) -> list[Found]:
    threshold, habit, kept_counts = rule
    seeded = {piece(seed.phrase).key: seed for seed in seeds}
    found: list[Found] = []
    for one in candidates:
        seed = seeded.pop(one.key, None)
        text = shown(one.forms) if seed is None else seed.phrase
        votes = _votes(edits, one.key, text, sides, kept_counts)
        reading = read(votes, threshold, habit, held=int(seed is not None))
        if reading.value > 0:
            found.append(Found(_phrase(text, reading, edits), reading))
    found += _seeded(list(seeded.values()), edits, sides, rule)
    found.sort(key=lambda item: (-item.reading.support, -round(item.reading.strength, 6), item.phrase.phrase))
    return found[:MOST]


def _seeded(
    seeds: list[Phrase],
    edits: Sequence[StyleDelta],
    sides: Sides,
    rule: tuple[int, Habit, bool],
) -> list[Found]:
    """Phrases a person listed and no edit repeated: kept until edits contradict them."""
    threshold, habit, kept_counts = rule
    found = []
    for seed in seeds:
        votes = _votes(edits, piece(seed.phrase).key, seed.phrase, sides, kept_counts)
        if not kept_counts:
            votes = [vote if vote.value else ABSENT for vote in votes]
        reading = read(votes, threshold, habit, held=1)
        if reading.value > 0:
            found.append(Found(_phrase(seed.phrase, reading, edits, seed), reading))
    return found


def _votes(
    edits: Sequence[StyleDelta],
    wanted: str,
    text: str,
    sides: Sides,
    kept_counts: bool,
) -> list[Vote]:
    standing, gone = (KEPT, ABSENT) if kept_counts else (ABSENT, COULD_ADD)
    votes = []
    for edit, ours, theirs in zip(edits, *sides, strict=True):
        value = (wanted in ours.text) - (wanted in theirs.text)
        votes.append(ACT[value] if value else standing if contains(edit.kept_words, text) else gone)
    return votes


def _phrase(text: str, reading: Reading, edits: Sequence[StyleDelta], seed: Phrase | None = None) -> Phrase:
    supporting = [edits[index] for index in reading.supporting]
    return Phrase(
        phrase=text,
        support=reading.support if supporting or seed is None else seed.support,
        against=reading.opportunities - reading.support,
        last_seen=supporting[-1].edited_at if supporting else (seed.last_seen if seed else None),
        edits=[edit.job_id for edit in supporting[-5:]],
    )


def overlap(first: list[Found], second: list[Found]) -> tuple[list[Found], list[Found]]:
    """No phrase is both banned and common: the one with more support stays."""
    by_key: dict[str, list[Found]] = defaultdict(list)
    for found in (*first, *second):
        by_key[piece(found.phrase.phrase).key].append(found)
    losers = {id(min(both, key=lambda one: one.reading.strength)) for both in by_key.values() if len(both) > 1}
    return [one for one in first if id(one) not in losers], [one for one in second if id(one) not in losers]
