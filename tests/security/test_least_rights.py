"""The least ACL and role that the READMEs name: enough for all that is promised, and for nothing else."""

import re
from pathlib import Path
from typing import Any

import anyio
import pytest
from pymongo import MongoClient
from pymongo.errors import OperationFailure
from redis.asyncio import Redis
from redis.exceptions import NoPermissionError, ResponseError

from schemas.delta import ToneShift
from service.doctor.mongodb_checks import CREATE_INDEX
from service.errors import Misconfigured
from service.privileges import OPERATOR_ACTIONS, WORKER_ACTIONS, role
from service.settings import Settings
from service.streams.keys import GROUP, Keys
from service.streams.rights import SHARING_COMMANDS, WORKER_COMMANDS, acl, missing_rights, sharing_acl
from service.tone.base import Judgement, ToneStats
from service.tone.options import ToneOptions
from service.tone.shared import ToneKeys
from service.tone.sharing import share
from service.worker.running import open_worker, reclaim_abandoned
from tests.cli.conftest import Run, Runner
from tests.security.conftest import SECRET, MongoUser, RedisUser, worker_settings
from tests.worker.conftest import drained, edit, enqueue, running, until

pytestmark = pytest.mark.anyio
ROOT = Path(__file__).parents[2]
Mongo = MongoClient[dict[str, Any]]


@pytest.fixture
def keys(key_prefix: str) -> Keys:
    return Keys.of(key_prefix)


@pytest.fixture
def operator(
    operator_env: dict[str, str], compiled: dict[str, str], tmp_path: Path, request: pytest.FixtureRequest
) -> Run:
    return Runner({**operator_env, **compiled}, tmp_path, request)


@pytest.fixture(scope="session")
def compiled() -> dict[str, str]:
    return {"PYTHONPATH": str(ROOT)}


async def test_a_worker_needs_no_more(
    least: Settings, redis_client: Redis, mongo_root: Mongo, keys: Keys, key_prefix: str
) -> None:
    """Learn, learn what is due, dead-letter, take over, leave: with nothing but the least rights."""
    jobs = keys.partitions[0].jobs
    profiles = mongo_root[key_prefix].style_profiles
    await enqueue(redis_client, keys, *(edit(number) for number in range(6)))
    await redis_client.xgroup_create(jobs, GROUP, id="0")
    await redis_client.xreadgroup(GROUP, "dead-pod", {jobs: ">"}, count=2)
    await redis_client.xadd(jobs, {"job": b"{"})
    await redis_client.mset({"profile:ana": "old", "evolution:ana": "old"})
    limited = least.model_copy(update={"learning_rate_limit_minutes": 1 / 60, "edit_batch_window_minutes": 1 / 60})
    async with running(limited):
        await until(lambda: drained(redis_client, keys))

        async def all_learned() -> bool:
            profile = profiles.find_one({"_id": "ana"})
            return bool(profile and profile["edits_applied"] == 6 and not profile["pending"])

        await until(all_learned)
    assert await redis_client.xlen(keys.partitions[0].dead) == 1
    assert await redis_client.mget("profile:ana", "evolution:ana") == [None, None]
    consumers = [info["name"] for info in await redis_client.xinfo_consumers(jobs, GROUP)]
    assert consumers == [b"dead-pod"], "the worker took itself out of the group"


async def test_reclaiming_needs_no_more(least: Settings, redis_client: Redis, mongo_root: Mongo, keys: Keys) -> None:
    jobs = keys.partitions[0].jobs
    await enqueue(redis_client, keys, edit(1))
    await redis_client.xgroup_create(jobs, GROUP, id="0")
    await redis_client.xreadgroup(GROUP, "dead-pod", {jobs: ">"})
    assert await reclaim_abandoned(least, min_idle=0, watch=False) == 1
    assert mongo_root[least.learning_key_prefix].style_profiles.count_documents({"edits_applied": 1}) == 1


async def test_partitions_need_no_more(redis_user: RedisUser, mongo_user: MongoUser, key_prefix: str) -> None:
    settings = worker_settings(redis_user(partitions=3), mongo_user(), key_prefix, learning_partitions=3)
    async with running(settings) as worker:

        async def joined() -> bool:
            return worker.joined

        await until(joined)


