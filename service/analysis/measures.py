"""Sentence and paragraph lengths, so that they say what the writer did and not what a list or a new line did to a mean.

* Sentence length is the mean over sentences of prose; list items, headings and the line that leads into a list count
  only in a text that has nothing else.
* Shared length compares the sentences of prose that both sides have, alone or split or merged, less the words of
  phrases put in or taken out: what the writer did to sentences that stayed.
* Paragraph length compares the same content: only the breaks between sentences that both sides share count, without
  those that have a list or heading in them on either side. So a call to action added as a line of its own, a sentence
  turned into a list or a word left out shortens nothing. `after` is the plain mean of the saved text, `before` what
  that mean would be with the draft's breaks. A text that shares no sentence with the draft is compared as it is.
"""

from __future__ import annotations

from itertools import accumulate, pairwise

from schemas.delta import Measure
from service.analysis.align import Alignment
from service.analysis.compare import Comparison
from service.analysis.counts import measure
from service.analysis.document import Document, Unit


def mean_length(document: Document) -> float:
    """Mean size of a sentence of prose."""
    return document.size / len(document.prose) if document.prose else 0.0


def total_size(units: list[Unit]) -> int:
    """Words of `units`, or their characters in Japanese and Chinese."""
    return sum([unit.size for unit in units])


def shared_length(before: list[Unit], after: list[Unit], comparison: Comparison) -> Measure:
    """Mean size of the sentences of prose that both sides share; 0 and 0 when there are none."""
    equal = [before[a].size for a, b in comparison.equal if before[a].in_prose and after[b].in_prose]
    words = [sum(equal)] * 2
    sentences = [len(equal)] * 2
    for group, phrases in zip(comparison.groups, comparison.phrase_words, strict=True):
        sides = [before[index] for index in group.before], [after[index] for index in group.after]
        if all(unit.in_prose for units in sides for unit in units):
            for side, units in enumerate(sides):
                words[side] += total_size(units) - phrases[side]
                sentences[side] += len(units)
    return measure(*(total / max(count, 1) for total, count in zip(words, sentences, strict=True)))


def long_words(units: list[Unit]) -> float:
    """Share of words of seven letters or more."""
    found = sum([unit.long_words for unit in units])
    total = sum([len(unit.words) for unit in units])
    return found / total if total else 0.0


def paragraph_length(before: Document, after: Document, alignment: Alignment) -> Measure:
    """Mean size of a paragraph of prose, compared over shared content."""
    plain_after = _plain(after)
    shared = _shared(before.units, after.units, alignment)
    if not shared:
        return measure(_plain(before), plain_after)
    breaks_before, breaks_after = _breaks(shared, before.units, after.units)
    return measure(plain_after * (1 + breaks_after) / (1 + breaks_before), plain_after)


def _plain(document: Document) -> float:
    return document.size / document.paragraphs if document.paragraphs else 0.0


def _shared(before: list[Unit], after: list[Unit], alignment: Alignment) -> list[tuple[int, int]]:
    """Pairs of sentences of prose that stand on both sides, in order of the draft."""
    pairs = list(alignment.equal)
    for group in alignment.groups:
        pairs.append((group.before[0], group.after[0]))
        if len(group.before) > 1 or len(group.after) > 1:
            pairs.append((group.before[-1], group.after[-1]))
    pairs.sort()
    return [(a, b) for a, b in pairs if before[a].in_prose and after[b].in_prose]


def _breaks(shared: list[tuple[int, int]], before: list[Unit], after: list[Unit]) -> tuple[int, int]:
    breaks_before = breaks_after = 0
    lists_before, lists_after = _lists_until(before), _lists_until(after)
    for (a, b), (next_a, next_b) in pairwise(shared):
        broken_before = before[a].paragraph != before[next_a].paragraph
        broken_after = after[b].paragraph != after[next_b].paragraph
        if not (broken_before or broken_after) or next_b < b:
            continue
        if lists_before[next_a] > lists_before[a] or lists_after[next_b] > lists_after[b]:
            continue
        breaks_before += broken_before
        breaks_after += broken_after
    return breaks_before, breaks_after


def _lists_until(units: list[Unit]) -> list[int]:
    """How many units up to each are no prose."""
    return list(accumulate([not unit.in_prose for unit in units]))
