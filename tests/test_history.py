"""Deltas as they are stored: what pydantic would store, and the same delta when it is read back."""

from __future__ import annotations

from datetime import UTC, datetime

import bson
import pytest
from bson.codec_options import CodecOptions
from hypothesis import given
from hypothesis import strategies as st

from schemas.delta import StyleDelta, ToneShift
from schemas.made import copied
from service.analysis import analyze
from service.history import document_of, part_of
from service.learning.facts import FIELDS, answers
from tests.benchmarks import jobs

AWARE: CodecOptions[dict[str, object]] = CodecOptions(tz_aware=True, tzinfo=UTC)


def stored(delta: StyleDelta) -> dict[str, object]:
    """What MongoDB gives back of ``delta``."""
    assert bson.encode(document_of(delta)) == bson.encode(delta.model_dump(exclude_defaults=True))
    return bson.decode(bson.encode(document_of(delta)), AWARE)


def same(delta: StyleDelta) -> None:
    read = StyleDelta.model_validate(stored(delta))
    assert read == delta
    assert read.model_dump() == delta.model_dump()
    assert read.model_dump_json() == delta.model_dump_json()


def same_part(delta: StyleDelta) -> None:
    document = stored(delta)
    part = part_of({name: document[name] for name in FIELDS if name in document})
    assert part.__dict__ == {name: getattr(delta, name) for name in FIELDS}
    assert {name: type(value) for name, value in part} == {name: type(getattr(delta, name)) for name in FIELDS}


@pytest.mark.parametrize("seed", range(0, 200, 7))
def test_a_stored_delta_is_the_same_when_it_is_read(seed: int) -> None:
    delta = analyze(*jobs.pair(seed, 2.0)).delta
    same(delta)
    named = {"job_id": f"j-{seed}", "edited_at": datetime(2026, 1, 2, 3, 4, 5, 6000, tzinfo=UTC), "revision": seed}
    tone = {"tone_shift": ToneShift(label="more casual", confidence=0.8, source="gemini"), "statements": ("Brief",)}
    slow, quick = delta.model_copy(update={**named, **tone}), copied(delta, {**named, **tone})
    assert quick == slow
    assert quick.model_fields_set == slow.model_fields_set
    same(quick)
    same_part(copied(quick, {"facts": answers(quick)}))


@given(st.text(max_size=300), st.text(max_size=300))
def test_whatever_the_texts_are(original: str, edited: str) -> None:
    delta = analyze(original.replace("\x00", ""), edited.replace("\x00", "")).delta
    same(delta)
    same_part(delta)


def test_what_a_newer_version_added_is_left_out() -> None:
    document = {"job_id": "j", "words": {"before": 3, "around": 2}, "fields_of_tomorrow": {"a": 1}}
    read = StyleDelta.model_validate(document)
    assert (read.job_id, read.words.before) == ("j", 3)
    assert document_of(read) == {"job_id": "j", "words": {"before": 3}}
