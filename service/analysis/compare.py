"""What became of the sentences that are not equal: every changed span of an edit, and the phrases they yield.

What is compared is bounded: 20,000 tokens a side, and groups until 192 changes were found (eight pages of a text in
which every other sentence changed). In the groups beyond that only words are counted, and the delta is marked
`truncated`: habits of a writer show in the first pages, and the lists of a delta are full long before.
"""

from __future__ import annotations

from typing import Final

from schemas.delta import Ending, Opening, SpanKind
from service.analysis.align import Alignment, Group
from service.analysis.counts import sizes
from service.analysis.diff import Run
from service.analysis.document import Document, Unit
from service.analysis.ending import ending, opening
from service.analysis.lexicon import Lexicon
from service.analysis.phrases import group_phrases, sentence_phrase
from service.analysis.rewritten import without_rewritten
from service.analysis.spans import Change, Classifier, GroupDiff, Reason
from service.analysis.tokens import words

TOKEN_BUDGET: Final = 20_000
CHANGE_BUDGET: Final = 192
# A label (`Hot take:`) is a phrase, wherever it stands.
_LABEL: Final = 2
_NO_RUN: Final = Run(0, 0, 0, 0)
# What can split or merge sentences; a repaired blank (`day.New`) cannot.
_RESTRUCTURES: Final = frozenset((Reason.MARKS, Reason.CONJUNCTION, Reason.CONTENT, Reason.FUNCTION, Reason.GRAMMAR))


class Comparison:
    """The changed spans of one edit, and what follows from them.

    `groups` are those compared, `phrase_words` has the words of phrases a side for each of them; `opening` and `ending`
    are the saved text's.
    """

    def __init__(self, equal: list[tuple[int, int]]) -> None:
        self.equal = equal
        self.changes: list[Change] = []
        self.groups: list[Group] = []
        self.phrase_words: list[tuple[int, int]] = []
        self.pairs: list[tuple[str, str]] = []
        self.removed: list[str] = []
        self.added: list[str] = []
        self.changed_words = 0
        self.restructured = self.truncated = False
        self.opening: Opening = "none"
        self.ending: Ending = "none"


Compared = tuple[GroupDiff, list[str], list[str], tuple[int, int]]


class _Memo:
    """What was found out about groups and single sentences: a text that repeats itself does so on every line."""

    def __init__(self, lists: Lexicon, before: str, after: str) -> None:
        self.lists = lists
        self.classifier = Classifier(lists, before, after)
        self.groups: dict[tuple[str, str], Compared] = {}
        self.single: dict[tuple[str, bool], list[str]] = {}

    def group(self, before: str, after: str) -> Compared:
        """The changes of one group, the phrases removed and added, and the words of these."""
        found = self.groups.get((before, after))
        if found is None:
            diff = self.classifier.compare(before, after)
            removed, added = group_phrases(diff, self.lists)
            found = self.groups[before, after] = diff, removed, added, (_size(removed), _size(added))
        return found

    def phrases_of(self, unit: Unit) -> list[str]:
        """The phrase that a sentence is, if it is one."""
        key = unit.text, unit.kind == "heading"
        found = self.single.get(key)
        if found is None:
            found = self.single[key] = sentence_phrase(unit, self.lists)
        return found


def compare(before: Document, after: Document, alignment: Alignment, lists: Lexicon) -> Comparison:
    """Compare everything that `alignment` did not find equal."""
    result = Comparison(alignment.equal + alignment.moved)
    memo = _Memo(lists, before.text, after.text)
    budget = TOKEN_BUDGET
    for group in alignment.groups:
        texts = _joined(before.units, group.before), _joined(after.units, group.after)
        result.pairs.append((texts[0].replace("\n", " "), texts[1].replace("\n", " ")))
        budget -= max(_words(before.units, group.before), _words(after.units, group.after))
        if budget < 0 or len(result.changes) >= CHANGE_BUDGET:
            _count(result, before.units, after.units, group)
        else:
            _note(result, memo.group(*texts), group)
    for index in alignment.deleted:
        _note_single(result, before.units[index], "deletion", memo)
    result.opening, result.ending = opening(after.units, lists), ending(after.units, lists)
    places = _placed(after.units, result)
    for index in alignment.inserted:
        _note_single(result, after.units[index], "insertion", memo, quiet=index in places)
    result.removed, result.added = without_rewritten(result.removed, result.added, result.changes, lists)
    return result


def _placed(units: list[Unit], result: Comparison) -> set[int]:
    """Sentences that are an ending or a hook, and as that no phrase."""
    places = {len(units) - 1} if result.ending != "none" else set()
    if result.opening == "hook" and not (len(units[0].words) <= _LABEL and units[0].text[-1] in ":："):
        places.add(0)
    return places


def _joined(units: list[Unit], indices: list[int]) -> str:
    return "\n".join([units[index].text for index in indices])


def _size(phrases: list[str]) -> int:
    return sum([len(words(phrase)) for phrase in phrases])


def _words(units: list[Unit], indices: list[int]) -> int:
    return sum([len(units[index].words) for index in indices])


def _whole(kind: SpanKind, before: str, after: str) -> Change:
    return Change(kind, Reason.WHOLE, before, after, _NO_RUN)


def _count(result: Comparison, before: list[Unit], after: list[Unit], group: Group) -> None:
    """Count the words of a group that changed; that it changed is evidence only where nothing else was looked at."""
    sides = [
        [word for index in indices for word in units[index].words]
        for units, indices in ((before, group.before), (after, group.after))
    ]
    result.truncated = True
    result.changed_words += sum(sizes(*sides))
    if not result.changes:
        result.changes.append(_whole("substitution", _joined(before, group.before), _joined(after, group.after)))


def _note(result: Comparison, compared: Compared, group: Group) -> None:
    diff, removed, added, phrase_words = compared
    result.groups.append(group)
    result.changes += diff.changes
    result.changed_words += sum([change.words for change in diff.changes if change.kind not in ("case", "moved")])
    result.removed += removed
    result.added += added
    result.phrase_words.append(phrase_words)
    if len(group.before) != len(group.after) and any(change.reason in _RESTRUCTURES for change in diff.changes):
        result.restructured = True


def _note_single(result: Comparison, unit: Unit, kind: SpanKind, memo: _Memo, quiet: bool = False) -> None:
    result.changed_words += len(unit.words)
    phrases = [] if quiet else memo.phrases_of(unit)
    if kind == "deletion":
        result.changes.append(_whole(kind, unit.text, ""))
        result.pairs.append((unit.text, ""))
        result.removed += phrases
    else:
        result.changes.append(_whole(kind, "", unit.text))
        result.pairs.append(("", unit.text))
        result.added += phrases
