"""Every trait of a profile through the real analysis: people who edit real drafts, and all that may be said of them."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator, Sequence
from pathlib import Path
from statistics import mean
from typing import Any

import pytest

from schemas.profile import Profile
from service.analysis import analyze
from service.learning.learn import learn, new_profile
from service.learning.paths import get
from tests.learning.handmade import RULES, START, at

_DATA = tomllib.loads((Path(__file__).parent / "data" / "edits.toml").read_text("utf-8"))
DRAFTS: dict[str, str] = {name: text.strip() for name, text in _DATA["drafts"].items()}
WRITERS: dict[str, dict[str, Any]] = _DATA["writers"]
Pair = tuple[str, str]


def _pairs(writer: dict[str, Any]) -> Iterator[Pair]:
    for name, changes in writer["edits"].items():
        text = DRAFTS[name]
        for old, new in changes:
            assert text.count(old) == 1, (name, old)
            text = text.replace(old, new)
        yield DRAFTS[name], "\n".join(line.strip() for line in text.split("\n"))


def _taught(pairs: Sequence[Pair]) -> Profile:
    profile = new_profile("writer", START)
    for index, (before, after) in enumerate(pairs):
        delta = analyze(before, after).delta.model_copy(update={"job_id": f"job-{index}", "edited_at": at(index)})
        profile = learn(profile, [delta], RULES, at(index)).profile
    return profile


def _claimed(profile: Profile) -> set[str]:
    return {f"{claim.path}={claim.value}" for claim in profile.claims}


def _both_ways() -> Iterator[Any]:
    for name, writer in WRITERS.items():
        pairs = list(_pairs(writer))
        yield pytest.param(pairs, writer["claims"], writer, writer.get("style", {}), id=name)
        if "reversed" in writer:
            backwards = [(after, before) for before, after in pairs]
            values = writer.get("reversed_style", {})
            yield pytest.param(backwards, writer["reversed"], writer, values, id=f"{name}, reversed")


@pytest.mark.parametrize(("pairs", "claims", "writer", "style"), list(_both_ways()))
def test_what_is_said_of_a_writer(
    pairs: list[Pair], claims: list[str], writer: dict[str, Any], style: dict[str, Any]
) -> None:
    profile = _taught(pairs)
    assert _claimed(profile) - set(writer.get("may", [])) == set(claims)
    found = {path: get(profile, path) for path in style}
    assert {path: _shown(found[path], wanted) for path, wanted in style.items()} == style


def _shown(value: Any, wanted: Any) -> Any:
    """`value` in the words of `wanted`: tone is only said to be above or below neutral."""
    if wanted not in ("<5", ">5"):
        return value
    return "<5" if value < 5 else ">5" if value > 5 else value


@pytest.mark.parametrize("backwards", [False, True])
def test_averages_end_near_what_is_left(backwards: bool) -> None:
    pairs = [pair[::-1] if backwards else pair for pair in _pairs(WRITERS["splits_sentences"])]
    left = [analyze(*pair).delta.sentence_length.after for pair in pairs]
    assert _taught(pairs).writing_traits.avg_sentence_length == pytest.approx(mean(left), abs=1)
    emoji = [pair[::-1] if backwards else pair for pair in _pairs(WRITERS["takes_emoji_out"])]
    assert _taught(emoji).writing_traits.emoji_frequency == pytest.approx(float(backwards), abs=0.1)


def test_rewrites_are_samples_and_claim_nothing() -> None:
    texts = list(DRAFTS.values())
    profile = _taught(list(zip(texts, texts[1:] + texts[:1], strict=True)))
    assert len(profile.sample_posts) == len(texts)
    assert {sample[:40] for sample in profile.sample_posts} == {text[:40] for text in texts}
    assert not profile.banned_phrases
    assert not profile.common_phrases
    again = _taught([(text, texts[0]) for text in texts[1:]])
    assert len(again.sample_posts) == 1


def test_edits_that_keep_most_of_a_draft_are_no_samples() -> None:
    assert not _taught(list(_pairs(WRITERS["tells_stories"]))).sample_posts
