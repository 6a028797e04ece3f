"""What kind of change a changed run is (SPEC 3), and why.

A run is asked, in this order: only marks? the same letters joined differently? a contraction and what it stands for?
a known formal/casual pair? numbers or names? a typo or an inflection, word by word? only grammar words? What is left
is a substitution, insertion or deletion of content - the writer's doing. `Change.reason` keeps the answer, because a
contraction is style evidence but no phrase, and a conjunction turned into a full stop is neither repair nor phrase.
"""

from __future__ import annotations

import re
from enum import Enum, auto
from typing import Final

from schemas.delta import SpanKind
from service.analysis.diff import Run, changed_runs
from service.analysis.lexicon import Lexicon
from service.analysis.mask import MASKS
from service.analysis.repairs import is_inflection, is_same_letters, is_typo
from service.analysis.tokens import Tokens, fold, is_character_script, is_word, tokenize

EVIDENCE: frozenset[SpanKind] = frozenset(("substitution", "insertion", "deletion"))
_NAME: Final = re.compile(r" (?<=[a-z,;] )([A-Z]\w{1,40})")
_SENTENCE_END: Final = frozenset(".!?…。！？\n:;•")
# Characters of a family name or a given name before `さん` or `老师`.
_LONGEST_NAME: Final = 4
_LONGEST_HONORIFIC: Final = 3
# Words a side of the longest known replacement.
_SHORT: Final = 4


class Reason(Enum):
    """Why a change has its kind."""

    MARKS = auto()
    LETTERS = auto()
    CONTRACTION = auto()
    PAIR = auto()
    FACT = auto()
    SPELLING = auto()
    GRAMMAR = auto()
    CONJUNCTION = auto()
    FUNCTION = auto()
    QUIET = auto()
    CONTENT = auto()
    WHOLE = auto()
    MOVED = auto()
    CASE = auto()


class Change:
    """One changed run: `a0`..`b1` index into the tokens of its group."""

    def __init__(self, kind: SpanKind, reason: Reason, before: str, after: str, run: Run, formality: int = 0) -> None:
        self.kind = kind
        self.reason = reason
        self.before = before
        self.after = after
        self.run = run
        self.formality = formality

    @property
    def is_evidence(self) -> bool:
        """Whether this says something about style."""
        return self.kind in EVIDENCE

    @property
    def words(self) -> int:
        """Words (and marks) that differ, on both sides."""
        return self.run.a1 - self.run.a0 + self.run.b1 - self.run.b0


class GroupDiff:
    """One group of aligned sentences, compared token by token."""

    def __init__(self, before: Tokens, after: Tokens, changes: list[Change], kept: int) -> None:
        self.before = before
        self.after = after
        self.changes = changes
        self.kept = kept


