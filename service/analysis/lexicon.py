"""Word lists of a language, read once from `data/<language>.toml`.

A file holds plain lists: entries are separated by commas or line breaks, pairs are written `formal = casual`.
`data/README` at the top of `en.toml` names the keys. Everything is folded as `tokens.fold` does, so lists are written
in ordinary spelling. A language without a file gets an empty lexicon: nothing is claimed about its tone, and words of
at most three letters stand in for its function words.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from importlib.resources import files
from typing import Any, Final

from service.analysis.tokens import fold, words

Expression = tuple[str, ...]
# Name of the list, the string, and longer strings that hold it but mean something else.
Substring = tuple[str, str, tuple[str, ...]]

LANGUAGES: Final = ("en", "de", "es", "fr", "pt", "ja", "zh")
CHARACTER_LANGUAGES: Final = frozenset(("ja", "zh"))
MARKERS: Final = (
    *("hedges", "intensifiers", "second_person", "formal", "casual", "laughter", "contractions"),
    *("enthusiastic", "emotional", "opinion", "analytic", "narrative", "steps", "teaching"),
)


# Lists whose words alone are tone and no phrase.
TONE: Final = ("hedges", "intensifiers", "enthusiastic", "laughter", "formal", "casual")

# Stand beside numbers in any language, and are no facts themselves.
UNITS: Final = frozenset(
    [
        "km",
        "m",
        "cm",
        "mm",
        "kg",
        "g",
        "mg",
        "l",
        "ml",
        "h",
        "min",
        "sec",
        "kb",
        "mb",
        "gb",
        "tb",
        "usd",
        "eur",
        "gbp",
        "am",
        "pm",
        "a.m",
        "p.m",
        "st",
        "nd",
        "rd",
        "th",
        "uhr",
    ]
)


@dataclass(frozen=True, slots=True)
class Openers:
    """Expressions a sentence of one sort starts with, by their first two characters, or holds anywhere."""

    starts: Mapping[str, tuple[str, ...]]
    inside: tuple[str, ...]

    @classmethod
    def of(cls, listed: Iterable[str]) -> Openers:
        """From a list in which `*` marks what may stand anywhere."""
        starts: dict[str, list[str]] = {}
        inside = []
        for entry in listed:
            if entry.startswith("*"):
                inside.append(entry[1:])
            else:
                starts.setdefault(entry[:2], []).append(entry)
        # What holds another of them is found by that.
        inside = [one for one in inside if not any(other in one for other in inside if other != one)]
        return cls({key: tuple(found) for key, found in starts.items()}, tuple(inside))

    def match(self, text: str) -> bool:
        """Whether the folded `text` is such a sentence."""
        for entry in self.starts.get(text[:2], ()):
            if text.startswith(entry) and (not text[len(entry) : len(entry) + 1].isalnum() or not entry[-1].isascii()):
                return True
        for one in self.inside:  # noqa: SIM110 - half of what `any` costs, compiled
            if one in text:
                return True
        return False


@dataclass(frozen=True, slots=True)
class Lexicon:
    """The word lists of one language; every set is folded."""

    language: str
    grammar: frozenset[str] = frozenset()
    prepositions: frozenset[str] = frozenset()
    pronouns: frozenset[str] = frozenset()
    conjunctions: frozenset[str] = frozenset()
    negations: frozenset[str] = frozenset()
    conjunction_strings: frozenset[str] = frozenset()
    edges: frozenset[str] = frozenset()
    function: frozenset[str] = frozenset()
    auxiliaries: frozenset[str] = frozenset()
    address: frozenset[str] = frozenset()
    common: frozenset[str] = frozenset()
    numbers: frozenset[str] = frozenset()
    calendar: frozenset[str] = frozenset()
    units: frozenset[str] = frozenset()
    name_cues: frozenset[str] = frozenset()
    honorifics: tuple[str, ...] = ()
    abbreviations: frozenset[str] = frozenset()
    titles: frozenset[str] = frozenset()
    suffixes: frozenset[str] = frozenset()
    nouns_capitalised: bool = False
    expansions: Mapping[str, str] = field(default_factory=dict)
    families: Mapping[str, int] = field(default_factory=dict)
    lemmas: Mapping[str, str] = field(default_factory=dict)
    pairs: Mapping[tuple[Expression, Expression], int] = field(default_factory=dict)
    pair_sides: frozenset[Expression] = frozenset()
    weak_pairs: frozenset[tuple[Expression, Expression]] = frozenset()
    single_markers: dict[str, tuple[str, ...]] = field(default_factory=dict)
    marker_starts: dict[tuple[str, str], tuple[tuple[Expression, str], ...]] = field(default_factory=dict)
    # The longest word of every longer expression, and these with the single markers: no marker stands without a sign.
    expression_signs: frozenset[str] = frozenset()
    marker_signs: frozenset[str] = frozenset()
    substrings: tuple[Substring, ...] = ()
    substring_starts: Mapping[str, tuple[tuple[int, str], ...]] = field(default_factory=dict)
    quiet: frozenset[Expression] = frozenset()
    hedges: frozenset[Expression] = frozenset()
    hedge_firsts: frozenset[str] = frozenset()
    steps: frozenset[Expression] = frozenset()
    tone: frozenset[str] = frozenset()
    openers: Mapping[str, Openers] = field(default_factory=dict)
    imperatives: frozenset[str] = frozenset()
    after_imperative: frozenset[str] = frozenset()

    def is_edge(self, word: str) -> bool:
        """Whether `word` dangles at the end of a span; in Japanese and Chinese only particles do."""
        return word in self.edges if self.edges else self.is_function(word)

    def is_function(self, word: str) -> bool:
        """Whether `word` carries grammar rather than content."""
        if self.function:
            return word in self.function
        return len(word) <= 3 and not word.isdigit()


@cache
def lexicon(language: str) -> Lexicon:
    """The lexicon of `language`; an empty one when there is no file for it."""
    if language not in LANGUAGES:
        return Lexicon(language)
    raw = tomllib.loads(files("service.analysis").joinpath("data", f"{language}.toml").read_text("utf-8"))
    return _build(language, raw)


def entries(text: str) -> list[str]:
    """The entries of one list: separated by commas or line breaks, folded."""
    return [fold(" ".join(part.split())) for part in re.split(r"[,\n]", text) if part.strip()]


def expression(text: str) -> Expression:
    """An entry as the words it consists of."""
    return tuple(words(text))


def _build(language: str, raw: Mapping[str, Any]) -> Lexicon:
    def listed(key: str) -> frozenset[str]:
        return frozenset(entries(raw.get(key, "")))

    auxiliaries, pronouns, conjunctions = listed("auxiliaries"), listed("pronouns"), listed("conjunctions")
    negations = listed("negations")
    grammar = listed("articles") | listed("prepositions") | auxiliaries | listed("particles")
    families = {form: i for i, line in enumerate(_lines(raw, "families")) for form in line.split()}
    strong, weak = _pairs(raw, "pairs"), _pairs(raw, "weak_pairs")
    function = grammar | pronouns | conjunctions | negations
    marked = list(_marked(language, raw, strong, listed("common") | function))
    forms = _forms(language, strong + weak, raw)
    hedges = frozenset(map(expression, entries(raw.get("hedges", ""))))
    substrings = tuple(_substrings(raw)) if language in CHARACTER_LANGUAGES else ()
    return Lexicon(
        language=language,
        grammar=grammar,
        prepositions=listed("prepositions"),
        auxiliaries=auxiliaries,
        pronouns=pronouns,
        conjunctions=conjunctions,
        negations=negations,
        conjunction_strings=listed("conjunction_strings"),
        edges=listed("articles") | listed("prepositions") if language in CHARACTER_LANGUAGES else function,
        function=function,
        address=listed("address"),
        common=_all_forms(language, listed("common"), raw),
        numbers=listed("numbers"),
        calendar=listed("calendar"),
        units=UNITS | listed("units"),
        name_cues=listed("name_cues"),
        honorifics=tuple(entries(raw.get("honorifics", ""))),
        abbreviations=listed("abbreviations"),
        titles=listed("titles"),
        suffixes=listed("suffixes"),
        nouns_capitalised=bool(raw.get("nouns_capitalised", False)),
        expansions=dict(_equations(raw, "expansions")),
        families=families,
        lemmas=forms,
        pairs={pair: sign for formal, casual in strong + weak for pair, sign in _both(formal, casual)},
        pair_sides=frozenset(side for pair in strong + weak for side in pair),
        weak_pairs=frozenset(pair for formal, casual in weak for pair, _ in _both(formal, casual)),
        single_markers=_single_markers(marked),
        expression_signs=frozenset(max(words_of, key=len) for words_of, _ in marked if len(words_of) > 1),
        marker_signs=frozenset(max(words_of, key=len) for words_of, _ in marked if words_of),
        marker_starts=_marker_starts(marked),
        substrings=substrings,
        substring_starts=_substring_starts(substrings),
        quiet=frozenset(
            expression(entry) for key in ("hedges", "intensifiers", "laughter") for entry in entries(raw.get(key, ""))
        ),
        hedges=hedges,
        hedge_firsts=frozenset(hedge[0] for hedge in hedges if hedge),
        steps=frozenset(map(expression, entries(raw.get("steps", "")))),
        tone=_tone(raw),
        openers={key: Openers.of(entries(value)) for key, value in raw.get("openers", {}).items()},
        imperatives=listed("imperatives"),
        after_imperative=listed("after_imperative"),
    )


def _tone(raw: Mapping[str, Any]) -> frozenset[str]:
    """Words and short expressions that alone are tone; formal expressions (`it should be noted`) are phrases, too."""
    found = {(key, word) for key in TONE for word in entries(raw.get(key, ""))}
    return frozenset(word for key, word in found if "-" not in word and not (" " in word and key == "formal"))


def _lines(raw: Mapping[str, Any], key: str) -> Iterator[str]:
    for line in raw.get(key, "").split("\n"):
        if line.strip():
            yield fold(line.strip())


def _equations(raw: Mapping[str, Any], key: str) -> Iterator[tuple[str, str]]:
    for entry in entries(raw.get(key, "")):
        left, _, right = entry.partition("=")
        yield left.strip(), right.strip()


def _pairs(raw: Mapping[str, Any], key: str) -> list[tuple[Expression, Expression]]:
    return [(expression(formal), expression(casual)) for formal, casual in _equations(raw, key)]


def _both(formal: Expression, casual: Expression) -> Iterator[tuple[tuple[Expression, Expression], int]]:
    """The pair read from before to after: +1 when the text became more formal."""
    yield (casual, formal), 1
    yield (formal, casual), -1


def _forms(language: str, pairs: Iterable[tuple[Expression, Expression]], raw: Mapping[str, Any]) -> dict[str, str]:
    """Inflected form -> the form written in the pair lists, for the first words of all pairs."""
    lemmas: dict[str, str] = {}
    irregular = {line.split()[0]: line.split() for line in _lines(raw, "families")}
    for pair in pairs:
        for side in pair:
            if not side:
                continue
            base = side[0]
            for form in irregular.get(base, inflections(language, base)):
                lemmas.setdefault(form, base)
    lemmas.update({side[0]: side[0] for pair in pairs for side in pair if side})
    return lemmas


def _all_forms(language: str, bases: frozenset[str], raw: Mapping[str, Any]) -> frozenset[str]:
    """Words together with their inflected forms."""
    forms = {form for base in bases for form in inflections(language, base)}
    for line in _lines(raw, "families"):
        family = line.split()
        if bases.intersection(family):
            forms.update(family)
    return frozenset(forms) | bases


def inflections(language: str, base: str) -> list[str]:
    """Regular verb forms of an English word; other languages list their forms in the data."""
    if language != "en" or len(base) < 3:
        return [base]
    if base.endswith("e"):
        return [base, f"{base}s", f"{base}d", f"{base[:-1]}ing"]
    if base.endswith("y") and base[-2] not in "aeiou":
        return [base, f"{base[:-1]}ies", f"{base[:-1]}ied", f"{base}ing"]
    plural = f"{base}es" if base.endswith(("s", "x", "ch", "sh")) else f"{base}s"
    doubled = base + base[-1]
    return [base, plural, f"{base}ed", f"{base}ing", f"{doubled}ed", f"{doubled}ing"]


def _marked(
    language: str, raw: Mapping[str, Any], strong: list[tuple[Expression, Expression]], everyday: frozenset[str]
) -> Iterator[tuple[Expression, str]]:
    """Every (expression, list it stands in).

    The formal side of a pair marks a text as formal unless it is made of everyday words (`because = cuz`) , warm
    (`great = cool`) or a hedge (`somewhat = a bit`).
    """
    for key in MARKERS:
        for entry in entries(raw.get(key, "")):
            yield expression(entry), key
    everyday = everyday.union(*(entries(raw.get(key, "")) for key in ("enthusiastic", "intensifiers", "hedges")))
    for formal, _ in strong:
        if not all(word in everyday for word in formal):
            for form in inflections(language, formal[0]):
                yield (form, *formal[1:]), "formal"


def _single_markers(marked: Iterable[tuple[Expression, str]]) -> dict[str, tuple[str, ...]]:
    """Word -> the lists it stands in."""
    found: dict[str, set[str]] = {}
    for words_of, key in marked:
        if len(words_of) == 1:
            found.setdefault(words_of[0], set()).add(key)
    return {word: tuple(sorted(keys)) for word, keys in found.items()}


def _substrings(raw: Mapping[str, Any]) -> Iterator[Substring]:
    """List by list its strings, the longest first; hedges with the longer ones of other lists that hold them.

    `らしい` in `素晴らしい` is no hedge.
    """
    lists = {key: set(entries(raw[key])) for key in MARKERS if key in raw}
    others = sorted(set().union(*(listed for key, listed in lists.items() if key != "hedges")))
    for key, listed in lists.items():
        longer = others if key == "hedges" else []
        for one in sorted(listed, key=lambda entry: (-len(entry), entry)):
            yield key, one, tuple(each for each in longer if one in each and one != each)


def _substring_starts(substrings: Sequence[Substring]) -> dict[str, tuple[tuple[int, str], ...]]:
    """First two characters (or the only one) -> the strings that start with them, with their places among all."""
    found: dict[str, list[tuple[int, str]]] = {}
    for place, (_, text, _) in enumerate(substrings):
        found.setdefault(text[:2], []).append((place, text))
    return {first: tuple(listed) for first, listed in found.items()}


def _marker_starts(
    marked: Iterable[tuple[Expression, str]],
) -> dict[tuple[str, str], tuple[tuple[Expression, str], ...]]:
    """First two words -> the longer expressions that start with them, the longest first."""
    found: dict[tuple[str, str], set[tuple[Expression, str]]] = {}
    for words_of, key in marked:
        if len(words_of) > 1:
            found.setdefault((words_of[0], words_of[1]), set()).add((words_of, key))
    return {first: tuple(sorted(items, key=lambda item: (-len(item[0]), item))) for first, items in found.items()}
