"""Entries from anybody: only a typed refusal escapes the decoder, and only a checked string reaches a query."""

import json
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any, TypeVar

import orjson
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from schemas.job import InvalidJob, LearningJob, decode_job, known_job
from service.settings import Settings
from service.streams.entry import Delivery, decode
from service.streams.keys import Keys

T = TypeVar("T")
PARTITION = Keys.of().partitions[0]
NOW = datetime(2026, 1, 1, tzinfo=UTC)
REASONS = {"undecodable", "invalid", "duplicate_key", "too_large", "future_version", "future_time"}
ID_CHARACTERS = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._:@+/=-")

SCALARS = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20)
JSON = st.recursive(
    SCALARS,
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=6) | st.just("$ne"), inner, max_size=4)
    ),
    max_leaves=12,
)
GOOD: dict[str, Any] = {"user_id": "ana", "content_id": "c", "original_text": "a", "edited_text": "b"}
ALMOST = st.fixed_dictionaries({}, optional={name: JSON | st.just("x") for name in LearningJob.model_fields}).map(
    lambda some: {**GOOD, **some}
)
FIELDS = st.dictionaries(
    st.sampled_from([b"job", b"source_id", b"traceparent"]) | st.binary(max_size=8),
    st.binary(max_size=200),
    max_size=20,
)
ENTRY_IDS = st.tuples(st.integers(0, 2**64 - 1), st.integers(0, 2**64 - 1)).map(lambda pair: f"{pair[0]}-{pair[1]}")


def stdlib(value: Any) -> bytes:
    """JSON as a producer may write it: NaN, lone surrogates and integers of any size included."""
    return json.dumps(value).encode()


def outcome(call: Callable[[], T]) -> T | InvalidJob:
    """What ``call`` returns, or its typed refusal; any other error fails the test."""
    try:
        return call()
    except InvalidJob as refused:
        return refused


@given(FIELDS, ENTRY_IDS, ALMOST | JSON, st.booleans())
@settings(max_examples=200)
@example({b"job": b'{"a":' * 100_000}, "1-0", GOOD, False)
@example({b"job": b"[" * 200_000}, "1-0", GOOD, False)
@example({b"job": b'{"user_id":' + b"9" * 10_000 + b"}"}, "1-0", GOOD, False)
@example({}, "18446744073709551615-0", GOOD, True)
@example({b"source_id": "².0-0".encode()}, "1-0", GOOD, True)
@example({b"source_id": "١-١".encode()}, "1-0", GOOD, True)
def test_only_a_typed_refusal_escapes(fields: dict[bytes, bytes], id: str, value: Any, whole: bool) -> None:
    given_fields = {**fields, b"job": stdlib(value)} if whole else fields
    delivery = Delivery.of(PARTITION, id, given_fields)
    work = outcome(lambda: decode(delivery, now=NOW, max_bytes=1_000_000))
    if isinstance(work, InvalidJob):
        assert work.reason in REASONS
        assert len(work.detail) < 1_000
        return
    job = work.job(delivery.payload or b"")
    for name in (work.user_id, work.job_id, job.content_id):
        assert type(name) is str
        assert 1 <= len(name) <= 128
        assert set(name) <= ID_CHARACTERS
    assert (job.user_id, job.job_id) == (work.user_id, work.job_id)
    assert job.edited_at is not None
    assert job.edited_at.tzinfo is not None
    orjson.dumps(job.model_dump(mode="json"))


@given(st.binary(max_size=300) | JSON.map(stdlib))
@settings(max_examples=200)
def test_any_bytes_are_a_job_or_refused(raw: bytes) -> None:
    job = outcome(lambda: decode_job(raw, max_bytes=10_000))
    assert isinstance(job, LearningJob) or job.reason in REASONS


@given(ALMOST)
@settings(max_examples=300)
@example(GOOD)
@example({**GOOD, "edited_at": "2026-01-31T12:00:00.123456+02:00", "platform": None, "unknown": {"a": [1]}})
@example({**GOOD, "job_id": None, "original_text": ["one", "two"], "content_format": "mini_thread"})
def test_a_job_read_again_is_the_one_that_was_checked(value: Any) -> None:
    raw = stdlib(value)
    job = outcome(lambda: decode_job(raw))
    if isinstance(job, LearningJob):
        again = known_job(raw)
        assert again == job
        assert again.model_fields_set == job.model_fields_set


@given(JSON)
@settings(max_examples=200)
@example({"$ne": 1})
@example({"$gt": ""})
@example(["ana"])
@example("ana\n")
@example("$where")
@example("ana\x00")
@example("")
@example("a" * 129)
def test_any_value_as_user_id_is_a_checked_string_or_refused(value: Any) -> None:
    job = outcome(lambda: decode_job(stdlib({**GOOD, "user_id": value})))
    if isinstance(job, InvalidJob):
        assert job.reason in REASONS
        return
    assert type(job.user_id) is str
    assert job.user_id == value
    assert set(job.user_id) <= ID_CHARACTERS


@given(st.text(min_size=1, max_size=60))
@settings(max_examples=200)
def test_a_refusal_repeats_nothing_of_the_text(text: str) -> None:
    canary = f"kanarie{text}vogel"
    for key in LearningJob.model_fields:
        with pytest.raises(InvalidJob) as refused:
            decode_job(stdlib({**GOOD, key: {canary: canary}, canary: canary}))
        assert "kanarie" not in str(refused.value)


def test_size_is_measured_before_parsing() -> None:
    with pytest.raises(InvalidJob) as refused:
        decode_job(b"\xff" * (Settings.model_fields["learning_max_job_bytes"].default + 1))
    assert refused.value.reason == "too_large", "else it were undecodable"


@given(FIELDS)
@example({b"traceparent": b"00"})
def test_no_field_of_an_entry_is_overlooked(fields: dict[bytes, bytes]) -> None:
    delivery = Delivery.of(PARTITION, "1-0", fields)
    job = {} if delivery.payload is None else {b"job": delivery.payload}
    assert {**delivery.others, **job} == fields


VALID = b'"user_id":"ana","content_id":"c","original_text":"a","edited_text":"b"'


@pytest.mark.parametrize(
    "more",
    [
        b',"user_id":"ben"',
        b',"user_id" :"ben"',
        b',"user_id"\n\t:"ben"',
        b',"user\\u005fid":"ben"',
        b',"extra":{"a":1,"a":2}',
        b',"extra":[{"a":1,"a":2}]',
        b',"extra":"x\\":y","user_id":"ben"',
    ],
)
def test_a_key_given_twice_is_found_however_it_is_written(more: bytes) -> None:
    refused = outcome(lambda: decode_job(b"{" + VALID + more + b"}", max_bytes=10_000))
    assert isinstance(refused, InvalidJob)
    assert refused.reason == "duplicate_key"


@pytest.mark.parametrize(
    "more", [b"", b',"extra":"say \\"user_id\\": twice"', b',"extra":{"user_id":1}', b',"extra" : [[1]]']
)
def test_what_only_looks_like_a_second_key_is_none(more: bytes) -> None:
    assert decode_job(b"{" + VALID + more + b"}", max_bytes=10_000).user_id == "ana"
