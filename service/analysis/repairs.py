"""Is a replaced word the same word, repaired?

Without a dictionary of every language, a typo shows in the letters: at the same place stands a word that differs by
one edit (two from eight letters on; a swap of neighbours is one edit). Real words differ as little (`make`, `take`),
so

* for two edits, and for one in up to five letters, the first letter must stay, and up to three only a swap of two
  letters counts;
* two words that are both on the list of everyday words are two words.

A change of inflection (`go -> goes`, `information -> informations`) is a repair too: same stem, and what differs are
endings from the language's list, or both forms stand in one line of its irregular words. So is a change of word class
(`success -> succeed`, `funny -> fun`), which shows in a stem of six letters in ten.
"""

from __future__ import annotations

from typing import Final

from rapidfuzz.distance import OSA, Prefix

from service.analysis.lexicon import Lexicon

_LONGEST: Final = 40
_STEM: Final = 0.6
_JOINERS: Final = str.maketrans("", "", " -'’‑‐·.")


def is_typo(before: str, after: str, lexicon: Lexicon) -> bool:
    """Whether `after` is `before` spelled right (both folded, one word each)."""
    longer, shorter = len(before), len(after)
    if longer < shorter:
        longer, shorter = shorter, longer
    if longer > _LONGEST or longer - shorter > 2 or longer < 2:
        return False
    if not (before[0].isalpha() and after[0].isalpha()):
        return False
    if before in lexicon.common and after in lexicon.common:
        return False
    if before.replace("ß", "ss") == after.replace("ß", "ss"):
        return True
    if longer == shorter and sorted(before) == sorted(after):
        return bool(OSA.distance(before, after) <= 2)
    if longer <= 3 or (longer <= 5 and before[0] != after[0]):
        return False
    allowed = 2 if longer >= 8 and before[0] == after[0] else 1
    return bool(OSA.distance(before, after, score_cutoff=allowed) <= allowed)


def is_inflection(before: str, after: str, lexicon: Lexicon) -> bool:
    """Whether both are forms of one word."""
    family = lexicon.families.get(before)
    if family is not None and family == lexicon.families.get(after):
        return True
    if before[:1] != after[:1] or not lexicon.suffixes:
        return False
    longer = max(len(before), len(after))
    if longer > _LONGEST:
        return False
    shared = Prefix.similarity(before, after)
    if shared >= max(3, _STEM * longer):
        return True
    for stem in range(shared, max(2, shared - 3), -1):
        if (
            stem * 2 >= min(len(before), len(after))
            and _is_ending(before[stem:], lexicon)
            and _is_ending(after[stem:], lexicon)
        ):
            return True
    return False


def _is_ending(rest: str, lexicon: Lexicon) -> bool:
    return not rest or rest in lexicon.suffixes


def is_same_letters(before: str, after: str) -> bool:
    """Whether only spaces, hyphens and apostrophes differ (`game changer`, `game-changer`)."""
    if len(before) + len(after) > 4 * _LONGEST:
        return False
    if before[:1] != after[:1] and before[:1].isalnum() and after[:1].isalnum():
        return False
    return before.translate(_JOINERS) == after.translate(_JOINERS) != ""
