"""What is kept of an edit tells learning all that the whole edit would."""

from __future__ import annotations

import hashlib
import random
from typing import Any, get_args

import pytest

from schemas.delta import (
    Body,
    Count,
    Ending,
    Measure,
    Opening,
    StyleDelta,
    Substitution,
    ToneLabel,
    ToneScales,
    ToneShift,
    VoiceType,
)
from schemas.profile import Profile
from service.history import document_of, part_of
from service.learning import facts, votes
from service.learning.edit import seed
from service.learning.learn import learn, new_profile
from service.learning.patterns import FEATURES
from tests.learning.handmade import RULES, START, at, edit, essence, shorter

COUNTS = ("emoji", "bullets", "numbered", "headings", "questions", "contractions", "paragraphs", "posts")
PHRASES = ("at the end of the day", "delve into", "game changer", "Honest take:", "by the river", "we are open")


def any_edit(rng: random.Random, number: int) -> StyleDelta:
    """An edit that may say anything, mostly about a few things."""

    def few(values: tuple[Any, ...]) -> Any:
        return rng.choice(values)

    def counted() -> Count:
        before, after = rng.choice((0, 1, 1, 2, 7)), rng.choice((0, 1, 1, 3, 6))
        return Count(before=before, after=after, added=max(0, after - before), removed=max(0, before - after))

    def measured() -> Measure:
        before, after = rng.choice((0.0, 7.5, 13.0, 21.37)), rng.choice((0.0, 8.1, 13.0, 24.0))
        return Measure(before=before, after=after, difference=after - before)

    shift = ToneShift(label=few(get_args(ToneLabel)), confidence=rng.random(), source=few(("gemini", "lexical")))
    fields: dict[str, Any] = {name: counted() for name in COUNTS if rng.random() < 0.5}
    lengths = ("sentence_length", "shared_length", "paragraph_length")
    fields |= {name: measured() for name in lengths if rng.random() < 0.6}
    return StyleDelta(
        job_id=f"job-{number}",
        edited_at=at(number),
        language=few(("en", "en", "de", "ja")),
        length_unit=few(("words", "words", "characters")),
        change_ratio=rng.random(),
        is_noise=rng.random() < 0.2,
        is_rewrite=rng.random() < 0.1,
        words=counted(),
        sentences=counted(),
        opening_before=few(get_args(Opening)),
        opening_after=few(get_args(Opening)),
        body_after=few(get_args(Body)),
        ending_before=few(get_args(Ending)),
        ending_after=few(("cta", "cta", *get_args(Ending))),
        voice_after=few((None, "casual", *get_args(VoiceType))),
        complexity_shift=few((-1, -1, 0, 1)),
        tone_scales=ToneScales(**{scale: rng.choice((0.0, 0.1, -0.5, 0.5, 2 / 3)) for scale in votes.SCALES}),
        tone_shift=shift if rng.random() < 0.5 else ToneShift(),
        statements=few(((), ("Adds emoji",), ("Prefers short sentences",))),
        phrases_removed=tuple(rng.sample(PHRASES, rng.randint(0, 2))),
        phrases_added=tuple(rng.sample(PHRASES, rng.randint(0, 1))),
        substitutions=few(((), (Substitution(before="utilize", after="use"),))),
        kept_words=rng.randbytes(40),
        sample=few((None, None, f"A text of my own, number {number}.")),
        **fields,
    )


def part(delta: StyleDelta) -> StyleDelta:
    """An edit as a worker loads it."""
    if delta.__dict__.keys() == set(facts.FIELDS):
        return delta
    document = document_of(delta)
    return part_of({name: document[name] for name in facts.FIELDS if name in document})


def in_parts(profile: Profile) -> Profile:
    return profile.model_copy(update={"recent_edits": list(map(part, profile.recent_edits))})


@pytest.mark.parametrize("number", range(6))
def test_learning_from_parts_is_learning_from_the_whole(number: int) -> None:
    rng = random.Random(number)
    whole = new_profile("writer", START)
    if number % 2:
        given = {"directions": {"emoji": "more"}, "tone": {"formality": 8}, "banned_phrases": ["delve into"]}
        whole = seed(whole, given, RULES, START).profile
    claims: set[str] = set()
    count = 0
    while count < 90:
        batch = [any_edit(rng, count + more) for more in range(rng.choice((1, 1, 2, 7)))]
        if rng.random() < 0.2:  # one that was saved long before
            batch[0] = batch[0].model_copy(update={"edited_at": at(count - rng.randint(1, 60))})
        count += len(batch)
        of_parts = learn(in_parts(whole), batch, RULES, at(count)).profile
        whole = learn(whole, batch, RULES, at(count)).profile
        assert essence(in_parts(whole)) == essence(in_parts(of_parts))
        assert whole.evolution_timeline == of_parts.evolution_timeline
        claims |= {claim.path for claim in whole.claims}
    assert len(claims) > 5  # something was there to be told


def test_facts_are_packed_and_unpacked_as_they_are() -> None:
    rng = random.Random(7)
    for number in range(500):
        found = facts.ask(any_edit(rng, number))
        assert facts.unpack(facts.pack(found)) == found


def test_facts_answer_for_each_feature() -> None:
    assert [feature.path for feature in FEATURES] == list(facts.PLACES)
    found = facts.ask(shorter(1))
    assert found.done[facts.PLACES["directions.sentence_length"]] == -1
    assert found.missed(facts.PLACES["vocabulary_level"]) == votes.no_vocabulary(shorter(1))


def test_an_answer_that_changes_raises_the_version() -> None:
    """If this fails, stored facts say something else than the code would: raise ``VERSION``, then note both here."""
    rng = random.Random(1)
    packed = b"".join(facts.pack(facts.ask(any_edit(rng, number))) for number in range(300))
    assert (facts.VERSION, hashlib.sha256(packed).hexdigest()[:16]) == (1, "1fc4b84788e5e082")


def test_facts_of_another_version_are_asked_again() -> None:
    learned = learn(new_profile("writer", START), [shorter(1)], RULES, START).profile.recent_edits[0]
    old = learned.model_copy(update={"facts": b"\0" + learned.facts[1:]})
    assert facts.are_current(learned.facts)
    assert not facts.are_current(old.facts)
    assert facts.facts_of(old) == facts.facts_of(learned)
    assert facts.with_facts(old) == learned


def test_an_edit_whose_tone_is_judged_later_has_the_facts_of_that() -> None:
    first = learn(new_profile("writer", START), [edit(1), edit(2)], RULES, START).profile
    shift = ToneShift(label="more casual", confidence=0.9, source="gemini")
    toned = first.recent_edits[0].model_copy(update={"tone_shift": shift})
    later = learn(first, [], RULES, START, [toned]).profile.recent_edits
    assert facts.facts_of(later[0]).judged
    assert facts.facts_of(later[0]).moves == votes.signals(toned)
    assert later[1] == first.recent_edits[1]
