"""The published JSON Schemas are those of the models, and say yes to what is really sent and stored."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import orjson
import pytest
from jsonschema import Draft202012Validator, ValidationError  # type: ignore[import-untyped]

from schemas.job import decode_job
from service.cli.analyzing import delta_of
from service.cli.profile_view import published
from service.cli.replaying import START, collect, start, states
from service.cli.schema import FILES, as_file, generate
from service.learning.rules import DEFAULT_RULES
from service.streams.dead_letters import parse, why
from tests.cli.conftest import ROOT, SAMPLE, Run, job


def _validator(name: str) -> Draft202012Validator:
    return Draft202012Validator(generate(name), format_checker=Draft202012Validator.FORMAT_CHECKER)


@pytest.mark.parametrize("name", FILES)
def test_files_are_those_of_the_models(name: str) -> None:
    schema = generate(name)
    Draft202012Validator.check_schema(schema)
    assert list(schema)[:2] == ["$schema", "title"]
    written = (ROOT / "schemas" / "json" / FILES[name]).read_bytes()
    assert written == as_file(schema), "out of date: learnsvc schema --write schemas/json"


@pytest.mark.parametrize("line", SAMPLE.read_bytes().splitlines()[::8])
def test_samples_are_valid(line: bytes) -> None:
    _validator("job").validate(orjson.loads(line))
    _validator("delta").validate(delta_of(decode_job(line), "a").model_dump(mode="json"))


def test_a_learned_profile_is_valid() -> None:
    jobs = [decode_job(line) for line in SAMPLE.read_bytes().splitlines()[::8]]
    deltas = collect((job.user_id, delta_of(job, job.job_id or "")) for job in jobs)[jobs[0].user_id].ordered()
    *_, last = states(start(jobs[0].user_id, None, DEFAULT_RULES, START), deltas, DEFAULT_RULES)
    _validator("profile").validate(published(last))


def test_a_dead_letter_is_valid() -> None:
    raw = orjson.dumps(job(edited_at="tomorrow"))
    fields = {key.encode(): value.encode() for key, value in why("invalid", "edited_at: no time", raw).items()}
    letter = parse("5-0", {**fields, b"source_id": b"4-0", b"dead_ms": b"5", b"job": raw})
    _validator("dead-letter").validate(letter.model_dump(mode="json"))


@pytest.mark.parametrize(
    "wrong", [{"user_id": {"$ne": 1}}, {"user_id": "a b"}, {"original_text": []}, {"schema_version": 2}, {"job_id": 5}]
)
def test_wrong_jobs_are_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        _validator("job").validate(job() | wrong)


def test_the_command_writes_files(offline: Run, tmp_path: Path) -> None:
    offline("schema", "--write", ".", process=True)
    assert {path.name for path in tmp_path.iterdir()} == set(FILES.values())
    assert orjson.loads(offline("schema", "job").stdout) == generate("job")
    assert "no schema" in offline("schema", "nothing", code=2).stderr
