"""The lexical answer: the strongest evidence names the label, and weak evidence names none."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.delta import Count, StyleDelta, ToneLabel, ToneScales
from service.analysis import analyze
from service.tone.lexical import label

COUNTS = (
    "contractions",
    "hedges",
    "intensifiers",
    "exclamations",
    "capitals",
    "second_person",
    "formal_words",
    "casual_words",
    "laughter",
)


def added(number: int) -> Count:
    return Count(after=number, added=number)


def removed(number: int) -> Count:
    return Count(before=number, removed=number)


CASES: list[tuple[dict[str, Any], ToneLabel]] = [
    ({}, "no change"),
    ({"contractions": added(1)}, "no change"),
    ({"contractions": added(2)}, "more casual"),
    ({"contractions": removed(3)}, "more professional"),
    ({"formal_words": added(2)}, "more professional"),
    ({"casual_words": added(2)}, "more casual"),
    ({"exclamations": added(2)}, "more enthusiastic"),
    ({"exclamations": removed(1), "intensifiers": removed(2)}, "more subdued"),
    ({"capitals": added(2)}, "more enthusiastic"),
    ({"capitals": removed(2), "exclamations": removed(1)}, "more subdued"),
    ({"hedges": removed(2)}, "more direct"),
    ({"hedges": added(3)}, "more indirect"),
    ({"second_person": added(2)}, "no change"),
    ({"second_person": added(4)}, "more direct"),
    ({"laughter": added(1)}, "more humorous"),
    ({"laughter": removed(2)}, "more serious"),
    ({"tone_scales": ToneScales(formality=-0.6)}, "more casual"),
    ({"tone_scales": ToneScales(emotionality=0.8)}, "more enthusiastic"),
    ({"tone_scales": ToneScales(emotionality=0.4)}, "no change"),
    ({"tone_scales": ToneScales(formality=0.5), "contractions": added(2)}, "no change"),
    ({"tone_scales": ToneScales(formality=-0.3, humor=0.7)}, "more humorous"),
    ({"contractions": Count(before=2, after=2, added=2, removed=2)}, "no change"),
]


@pytest.mark.parametrize(("fields", "expected"), CASES)
def test_labels(fields: dict[str, Any], expected: ToneLabel) -> None:
    shift = label(StyleDelta(is_noise=False, **fields))
    assert (shift.label, shift.source) == (expected, "lexical")
    assert (shift.confidence > 0) == (expected != "no change")


def test_noise_is_no_change_for_certain() -> None:
    shift = label(StyleDelta(is_noise=True, laughter=added(3)))
    assert (shift.label, shift.confidence) == ("no change", 1.0)


def test_a_rival_lowers_the_confidence() -> None:
    alone = label(StyleDelta(is_noise=False, tone_scales=ToneScales(humor=0.8)))
    beside = label(StyleDelta(is_noise=False, tone_scales=ToneScales(humor=0.8, formality=-0.8)))
    assert beside.label == alone.label
    assert beside.confidence < alone.confidence


@st.composite
def deltas(draw: st.DrawFn) -> StyleDelta:
    scale, number = st.floats(-1, 1), st.integers(0, 10_000)
    counts = {name: Count(added=draw(number), removed=draw(number)) for name in COUNTS}
    scales = ToneScales(
        formality=draw(scale),
        enthusiasm=draw(scale),
        directness=draw(scale),
        humor=draw(scale),
        emotionality=draw(scale),
    )
    return StyleDelta(is_noise=False, tone_scales=scales, **counts)


OPPOSITE: dict[ToneLabel, ToneLabel] = {
    "more casual": "more professional",
    "more enthusiastic": "more subdued",
    "more direct": "more indirect",
    "more humorous": "more serious",
    "no change": "no change",
}
OPPOSITE |= {down: up for up, down in OPPOSITE.items()}


@given(deltas())
def test_any_delta_has_a_label_and_its_mirror_the_opposite(delta: StyleDelta) -> None:
    swapped = {name: Count(added=getattr(delta, name).removed, removed=getattr(delta, name).added) for name in COUNTS}
    scales = {name: -value for name, value in delta.tone_scales.model_dump().items()}
    mirror = label(delta.model_copy(update={**swapped, "tone_scales": ToneScales(**scales)}))
    shift = label(delta)
    assert 0 <= shift.confidence < 1
    assert (mirror.label, mirror.confidence) == (OPPOSITE[shift.label], shift.confidence)


# The whole list, through the analysis, in several languages: what a person would read in the edit.
TEXTS: list[tuple[str, str, ToneLabel]] = [
    ("We are open and it is quiet here.", "We're open and it's quiet here.", "more casual"),
    ("We're open and it's quiet here.", "We are open and it is quiet here.", "more professional"),
    ("We utilize pears to commence the day.", "We use pears to start the day.", "more casual"),
    ("Perhaps we might open on Monday, I think.", "We open on Monday.", "more direct"),
    ("We open on Monday.", "Perhaps we might open on Monday, I think.", "more indirect"),
    ("The soup is good today. Come in.", "The soup is really very good today! Come in!", "more enthusiastic"),
    ("The soup is really very good today! Come in!", "The soup is good today. Come in.", "more subdued"),
    (
        "This is a great day and we never close.",
        "Honestly, this is a GREAT day and we NEVER close.",
        "more enthusiastic",
    ),
    ("The boat sank again.", "The boat sank again lol 😂", "more humorous"),
    ("The boat sank again lol 😂", "The boat sank again.", "more serious"),
    ("Vielleicht öffnen wir eventuell am Montag.", "Wir öffnen am Montag.", "more direct"),
    ("La sopa es buena. Pase.", "¡La sopa es muy buena! ¡Pase!", "more enthusiastic"),
    ("Le bateau a coulé.", "Le bateau a coulé mdr 😂", "more humorous"),
    ("Talvez a loja abra na segunda, acho que sim.", "A loja abre na segunda.", "more direct"),
    ("A sopa está boa hoje. Entre.", "A sopa está muito boa hoje! Entre!", "more enthusiastic"),
    ("O barco afundou de novo.", "O barco afundou de novo kkk 😂", "more humorous"),
    ("多分、月曜日に開くかもしれません。", "月曜日に開きます。", "more direct"),
    ("船がまた沈みました。", "船がまた沈みました（笑）😂", "more humorous"),
    ("今天的汤好。请进。", "今天的汤非常好！请进！", "more enthusiastic"),
    ("船又沉了。", "船又沉了哈哈哈😂", "more humorous"),
    ("Das Schiff fuhr im April.", "Das Boot lief im Juni aus.", "no change"),
    ("船は四月に出た。", "舟は六月に出た。", "no change"),
    ("The ship left in April.", "The boat sailed in June.", "no change"),
]


@pytest.mark.parametrize(("before", "after", "expected"), TEXTS)
def test_what_a_person_would_read(before: str, after: str, expected: ToneLabel) -> None:
    assert label(analyze(before, after).delta).label == expected
