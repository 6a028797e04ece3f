"""Bad input becomes a dead letter with its reason and its raw fields, and the worker goes on."""

from typing import Any

import orjson
import pytest
from pymongo.asynchronous.database import AsyncDatabase
from redis.asyncio import Redis

from service.settings import Settings
from service.streams import dead_letters
from service.streams.keys import Keys
from service.streams.replies import text
from tests.worker.conftest import drained, edit, enqueue, running, until

pytestmark = pytest.mark.anyio
Mongo = AsyncDatabase[dict[str, Any]]


def job(**changes: Any) -> bytes:
    return orjson.dumps({**edit(1), **changes})


BAD = {
    "not JSON": ({"job": b"{"}, "undecodable"),
    "not UTF-8": ({"job": b'{"user_id": "\xff"}'}, "undecodable"),
    "a lone surrogate": ({"job": job().replace(b"Pears", b"\\ud800", 1)}, "undecodable"),
    "too deep": ({"job": b'{"a":' * 2000 + b"1" + b"}" * 2000}, "undecodable"),
    "a list": ({"job": b"[]"}, "invalid"),
    "no job": ({"other": b"1"}, "invalid"),
    "an operator": ({"job": job(user_id={"$ne": 1})}, "invalid"),
    "NUL in an id": ({"job": job(user_id="a\x00b")}, "invalid"),
    "a line break in an id": ({"job": job(user_id="ana\n")}, "invalid"),
    "a long id": ({"job": job(user_id="a" * 129)}, "invalid"),
    "an empty id": ({"job": job(content_id="")}, "invalid"),
    "a number for a text": ({"job": job(edited_text=7)}, "invalid"),
    "no posts": ({"job": job(edited_text=[])}, "invalid"),
    "101 posts": ({"job": job(edited_text=["x"] * 101)}, "invalid"),
    "a time without offset": ({"job": job(edited_at="2025-01-01T00:00:00")}, "invalid"),
    "a time that is a number": ({"job": job(edited_at=1)}, "invalid"),
    "a time before all times": ({"job": job(edited_at="0001-01-01T00:00:00+14:00")}, "invalid"),
    "the future": ({"job": job(edited_at="2999-01-01T00:00:00Z")}, "future_time"),
    "a newer version": ({"job": job(schema_version=2)}, "future_version"),
    "a key twice": ({"job": job()[:-1] + b',"user_id":"ben"}'}, "duplicate_key"),
    "too large": ({"job": job(edited_text="x" * 1_100_000)}, "too_large"),
    "many fields": ({f"field{number}": b"1" for number in range(5_000)}, "invalid"),
}


@pytest.mark.parametrize("case", BAD)
async def test_bad_entries_are_dead_lettered_whole(
    case: str, settings: Settings, redis_client: Redis, mongo: Mongo, keys: Keys
) -> None:
    fields, reason = BAD[case]
    partition = keys.partitions[0]
    entry: Any = {**fields, "traceparent": b"00-aa-bb-01"}
    id = text(await redis_client.xadd(partition.jobs, entry))
    await enqueue(redis_client, keys, edit(2))
    async with running(settings):
        await until(lambda: drained(redis_client, keys))
    letters = [letter async for letter in dead_letters.walk(redis_client, keys)]
    assert len(letters) == 1
    letter = dead_letters.parse(letters[0][1], letters[0][2])
    assert (letter.reason, letter.source_id, letter.deliveries) == (reason, id, 1)
    revived = dead_letters.revived_fields(letters[0][2])
    if len(fields) < 100:
        assert revived == {
            b"source_id": id.encode(),
            b"traceparent": b"00-aa-bb-01",
            **{name.encode(): value for name, value in fields.items()},
        }
    assert [document["_id"] async for document in mongo.style_profiles.find()] == ["ana"]


async def test_an_operator_as_user_id_reaches_no_document(
    settings: Settings, redis_client: Redis, mongo: Mongo, keys: Keys
) -> None:
    await enqueue(redis_client, keys, edit(1, "ana"), edit(2, "ben"))
    async with running(settings):
        await until(lambda: drained(redis_client, keys))
        before = [document async for document in mongo.style_profiles.find().sort("_id")]
        for operator in ({"$ne": 1}, {"$gt": ""}, {"$exists": True}, ["ana"], {"$regex": ".*"}, {"$where": "1"}):
            await redis_client.xadd(keys.partitions[0].jobs, {"job": job(user_id=operator, job_id="other")})
        await until(lambda: drained(redis_client, keys))
    assert [document async for document in mongo.style_profiles.find().sort("_id")] == before
    assert await redis_client.xlen(keys.partitions[0].dead) == 6


