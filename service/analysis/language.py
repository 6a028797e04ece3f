"""Which language a text is in, well enough to choose its word lists: script first, then a vote of function words.

Kana means Japanese, Han without kana Chinese, Hangul Korean, and so on. Latin text is decided by the function and
everyday words among the different words of its beginning: of 30 or so when a quarter of them are of one language and
hardly any of another, as is usual, else of 100 and some of the draft. Of these the winner needs a twelfth and a lead
of a fifth over the next; otherwise it is `und` and nothing language-specific is claimed.
"""

from __future__ import annotations

import re
from functools import cache
from typing import Final

from service.analysis.beyond import beyond, utf8_of
from service.analysis.lexicon import CHARACTER_LANGUAGES, LANGUAGES, lexicon

SAMPLE: Final = 600
# A beginning whose words say clearly enough what the rest would.
BEGINNING: Final = 200
_CLEAR: Final = 3
# The votes for one language: more than a sample has words, and few enough for five languages to add up as one number of
# the machine.
_BITS: Final = 12
_MOST: Final = (1 << _BITS) - 1
_MARKS: Final = '.,;:!?"()¿¡«»“”'
_UNMARKED: Final = bytes(ord(" ") if chr(code) in _MARKS else code for code in range(256))
_LATIN: Final = re.compile("[A-Za-z\u00c0-\u024f]")
_SCRIPTS: Final = (
    ("ja", re.compile("[\u3041-\u30ff\uff66-\uff9f]")),
    ("zh", re.compile("[\u3400-\u4dbf\u4e00-\u9fff]")),
    ("ko", re.compile("[\uac00-\ud7a3\u1100-\u11ff]")),
    ("ar", re.compile("[\u0600-\u06ff]")),
    ("hi", re.compile("[\u0900-\u097f]")),
    ("ru", re.compile("[\u0400-\u04ff]")),
    ("el", re.compile("[\u0370-\u03ff]")),
    ("he", re.compile("[\u0590-\u05ff]")),
    ("th", re.compile("[\u0e00-\u0e7f]")),
)
# Not less than any character of these; most texts with accents and curly quotes have none.
_OTHER: Final = re.compile("[\u0370-\u1fff\u3041-\ud7ff\uff66-\uff9f]")


def detect(before: str, after: str) -> str:
    """BCP 47 primary language of a pair of texts, `und` when unclear; the saved text decides, the draft helps."""
    saved, draft = after[:SAMPLE], "" if before == after else before[: SAMPLE // 2]
    if not (saved.isascii() and draft.isascii()):
        script = _by_script(f"{saved}\n{draft}")
        if script:
            return script
    return _by_vote(saved, draft)


def _by_script(sample: str) -> str:
    if _OTHER.search(beyond(utf8_of(sample))) is None:
        return ""
    letters = "".join(set(sample))
    latin = len(_LATIN.findall(sample))
    counts = {
        language: len(pattern.findall(sample)) if pattern.search(letters) else 0 for language, pattern in _SCRIPTS
    }
    if counts["ja"] * 20 >= counts["zh"]:
        counts["ja"] += counts["zh"] if counts["ja"] else 0
    language, most = max(counts.items(), key=lambda item: item[1])
    # A character of a dense script says as much as two or three Latin letters.
    return language if most and most * 2 >= latin else ""


def _by_vote(saved: str, draft: str) -> str:
    if len(saved) > BEGINNING and (clear := _clear(set(_words(saved[:BEGINNING])))):
        return clear
    found = {*_words(saved), *_words(draft)}
    (most, best), (runner_up, _) = _votes(found)
    return best if most and most * 12 >= len(found) and most * 5 >= runner_up * 6 else "und"


def _clear(found: set[str]) -> str:
    """The language of a beginning, if it is clear: a quarter of the words, and twice the votes of any other."""
    (most, best), (runner_up, _) = _votes(found)
    return best if most * 4 >= len(found) and most >= 2 * runner_up + _CLEAR else ""


def _votes(found: set[str]) -> list[tuple[int, str]]:
    """Votes and language of the two with most votes, the first one first."""
    total = sum(filter(None, map(_ballots().get, found)))
    return sorted([(total >> place & _MOST, language) for language, place in _places()], reverse=True)[:2]


def _words(sample: str) -> list[str]:
    """The words of `sample`, without marks, which are replaced all at once where that is fast: in ASCII."""
    sample = sample.lower().replace("’", "'")
    if sample.isascii():
        return sample.encode().translate(_UNMARKED).decode().split()
    for mark in _MARKS:
        sample = sample.replace(mark, " ")
    return sample.split()


@cache
def _places() -> tuple[tuple[str, int], ...]:
    """The languages in Latin script, and from which bit on the votes for each are counted."""
    names = [name for name in LANGUAGES if name not in CHARACTER_LANGUAGES]
    return tuple((name, _BITS * index) for index, name in enumerate(names))


@cache
def _ballots() -> dict[str, int]:
    """Every function word and everyday word with its votes: one for each language that has it, summed up as one."""
    ballots: dict[str, int] = {}
    for name, place in _places():
        for word in lexicon(name).function | lexicon(name).common:
            ballots[word] = ballots.get(word, 0) + (1 << place)
    return ballots
