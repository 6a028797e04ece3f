"""The embedded servers: they answer, they keep what they should, and nothing survives its command."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from pymongo import MongoClient
from pymongo.asynchronous.database import AsyncDatabase
from redis import Redis
from redis.asyncio import Redis as AsyncRedis

from service.embedded import (
    EmbeddedFailed,
    EmbeddedMongo,
    EmbeddedRedis,
    EmbeddedUnavailable,
    find_mongod,
    find_redis_server,
    program_version,
    programs,
    start_both,
)

# A command that starts both servers from a thread that ends, forks a child, says who is who, and waits.
COMMAND = """
import os, sys, threading, time
from pathlib import Path
from service.embedded import EmbeddedMongo, EmbeddedRedis, start_both
folder = Path(sys.argv[1]) if len(sys.argv) > 1 else None
redis = EmbeddedRedis(folder and folder / "redis")
mongo = EmbeddedMongo(folder and folder / "mongo")
thread = threading.Thread(target=start_both, args=(redis, mongo))
thread.start()
thread.join()
child = os.fork()
if child == 0:
    time.sleep(60)
    os._exit(0)
print(redis.pid, mongo.pid, child, redis.folder, mongo.folder, flush=True)
time.sleep(60)
"""


def alive(pid: int) -> bool:
    """Whether the process runs; a zombie that nobody has collected does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] not in "ZX"
    except FileNotFoundError:
        return False


def eventually(condition: Callable[[], bool], seconds: float = 15) -> bool:
    deadline = time.monotonic() + seconds
    while not condition() and time.monotonic() < deadline:
        time.sleep(0.02)
    return condition()


@pytest.fixture
def script(tmp_path: Path) -> Callable[[str, str], Path]:
    """Make an executable shell script of this name in a folder of its own."""

    def make(name: str, body: str) -> Path:
        path = tmp_path / "bin" / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(f"#!/bin/sh\n{body}\n")
        path.chmod(0o755)
        return path

    return make


