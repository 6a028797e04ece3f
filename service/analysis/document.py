"""One side of an edit, parsed: its sentences with where they stand, and everything that is counted by text.

Both sides of an edit share one `Memo`: a line or sentence that stands in both is split and looked at once. Most edits
leave most lines alone, which halves the cost of the usual pair.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import pairwise
from typing import Final

from service.analysis.blocks import Line, LineKind, blocks
from service.analysis.lexicon import CHARACTER_LANGUAGES, Lexicon
from service.analysis.markers import Marks, find_marks
from service.analysis.mask import EMOJI_MARK, Masked, mask
from service.analysis.sentences import split
from service.analysis.tokens import words_of_each

# Twice as many sentences as 22,000 words of ordinary prose have.
MAX_UNITS: Final = 3_000
_LONG: Final = 7
_LISTS: tuple[LineKind, ...] = ("bullet", "numbered")
# Text, folded words, hedges and so on, long words, and size of a sentence.
Looked = tuple[str, list[str], Marks, int, int]


class Unit:
    """One sentence, list item or heading; `paragraph` and `post` number its place.

    `size` is its words, in Japanese and Chinese its characters. `in_prose` is a sentence of prose that does not lead
    into a list.
    """

    def __init__(self, looked: Looked, kind: LineKind, paragraph: int, post: int) -> None:
        self.text, self.words, self.marks, self.long_words, self.size = looked
        self.kind = kind
        self.paragraph = paragraph
        self.post = post
        self.in_prose = kind == "prose"
        self.leads_list = False


class Memo:
    """What was found out about lines and sentences of either side."""

    def __init__(self, lexicon: Lexicon) -> None:
        self.lexicon = lexicon
        self.lines: dict[tuple[LineKind, str], list[Looked]] = {}
        self.sentences: dict[str, Looked] = {}

    def of_line(self, line: Line) -> list[Looked]:
        """The sentences of one line that hold words."""
        found = self.lines.get((line.kind, line.text))
        if found is None:
            self.read([line])
            found = self.lines[line.kind, line.text]
        return found

    def read(self, lines: Iterable[Line]) -> None:
        """Split lines that are new, the first `MAX_UNITS` sentences of them, and look at all new sentences at once."""
        split_up: dict[tuple[LineKind, str], list[str]] = {}
        count = 0
        for line in lines:
            key = line.kind, line.text
            if key not in self.lines and key not in split_up:
                split_up[key] = sentences = self._split(line)
                count += len(sentences)
                if count >= MAX_UNITS:
                    break
        known = self.sentences
        new = dict.fromkeys([one for sentences in split_up.values() for one in sentences if one not in known])
        for looked in self._look_at(list(new)):
            known[looked[0]] = looked
        for key, sentences in split_up.items():
            self.lines[key] = [looked for one in sentences if (looked := known[one])[1]]

    def _split(self, line: Line) -> list[str]:
        text = line.text.replace(EMOJI_MARK, " ")
        return split(text, self.lexicon) if line.kind == "prose" else [text.strip()]

    def _look_at(self, sentences: list[str]) -> list[Looked]:
        lexicon = self.lexicon
        counts_characters = lexicon.language in CHARACTER_LANGUAGES
        looked: list[Looked] = []
        for sentence, found in zip(sentences, words_of_each(sentences), strict=True):
            long_words = len([word for word in found if len(word) >= _LONG])
            size = sum(map(len, found)) if counts_characters else len(found)
            looked.append((sentence, found, find_marks(sentence, found, lexicon), long_words, size))
        return looked


class Document:
    """All posts of one side.

    `prose` is its sentences of prose, or all units when there are none; `size` is theirs, `words` are those of all.
    """

    def __init__(self, masked: list[Masked]) -> None:
        self.masked = masked
        self.posts = len(masked)
        self.units: list[Unit] = []
        self.prose: list[Unit] = []
        self.kinds: list[LineKind] = []
        self.emphasis = self.paragraphs = self.words = self.size = 0
        self.truncated = False

    def collect(self, name: str) -> list[str]:
        """What was masked under `name` (`links`, `emoji`, ..), over all posts."""
        if len(self.masked) == 1:
            found: list[str] = getattr(self.masked[0], name)
            return found
        return [value for masked in self.masked for value in getattr(masked, name)]

    @property
    def written(self) -> str:
        """All posts as they were given."""
        return "\n\n".join([masked.written for masked in self.masked])

    @property
    def text(self) -> str:
        """The masked text of all posts."""
        return "\n\n".join([masked.text for masked in self.masked])

    @property
    def beyond(self) -> str:
        """What of `written` is not ASCII: all that of `text` is not, but for stand-ins, and more."""
        return "".join([masked.beyond for masked in self.masked])

    @property
    def utf8(self) -> bytes:
        """`written` in bytes, with other breaks between posts."""
        return b"\n".join([masked.utf8 for masked in self.masked])

    def number_of(self, kind: LineKind) -> int:
        """How many units are of one kind."""
        return self.kinds.count(kind)


def mask_all(posts: Sequence[str]) -> list[Masked]:
    """Every post of a thread, masked."""
    return [mask(post) for post in posts]


def parse(masked: list[Masked], memo: Memo) -> Document:
    """Lines, sentences and words of one side."""
    document = Document(masked)
    units = document.units
    paragraph = 0
    for post, part in enumerate(masked):
        found = blocks(part.text)
        document.emphasis += found.emphasis
        memo.read(found.lines)
        last = 0
        for line in found.lines:
            if len(units) >= MAX_UNITS:
                document.truncated = True
                break
            kind, last = line.kind, line.paragraph
            units += [Unit(looked, kind, paragraph + last, post) for looked in memo.of_line(line)]
        paragraph += last + 1
    document.kinds = kinds = [unit.kind for unit in units]
    if any(kind in kinds for kind in _LISTS):
        _mark_leads(units)
    _sum_up(document)
    return document


def _mark_leads(units: list[Unit]) -> None:
    """A line that ends in a colon right before a list belongs to the list (`Please bring:`)."""
    for unit, following in pairwise(units):
        if following.kind in _LISTS and unit.kind == "prose" and unit.text[-1:] in ":：":
            unit.leads_list = True
            unit.in_prose = False


def _sum_up(document: Document) -> None:
    prose = [unit for unit in document.units if unit.in_prose]
    document.prose = prose or document.units
    document.paragraphs = len({unit.paragraph for unit in prose})
    document.size = sum([unit.size for unit in document.prose])
    document.words = sum([len(unit.words) for unit in document.units])