class Classifier:
    """Compares groups and classifies their runs, with the word lists of one language."""

    def __init__(self, lexicon: Lexicon, before: str, after: str) -> None:
        self._lexicon = lexicon
        self._texts = (before, after)
        self._names: frozenset[str] | None = None

    def compare(self, before: str, after: str) -> GroupDiff:
        """Diff two groups of sentences, each joined by line breaks."""
        a, b = tokenize(before), tokenize(after)
        known: dict[tuple[int, int, int, int], bool] = {}

        def settled(run: Run) -> bool:
            if (found := known.get(run.places)) is None:
                found = known[run.places] = self._settled(a, b, run)
            return found

        runs = changed_runs(a, b, self._lexicon, settled)
        changes = _find_moves([self.classify(a, b, run, known.get(run.places)) for run in runs], a, b)
        kept = len(a.keys) - sum(run.a1 - run.a0 for run in runs)
        return GroupDiff(a, b, changes + _case_changes(a, b, runs), kept)

    def classify(self, a: Tokens, b: Tokens, run: Run, settled: bool | None = None) -> Change:
        """The kind of one run and the reason for it; `settled` when that was asked of it."""
        raw_a, raw_b = a.raw(run.a0, run.a1), b.raw(run.b0, run.b1)
        words_a = [key for key in a.keys[run.a0 : run.a1] if is_word(key)]
        words_b = [key for key in b.keys[run.b0 : run.b1] if is_word(key)]
        # What of a run of words alone is not settled is none of the known replacements; that is not asked again.
        plain = len(words_a) == run.a1 - run.a0 <= _SHORT and len(words_b) == run.b1 - run.b0 <= _SHORT
        unknown = settled is False and plain
        kind, reason, formality = self._decide(a, b, run, words_a, words_b, unknown)
        return Change(kind, reason, raw_a, raw_b, run, formality)

    def _settled(self, a: Tokens, b: Tokens, run: Run) -> bool:
        """Whether a run is one known replacement, to be kept apart from its neighbours."""
        words_a, words_b = a.keys[run.a0 : run.a1], b.keys[run.b0 : run.b1]
        if not words_a or not words_b or len(words_a) > _SHORT or len(words_b) > _SHORT:
            return False
        if not all(map(is_word, words_a)) or not all(map(is_word, words_b)):
            return _is_joined(words_a, words_b)
        if len(words_a) == len(words_b) == 1 and self._is_repair(words_a[0], words_b[0]):
            return True
        if is_same_letters("".join(words_a), "".join(words_b)) or self._is_joined_typo(words_a, words_b):
            return True
        return bool(self._pair(words_a, words_b)) or self._is_contraction(words_a, words_b)

    def _decide(
        self, a: Tokens, b: Tokens, run: Run, words_a: list[str], words_b: list[str], unknown: bool
    ) -> tuple[SpanKind, Reason, int]:
        operation: SpanKind = (
            "insertion" if not words_a and words_b else "deletion" if words_a and not words_b else "substitution"
        )
        if not words_a and not words_b:
            return "case", Reason.MARKS, 0
        if words_a and words_b and not unknown:
            if _is_joined(words_a, words_b):
                return "typo", Reason.LETTERS, 0
            if self._is_contraction(words_a, words_b):
                return "substitution", Reason.CONTRACTION, len(words_b) - len(words_a)
            if sign := self._pair(words_a, words_b):
                return "substitution", Reason.PAIR, sign
            if self._is_joined_typo(words_a, words_b):
                return "typo", Reason.LETTERS, 0
        if self._corrects(a, b, run) or self._renames(a, b, run) or self._addresses(a, b, run):
            return "correction", Reason.FACT, 0
        marked = len(words_a) + len(words_b) < run.a1 - run.a0 + run.b1 - run.b0
        # A lone word for which another stands was found to be no repair of it.
        other = unknown and len(words_a) == len(words_b) == 1
        return self._decide_words(operation, words_a, words_b, marked, other)

    def _decide_words(
        self, operation: SpanKind, words_a: list[str], words_b: list[str], marked: bool, other: bool
    ) -> tuple[SpanKind, Reason, int]:
        lexicon = self._lexicon
        if lexicon.conjunction_strings and {"".join(words_a), "".join(words_b)} <= lexicon.conjunction_strings | {""}:
            return operation, Reason.CONJUNCTION, 0
        content_a = [word for word in words_a if not lexicon.is_function(word)]
        content_b = [word for word in words_b if not lexicon.is_function(word)]
        if not other and len(words_a) == len(words_b) and all(map(self._is_spelling, words_a, words_b)):
            return "typo", Reason.SPELLING, 0
        if content_a or content_b:
            if not other and len(content_a) == len(content_b) and all(map(self._is_repair, content_a, content_b)):
                return "typo", Reason.SPELLING, 0
            if _is_quiet(words_a, content_b, lexicon) or _is_quiet(words_b, content_a, lexicon):
                return operation, Reason.QUIET, 0
            return operation, Reason.CONTENT, 0
        both = set(words_a) ^ set(words_b)
        if tuple(words_a) in lexicon.quiet or tuple(words_b) in lexicon.quiet:
            return operation, Reason.QUIET, 0
        if both & lexicon.address:
            return operation, Reason.FUNCTION, 0
        if both <= lexicon.conjunctions and (both - lexicon.grammar or marked):
            return operation, Reason.CONJUNCTION, 0
        return "typo", Reason.GRAMMAR, 0

    def _is_spelling(self, before: str, after: str) -> bool:
        """A repair, but not one function word for another (`he` for `her`): those are looked at as what they are."""
        both_function = self._lexicon.is_function(before) and self._lexicon.is_function(after)
        return before == after or (not both_function and self._is_repair(before, after))

    def _is_repair(self, before: str, after: str) -> bool:
        if before == after:
            return True
        if is_character_script(before) or is_character_script(after):
            return False
        return is_inflection(before, after, self._lexicon) or is_typo(before, after, self._lexicon)

    def _is_joined_typo(self, words_a: list[str], words_b: list[str]) -> bool:
        """Two words written as one or one as two, and misspelt on top (`now days`, `nowadays`)."""
        if len(words_a) + len(words_b) != 3 or not words_a or not words_b:
            return False
        return is_typo("".join(words_a), "".join(words_b), self._lexicon)

    def _is_contraction(self, words_a: list[str], words_b: list[str]) -> bool:
        """Whether one is a contraction of the other (`it's`, `it is`), or both are the same words."""
        known = self._lexicon.expansions.keys()
        if known.isdisjoint(words_a) and known.isdisjoint(words_b):
            return words_a == words_b
        return self._expand(words_a) == self._expand(words_b)

    def _expand(self, found: list[str]) -> list[str]:
        expansions = self._lexicon.expansions
        return [part for word in found for part in expansions.get(word, word).split()]

    def _pair(self, words_a: list[str], words_b: list[str]) -> int:
        """+1 when a formal expression replaced its casual twin, -1 the other way round, 0 when they are no pair."""
        pairs = self._lexicon.pairs
        if not pairs or len(words_a) > 5 or len(words_b) > 5:
            return 0
        known = [one for one in self._readings(words_a) if one in self._lexicon.pair_sides]
        others = self._readings(words_b) if known else []
        for one in known:
            for other in others:
                if sign := pairs.get((one, other)):
                    return sign
        return 0

    def _readings(self, found: list[str]) -> list[tuple[str, ...]]:
        """The words as they stand, without auxiliaries in front, and with the first one in its base form."""
        lemmas = self._lexicon.lemmas
        readings = [tuple(found)]
        bare = found
        while len(bare) > 1 and bare[0] in self._lexicon.auxiliaries:
            bare = bare[1:]
        if len(bare) < len(found):
            readings.append(tuple(bare))
        if bare[0] in lemmas:
            readings.append((lemmas[bare[0]], *bare[1:]))
        return readings

    def _is_fact(self, tokens: Tokens, start: int, end: int) -> bool:
        """Whether the run holds numbers or names and otherwise only grammar (an empty run does)."""
        lexicon = self._lexicon
        facts = start == end
        for index in range(start, end):
            key = tokens.keys[index]
            if not is_word(key):
                continue
            if self._is_number(key) or self._is_name(tokens, index):
                facts = True
            elif key not in lexicon.grammar and key not in lexicon.units:
                return False
        return facts

    def _corrects(self, a: Tokens, b: Tokens, run: Run) -> bool:
        """Whether numbers or names were exchanged, added or dropped; a German noun alone may be no name."""
        if self._lexicon.nouns_capitalised and (run.a0 == run.a1 or run.b0 == run.b1):
            side, start, end = (a, run.a0, run.a1) if run.a0 < run.a1 else (b, run.b0, run.b1)
            return all(self._is_number(key) or not is_word(key) for key in side.keys[start:end])
        return self._is_fact(a, run.a0, run.a1) and self._is_fact(b, run.b0, run.b1)

    def _renames(self, a: Tokens, b: Tokens, run: Run) -> bool:
        """Whether the first word of a sentence, which has a capital anyhow, was one name and became another.

        Names are words that no list has.
        """
        if run.a1 - run.a0 != 1 or run.b1 - run.b0 != 1 or self._lexicon.nouns_capitalised:
            return False
        return self._may_be_name(a, run.a0) and self._may_be_name(b, run.b0)

    def _addresses(self, a: Tokens, b: Tokens, run: Run) -> bool:
        """Whether some characters before an honorific became others: `田中さん`, `佐藤さん`."""
        if not self._lexicon.honorifics or run.a0 == run.a1 or run.b0 == run.b1:
            return False
        named = a.keys[run.a0 : run.a1], b.keys[run.b0 : run.b1]
        if any(len(side) > _LONGEST_NAME or not all(map(is_character_script, side)) for side in named):
            return False
        return "".join(a.keys[run.a1 : run.a1 + _LONGEST_HONORIFIC]).startswith(self._lexicon.honorifics)

    def _may_be_name(self, tokens: Tokens, index: int) -> bool:
        key, lexicon = tokens.keys[index], self._lexicon
        opens = not index or tokens.keys[index - 1] in _SENTENCE_END or tokens.breaks_before(index)
        if not opens or not tokens.at(index).istitle() or lexicon.is_function(key) or not lexicon.function:
            return False
        return not any(key in known for known in (lexicon.common, lexicon.lemmas, lexicon.single_markers))

    def _is_number(self, key: str) -> bool:
        return key in self._lexicon.numbers or key in self._lexicon.calendar or any(map(str.isdigit, key))

    def _is_name(self, tokens: Tokens, index: int) -> bool:
        word = tokens.at(index)
        if not word[0].isupper() or self._lexicon.is_function(tokens.keys[index]):
            return False
        previous = tokens.keys[index - 1] if index else "\n"
        if self._lexicon.nouns_capitalised:
            return previous in self._lexicon.name_cues
        if not index or previous in _SENTENCE_END or tokens.breaks_before(index):
            return self._is_name_elsewhere(tokens.keys[index])
        return previous not in "\"'“‘„«(*"

    def _is_name_elsewhere(self, key: str) -> bool:
        """Whether a word stands capitalised inside a sentence somewhere in either text."""
        if self._names is None:
            self._names = frozenset([fold(word) for text in self._texts for word in _NAME.findall(text)])
        return key in self._names


