"""Banned and common phrases: candidates, junk, opportunities, retraction."""

from __future__ import annotations

from typing import Any

import pytest

from schemas.delta import StyleDelta, Substitution
from schemas.profile import Profile
from tests.learning.handmade import count, edit, taught

DRAFT = "The market is a feast for the senses every Sunday"


def banned(profile: Profile) -> list[str]:
    return [one.phrase for one in profile.banned_phrases]


def common(profile: Profile) -> list[str]:
    return [one.phrase for one in profile.common_phrases]


def history(signs: str, phrase: str = "a feast for the senses") -> list[StyleDelta]:
    """``-`` removed, ``k`` kept, ``+`` added, ``.`` a draft without it."""
    edits = []
    for index, sign in enumerate(signs):
        fields: dict[str, Any] = {"emoji": count(0, 1)}
        fields["kept"] = DRAFT if sign in "k+" else "The market opens on Sunday"
        if sign == "-":
            fields["phrases_removed"] = (phrase,)
        if sign == "+":
            fields["phrases_added"] = (phrase,)
        edits.append(edit(index, **fields))
    return edits


@pytest.mark.parametrize(
    ("signs", "is_banned"),
    [
        ("-", False),
        ("--", True),
        ("-.....-", True),
        ("-----k", True),
        ("kkk---", True),
        ("kkk..---", True),
        ("k-----", True),
        ("-kkkkkkkkkkkk-", False),
        ("kkkkk-kkkk-kkk", False),
        ("-----kkk", False),
        ("-----++", False),
        ("-k-k-k-k", False),
    ],
)
def test_a_ban_needs_most_of_the_drafts_that_had_the_phrase(signs: str, is_banned: bool) -> None:
    assert banned(taught(*history(signs))) == (["a feast for the senses"] if is_banned else [])


@pytest.mark.parametrize(
    ("signs", "is_common"),
    [
        ("++", False),
        ("+++", True),
        ("++.+++", True),
        ("+++++.....", False),
        ("+++++---", False),
        ("+..............+..........+", False),
    ],
)
def test_a_common_phrase_is_added_again_and_again(signs: str, is_common: bool) -> None:
    assert common(taught(*history(signs))) == (["a feast for the senses"] if is_common else [])


def test_evidence_is_counted() -> None:
    phrase = taught(*history("-----k")).banned_phrases[0]
    assert (phrase.support, phrase.against) == (5, 1)
    assert phrase.edits == [f"job-{index}" for index in range(5)]


def test_the_shared_part_of_different_spans_is_found_once() -> None:
    spans = ("a real game-changer for teams", "this game-changer moment", "true game-changer moment")
    edits = [edit(index, phrases_removed=(span,)) for index, span in enumerate(spans)]
    assert banned(taught(*edits)) == ["game-changer moment"]


def test_no_entry_is_part_of_another() -> None:
    long, short = "in today's fast-paced world", "fast-paced world"
    edits = [edit(index, phrases_removed=(long,)) for index in range(4)]
    edits.append(edit(4, phrases_removed=(short,)))
    assert banned(taught(*edits)) == [long]
    edits += [edit(5 + index, phrases_removed=(short,)) for index in range(4)]
    assert banned(taught(*edits)) == [short]


def test_case_and_apostrophes_are_folded_and_shown_as_written() -> None:
    spans = ("In today’s world of work", "in today's world of work", "in today’s world of work")
    edits = [edit(index, phrases_removed=(span,)) for index, span in enumerate(spans)]
    assert banned(taught(*edits)) in (["in today’s world of work"], ["in today's world of work"])
    names = [edit(index, phrases_removed=("Mill Street",)) for index in range(3)]
    assert banned(taught(*names)) == ["Mill Street"]


@pytest.mark.parametrize("junk", ["so that", "and", "2024", "3 14", "very", "the", "そして", "it", "don't"])
def test_junk_is_refused(junk: str) -> None:
    edits = [edit(index, phrases_removed=(junk,), phrases_added=(junk,)) for index in range(6)]
    removed = [one.model_copy(update={"phrases_added": ()}) for one in edits]
    added = [one.model_copy(update={"phrases_removed": ()}) for one in edits]
    assert banned(taught(*removed)) == []
    assert common(taught(*added)) == []


def test_a_word_the_writer_always_replaces_is_banned() -> None:
    swap = Substitution(before="utilize", after="use")
    edits = [edit(index, substitutions=(swap,)) for index in range(3)]
    assert banned(taught(*edits)) == ["utilize"]
    assert common(taught(*edits)) == []


def test_a_change_of_register_bans_no_words() -> None:
    swaps = (
        Substitution(before="selected", after="picked"),
        Substitution(before="seeks", after="looks for"),
        Substitution(before="contains", after="has"),
    )
    edits = [edit(index, substitutions=swaps, contractions=count(0, 2)) for index in range(8)]
    profile = taught(*edits)
    assert banned(profile) == []
    assert common(profile) == []


def test_at_most_twenty_strongest_first() -> None:
    spans = tuple(f"word{letter} thing{letter}" for letter in "abcdefghijklmnopqrstuvwxyz")
    edits = [edit(index, phrases_removed=spans[: 26 - index]) for index in range(10)]
    profile = taught(*edits)
    assert len(profile.banned_phrases) == 20
    supports = [one.support for one in profile.banned_phrases]
    assert supports == sorted(supports, reverse=True)


def test_japanese_phrases_are_compared_by_character() -> None:
    edits = [edit(index, phrases_removed=("言うまでもなく",)) for index in range(3)]
    assert banned(taught(*edits)) == ["言うまでもなく"]
