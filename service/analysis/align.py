"""Which sentence became which: equal ones first, then the nearest, then pieces that were split off or merged in.

1. Sentences that are equal are matched wherever they stand, the n-th occurrence with the n-th. Those off the longest
   increasing run of places were *moved*; the others anchor the rest.
2. Where as many are left on both sides between two anchors, those at the same place that share three quarters of their
   content words became each other. What is left then is compared by shared content words (character pairs for scripts
   without spaces), found through an index of the words, so the cost follows the number of shared words and not the
   product of sentences. A word that stands in more than 24 of the left-over sentences names no candidates. Neighbours
   between the same anchors are candidates too, and for these half of all words, six in ten letters, or a fifth of the
   words when nothing else there changed are enough. Two sentences belong together from a Dice similarity of 0.34 on -
   below it the writer said something else - or when the shorter is contained in the longer to 60 %.
3. A sentence that found no partner joins its neighbour's pair when at least 60 % of its words are among those the
   pair has not explained yet: `A, and B.` against `A. B.` is one group of one and two sentences.

At most 1,000 changed sentences a side are paired; of a text that changed more, the rest counts as dropped and added.

Groups come out in the order of the saved text. Whatever stays single was added or dropped as a whole.
"""

from __future__ import annotations

from bisect import bisect_left, insort
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Sequence
from itertools import pairwise
from operator import lt
from typing import Final, Literal

from rapidfuzz.distance import Indel

from service.analysis.document import Unit
from service.analysis.lexicon import Lexicon
from service.analysis.tokens import is_character_script

_COMMON: Final = 24
_NEAR: Final = 0.34
_NEAR_IN_PLACE: Final = 0.25
_CONTAINED: Final = 0.6
_NEARLY_ALL: Final = 0.75
# Words that a joined sentence must have in common with what is left to explain, and the least share of its own.
_SHARED: Final = 3
_RECOVERED: Final = 0.5
_ALIKE: Final = 0.5
_ALIKE_ALONE: Final = 0.2
_ALIKE_LETTERS: Final = 0.6
_LETTERS: Final = 240
_WINDOW: Final = 2
_GROUP: Final = 24
MOST: Final = 1_000


class Group:
    """Sentences of the draft and what they became."""

    def __init__(self, before: list[int], after: list[int]) -> None:
        self.before = before
        self.after = after


class Alignment:
    """Every sentence of both sides in exactly one of these."""

    def __init__(self, equal: list[tuple[int, int]]) -> None:
        self.equal = equal
        self.moved: list[tuple[int, int]] = []
        self.groups: list[Group] = []
        self.deleted: list[int] = []
        self.inserted: list[int] = []
        self.truncated = False

    def changed(self) -> tuple[list[int], list[int]]:
        """The sentences of either side that are equal to none of the other."""
        before = [index for group in self.groups for index in group.before]
        after = [index for group in self.groups for index in group.after]
        return before + self.deleted, after + self.inserted


def align(before: list[Unit], after: list[Unit], lexicon: Lexicon) -> Alignment:
    """Match the sentences of two texts."""
    matched, left_before, left_after = _match_equal(before, after)
    result = Alignment(matched)
    if not _is_increasing(places := [b for _, b in matched]):
        in_order = _longest_increasing(places)
        result.equal = [pair for pair, kept in zip(matched, in_order, strict=True) if kept]
        result.moved = [pair for pair, kept in zip(matched, in_order, strict=True) if not kept]
    if left_before and left_after:
        pairer = _Pairer(before, after, lexicon, result.equal)
        result.groups = pairer.pair(left_before[:MOST], left_after[:MOST])
        result.truncated = max(len(left_before), len(left_after)) > MOST
    used_before = {index for group in result.groups for index in group.before}
    used_after = {index for group in result.groups for index in group.after}
    result.deleted = [index for index in left_before if index not in used_before]
    result.inserted = [index for index in left_after if index not in used_after]
    return result


