"""A writer's text, a secret and hostile ids on every path that fails: none of them shows itself anywhere."""

import json
import re
from collections.abc import Iterator
from typing import Any

import orjson
import pytest
from pymongo import MongoClient
from redis.asyncio import Redis

from schemas.delta import Analysis
from schemas.job import LearningJob
from service.analysis import analyze
from service.logs import configure, get_logger
from service.settings import Settings
from service.streams.keys import Keys
from service.tone.fake import FakeGemini
from tests.http.conftest import quick, served
from tests.security.conftest import SECRET, RedisUser
from tests.worker.conftest import drained, edit, until

pytestmark = pytest.mark.anyio

TEXT = "Kanarienvogel"
HOSTILE = "ana\nforged\r\x00\x1b[31m\x7f\x85\x9b\u202e\u2028\u2029\u2066end"
UNSAFE = re.compile("[\x00-\x09\x0b-\x1f\x7f-\x9f\u200e\u200f\u2028\u2029\u202a-\u202e\u2066-\u2069]")


class Breaks(Exception):
    """What a broken extraction would raise: with the text in its message."""


async def extract(job: LearningJob) -> Analysis:
    if job.content_id == "raises":
        raise Breaks(f"cannot read {job.original_text}")
    return analyze(job.original_text, job.edited_text)


@pytest.fixture
def gemini() -> Iterator[FakeGemini]:
    with FakeGemini(key=f"{SECRET}-key") as fake:
        fake.script("401", "500", "html", "redirect", "bad-json", "safety")
        yield fake


@pytest.fixture
def settings(redis_user: RedisUser, mongodb_uri: str, key_prefix: str, gemini: FakeGemini) -> Settings:
    return quick(
        redis_url=redis_user(),
        mongodb_uri=mongodb_uri,
        learning_key_prefix=key_prefix,
        learning_max_attempts=3,
        gemini_api_key=gemini.key,
        gemini_base_url=gemini.base_url,
        gemini_timeout_seconds=0.5,
    )


def canary(number: int, user: str = "ana", **more: Any) -> bytes:
    text = f"The {TEXT} sings in week {number}, and it is utilized for {TEXT} songs. 🎉"
    return orjson.dumps(
        {**edit(number, user), "original_text": text, "edited_text": text.replace(", and", ". And"), **more}
    )


BAD: list[bytes] = [
    canary(1)[:-1] + b',"user_id":"' + TEXT.encode() + b'"}',
    canary(2)[:-10],
    canary(3, user_id=HOSTILE),
    canary(4, user_id={"$ne": TEXT}),
    canary(5, job_id=HOSTILE),
    canary(6, content_format=TEXT),
    canary(7, edited_at=TEXT),
    canary(8, schema_version=TEXT),
    canary(9, platform=TEXT * 20),
    canary(10, content_id="raises"),
    canary(11, **{TEXT: TEXT}).replace(b"sings", b"\xff"),
    canary(12, original_text=TEXT * 100_000),
]


async def test_nothing_shows(
    settings: Settings,
    redis_client: Redis,
    mongo_admin: MongoClient[dict[str, Any]],
    key_prefix: str,
    capsys: pytest.CaptureFixture[str],
) -> None:
    configure("debug", json=True)
    keys = Keys.of(key_prefix)
    jobs = keys.partitions[0].jobs
    fail = {"configureFailPoint": "failCommand", "mode": {"times": 2}}
    mongo_admin.admin.command({**fail, "data": {"failCommands": ["insert", "update"], "errorCode": 11601}})
    for number, raw in enumerate(BAD):
        await redis_client.xadd(jobs, {"job": raw, TEXT: TEXT})
        await redis_client.xadd(jobs, {"job": canary(100 + number, f"writer{number}")})
    await redis_client.xadd(jobs, {"job": canary(100, "writer0", content_id="other")})
    seen = repr(settings) + str(settings) + settings.model_dump_json()
    async with served(settings, extract=extract) as site:
        await until(lambda: drained(redis_client, keys), seconds=40)
        mongo_admin.admin.command(
            {**fail, "mode": {"times": 1}, "data": {"failCommands": ["update", "insert"], "errorCode": 2}}
        )
        await redis_client.xadd(jobs, {"job": canary(200, "writer1")})
        await until(lambda: drained(redis_client, keys))
        await redis_client.client_kill_filter(_type="normal", skipme=True)
        await redis_client.xadd(jobs, {"job": canary(201, "writer2")})
        await until(lambda: drained(redis_client, keys))
        for path in ("/", "/health", "/livez", "/readyz", "/metrics", f"/{TEXT}"):
            seen += (await site.get(path)).text
    mongo_admin.admin.command({"configureFailPoint": "failCommand", "mode": "off"})
    output = capsys.readouterr()
    assert await redis_client.xlen(keys.partitions[0].dead) == len(BAD) + 2
    assert "Dead letter" in output.err
    for canary_word in (TEXT, SECRET, "forged"):
        assert canary_word not in seen + output.out + output.err
    check_lines(output.err)


def check_lines(log: str) -> None:
    """One event is one line: each parses as the event it is, and none holds a character that deceives a terminal."""
    lines = log.removesuffix("\n").split("\n")
    assert len(lines) > len(BAD)
    for line in lines:
        assert {"time", "level", "message"} <= json.loads(line).keys()
        assert not UNSAFE.search(line)


async def test_hostile_ids_make_as_many_lines_as_events(capsys: pytest.CaptureFixture[str]) -> None:
    for as_json in (True, False):
        configure("info", json=as_json)
        for number in range(20):
            get_logger().info(f"[Learning] Processing job {HOSTILE}", user_id=HOSTILE, **{HOSTILE: number})
        log = capsys.readouterr().err
        assert len(log.splitlines()) == 20, "str.splitlines knows every separator there is"
        assert not UNSAFE.search(log)
