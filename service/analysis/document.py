"""One side of an edit, parsed: its sentences with where they stand, and everything that is counted by text.

Both sides of an edit share one `Memo`: a line or sentence that stands in both is split and looked at once. Most edits
leave most lines alone, which halves the cost of the usual pair.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import pairwise

from service.analysis.blocks import LineKind, blocks
from service.analysis.lexicon import Lexicon
from service.analysis.markers import Marks, find_marks
from service.analysis.mask import EMOJI_MARK, Masked, mask
from service.analysis.sentences import split
from service.analysis.tokens import words

# Twice as many sentences as 22,000 words of ordinary prose have.
MAX_UNITS = 3_000
_LONG = 7


@dataclass(slots=True)
class Unit:
    """One sentence, list item or heading; `paragraph` and `post` number its place."""

    text: str
    kind: LineKind
    paragraph: int
    post: int
    words: list[str]
    marks: Marks
    long_words: int
    leads_list: bool = False


@dataclass(slots=True)
class Memo:
    """What was found out about lines and sentences of either side."""

    lexicon: Lexicon
    sentences: dict[str, list[str]] = field(default_factory=dict)
    words: dict[str, list[str]] = field(default_factory=dict)
    marks: dict[str, tuple[Marks, int]] = field(default_factory=dict)

    def sentences_of(self, line: str) -> list[str]:
        """The sentences of one line of prose."""
        found = self.sentences.get(line)
        if found is None:
            found = self.sentences[line] = split(line, self.lexicon)
        return found

    def words_of(self, sentence: str) -> list[str]:
        """The folded words of one sentence."""
        found = self.words.get(sentence)
        if found is None:
            found = self.words[sentence] = words(sentence)
        return found

    def marks_of(self, sentence: str) -> tuple[Marks, int]:
        """The hedges, contractions and so on of one sentence, and how many long words it has."""
        found = self.marks.get(sentence)
        if found is None:
            words_of = self.words[sentence]
            long_words = sum(map(_LONG.__le__, map(len, words_of)))
            found = self.marks[sentence] = find_marks(sentence, words_of, self.lexicon), long_words
        return found


@dataclass(slots=True)
class Document:
    """All posts of one side."""

    units: list[Unit] = field(default_factory=list)
    posts: int = 0
    emphasis: int = 0
    masked: list[Masked] = field(default_factory=list)
    truncated: bool = False

    def collect(self, name: str) -> list[str]:
        """What was masked under `name` (`links`, `emoji`, ..), over all posts."""
        if len(self.masked) == 1:
            found: list[str] = getattr(self.masked[0], name)
            return found
        return [value for masked in self.masked for value in getattr(masked, name)]

    @property
    def written(self) -> str:
        """All posts as they were given."""
        return "\n\n".join(masked.written for masked in self.masked)

    @property
    def text(self) -> str:
        """The masked text of all posts."""
        return "\n\n".join(masked.text for masked in self.masked)


def mask_all(posts: Sequence[str]) -> list[Masked]:
    """Every post of a thread, masked."""
    return [mask(post) for post in posts]


def parse(masked: list[Masked], memo: Memo) -> Document:
    """Lines, sentences and words of one side."""
    document = Document(posts=len(masked), masked=masked)
    paragraph = 0
    for post, part in enumerate(masked):
        found = blocks(part.text)
        document.emphasis += found.emphasis
        last = 0
        for line in found.lines:
            if len(document.units) >= MAX_UNITS:
                document.truncated = True
                break
            last = line.paragraph
            _add_line(document.units, line.kind, line.text, (paragraph + last, post), memo)
        paragraph += last + 1
    _mark_leads(document.units)
    return document


def _add_line(units: list[Unit], kind: LineKind, text: str, place: tuple[int, int], memo: Memo) -> None:
    paragraph, post = place
    if EMOJI_MARK in text:
        text = text.replace(EMOJI_MARK, " ")
    sentences = memo.sentences_of(text) if kind == "prose" else [text.strip()]
    for sentence in sentences:
        found = memo.words_of(sentence)
        if found:
            units.append(Unit(sentence, kind, paragraph, post, found, *memo.marks_of(sentence)))


def _mark_leads(units: list[Unit]) -> None:
    """A line that ends in a colon right before a list belongs to the list (`Please bring:`)."""
    for unit, following in pairwise(units):
        if unit.kind == "prose" and following.kind in ("bullet", "numbered") and unit.text[-1:] in ":：":
            unit.leads_list = True
