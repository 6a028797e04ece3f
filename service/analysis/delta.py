"""Assembly: two texts in, one `Analysis` out.

Both sides are masked, split and aligned (`document`, `align`), changed groups are compared (`compare`), and every
field of the delta is derived from that. Equal texts take the same way with one parsed side, so a delta always holds
true counts.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import chain
from typing import Any, Final

from schemas.delta import Analysis, Count, Span, StyleDelta, Substitution
from schemas.made import made
from service.analysis import ending
from service.analysis.align import Alignment, align
from service.analysis.blocks import LineKind
from service.analysis.bounds import bounded
from service.analysis.capitals import capitals
from service.analysis.compare import Comparison, compare
from service.analysis.counts import balance, counted, differences, measure, multiset, sizes
from service.analysis.document import Document, Memo, Unit, mask_all, parse
from service.analysis.emoji import LAUGHING
from service.analysis.language import SAMPLE, detect
from service.analysis.lexicon import CHARACTER_LANGUAGES, MARKERS, Lexicon, lexicon
from service.analysis.markers import Found, collect
from service.analysis.mask import Masked
from service.analysis.measures import (
    long_words,
    mean_length,
    paragraph_length,
    shared_length,
)
from service.analysis.phrases import select
from service.analysis.scales import complexity_shift, tone_scales
from service.analysis.sketch import sketch_words
from service.analysis.spans import Reason
from service.analysis.threads import posts_count

_DEFAULTS: Final = dict(StyleDelta())
_GIVEN: Final = set(_DEFAULTS)  # by an analysis: all fields, of all deltas
_MAX_SUBSTITUTIONS: Final = 40
_MAX_EXPRESSION: Final = 200
_SAMPLE: Final = 800
_KINDS: tuple[tuple[str, LineKind], ...] = (("bullets", "bullet"), ("numbered", "numbered"), ("headings", "heading"))
_MASKED: Final = ("links", "code", "hashtags", "mentions")
# Name of the word list -> name of the field.
_MARKS: Final = (
    ("contractions", "contractions"),
    ("hedges", "hedges"),
    ("intensifiers", "intensifiers"),
    ("formal", "formal_words"),
    ("casual", "casual_words"),
    ("second_person", "second_person"),
    ("laughter", "laughter"),
)
_REWRITE: Final = 0.8
# Marks that make an edit evidence although no word changed; the others (links, code, mentions) are facts.
_TELLING: Final = (
    "emoji",
    "bullets",
    "numbered",
    "headings",
    "emphasis",
    "em_dashes",
    "exclamations",
    "questions",
    "paragraphs",
)


def analyze(original: str | Sequence[str], edited: str | Sequence[str]) -> Analysis:
    """What an edit says about style: the delta, the classified spans and the changed sentence pairs.

    Either text may be one string or the posts of a thread in order. Pure and deterministic; survives any Unicode.
    """
    posts_before = [original] if isinstance(original, str) else list(original)
    posts_after = [edited] if isinstance(edited, str) else list(edited)
    same = posts_before == posts_after
    posts_before, posts_after, cut = bounded(posts_before, posts_after)
    masked_before = mask_all(posts_before)
    masked_after = masked_before if same else mask_all(posts_after)
    lists = lexicon(detect(_sample_text(masked_before), _sample_text(masked_after)))
    memo = Memo(lists)
    before = parse(masked_before, memo)
    after = before if masked_after is masked_before else parse(masked_after, memo)
    alignment = align(before.units, after.units, lists)
    comparison = compare(before, after, alignment, lists)
    comparison.truncated |= alignment.truncated or before.truncated or after.truncated or (cut and not same)
    fields = _Fields(before, after, alignment, comparison, lists).all()
    delta = made(StyleDelta, _DEFAULTS | fields, _GIVEN)
    return Analysis(delta, _spans(before, alignment, comparison), tuple(comparison.pairs))


def _sample_text(masked: Sequence[Masked]) -> str:
    """Enough of a side to tell its language."""
    if len(masked) == 1:
        return masked[0].text[:SAMPLE]
    return "\n".join([part.text[:SAMPLE] for part in masked[:3]])


def _spans(before: Document, alignment: Alignment, comparison: Comparison) -> tuple[Span, ...]:
    moved = [before.units[a].text for a, _ in alignment.moved]
    spans = [Span("moved", text, text) for text in moved]
    spans += [Span(change.kind, change.before, change.after) for change in comparison.changes]
    return tuple(spans)


class _Fields:
    """The fields of a delta, a group of them a method."""

    def __init__(
        self, before: Document, after: Document, alignment: Alignment, comparison: Comparison, lists: Lexicon
    ) -> None:
        self._before = before
        self._after = after
        self._alignment = alignment
        self._comparison = comparison
        self._lists = lists
        self._characters = lists.language in CHARACTER_LANGUAGES
        substitutions = [change for change in comparison.changes if change.kind == "substitution"]
        self._exchanged = [change for change in substitutions if change.reason is not Reason.WHOLE]

    def all(self) -> dict[str, Any]:
        """Every field that differs from its default."""
        layout, marks = self._layout(), self._marks()
        ratio = self._change_ratio()
        rewrite = ratio > _REWRITE and bool(self._after.units)
        counts = layout | marks
        noise = self._is_noise(counts)
        fields: dict[str, Any] = {
            "language": self._lists.language,
            "change_ratio": ratio,
            "is_noise": noise,
            "is_rewrite": rewrite,
            "truncated": self._comparison.truncated,
            "length_unit": "characters" if self._characters else "words",
            **layout,
            **self._lengths(),
            **{field: marks[name] for name, field in _MARKS},
            **self._structure(),
        }
        if not rewrite:
            fields |= self._expressions()
        if not noise:
            fields["tone_scales"] = tone_scales(self._tone_counts(counts, fields), self._pair_signs())
            fields["complexity_shift"] = complexity_shift(self._exchanged, fields["long_word_share"], ratio)
            fields["kept_words"] = sketch_words(list(chain.from_iterable([unit.words for unit in self._after.units])))
        if rewrite:
            fields["sample"] = sample(self._after)
        return fields

    def _change_ratio(self) -> float:
        total = self._before.words + self._after.words
        return round(min(1.0, self._comparison.changed_words / total), 4) if total else 0.0

    def _is_noise(self, counts: dict[str, Count]) -> bool:
        if self._comparison.restructured or any(change.is_evidence for change in self._comparison.changes):
            return False
        if any(counts[name].added or counts[name].removed for name in _TELLING):
            return False
        if self._lists.substrings and any(counts[name].added or counts[name].removed for name in ("formal", "casual")):
            return False
        return counts["hashtags"].before == counts["hashtags"].after

    def _layout(self) -> dict[str, Any]:
        before, after = self._before, self._after
        text_before, text_after = before.text, after.text
        beyond_before, beyond_after = before.beyond, after.beyond
        emoji_before, emoji_after = before.collect("emoji"), after.collect("emoji")
        added, removed = differences(emoji_before, emoji_after) if emoji_before != emoji_after else ([], [])
        return {
            "posts": posts_count(before, after, self._alignment),
            "emoji": counted(len(emoji_before), len(emoji_after), len(added), len(removed)),
            "emoji_added": tuple(added[:_MAX_SUBSTITUTIONS]),
            "emoji_removed": tuple(removed[:_MAX_SUBSTITUTIONS]),
            "paragraphs": balance(before.paragraphs, after.paragraphs),
            "emphasis": balance(before.emphasis, after.emphasis),
            "em_dashes": balance(_dashes(text_before, beyond_before), _dashes(text_after, beyond_after)),
            "exclamations": balance(
                _either(text_before, beyond_before, "!", "！"), _either(text_after, beyond_after, "!", "！")
            ),
            "capitals": capitals(before, after, self._lists),
            "questions": balance(
                _either(text_before, beyond_before, "?", "？؟"), _either(text_after, beyond_after, "?", "？؟")
            ),
            **{name: balance(before.number_of(kind), after.number_of(kind)) for name, kind in _KINDS},
            **{name: multiset(before.collect(name), after.collect(name)) for name in _MASKED},
        }

    def _marks(self) -> dict[str, Count]:
        found_before = collect([unit.marks for unit in self._before.units])
        found_after = collect([unit.marks for unit in self._after.units])
        self._found_after = found_after
        marks = dict.fromkeys(MARKERS, counted(0, 0, 0, 0))
        for name in found_before | found_after:
            marks[name] = multiset(found_before.get(name, []), found_after.get(name, []))
        marks["laughter"] = multiset(_laughing(found_before, self._before), _laughing(found_after, self._after))
        return marks

    def _tone_counts(self, counts: dict[str, Count], fields: dict[str, Any]) -> dict[str, Count]:
        """The counts that tone is read from: without a hook or an ending put in or taken out, which is only that.

        In Japanese and Chinese every whole sentence brings the forms of its register, so that one more is no sign.
        """
        alignment = self._alignment
        gone = self._placed(alignment.deleted, self._before.units, fields, "before")
        come = self._placed(alignment.inserted, self._after.units, fields, "after")
        if gone or come:
            counts = counts | self._without(gone, come, MARKERS)
            texts = [[side.units[i].text for i in places] for side, places in self._sides(gone, come)]
            loud = [sum(text.count(mark) for text in some for mark in "!！") for some in texts]
            found = counts["exclamations"]
            counts["exclamations"] = balance(found.before - loud[0], found.after - loud[1])
        if self._lists.substrings and (alignment.deleted or alignment.inserted):
            counts = counts | self._without(set(alignment.deleted), set(alignment.inserted), ("formal", "casual"))
        return counts

    def _sides(self, gone: set[int], come: set[int]) -> tuple[tuple[Document, set[int]], tuple[Document, set[int]]]:
        return (self._before, gone), (self._after, come)

    @staticmethod
    def _placed(single: Sequence[int], units: list[Unit], fields: dict[str, Any], side: str) -> set[int]:
        """Which of the sentences that only this side has are its hook or its ending."""
        places: set[int] = set()
        if fields["ending_before"] != fields["ending_after"] and fields[f"ending_{side}"] != "none":
            places.add(len(units) - 1)
        if fields["opening_before"] != fields["opening_after"] and fields[f"opening_{side}"] != "statement":
            places.add(0)
        return places.intersection(single)

    def _without(self, gone: set[int], come: set[int], names: Sequence[str]) -> dict[str, Count]:
        """The markers of both sides, less those of some sentences."""
        found = [
            collect(unit.marks for index, unit in enumerate(side.units) if index not in places)
            for side, places in self._sides(gone, come)
        ]
        return {name: multiset(found[0].get(name, []), found[1].get(name, [])) for name in names}

    def _lengths(self) -> dict[str, Any]:
        sides = self._before.prose, self._after.prose
        return {
            "words": self._word_count(),
            "sentences": balance(len(sides[0]), len(sides[1])),
            "sentence_length": measure(mean_length(self._before), mean_length(self._after)),
            "shared_length": shared_length(self._before.units, self._after.units, self._comparison),
            "long_word_share": measure(*map(long_words, sides)),
            "paragraph_length": paragraph_length(self._before, self._after, self._alignment),
        }

    def _word_count(self) -> Count:
        totals = self._before.size, self._after.size
        changed = self._alignment.changed()
        words = [
            [word for index in indices if (unit := side.units[index]).in_prose for word in unit.words]
            for side, indices in zip((self._before, self._after), changed, strict=True)
        ]
        if self._characters:
            words = [list("".join(side)) for side in words]
        added, removed = sizes(*words)
        # A sentence can be prose on one side and not be counted on the other: the balance is what holds.
        surplus = totals[1] - totals[0] - added + removed
        return counted(*totals, added + max(0, surplus), removed + max(0, -surplus))

    def _expressions(self) -> dict[str, Any]:
        removed, added = select(self._comparison.removed, self._comparison.added)
        return {"phrases_removed": removed, "phrases_added": added, "substitutions": tuple(self._substitutions())}

    def _substitutions(self) -> Iterator[Substitution]:
        exchanged = [change for change in self._exchanged if len(change.before) + len(change.after) <= _MAX_EXPRESSION]
        for change in exchanged[:_MAX_SUBSTITUTIONS]:
            yield Substitution(before=change.before, after=change.after)

    def _pair_signs(self) -> list[int]:
        """Signs of the pairs that none of the lists counts."""
        return [change.formality for change in self._exchanged if change.reason is Reason.PAIR]

    def _structure(self) -> dict[str, Any]:
        before, after, lists = self._before.units, self._after.units, self._lists
        opening_after, ending_after = self._comparison.opening, self._comparison.ending
        return {
            "opening_before": opening_after if _begin_alike(before, after) else ending.opening(before, lists),
            "opening_after": opening_after,
            "body_after": ending.body(after, self._found_after),
            "ending_before": ending_after if _end_alike(before, after) else ending.ending(before, lists),
            "ending_after": ending_after,
            "voice_after": ending.voice(self._found_after, self._after.words),
        }


def _begin_alike(before: list[Unit], after: list[Unit]) -> bool:
    """Whether both texts begin with the same sentence, and it stands alone in both or in neither."""
    if len(before) < 2 or len(after) < 2 or before[0].text != after[0].text:
        return False
    alone_before, alone_after = (side[0].paragraph != side[1].paragraph for side in (before, after))
    return alone_before == alone_after and before[0].leads_list == after[0].leads_list


def _end_alike(before: list[Unit], after: list[Unit]) -> bool:
    """Whether both texts end in the same sentence, and neither consists of it."""
    return len(before) > 1 and len(after) > 1 and before[-1].text == after[-1].text


def _laughing(found: Found, side: Document) -> list[str]:
    return found.get("laughter", []) + [emoji for emoji in side.collect("emoji") if emoji in LAUGHING]


def _either(text: str, beyond: str, mark: str, others: str) -> int:
    """How often a mark or one of its others, which are beyond ASCII, stands in a text."""
    return text.count(mark) + sum([text.count(other) for other in others if other in beyond])


def _dashes(text: str, beyond: str) -> int:
    return (text.count("—") if "—" in beyond else 0) + (text.count(" -- ") if "-" in text else 0)


def sample(document: Document) -> str:
    """The saved text of a rewrite, cut between words at 800 characters."""
    text = document.written
    if len(text) <= _SAMPLE:
        return text
    cut = text[:_SAMPLE].rsplit(None, 1)
    return cut[0] if cut else ""