def _match_equal(before: list[Unit], after: list[Unit]) -> tuple[list[tuple[int, int]], list[int], list[int]]:
    """Pairs of equal sentences in the draft's order, and the indices left over on both sides.

    What both texts begin with is paired without looking it up: as often as a sentence stands there, it does on both.
    """
    head = 0
    for one, other in zip(before, after, strict=False):
        if one.text != other.text:
            break
        head += 1
    matched = [(index, index) for index in range(head)]
    places: dict[str, list[int]] = {}
    for index in range(len(after) - 1, head - 1, -1):
        places.setdefault(after[index].text, []).append(index)
    left_before: list[int] = []
    for index in range(head, len(before)):
        if open_places := places.get(before[index].text):
            matched.append((index, open_places.pop()))
        else:
            left_before.append(index)
    return matched, left_before, sorted([index for left in places.values() for index in left])


def _is_increasing(values: Sequence[int]) -> bool:
    return all(map(lt, values, values[1:]))


def _longest_increasing(values: Sequence[int]) -> list[bool]:
    """Which of `values` are on one longest increasing run."""
    tails: list[int] = []
    tail_at: list[int] = []
    previous = [-1] * len(values)
    for index, value in enumerate(values):
        length = bisect_left(tails, value)
        if length == len(tails):
            tails.append(value)
            tail_at.append(index)
        else:
            tails[length], tail_at[length] = value, index
        previous[index] = tail_at[length - 1] if length else -1
    kept = [False] * len(values)
    at = tail_at[-1] if tail_at else -1
    while at >= 0:
        kept[at] = True
        at = previous[at]
    return kept


def _by_value(gaps: dict[int, int]) -> dict[int, list[int]]:
    """Gap -> the sentences in it, in order."""
    found: dict[int, list[int]] = defaultdict(list)
    for index, gap in gaps.items():
        found[gap].append(index)
    return found