async def test_bombs_are_dead_lettered_and_the_next_is_learned(
    settings: Settings, redis_client: Redis, mongo: Mongo, keys: Keys
) -> None:
    """50 MB in one field; 100,000 fields; a list of a million posts; a million levels."""
    jobs = keys.partitions[0].jobs
    await redis_client.xadd(jobs, {"job": b"x" * 50_000_000})
    await redis_client.xadd(jobs, {f"f{number}": b"" for number in range(100_000)})
    await redis_client.xadd(jobs, {"job": job(edited_text=[""] * 300_000)})
    await redis_client.xadd(jobs, {"job": b"[" * 1_000_000})
    await enqueue(redis_client, keys, edit(1))
    async with running(settings):
        await until(lambda: drained(redis_client, keys), seconds=40)
    reasons = [fields[b"reason"] async for _, _, fields in dead_letters.walk(redis_client, keys)]
    assert sorted(reasons) == [b"invalid", b"invalid", b"too_large", b"undecodable"]
    assert [document["edits_applied"] async for document in mongo.style_profiles.find()] == [1]


HOSTILE = {
    "one word repeated": "word " * 100_000,
    "one letter": "a" * 500_000,
    "no spaces, no full stop": "ab" * 250_000,
    "only emoji": "👩‍🌾" * 40_000,
    "combining marks": "e" + "\u0301" * 240_000,
    "right to left": "\u202eabc " * 60_000,
    "NUL": "a\x00b. " * 50_000,
    "markup": "[*`_" * 120_000,
    "line breaks": "\n" * 300_000,
}


async def test_hostile_texts_are_survived(settings: Settings, redis_client: Redis, mongo: Mongo, keys: Keys) -> None:
    for number, whole in enumerate(HOSTILE.values()):
        half = whole[: len(whole) // 2]
        await enqueue(redis_client, keys, edit(number, f"hostile{number}", original_text=whole, edited_text=half))
    await enqueue(redis_client, keys, edit(1))
    async with running(settings.model_copy(update={"learning_lease_seconds": 5})):
        await until(lambda: drained(redis_client, keys), seconds=60)
    assert await mongo.style_profiles.count_documents({"edits_applied": 1}) == len(HOSTILE) + 1


async def test_a_job_id_with_other_content_is_refused(
    settings: Settings, redis_client: Redis, mongo: Mongo, keys: Keys
) -> None:
    await enqueue(redis_client, keys, edit(1), edit(1, edited_text="Something else."))
    async with running(settings):
        await until(lambda: drained(redis_client, keys))
        await enqueue(redis_client, keys, edit(1, edited_text="Something else again."))
        await until(lambda: drained(redis_client, keys))
    letters = [fields async for _, _, fields in dead_letters.walk(redis_client, keys)]
    assert [fields[b"reason"] for fields in letters] == [b"id_reuse", b"id_reuse"]
    assert [document["edits_applied"] async for document in mongo.style_profiles.find()] == [1]


async def test_a_dead_letter_comes_back_under_its_own_identity(
    settings: Settings, redis_client: Redis, mongo: Mongo, keys: Keys
) -> None:
    future = {key: value for key, value in edit(1, schema_version=2).items() if key != "job_id"}
    raw = orjson.dumps(future)
    first = text(await redis_client.xadd(keys.partitions[0].jobs, {"job": raw}))
    async with running(settings):
        await until(lambda: drained(redis_client, keys))
        [(partition, id, fields)] = [letter async for letter in dead_letters.walk(redis_client, keys)]
        fields[b"job"] = raw.replace(b'"schema_version":2', b'"schema_version":1')
        assert await dead_letters.replay(redis_client, partition, id, fields)
        assert await dead_letters.replay(redis_client, partition, id, fields) is None
        await until(lambda: drained(redis_client, keys))
    assert await redis_client.xlen(partition.dead) == 0
    profile = await mongo.style_profiles.find_one({"_id": "ana"})
    assert profile is not None
    assert profile["recent_edits"][0]["job_id"] == first


async def test_a_job_that_dies_again_remembers_how_it_died(
    settings: Settings, redis_client: Redis, mongo: Mongo, keys: Keys
) -> None:
    trace = {"traceparent": f"00-{'a' * 32}-{'b' * 16}-01", "tracestate": "x=1"}
    entry = {"job": orjson.dumps(edit(1, schema_version=2)), **trace}
    await redis_client.xadd(keys.partitions[0].jobs, entry)  # type: ignore[arg-type]
    deaths = []
    async with running(settings):
        for _ in range(12):
            await until(lambda: drained(redis_client, keys))
            [(partition, id, fields)] = [letter async for letter in dead_letters.walk(redis_client, keys)]
            deaths.append(dead_letters.parse(id, fields))
            assert await dead_letters.replay(redis_client, partition, id, fields)
        await until(lambda: drained(redis_client, keys))
    assert [len(letter.history) for letter in deaths] == [*range(11), 10]
    assert [death.dead_at for death in deaths[-1].history] == [letter.dead_at for letter in deaths[1:-1]]
    assert {letter.job_id for letter in deaths} == {"ana-1"}
    assert {letter.fields["traceparent"] for letter in deaths} == {trace["traceparent"]}
    assert {letter.fields["tracestate"] for letter in deaths} == {"x=1"}