def test_an_operator_needs_no_more(operator: Run, tmp_path: Path) -> None:
    two = tmp_path / "two.jsonl"
    two.write_text(
        '{"user_id":"ana","content_id":"c","original_text":"We utilise flour. 🎉","edited_text":"We use flour."}\n'
    )
    operator("enqueue", str(two))
    operator("status", "--json")
    operator("reclaim", "--dry-run")
    operator("dead", "list")
    assert operator("profile", "forget", "ana", "--yes", "--json").stdout.count('"jobs": 1') == 1
    found = operator("doctor", "--json").stdout
    assert '"status": "fail"' not in found
    assert "not seen" not in found, "an operator sees everything"


async def test_a_dead_letter_is_replayed_and_a_profile_forgotten(
    operator: Runner, least: Settings, redis_client: Redis, mongo_root: Mongo, keys: Keys
) -> None:
    await enqueue(redis_client, keys, edit(1))
    await redis_client.xadd(keys.partitions[0].jobs, {"job": b"{"})
    async with running(least):
        await until(lambda: drained(redis_client, keys))
    await anyio.to_thread.run_sync(lambda: operator("dead", "replay", "--all", process=True))
    assert await redis_client.xlen(keys.partitions[0].jobs) == 1
    await anyio.to_thread.run_sync(lambda: operator("profile", "rollback", "ana", "1", process=True))
    await anyio.to_thread.run_sync(lambda: operator("profile", "forget", "ana", "--yes", process=True))
    assert mongo_root[least.learning_key_prefix].style_profiles.count_documents({}) == 0


DENIED = [
    ("FLUSHALL",),
    ("FLUSHDB",),
    ("KEYS", "*"),
    ("CONFIG", "SET", "appendonly", "no"),
    ("CONFIG", "GET", "requirepass"),
    ("ACL", "LIST"),
    ("SHUTDOWN", "NOSAVE"),
    ("REPLICAOF", "NO", "ONE"),
    ("GET", "profile:ana"),
    ("SET", "profile:ana", "x"),
    ("EVAL", "return redis.call('FLUSHALL')", "0"),
    ("CLIENT", "KILL", "TYPE", "normal"),
    ("XTRIM", "{jobs}", "MAXLEN", "0"),
    ("XGROUP", "DESTROY", "{jobs}", GROUP),
    ("DEL", "other"),
    ("XADD", "other", "*", "a", "b"),
    ("XRANGE", "other", "-", "+"),
    ("PUBLISH", "other", "x"),
]


async def test_everything_else_is_denied(redis_user: RedisUser, keys: Keys) -> None:
    async with Redis.from_url(redis_user()) as redis:
        anything: Any = redis
        for words in DENIED:
            with pytest.raises(ResponseError) as refused:
                await anything.execute_command(*(word.replace("{jobs}", keys.partitions[0].jobs) for word in words))
            assert isinstance(refused.value, NoPermissionError), words


def test_mongodb_denies_everything_else(mongo_user: MongoUser, key_prefix: str) -> None:
    with MongoClient[dict[str, Any]](mongo_user(), timeoutMS=10_000) as client:
        mine, other = client[key_prefix].style_profiles, client[key_prefix].other
        for attempt in (
            lambda: mine.delete_many({}),
            lambda: mine.drop(),
            lambda: mine.create_index("x"),
            lambda: mine.rename("y"),
            lambda: client.drop_database(key_prefix),
            lambda: other.find_one({}),
            lambda: other.insert_one({}),
            lambda: client.other.style_profiles.find_one({}),
            lambda: client.admin.command("shutdown"),
            lambda: client.admin.command("usersInfo", 1),
            lambda: client[key_prefix].command("createUser", "x", pwd="x", roles=[]),
        ):
            with pytest.raises(OperationFailure) as refused:
                attempt()
            assert refused.value.code == 13


LACKING = [(f"-{command}", f"+{command}") for command in WORKER_COMMANDS if "|" not in command and command != "multi"]


@pytest.mark.parametrize(("rule", "says"), [*LACKING, ("resetkeys", "~{"), ("resetchannels", "&learning:")])
async def test_each_missing_right_is_found(rule: str, says: str, redis_user: RedisUser, keys: Keys) -> None:
    async with Redis.from_url(redis_user(rule)) as redis:
        missing = await missing_rights(redis, keys)
    assert missing
    assert all(one.startswith(("~{", "~profile:*", "~evolution:*") if rule == "resetkeys" else says) for one in missing)


