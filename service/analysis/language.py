"""Which language a text is in, well enough to choose its word lists: script first, then a vote of function words.

Kana means Japanese, Han without kana Chinese, Hangul Korean, and so on. Latin text is decided by the function and
everyday words among the different words of its beginning (100 or so): the winner needs a twelfth of the words (a
quarter is usual) and a lead of a fifth over the next; otherwise it is `und` and nothing language-specific is claimed.
"""

from __future__ import annotations

import re
from functools import cache

from service.analysis.lexicon import CHARACTER_LANGUAGES, LANGUAGES, lexicon

SAMPLE = 600
_PLAIN = str.maketrans("’" + '.,;:!?"()¿¡«»“”', "'" + " " * 15)
_LATIN = re.compile("[A-Za-z\u00c0-\u024f]")
_SCRIPTS = (
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


def detect(before: str, after: str) -> str:
    """BCP 47 primary language of a pair of texts, `und` when unclear; the saved text decides, the draft helps."""
    sample = after[:SAMPLE] if before == after else f"{after[:SAMPLE]}\n{before[: SAMPLE // 2]}"
    if not sample.isascii():
        script = _by_script(sample)
        if script:
            return script
    return _by_vote(sample)


def _by_script(sample: str) -> str:
    latin = len(_LATIN.findall(sample))
    counts = {language: len(pattern.findall(sample)) for language, pattern in _SCRIPTS}
    if counts["ja"] * 20 >= counts["zh"]:
        counts["ja"] += counts["zh"] if counts["ja"] else 0
    language, most = max(counts.items(), key=lambda item: item[1])
    # A character of a dense script says as much as two or three Latin letters.
    return language if most and most * 2 >= latin else ""


def _by_vote(sample: str) -> str:
    found = set(sample.lower().translate(_PLAIN).split())
    votes = sorted(((len(found & voters), language) for language, voters in _voters()), reverse=True)
    (most, best), (runner_up, _) = votes[0], votes[1]
    return best if most and most * 12 >= len(found) and most * 5 >= runner_up * 6 else "und"


@cache
def _voters() -> tuple[tuple[str, frozenset[str]], ...]:
    """The function words and everyday words of the languages in Latin script."""
    lists = [lexicon(name) for name in LANGUAGES if name not in CHARACTER_LANGUAGES]
    return tuple((each.language, each.function | each.common) for each in lists)