class _Pairer:
    """Pairs the sentences that are not equal to any."""

    def __init__(
        self, before: list[Unit], after: list[Unit], lexicon: Lexicon, anchors: Sequence[tuple[int, int]]
    ) -> None:
        self._before = before
        self._after = after
        self._lexicon = lexicon
        self._anchors_before = [a for a, _ in anchors]
        self._anchors_after = [b for _, b in anchors]
        self._equal: tuple[frozenset[int], frozenset[int]] | None = None

    def pair(self, left_before: list[int], left_after: list[int]) -> list[Group]:
        """Groups of sentences that became each other, in the order of the saved text."""
        self._bags_before = {index: self._bag(self._before[index]) for index in left_before}
        self._bags_after = {index: self._bag(self._after[index]) for index in left_after}
        self._gaps_before = {index: bisect_left(self._anchors_before, index) for index in left_before}
        self._gaps_after = {index: bisect_left(self._anchors_after, index) for index in left_after}
        groups = self._pair_in_place()
        taken_before = {group.before[0] for group in groups}
        taken_after = {group.after[0] for group in groups}
        single_before = [index for index in left_before if index not in taken_before]
        single_after = [index for index in left_after if index not in taken_after]
        if single_before and single_after:
            groups += self._pair_nearest(single_before, single_after)
            groups += self._pair_between(left_before, left_after, groups)
        if single_before or single_after:
            self._attach(left_before, left_after, groups)
        return sorted(groups, key=lambda group: group.after[0])

    def _bag(self, unit: Unit) -> frozenset[str]:
        found = unit.words
        if found and is_character_script(found[0]):
            return frozenset(self._every(unit))
        every = frozenset(found)
        return every - self._function(every) or every

    def _function(self, found: frozenset[str]) -> frozenset[str]:
        lexicon = self._lexicon
        return lexicon.function or frozenset(filter(lexicon.is_function, found))

    def _pair_in_place(self) -> list[Group]:
        """Sentences at the same place between the same two anchors that share nearly all their content words.

        Nobody else can be nearer by much, and most edits are of this kind: the search below costs four times as much.
        """
        of_before, of_after = _by_value(self._gaps_before), _by_value(self._gaps_after)
        sides = [(indices, of_after.get(gap, [])) for gap, indices in of_before.items()]
        return [
            Group([a], [b])
            for befores, afters in sides
            if len(befores) == len(afters)
            for a, b in zip(befores, afters, strict=True)
            if self._is_near(a, b)
        ]

    def _is_near(self, a: int, b: int) -> bool:
        one, other = self._bags_before[a], self._bags_after[b]
        return 2 * len(one & other) >= _NEARLY_ALL * (len(one) + len(other))

    def _pair_nearest(self, left_before: list[int], left_after: list[int]) -> list[Group]:
        scored = []
        for a, b in self._candidates(left_before, left_after):
            score = self._score(a, b)
            if score:
                scored.append((-score, abs(self._gaps_before[a] - self._gaps_after[b]), a, b))
        scored.sort()
        taken_before: set[int] = set()
        taken_after: set[int] = set()
        groups = []
        for _, _, a, b in scored:
            if a not in taken_before and b not in taken_after:
                taken_before.add(a)
                taken_after.add(b)
                groups.append(Group([a], [b]))
        return groups

    def _pair_between(self, left_before: list[int], left_after: list[int], groups: list[Group]) -> list[Group]:
        """Sentences that no one was near enough to, between two pairs that belong together: they became each other."""
        partner = {group.after[0]: group.before[0] for group in groups}
        taken = set(partner.values())
        partner |= dict(zip(self._anchors_after, self._anchors_before, strict=True))
        ends = {-1: -1, len(self._after): len(self._before)}
        partner |= ends
        single = set(left_before) - taken
        found = []
        for b in left_after:
            a = partner.get(b - 1, -2) + 1
            if b not in partner and a in single and partner.get(b + 1) == a + 1 and self._resembles(a, b):
                found.append(Group([a], [b]))
        return found

    def _resembles(self, a: int, b: int) -> bool:
        one, other = set(self._before[a].words), set(self._after[b].words)
        return 2 * len(one & other) >= _ALIKE_ALONE * (len(one) + len(other))

    def _candidates(self, left_before: list[int], left_after: list[int]) -> Iterable[tuple[int, int]]:
        holders: dict[str, list[int]] = defaultdict(list)
        for a in left_before:
            for word in self._bags_before[a]:
                holders[word].append(a)
        by_gap = _by_value({a: self._gaps_before[a] for a in left_before})
        ranks: Counter[int] = Counter()
        found: list[tuple[int, int]] = []
        for b in left_after:
            gap = self._gaps_after[b]
            neighbours = by_gap.get(gap, [])
            at = min(ranks[gap], max(0, len(neighbours) - 1))
            ranks[gap] += 1
            near = set(neighbours[max(0, at - _WINDOW) : at + _WINDOW + 1])
            for word in self._bags_after[b]:
                if (having := holders.get(word)) and len(having) <= _COMMON:
                    near.update(having)
            found += [(a, b) for a in near]
        return found

    def _score(self, a: int, b: int) -> float:
        one, other = self._bags_before[a], self._bags_after[b]
        shared = len(one & other)
        dice = 2 * shared / (len(one) + len(other)) if shared else 0.0
        in_place = self._gaps_before[a] == self._gaps_after[b]
        if dice >= (_NEAR_IN_PLACE if in_place else _NEAR):
            return dice
        if shared >= 2 and shared >= _CONTAINED * min(len(one), len(other)):
            return dice
        return self._likeness(a, b) / 2 if in_place else 0.0

    def _likeness(self, a: int, b: int) -> float:
        """How alike two sentences at the same place are in all their words, or letter by letter."""
        one, other = self._before[a], self._after[b]
        words_a, words_b = frozenset(one.words), frozenset(other.words)
        shared = len(words_a & words_b)
        dice = 2 * shared / (len(one.words) + len(other.words))
        if dice >= _ALIKE or (dice >= _ALIKE_ALONE and self._is_alone(a, b)):
            return dice
        if shared >= 3 and shared == min(len(words_a), len(words_b)):
            return _ALIKE
        if max(len(one.text), len(other.text)) > _LETTERS:
            return 0.0
        return Indel.normalized_similarity(one.text, other.text, score_cutoff=_ALIKE_LETTERS)

    def _is_alone(self, a: int, b: int) -> bool:
        """Whether both neighbours of both sentences are equal on both sides, or the ends of the texts."""
        if self._equal is None:
            self._equal = frozenset(self._anchors_before), frozenset(self._anchors_after)
        equal_before, equal_after = self._equal
        return all(
            side is None or index in side
            for side, index in (
                (equal_before if a else None, a - 1),
                (equal_before if a + 1 < len(self._before) else None, a + 1),
                (equal_after if b else None, b - 1),
                (equal_after if b + 1 < len(self._after) else None, b + 1),
            )
        )

    def _attach(self, left_before: list[int], left_after: list[int], groups: list[Group]) -> None:
        """Let single sentences join the group of a neighbour that still has words to explain."""
        of_before = {a: group for group in groups for a in group.before}
        of_after = {b: group for group in groups for b in group.after}
        for order in (left_after, left_after[::-1]):
            for b in order:
                if b not in of_after:
                    self._join(b, of_after, self._uncovered_before, "after")
        for order in (left_before, left_before[::-1]):
            for a in order:
                if a not in of_before:
                    self._join(a, of_before, self._uncovered_after, "before")

    def _join(
        self,
        index: int,
        owners: dict[int, Group],
        uncovered: Callable[[Group], Counter[str]],
        side: Literal["before", "after"],
    ) -> None:
        for neighbour in (index - 1, index + 1):
            group = owners.get(neighbour)
            if group is None or len(group.before) + len(group.after) > _GROUP:
                continue
            if self._is_foreign(index, group, side):
                continue
            left = uncovered(group)
            every = self._every((self._before if side == "before" else self._after)[index])
            if self._explains(every, left):
                owners[index] = group
                insort(group.before if side == "before" else group.after, index)
                return

    def _is_foreign(self, index: int, group: Group, side: Literal["before", "after"]) -> bool:
        """Whether no content word of a sentence stands on the other side of a group: it explains nothing there."""
        if side == "before":
            return all(self._bags_before[index].isdisjoint(self._bags_after[b]) for b in group.after)
        return all(self._bags_after[index].isdisjoint(self._bags_before[a]) for a in group.before)

    def _explains(self, every: Counter[str], left: Counter[str]) -> bool:
        """Whether a sentence is most of the words that are left to explain, or they are most of the sentence.

        The second is a sentence that was joined to its neighbour and had a phrase taken out: little of the sentence
        came over, but nearly all that came over is its own.
        """
        content, rest = self._content(every), self._content(left)
        shared, wanted = (content & rest).total(), content.total()
        if len(content) > 1 and shared == wanted:
            return True
        common = (every & left).total()
        if common >= _CONTAINED * every.total() and shared >= _CONTAINED * wanted:
            return True
        smaller = min(every.total(), left.total())
        return (
            common >= max(_SHARED, _CONTAINED * smaller, _RECOVERED * every.total())
            and shared > 0
            and shared >= _RECOVERED * min(wanted, rest.total())
        )

    def _content(self, found: Counter[str]) -> Counter[str]:
        return Counter({word: count for word, count in found.items() if not self._lexicon.is_function(word)})

    def _uncovered_before(self, group: Group) -> Counter[str]:
        """Words of the group's draft sentences that its saved sentences do not explain, each as often as it is left."""
        return self._union(self._before, group.before) - self._union(self._after, group.after)

    def _uncovered_after(self, group: Group) -> Counter[str]:
        return self._union(self._after, group.after) - self._union(self._before, group.before)

    @staticmethod
    def _union(units: list[Unit], indices: list[int]) -> Counter[str]:
        found: Counter[str] = Counter()
        for index in indices:
            found.update(_Pairer._every(units[index]))
        return found

    @staticmethod
    def _every(unit: Unit) -> Counter[str]:
        """All words of a sentence; pairs of characters in scripts without spaces."""
        found = unit.words
        if len(found) > 1 and is_character_script(found[0]):
            return Counter(map("".join, pairwise(found)))
        return Counter(found)