async def test_asking_runs_nothing(redis_user: RedisUser, redis_client: Redis, keys: Keys) -> None:
    await redis_client.config_resetstat()
    async with Redis.from_url(redis_user()) as redis:
        assert await missing_rights(redis, keys) == []
    assert await redis_client.keys("*") == []
    ran = {name.partition("|")[0].upper() for name in await redis_client.info("commandstats")}
    assert not ran & {"CMDSTAT_XADD", "CMDSTAT_PUBLISH", "CMDSTAT_DEL", "CMDSTAT_XDEL"}


async def test_sharing_a_model_needs_rules_of_its_own_and_no_more(
    redis_user: RedisUser, redis_client: Redis, keys: Keys, key_prefix: str
) -> None:
    async with Redis.from_url(redis_user()) as redis:
        assert await missing_rights(redis, keys, sharing=True) == [f"+{command}" for command in SHARING_COMMANDS]
    async with Redis.from_url(redis_user(*sharing_acl(keys).split())) as redis:
        assert await missing_rights(redis, keys, sharing=True) == []
        assert await redis_client.keys("*") == [], "asking runs nothing"
        options = share(ToneOptions(daily_tokens=1000), redis, key_prefix, cache_seconds=60)
        budget, cache, usage = options.budget, options.cache, options.usage
        assert budget
        assert cache
        assert usage
        answer = Judgement(ToneShift(label="more casual", confidence=0.9, source="gemini"))
        assert await budget.take(100) is None
        await budget.settle(100, 40)
        await cache.put_many({"key": answer})
        await usage.tell(ToneStats(calls=1))
    room = ToneKeys.of(key_prefix)
    assert await redis_client.zcard(room.calls) == 1
    assert await redis_client.get(room.tokens) == b"40"
    assert await redis_client.hgetall(room.usage) == {b"calls": b"1"}
    assert [key async for key in redis_client.scan_iter(f"{room.answers}*")]


async def test_where_multi_is_refused_nothing_is_claimed(redis_user: RedisUser, keys: Keys) -> None:
    async with Redis.from_url(redis_user("-multi")) as redis:
        assert await missing_rights(redis, keys) is None


@pytest.mark.parametrize("rule", ["-xautoclaim", "-xack", "-publish"])
async def test_a_worker_says_at_start_what_redis_denies(
    rule: str, redis_user: RedisUser, mongo_user: MongoUser, redis_client: Redis, keys: Keys, key_prefix: str
) -> None:
    await enqueue(redis_client, keys, edit(1))
    async with open_worker(worker_settings(redis_user(rule), mongo_user(), key_prefix)) as worker:
        with pytest.raises(Misconfigured, match=re.escape(f"lacks +{rule[1:]}: grant it with")):
            await worker.run()
    assert await redis_client.xlen(keys.partitions[0].jobs) == 1
    assert await redis_client.xinfo_groups(keys.partitions[0].jobs) == [], "nothing was touched"


async def test_a_worker_says_at_start_what_mongodb_denies(
    redis_user: RedisUser, mongo_user: MongoUser, guarded_mongo: Any, key_prefix: str
) -> None:
    settings = worker_settings(redis_user(), mongo_user(("find", "insert")), key_prefix)
    async with open_worker(settings) as worker:
        with pytest.raises(Misconfigured, match=rf"may not update in {key_prefix}.style_profiles"):
            await worker.run()
    nobody = worker_settings(redis_user(), guarded_mongo.uri(key_prefix), key_prefix)
    with pytest.raises(Misconfigured, match="MONGODB_URI"):
        async with open_worker(nobody):
            pass


@pytest.mark.parametrize("wrong", ["redis", "mongodb"])
def test_a_wrong_password_ends_consume_with_one_line(
    wrong: str, operator: Runner, redis_user: RedisUser, mongo_user: MongoUser
) -> None:
    name = "REDIS_URL" if wrong == "redis" else "MONGODB_URI"
    operator.env[name] = operator.env[name].replace(SECRET, "canary")
    done = operator("consume", code=1, process=True)
    assert name in done.stderr.splitlines()[-1]
    assert "canary" not in done.stderr


def test_the_readme_names_exactly_these() -> None:
    text = " ".join((ROOT / "service" / "README.md").read_text().replace("\\\n", " ").split())
    assert acl(Keys.of()) in text
    assert sharing_acl(Keys.of()) in text
    assert " ".join(f"+{command}" for command in ("exec", "info", "config|get")) in text
    assert role("learnsvc", "style_profiles") in text
    assert role("learnsvc", "style_profiles", operator=True) in text
    assert all(command in text for command in CREATE_INDEX.split("; "))
    assert set(WORKER_ACTIONS) < set(OPERATOR_ACTIONS)