@pytest.fixture
def no_wheels(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(programs, "_in_package", lambda package, path: None)


def test_both_answer_on_loopback_and_leave_nothing() -> None:
    redis, mongo = EmbeddedRedis(), EmbeddedMongo()
    start_both(redis, mongo)
    pids, folders = [redis.pid, mongo.pid], [redis.folder, mongo.folder]
    with Redis.from_url(redis.url) as client, MongoClient[dict[str, Any]](mongo.url) as documents:
        assert client.ping()
        assert client.config_get("bind")["bind"] == "127.0.0.1"
        assert client.config_get("save")["save"] == ""
        assert documents.admin.command("ping")["ok"] == 1
    assert redis.log_path.exists()
    assert mongo.log_path.exists()
    mongo.stop()
    redis.stop()
    redis.stop()
    assert not any(map(alive, pids))
    assert not any(folder.exists() for folder in folders)


@pytest.mark.parametrize("kept", [False, True])
@pytest.mark.parametrize("whole_group", [False, True])
def test_a_killed_command_takes_its_servers_along(tmp_path: Path, kept: bool, whole_group: bool) -> None:
    arguments = [str(tmp_path)] if kept else []
    command = subprocess.Popen(
        [sys.executable, "-c", COMMAND, *arguments],
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    with command:
        assert command.stdout
        words = command.stdout.readline().split()
        pids, child, folders = [int(word) for word in words[:2]], int(words[2]), words[3:]
        assert all(map(alive, pids))
        if whole_group:
            os.killpg(command.pid, signal.SIGKILL)
        else:
            command.kill()
        command.wait()
        gone = eventually(lambda: not any(map(alive, pids)))
        if alive(child):
            os.kill(child, signal.SIGKILL)
    assert gone
    assert eventually(lambda: kept == any(os.path.exists(folder) for folder in folders))


def test_a_command_killed_while_it_starts_leaves_nothing(tmp_path: Path) -> None:
    environment = {**os.environ, "TMPDIR": str(tmp_path)}
    for milliseconds in (60, 120, 180, 240, 300, 360):
        command = subprocess.Popen([sys.executable, "-c", COMMAND], env=environment)
        time.sleep(milliseconds / 1000)
        command.kill()
        command.wait()
    assert eventually(lambda: not list(tmp_path.iterdir())), list(tmp_path.iterdir())


def test_redis_keeps_data_in_a_folder(tmp_path: Path) -> None:
    for number in (1, 2):
        with EmbeddedRedis(tmp_path / "kept") as server, Redis.from_url(server.url) as client:
            assert client.incr("runs") == number
    assert (tmp_path / "kept").stat().st_mode & 0o077 == 0


def test_mongo_keeps_data_in_a_folder(tmp_path: Path) -> None:
    for number in (1, 2):
        with EmbeddedMongo(tmp_path) as server, MongoClient[dict[str, Any]](server.url) as client:
            client.kept.runs.insert_one({"_id": number})
            assert client.kept.runs.count_documents({}) == number


def test_a_killed_server_comes_back_at_the_same_place() -> None:
    with EmbeddedRedis(appendonly=True, extra_args=["--appendfsync", "always"]) as server:
        url, pid = server.url, server.pid
        with Redis.from_url(url) as client:
            client.set("key", "value")
        server.kill()
        assert not alive(pid)
        server.start()
        assert server.url == url
        with Redis.from_url(url) as client:
            assert client.get("key") == b"value"


def test_a_folder_in_use_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("service.embedded.servers.LOCK_TIMEOUT", 0.1)
    with EmbeddedRedis(tmp_path), pytest.raises(EmbeddedFailed, match="in use by another redis"):
        EmbeddedRedis(tmp_path).start()


def test_a_replica_set_has_a_primary() -> None:
    with EmbeddedMongo(replica_set="rs0") as server:
        assert server.uri("learn").endswith("/learn?replicaSet=rs0")
        with MongoClient[dict[str, Any]](server.url) as client, client.start_session() as session:
            session.with_transaction(lambda s: client.learn.things.insert_one({"_id": 1}, session=s))


def test_a_taken_port_is_given_up_when_it_was_our_choice() -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        server = EmbeddedRedis()
        server._port = other.getsockname()[1]
        with server:
            assert server.port != other.getsockname()[1]


def test_a_taken_port_is_an_error_when_it_was_asked_for() -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        with pytest.raises(EmbeddedFailed, match=r"(?s)ended with status 1.*already in use"):
            EmbeddedRedis(port=other.getsockname()[1]).start()


def test_a_server_that_is_not_ready_in_time_is_ended(script: Callable[[str, str], Path]) -> None:
    program = script("redis-server", "echo one; echo two; echo $$ >pid; exec sleep 60")
    server = EmbeddedRedis(program=program, ready_timeout=0.3)
    server.launch()
    pid, folder = server.pid, server.folder
    with pytest.raises(EmbeddedFailed, match=r"(?s)did not answer within 0.3 s.*one\ntwo"):
        server.wait_ready()
    assert not alive(pid)
    assert not folder.exists()


def test_one_failing_ends_the_other(script: Callable[[str, str], Path]) -> None:
    redis, mongo = EmbeddedRedis(), EmbeddedMongo(program=script("mongod", "echo no >&2; exit 3"))
    with pytest.raises(EmbeddedFailed, match=r"(?s)mongod .*ended with status 3.*no"):
        start_both(redis, mongo)
    assert not redis.running


@pytest.mark.anyio
async def test_async_use() -> None:
    async with EmbeddedRedis() as server:
        pid = server.pid
        async with AsyncRedis.from_url(server.url) as client:
            assert await client.ping()
    assert not alive(pid)


def test_versions() -> None:
    assert EmbeddedRedis().version == program_version(find_redis_server())
    assert int(EmbeddedMongo().version.split(".")[0]) >= 6


@pytest.mark.parametrize(
    ("find", "package", "setting"),
    [(find_redis_server, "redis-server", "REDIS_URL"), (find_mongod, "mongod", "MONGODB_URI")],
)
@pytest.mark.usefixtures("no_wheels")
def test_nothing_installed_is_one_clear_line(
    find: Callable[[], Path], package: str, setting: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", "/nonexistent")
    with pytest.raises(EmbeddedUnavailable) as caught:
        find()
    text = str(caught.value)
    assert package in text
    assert setting in text
    assert "pip install 'learnsvc[embedded]'" in text
    assert "\n" not in text


def test_the_path_wins_unless_it_is_too_old(
    script: Callable[[str, str], Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    program = script("redis-server", "echo Redis server v=7.2.4 sha=0")
    monkeypatch.setenv("PATH", str(program.parent))
    assert find_redis_server() == program
    programs._unfit.cache_clear()
    script("redis-server", "echo Redis server v=5.0.7 sha=0")
    assert find_redis_server() != program


@pytest.mark.usefixtures("no_wheels")
def test_a_program_that_does_not_run_is_named(
    script: Callable[[str, str], Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    program = script("mongod", "echo 'mongod: cannot open libcrypto.so.3' >&2; exit 127")
    monkeypatch.setenv("PATH", str(program.parent))
    with pytest.raises(EmbeddedUnavailable, match=r"libcrypto\.so\.3.*MONGODB_URI"):
        find_mongod()


def test_a_missing_run_bit_is_set(tmp_path: Path) -> None:
    program = tmp_path / "mongod"
    program.write_text("#!/bin/sh\n")
    program.chmod(0o644)
    assert programs._runnable(program) == program
    assert os.access(program, os.X_OK)


def test_a_read_only_install_is_copied(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program = tmp_path / "mongod"
    program.write_text("#!/bin/sh\n")
    program.chmod(0o644)

    def refuse(self: Path, mode: int) -> None:
        if self == program:
            raise PermissionError
        os.chmod(self, mode)

    monkeypatch.setattr(Path, "chmod", refuse)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    copy = programs._runnable(program)
    assert copy.is_relative_to(tmp_path / "cache")
    assert os.access(copy, os.X_OK)
    assert programs._runnable(program) == copy


@pytest.mark.anyio
async def test_the_fixtures_agree(
    redis_client: AsyncRedis,
    mongo: AsyncDatabase[dict[str, Any]],
    service_env: dict[str, str],
    key_prefix: str,
) -> None:
    await redis_client.set(key_prefix, b"\xff")
    assert await redis_client.get(key_prefix) == b"\xff"
    await mongo.things.insert_one({"_id": 1})
    assert service_env["MONGODB_URI"].endswith(mongo.name)
    assert service_env["LEARNING_KEY_PREFIX"] == key_prefix
