"""Pages about writers: who sees them, what they show, and that names of people stay text."""

from __future__ import annotations

import base64
import http.client
from typing import Any
from urllib.parse import quote

import pytest
from anyio import to_thread
from pydantic import SecretStr
from pymongo.asynchronous.database import AsyncDatabase
from redis.asyncio import Redis

from service.http.access import is_loopback
from service.settings import Settings
from service.streams.keys import Keys
from tests.http.conftest import Site, served
from tests.worker.conftest import drained, edit, enqueue, until

pytestmark = pytest.mark.anyio
Mongo = AsyncDatabase[dict[str, Any]]
NAME = "<script>alert(1)</script>"


async def taught(site: Site, redis: Redis, settings: Settings, *jobs: dict[str, Any]) -> None:
    keys = Keys.of(settings.learning_key_prefix)
    await enqueue(redis, keys, *jobs)
    await until(lambda: drained(redis, keys))


async def fetch(site: Site, path: str, **headers: str) -> tuple[int, str, dict[str, str]]:
    def ask() -> tuple[int, str, dict[str, str]]:
        connection = http.client.HTTPConnection("127.0.0.1", site.port, timeout=10)
        try:
            connection.request("GET", path, headers=headers)
            reply = connection.getresponse()
            return reply.status, reply.read().decode(), {key.lower(): value for key, value in reply.getheaders()}
        finally:
            connection.close()

    return await to_thread.run_sync(ask)


async def test_a_writer_named_script_is_text(settings: Settings, redis_client: Redis, mongo: Mongo) -> None:
    """No job can have such a name; a document put there by somebody else can."""
    async with served(settings) as site:
        await taught(site, redis_client, settings, *(edit(number) for number in range(4)))
        document = await mongo.style_profiles.find_one({"_id": "ana"})
        assert document is not None
        phrase = {"phrase": NAME, "support": 3, "edits": [NAME]}
        claim = {"path": NAME, "value": NAME, "edits": [NAME]}
        document["evolution_timeline"][0]["changes"].append(NAME)
        hostile = {"_id": NAME, "user_id": NAME, "banned_phrases": [phrase], "claims": [claim], "style_guide": NAME}
        await mongo.style_profiles.insert_one({**document, **hostile})
        status, page, headers = await fetch(site, f"/writers/{quote(NAME, safe='')}")
        assert status == 200
        assert "<script>alert" not in page
        assert page.count("&lt;script&gt;alert(1)&lt;/script&gt;") >= 7
        assert "script-src 'self'" in headers["content-security-policy"]
        assert "unsafe" not in headers["content-security-policy"]
        assert "What each iteration changed" in page
        assert "<svg" in page
        assert (await fetch(site, "/writers/nobody"))[0] == 404


async def test_the_writers_learned_last_lead_to_their_pages(settings: Settings, redis_client: Redis) -> None:
    async with served(settings) as site:
        await taught(site, redis_client, settings, edit(0, "a/b+c@d", job_id="j1"))

        async def named() -> bool:
            return 'href="/writers/a%2Fb%2Bc%40d"' in (await fetch(site, "/"))[1]

        await until(named)
        status, page, _ = await fetch(site, "/writers/a%2Fb%2Bc%40d")
        assert (status, "a/b+c@d" in page) == (200, True), page

    async with served(settings) as site:  # another worker, which learned nothing yet

        async def named_again() -> bool:
            return 'href="/writers/a%2Fb%2Bc%40d"' in (await fetch(site, "/"))[1]

        await until(named_again)


async def test_the_last_hour_is_charted(settings: Settings, redis_client: Redis) -> None:
    async with served(settings) as site:
        await taught(site, redis_client, settings, *(edit(number) for number in range(3)))

        async def charted() -> bool:
            return "3 settled" in (await fetch(site, "/"))[1]

        await until(charted)
        assert "The last hour, all workers" in (await fetch(site, "/"))[1]


async def test_dead_letters_are_told_without_their_payload(settings: Settings, redis_client: Redis) -> None:
    async with served(settings) as site:
        await taught(site, redis_client, settings, edit(1), edit(1, edited_text="A secret text of another edit."))
        status, page, _ = await fetch(site, "/dead")
        assert status == 200
        assert "id_reuse" in page
        assert "ana-1" in page
        assert "secret text" not in page


async def test_elsewhere_writers_are_shown_for_the_token_alone(settings: Settings, redis_client: Redis) -> None:
    away = settings.model_copy(update={"learning_http_host": "0.0.0.0", "learning_page_token": SecretStr("pässword")})
    async with served(away) as site:
        await taught(site, redis_client, settings, edit())
        basic = base64.b64encode("me:pässword".encode()).decode()
        wrong = base64.b64encode(b"me:password").decode()
        for path in ("/writers/ana", "/dead"):
            status, page, headers = await fetch(site, path)
            assert (status, headers["www-authenticate"][:5]) == (401, "Basic")
            assert "ana-0" not in page
            assert (await fetch(site, path, Authorization=f"Basic {wrong}"))[0] == 401
            assert (await fetch(site, path, Authorization="Basic %%%"))[0] == 401
            status, page, _ = await fetch(site, path, Authorization=f"Basic {basic}")
            assert status == 200, page
        assert "/writers/ana" not in (await fetch(site, "/"))[1]
        await site.until("/health", 200)  # which tells nothing about writers, and needs no token


async def test_elsewhere_without_a_token_nobody_sees_writers(settings: Settings) -> None:
    async with served(settings.model_copy(update={"learning_http_host": "0.0.0.0"})) as site:
        assert (await fetch(site, "/writers/ana"))[0] == 403
        assert (await fetch(site, "/dead"))[0] == 403


async def test_a_foreign_name_for_this_machine_sees_no_writers(settings: Settings) -> None:
    async with served(settings) as site:
        assert (await fetch(site, "/dead", Host="evil.example"))[0] == 403
        assert (await fetch(site, "/dead", Host=f"localhost:{site.port}"))[0] == 200


@pytest.mark.parametrize(
    ("host", "here"),
    [("127.0.0.1", True), ("127.9.9.9", True), ("::1", True), ("[::1]", True), ("localhost", True), ("0.0.0.0", False),
     ("::", False), ("10.0.0.1", False), ("localhost.evil.example", False), ("", False)],
)  # fmt: skip
def test_loopback(host: str, here: bool) -> None:
    assert is_loopback(host) is here
