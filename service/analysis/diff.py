"""Token runs that changed inside one group of aligned sentences, in the form a reader would mark them.

rapidfuzz gives the shortest edit script; `Indel` (longest common subsequence) up to 256 tokens a side, where it finds
more of what stayed, `Levenshtein` (flat memory) above. The shortest script is not the most readable one, so then

* an insertion or deletion that goes on after words that also stand further on is one (`[At] the [end of the day,
  the]`);
* a pure insertion or deletion slides to the boundary a reader expects (`bread, [fresh cake,]` not `[bread, fresh]
  cake`);
* known single replacements at the edges of a run (`do not -> don't`, `utilize -> use`, a typo) become runs of their
  own;
* runs separated by one or two unchanged function words (or, in scripts without spaces, up to two characters) become
  one, unless one of them is such a known replacement: `leverage the power` was replaced as a whole. Two deletions
  stay two, the word between them was left standing - unless it is a lone preposition (`[nestled] in [the heart of]`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Final

from rapidfuzz.distance import Indel, Levenshtein

from service.analysis.lexicon import Lexicon
from service.analysis.tokens import Tokens, is_character_script, is_word

_INDEL_LIMIT: Final = 256
_GAP_WORDS: Final = 2
# How far back from its end a run is searched for the words before it.
_REACH: Final = 16


class Run:
    """Draft tokens a0..a1 became saved tokens b0..b1."""

    def __init__(self, a0: int, a1: int, b0: int, b1: int) -> None:
        self.a0 = a0
        self.a1 = a1
        self.b0 = b0
        self.b1 = b1

    @property
    def places(self) -> tuple[int, int, int, int]:
        """What tells a run from others of the same texts."""
        return self.a0, self.a1, self.b0, self.b1


Settled = Callable[[Run], bool]


def changed_runs(a: Tokens, b: Tokens, lexicon: Lexicon, settled: Settled) -> list[Run]:
    """The changed runs of two token lists; `settled` tells whether a run is a known single replacement."""
    runs = [_slide(run, a, b) for run in _rejoined(_raw_runs(a.keys, b.keys), a.keys, b.keys)]
    peeled = [part for run in runs for part in _peel(run, a, b, settled)]
    return _merge(peeled, a, lexicon, settled)


def _raw_runs(a: list[str], b: list[str]) -> list[Run]:
    metric = Indel if max(len(a), len(b)) <= _INDEL_LIMIT else Levenshtein
    head = _common(a, b)
    tail = min(_common(reversed(a), reversed(b)), min(len(a), len(b)) - head)
    only = Run(head, len(a) - tail, head, len(b) - tail)
    if set(a[head : only.a1]).isdisjoint(b[head : only.b1]):
        # What both begin and end with belongs to any shortest script; between that nothing stayed.
        return _without_empty([only])
    runs: list[Run] = []
    for tag, a0, a1, b0, b1 in metric.opcodes(a, b):
        if tag == "equal":
            continue
        if runs and runs[-1].a1 == a0 and runs[-1].b1 == b0:
            runs[-1] = Run(runs[-1].a0, a1, runs[-1].b0, b1)
        else:
            runs.append(Run(a0, a1, b0, b1))
    return runs


def _common(a: Iterable[str], b: Iterable[str]) -> int:
    """How many tokens both begin with."""
    size = 0
    for one, other in zip(a, b, strict=False):
        if one != other:
            break
        size += 1
    return size


def _rejoined(runs: list[Run], a: list[str], b: list[str]) -> list[Run]:
    """Deletions, and insertions, that go on after one or two words that also stand further on: those stayed there."""
    result: list[Run] = []
    for run in runs:
        parts = _closed_up(result[-1], run, a, b) if result else None
        if parts:
            result[-1:] = parts
        else:
            result.append(run)
    return result


def _closed_up(one: Run, other: Run, a: list[str], b: list[str]) -> list[Run] | None:
    gap = other.a0 - one.a1
    if gap > _GAP_WORDS:
        return None
    if one.b0 == one.b1 and (at := _last_place(a, one.a1, other.a0, other.a1)):
        return _without_empty([Run(one.a0, at, one.b0, one.b0), Run(at + gap, other.a1, other.b0, other.b1)])
    if one.a0 == one.a1 and (at := _last_place(b, one.b1, other.b0, other.b1)):
        return _without_empty([Run(one.a0, one.a0, one.b0, at), Run(other.a0, other.a1, at + gap, other.b1)])
    return None


def _last_place(keys: list[str], start: int, end: int, last: int) -> int:
    """Where the words start..end stand again, last in end..last; 0 when they do not."""
    size = end - start
    places = range(last - size, max(end, last - _REACH) - 1, -1)
    return next((at for at in places if keys[at : at + size] == keys[start:end]), 0)


def _without_empty(runs: list[Run]) -> list[Run]:
    return [run for run in runs if run.a0 < run.a1 or run.b0 < run.b1]


def _slide(run: Run, a: Tokens, b: Tokens) -> Run:
    """Move a pure insertion or deletion, as far as it stays the same, to the best boundary."""
    if run.a0 == run.a1:
        shift = _best_shift(b.keys, run.b0, run.b1)
        return Run(run.a0 + shift, run.a1 + shift, run.b0 + shift, run.b1 + shift)
    if run.b0 == run.b1:
        shift = _best_shift(a.keys, run.a0, run.a1)
        return Run(run.a0 + shift, run.a1 + shift, run.b0 + shift, run.b1 + shift)
    return run


def _best_shift(keys: list[str], start: int, end: int) -> int:
    low = 0
    while low > -8 and start + low > 0 and keys[start + low - 1] == keys[end + low - 1]:
        low -= 1
    high = 0
    while high < 8 and end + high < len(keys) and keys[start + high] == keys[end + high]:
        high += 1
    if not low and not high:
        return 0
    return max(range(low, high + 1), key=lambda shift: (_boundary(keys, start + shift, end + shift), -abs(shift)))


def _boundary(keys: list[str], start: int, end: int) -> int:
    """How natural it is to cut before `start` and before `end`."""
    score = 0
    if start == 0 or not is_word(keys[start - 1]):
        score += 2
    if is_word(keys[start]):
        score += 1
    if end == len(keys) or not is_word(keys[end - 1]):
        score += 2
    return score


def _peel(run: Run, a: Tokens, b: Tokens, settled: Settled) -> list[Run]:
    """Split known replacements off both ends of a run."""
    if run.a0 == run.a1 or run.b0 == run.b1:
        return [run]
    front: list[Run] = []
    back: list[Run] = []
    while run.a1 - run.a0 + run.b1 - run.b0 > 2 and (part := _known_prefix(run, settled)):
        front.append(part)
        run = Run(part.a1, run.a1, part.b1, run.b1)
    while run.a1 - run.a0 + run.b1 - run.b0 > 2 and (part := _known_suffix(run, settled)):
        back.append(part)
        run = Run(run.a0, part.a0, run.b0, part.b0)
    middle = [run] if run.a0 < run.a1 or run.b0 < run.b1 else []
    return front + middle + back[::-1]


_STEPS: Final = ((1, 1), (1, 2), (2, 1), (2, 2), (1, 3), (3, 1))


def _known_prefix(run: Run, settled: Settled) -> Run | None:
    for i, j in _STEPS:
        if _is_part(i, j, run) and settled(part := Run(run.a0, run.a0 + i, run.b0, run.b0 + j)):
            return part
    return None


def _known_suffix(run: Run, settled: Settled) -> Run | None:
    for i, j in _STEPS:
        if _is_part(i, j, run) and settled(part := Run(run.a1 - i, run.a1, run.b1 - j, run.b1)):
            return part
    return None


def _is_part(i: int, j: int, run: Run) -> bool:
    """Whether `run` has `i` and `j` tokens, and more."""
    size_a, size_b = run.a1 - run.a0, run.b1 - run.b0
    return i <= size_a and j <= size_b and i + j < size_a + size_b


def _merge(runs: list[Run], a: Tokens, lexicon: Lexicon, settled: Settled) -> list[Run]:
    merged: list[Run] = []
    fixed = True
    for run in runs:
        known = settled(run)
        if not known and not fixed and _are_one(merged[-1], run, a.keys, lexicon):
            merged[-1] = Run(merged[-1].a0, run.a1, merged[-1].b0, run.b1)
            continue
        merged.append(run)
        fixed = known
    return merged


def _are_one(one: Run, other: Run, keys: list[str], lexicon: Lexicon) -> bool:
    gap = keys[one.a1 : other.a0]
    replaced = any(run.a0 < run.a1 and run.b0 < run.b1 for run in (one, other))
    if not replaced and len(gap) == 1 and gap[0] in lexicon.prepositions:
        return _is_cut(one, keys, lexicon) and _is_cut(other, keys, lexicon)
    return (replaced or is_character_script(gap[0])) and _is_thin(gap, lexicon) if gap else False


def _is_cut(run: Run, keys: list[str], lexicon: Lexicon) -> bool:
    """Whether words with content were taken out, and none put in."""
    return run.b0 == run.b1 and any(is_word(key) and not lexicon.is_function(key) for key in keys[run.a0 : run.a1])


def _is_thin(gap: list[str], lexicon: Lexicon) -> bool:
    """Whether the unchanged tokens between two runs are too few and too light to keep the runs apart."""
    if not gap or len(gap) > _GAP_WORDS:
        return False
    return all(is_character_script(key) or (is_word(key) and lexicon.is_function(key)) for key in gap)
