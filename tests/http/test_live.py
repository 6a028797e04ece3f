"""An open page in a real browser: it follows the work, says when nobody answers, and rests while nobody looks.

That a tab is hidden is told to the page by a script: Chromium without a screen shows every tab for ever.
"""

from __future__ import annotations

from contextlib import AsyncExitStack
from typing import Any
from urllib.parse import quote

import pytest
from playwright.async_api import Page, expect
from pymongo.asynchronous.database import AsyncDatabase
from redis.asyncio import Redis

from service.http import events
from service.settings import Settings
from tests.http.conftest import Site, served
from tests.http.test_browser import CHROMIUM, DESK, NAME, browser, hostile, opened, taught
from tests.http.test_events import has_place, streamed
from tests.worker.conftest import edit, until

pytestmark = [pytest.mark.anyio, pytest.mark.skipif(CHROMIUM is None, reason="no Chromium on this machine")]
Mongo = AsyncDatabase[dict[str, Any]]
MS = 20_000  # for what has to come at last

SHOW = """hidden => {
  Object.defineProperty(document, 'hidden', {value: hidden, configurable: true});
  document.dispatchEvent(new Event('visibilitychange'));
}"""


async def told(page: Page, words: str) -> None:
    await expect(page.locator("#link")).to_contain_text(words, timeout=MS)


async def all_taken(stack: AsyncExitStack, site: Site) -> None:
    """Take every place that is left."""
    while (stream := await stack.enter_async_context(streamed(site))).status == 200:
        pass
    assert stream.status == 503


async def test_the_page_follows_the_work_without_being_reloaded(settings: Settings, redis_client: Redis) -> None:
    async with served(settings) as site, browser() as opener, opened(opener, site.port, DESK, "light") as watched:
        asked: list[str] = []
        watched.page.on("request", lambda request: asked.append(request.resource_type))
        await watched.open("/")
        await watched.page.evaluate("() => { window.same = true }")
        charts = watched.page.locator("svg[role=img]")
        await charts.first.wait_for(timeout=MS)  # the page may be there before the first look at the history
        for index in range(await charts.count()):
            assert await charts.nth(index).evaluate(
                "svg => svg.getAttribute('aria-label') || svg.querySelector('title')"
            )
        await taught(redis_client, settings, edit(0, "somebody-new", job_id="now"))
        await watched.page.get_by_text("somebody-new").first.wait_for(timeout=MS)
        assert await watched.page.evaluate("() => window.same") is True
        assert (asked.count("eventsource"), asked.count("document"), "fetch" in asked) == (1, 1, False)
        assert watched.wrong == []


async def test_a_worker_that_is_gone_is_told_and_its_return_needs_nobody(settings: Settings) -> None:
    async with browser() as opener:
        async with served(settings) as site:
            context = await opener.new_context()
            page = await context.new_page()
            await page.goto(f"http://127.0.0.1:{site.port}/")
            await page.evaluate("() => { window.same = true }")
            await told(page, "live")
        await told(page, "not reachable for")
        await expect(page.locator("body")).to_have_class("late", timeout=MS)
        async with served(settings):
            await told(page, "live")
            await expect(page.locator("body")).not_to_have_class("late", timeout=MS)
            assert await page.evaluate("() => window.same") is True
            await context.close()


async def test_a_page_without_a_place_asks_again_later(settings: Settings) -> None:
    async with served(settings) as site, browser() as opener, opened(opener, site.port, DESK, "light") as watched:
        async with AsyncExitStack() as stack:
            await all_taken(stack, site)
            await watched.open("/")
            await told(watched.page, "not live for")
            assert (await site.get("/livez")).status == 200
        await expect(watched.page.locator("#link")).to_have_text("live", timeout=MS)


async def test_a_hidden_tab_gives_its_place_back(settings: Settings) -> None:
    async with served(settings) as site, browser() as opener, opened(opener, site.port, DESK, "light") as watched:
        async with AsyncExitStack() as stack:
            await watched.open("/")
            await told(watched.page, "live")
            await all_taken(stack, site)
            await watched.page.evaluate(SHOW, True)
            await until(lambda: has_place(site))
        async with watched.page.expect_request(lambda request: request.resource_type == "eventsource", timeout=MS):
            await watched.page.evaluate(SHOW, False)
        assert watched.wrong == []


async def test_what_is_open_held_and_scrolled_stays_so(
    settings: Settings, redis_client: Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(events, "EVERY_SECONDS", 0.2)
    async with served(settings) as site, browser() as opener, opened(opener, site.port, (360, 500), "dark") as watched:
        await taught(redis_client, settings, *(edit(number) for number in range(6)))
        await watched.open("/writers/ana")
        page = watched.page
        summary = page.locator("summary").first
        words = await summary.inner_text()
        await summary.focus()
        await page.keyboard.press("Enter")
        await page.locator(".scroll").first.evaluate("one => { one.scrollLeft = 40 }")
        before = await page.evaluate("() => scrollY")
        assert before > 0
        for number in range(6, 9):  # a newer summary comes to stand above
            await taught(redis_client, settings, edit(number))
        await expect(summary).not_to_have_text(words, timeout=MS)
        assert await page.locator("details[open] > summary").all_inner_texts() == [words]
        assert await page.evaluate("() => document.activeElement.innerText") == words
        assert await page.locator(".scroll").first.evaluate("one => one.scrollLeft") == 40
        assert abs(await page.evaluate("() => scrollY") - before) < 200
        assert watched.wrong == []


async def test_markup_in_a_name_stays_text_when_the_page_changes(
    settings: Settings, redis_client: Redis, mongo: Mongo
) -> None:
    async with served(settings) as site, browser() as opener, opened(opener, site.port, DESK, "light") as watched:
        await taught(redis_client, settings, *(edit(number) for number in range(4)))
        await hostile(mongo)
        await watched.open(f"/writers/{quote(NAME, safe='')}")
        evil = "<img src=x onerror='window.taken=1'>" + NAME
        await mongo.style_profiles.update_one({"_id": NAME}, {"$set": {"style_guide": evil}})
        await expect(watched.page.locator("pre.guide")).to_have_text(evil, timeout=MS)
        assert await watched.page.title() == f"{NAME} · learnsvc"
        assert not await watched.page.evaluate("() => window.taken")
        assert await watched.page.locator("main img, main script").count() == 0
        assert watched.wrong == []


async def test_without_scripts_the_page_reloads_itself(settings: Settings, redis_client: Redis) -> None:
    async with served(settings) as site, browser() as opener:
        context = await opener.new_context(java_script_enabled=False)
        page = await context.new_page()
        await page.goto(f"http://127.0.0.1:{site.port}/")
        await taught(redis_client, settings, edit(0, "somebody-new", job_id="now"))
        await expect(page.get_by_text("somebody-new").first).to_be_visible(timeout=MS)
        await context.close()
