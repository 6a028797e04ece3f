"""TLS to both servers with a throw-away CA: the right one works, everything else is refused with one clear line."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import trustme
from pymongo import MongoClient
from redis.asyncio import Redis

from service.doctor import examine
from service.embedded import EmbeddedFailed, EmbeddedMongo, EmbeddedRedis
from service.errors import Misconfigured
from service.logs import configure
from service.streams.keys import Keys
from service.worker.running import open_worker
from tests.compat.programs import redis_programs
from tests.http.conftest import free_port
from tests.security.conftest import worker_settings
from tests.worker.conftest import drained, edit, enqueue, running, until

pytestmark = pytest.mark.anyio


@dataclass(frozen=True)
class Papers:
    """A CA with a certificate for 127.0.0.1, and a stranger's CA."""

    ca: Path
    stranger: Path
    certificate: Path
    key: Path
    both: Path


@pytest.fixture(scope="module")
def papers(tmp_path_factory: pytest.TempPathFactory) -> Papers:
    folder = tmp_path_factory.mktemp("tls")
    made = Papers(*(folder / name for name in ("ca.pem", "stranger.pem", "server.pem", "server.key", "both.pem")))
    ca = trustme.CA()
    server = ca.issue_cert("127.0.0.1")
    ca.cert_pem.write_to_path(made.ca)
    trustme.CA().cert_pem.write_to_path(made.stranger)
    server.cert_chain_pems[0].write_to_path(made.certificate)
    server.private_key_pem.write_to_path(made.key)
    server.private_key_and_cert_chain_pem.write_to_path(made.both)
    return made


@pytest.fixture(scope="module")
def tls_redis(papers: Papers) -> Iterator[int]:
    """The port at which the newest Redis here that was built with TLS speaks nothing else."""
    port = free_port()
    options = {"port": port, "cert-file": papers.certificate, "key-file": papers.key, "ca-cert-file": papers.ca}
    words = [word for name, value in options.items() for word in (f"--tls-{name}", str(value))]
    programs = redis_programs()
    for major in sorted(programs, reverse=True):
        server = EmbeddedRedis(program=programs[major], extra_args=[*words, "--tls-auth-clients", "no"])
        try:
            server.start()
        except EmbeddedFailed as error:
            if "Bad directive" not in str(error):
                raise
            continue
        yield port
        server.stop()
        return
    pytest.skip("no redis-server with TLS here: tests/compat/fetch unpacks Debian's")


@pytest.fixture(scope="module")
def tls_mongo(papers: Papers) -> Iterator[int]:
    """The port of a mongod that speaks TLS alone, once it was seen to be ready."""
    options = ["--tlsMode", "preferTLS", "--tlsCertificateKeyFile", str(papers.both), "--tlsCAFile", str(papers.ca)]
    with EmbeddedMongo(extra_args=[*options, "--tlsAllowConnectionsWithoutCertificates"]) as server:
        with MongoClient[dict[str, Any]](server.url, timeoutMS=10_000) as client:
            client.admin.command("setParameter", 1, tlsMode="requireTLS")
        yield server.port


def redis_at(port: int, ca: Path, host: str = "127.0.0.1") -> str:
    return f"rediss://{host}:{port}/0?ssl_ca_certs={ca}"


def mongo_at(port: int, ca: Path, host: str = "127.0.0.1") -> str:
    return f"mongodb://{host}:{port}/tls?tls=true&tlsCAFile={ca}"


@pytest.mark.parametrize("to", ["both", "mongodb"])
async def test_jobs_are_learned_over_tls(
    to: str, tls_mongo: int, papers: Papers, key_prefix: str, request: pytest.FixtureRequest
) -> None:
    redis_url: str = request.getfixturevalue("redis_url")
    if to == "both":
        redis_url = redis_at(request.getfixturevalue("tls_redis"), papers.ca)
    settings = worker_settings(redis_url, mongo_at(tls_mongo, papers.ca), key_prefix)
    keys = Keys.of(key_prefix)
    async with Redis.from_url(redis_url) as redis:
        await enqueue(redis, keys, edit(1))
        async with running(settings) as worker:
            await until(lambda: drained(redis, keys))
            assert (await worker.store.load("ana")).profile is not None


@pytest.mark.parametrize("wrong", ["ca", "host"])
async def test_redis_in_anothers_name_is_refused(
    wrong: str, tls_redis: int, mongodb_uri: str, papers: Papers, key_prefix: str
) -> None:
    url = redis_at(tls_redis, papers.stranger) if wrong == "ca" else redis_at(tls_redis, papers.ca, "localhost")
    async with open_worker(worker_settings(url, mongodb_uri, key_prefix)) as worker:
        with pytest.raises(Misconfigured, match=r"Redis has a certificate that is not trusted \(.+\): check REDIS_URL"):
            await worker.run()


@pytest.mark.parametrize("wrong", ["ca", "host"])
async def test_mongodb_in_anothers_name_is_refused(
    wrong: str, tls_mongo: int, redis_url: str, papers: Papers, key_prefix: str
) -> None:
    uri = mongo_at(tls_mongo, papers.stranger) if wrong == "ca" else mongo_at(tls_mongo, papers.ca, "localhost")
    settings = worker_settings(redis_url, uri, key_prefix, learning_mongodb_timeout_seconds=1)
    with pytest.raises(Misconfigured, match=r"MongoDB has a certificate that is not trusted \(.+\): check MONGODB_URI"):
        async with open_worker(settings):
            pass


async def doctors_word(area: str, **settings: Any) -> tuple[str, str]:
    findings = await examine(_env_file=None, learning_mongodb_timeout_seconds=1, **settings)
    return next((one.status, one.says) for one in findings if (one.area, one.check) == (area, "answer"))


async def test_doctor_tells_a_wrong_ca_from_plain_text(tls_mongo: int, papers: Papers) -> None:
    nowhere = "redis://127.0.0.1:1/0"
    status, says = await doctors_word("mongodb", redis_url=nowhere, mongodb_uri=mongo_at(tls_mongo, papers.stranger))
    assert status == "fail"
    assert "certificate not trusted: self" in says
    plain = f"mongodb://127.0.0.1:{tls_mongo}/tls"
    status, says = await doctors_word("mongodb", redis_url=nowhere, mongodb_uri=plain)
    assert status == "fail"
    assert "does not answer" in says


async def test_doctor_tells_it_of_redis(tls_redis: int, papers: Papers) -> None:
    nowhere = "mongodb://127.0.0.1:1/x"
    status, says = await doctors_word("redis", mongodb_uri=nowhere, redis_url=redis_at(tls_redis, papers.stranger))
    assert status == "fail"
    assert "certificate not trusted: self" in says
    status, says = await doctors_word("redis", mongodb_uri=nowhere, redis_url=f"redis://127.0.0.1:{tls_redis}/0")
    assert status == "fail"
    assert "does not answer" in says


async def test_trusting_anybody_is_warned_of(
    tls_mongo: int, redis_url: str, papers: Papers, key_prefix: str, capsys: pytest.CaptureFixture[str]
) -> None:
    configure("info")
    uri = f"mongodb://127.0.0.1:{tls_mongo}/tls?tls=true&tlsAllowInvalidCertificates=true"
    async with open_worker(worker_settings(redis_url, uri, key_prefix)):
        pass
    said = capsys.readouterr()
    assert "MONGODB_URI says tlsallowinvalidcertificates=true" in said.out + said.err
    found = await examine(_env_file=None, redis_url=redis_url, mongodb_uri=uri)
    link = next(one for one in found if (one.area, one.check) == ("mongodb", "link"))
    assert link.status == "warn"
