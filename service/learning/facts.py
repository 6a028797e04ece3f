"""What learning asks of one edit, answered once, when it is learned, and kept with it.

Each update weighs the newest edits again, so the same questions would be put to the same fifty deltas of thirty counts
each time: reading these from MongoDB and making objects of them was half of what an edit of a known writer cost. The
answers follow from the delta alone, no setting is in them. They take 84 bytes, and with the plain ``FIELDS`` of an edit
they are all that learning reads of it. What was stored by code that answered otherwise has another ``VERSION``, and is
asked again.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache, lru_cache
from itertools import chain
from struct import Struct
from typing import Final, NamedTuple

from schemas.delta import StyleDelta
from schemas.made import copied
from service.learning import votes
from service.learning.belief import Vote, missed

# To be raised whenever an answer changes. ``tests/learning/test_facts.py`` notices.
VERSION: Final = 1
# Of each two-sided feature: what an edit did to it, and the vote of one that did nothing. What it did to one of the
# first is a statement on style by itself; hooks are openings, and the level of words follows from any exchange of them.
TELLING: Final = 6
QUESTIONS: Final[dict[str, tuple[Callable[[StyleDelta], int], Callable[[StyleDelta], Vote]]]] = {
    "directions.sentence_length": (votes.sentence_length, votes.no_sentence_length),
    "directions.emoji": (votes.emoji, votes.no_emoji),
    "directions.bullets": (votes.bullets, votes.no_bullets),
    "directions.headings": (votes.headings, votes.no_headings),
    "directions.paragraphs": (votes.paragraphs, votes.no_paragraphs),
    "writing_traits.uses_questions_often": (votes.questions, votes.no_questions),
    "writing_traits.uses_hooks": (votes.hooks, votes.no_hooks),
    "vocabulary_level": (votes.vocabulary, votes.no_vocabulary),
}
PLACES: Final = {path: place for place, path in enumerate(QUESTIONS)}
# What else learning reads of an edit.
FIELDS: Final = (
    "job_id",
    "edited_at",
    "revision",
    "facts",
    "is_noise",
    "language",
    "length_unit",
    "change_ratio",
    "opening_before",
    "opening_after",
    "body_after",
    "ending_before",
    "ending_after",
    "voice_after",
    "phrases_added",
    "phrases_removed",
    "substitutions",
    "statements",
    "kept_words",
    "sample",
)
# Version, flags, contractions changed; deeds; chances; moves; emoji a post, sentence length.
_LAYOUT: Final = Struct(f"<BBH{len(QUESTIONS)}b{2 * len(QUESTIONS)}B{len(votes.SCALES)}ddd")
_SIZE: Final = _LAYOUT.size
_SPEAKS: Final = 1
_EMOJI: Final = 2
_JUDGED: Final = 4
_LISTED: Final = 8
_NUMBERED: Final = 16
_SENTENCES: Final = 32
_DEEDS: Final = slice(3, 3 + len(QUESTIONS))
_CHANCES: Final = slice(_DEEDS.stop, _DEEDS.stop + 2 * len(QUESTIONS))
_MOVES: Final = slice(_CHANCES.stop, _CHANCES.stop + len(votes.SCALES))
_MOST: Final = 65_535


class Facts(NamedTuple):
    """The answers of one edit.

    ``done`` and ``chances`` (up and down, in hundredths) are by ``PLACES``, ``moves`` by ``votes.SCALES``. ``listed``
    says whether any item of a list came or went, ``numbered`` whether more of them were numbered. ``length`` is the
    mean sentence of the saved text, None without sentences; ``frequency`` its emoji a post. ``judged`` says that a
    model judged the tone.
    """

    done: tuple[int, ...]
    chances: tuple[int, ...]
    moves: tuple[float, ...]
    speaks: bool
    has_emoji: bool
    judged: bool
    listed: bool
    numbered: bool
    contracted: int
    frequency: float
    length: float | None

    def missed(self, place: int) -> Vote:
        """The vote of an edit that did nothing to the feature at ``place``."""
        return _missed(*self.chances[2 * place : 2 * place + 2])


@cache
def _missed(up: int, down: int) -> Vote:
    return missed(up / 100, down / 100)


@cache
def _hundredths(vote: Vote) -> tuple[int, int]:
    return round(vote.up * 100), round(vote.down * 100)


def ask(delta: StyleDelta) -> Facts:
    """The answers of a whole delta."""
    moves = votes.signals(delta)
    done = tuple([done(delta) for done, _ in QUESTIONS.values()])
    posts, emoji = delta.posts.after, delta.emoji.after
    contractions = delta.contractions
    return Facts(
        done=done,
        chances=tuple(chain.from_iterable([_hundredths(chance(delta)) for _, chance in QUESTIONS.values()])),
        moves=moves,
        speaks=votes.speaks(delta, moves, any(done[:TELLING])),
        has_emoji=emoji > 0,
        judged=delta.tone_shift.source == "gemini",
        listed=votes.any_listed(delta),
        numbered=votes.mostly_numbered(delta),
        contracted=min(contractions.added + contractions.removed, _MOST),
        frequency=emoji / posts if posts > 1 else float(emoji),
        length=delta.sentence_length.after if delta.sentences.after else None,
    )


def pack(facts: Facts) -> bytes:
    """``facts`` as they are stored."""
    flags = (
        facts.speaks * _SPEAKS
        | facts.has_emoji * _EMOJI
        | facts.judged * _JUDGED
        | facts.listed * _LISTED
        | facts.numbered * _NUMBERED
        | (facts.length is not None) * _SENTENCES
    )
    return _LAYOUT.pack(
        VERSION,
        flags,
        facts.contracted,
        *facts.done,
        *facts.chances,
        *facts.moves,
        facts.frequency,
        facts.length or 0.0,
    )


@lru_cache(maxsize=2048)
def unpack(packed: bytes) -> Facts:
    """What ``pack`` made. Twenty batches at once ask for fifty edits each, and for each of these more than once."""
    found = _LAYOUT.unpack(packed)
    flags = found[1]
    return Facts(
        found[_DEEDS],
        found[_CHANCES],
        found[_MOVES],
        bool(flags & _SPEAKS),
        bool(flags & _EMOJI),
        bool(flags & _JUDGED),
        bool(flags & _LISTED),
        bool(flags & _NUMBERED),
        found[2],
        found[-2],
        found[-1] if flags & _SENTENCES else None,
    )


def answers(delta: StyleDelta) -> bytes:
    """What is stored of a whole delta's answers."""
    return pack(ask(delta))


def facts_of(edit: StyleDelta) -> Facts:
    """The answers of ``edit``, as it brings them or asked now."""
    packed = edit.facts
    return unpack(packed) if are_current(packed) else ask(edit)


def are_current(packed: bytes) -> bool:
    """Whether stored answers are such as this code gives."""
    return len(packed) == _SIZE and packed[0] == VERSION


def with_facts(edit: StyleDelta) -> StyleDelta:
    """``edit`` with its answers; it must be whole unless it has them."""
    return edit if are_current(edit.facts) else asked_anew(edit)


def asked_anew(edit: StyleDelta) -> StyleDelta:
    """``edit``, whole and perhaps changed, with its answers."""
    return copied(edit, {"facts": answers(edit)})