def _is_quiet(found: list[str], content: list[str], lexicon: Lexicon) -> bool:
    """Whether `found` is a hedge or an intensifier, and what it stands against no phrase."""
    return tuple(found) in lexicon.quiet and len(content) <= 1


def _is_joined(keys_a: list[str], keys_b: list[str]) -> bool:
    """Whether only blanks and marks inside words differ."""
    letters = ["".join(filter(is_word, keys)) for keys in (keys_a, keys_b)]
    return letters[0] != "" and is_same_letters(*letters)


def _find_moves(changes: list[Change], a: Tokens, b: Tokens) -> list[Change]:
    """A run deleted here and inserted there, within one group, was moved; `and` may have turned around with it."""
    if len(changes) < 2:
        return changes
    deleted = {_bag(a.keys[one.run.a0 : one.run.a1]): one for one in changes if one.kind == "deletion"}
    if not deleted:
        return changes
    moved: set[int] = set()
    result = list(changes)
    for index, change in enumerate(changes):
        run = change.run
        twin = deleted.get(_bag(b.keys[run.b0 : run.b1])) if change.kind == "insertion" else None
        if twin is not None and id(twin) not in moved:
            moved.add(id(twin))
            moved.add(id(change))
            result[index] = Change("moved", Reason.MOVED, twin.before, change.after, change.run)
    return [change for change in result if not (id(change) in moved and change.kind == "deletion")]


def _bag(keys: list[str]) -> tuple[str, ...]:
    """The words among `keys`, whatever their order."""
    return tuple(sorted(filter(is_word, keys)))


def _case_changes(a: Tokens, b: Tokens, runs: list[Run]) -> list[Change]:
    """Tokens that only changed their case or the style of their apostrophe."""
    changes: list[Change] = []
    at_a = at_b = 0
    for run in [*runs, Run(len(a.keys), len(a.keys), len(b.keys), len(b.keys))]:
        if a.raw(at_a, run.a0) != b.raw(at_b, run.b0):
            for i, j in zip(range(at_a, run.a0), range(at_b, run.b0), strict=False):
                one, other = a.at(i), b.at(j)
                if one != other:
                    changes.append(Change("case", Reason.CASE, one, other, Run(i, i + 1, j, j + 1)))
        at_a, at_b = run.a1, run.b1
    return changes


def is_masked(token: str) -> bool:
    """Whether a token stands in for a link, code, a mention or a hashtag."""
    return token in MASKS
