"""The pages in a real browser: Chromium without a screen, as a person on call would have them open.

Skipped where there is no Chromium; ``LEARNSVC_TEST_CHROMIUM`` names another program than those on PATH.
With ``LEARNSVC_TEST_SCREENSHOTS=DIR`` each page is kept there as a picture, to be looked at.
"""

from __future__ import annotations

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any
from urllib.parse import quote, urlsplit

import pytest
from playwright.async_api import Browser, Page, async_playwright
from pymongo.asynchronous.database import AsyncDatabase
from redis.asyncio import Redis

from service.settings import Settings
from service.streams.keys import Keys
from tests.http.conftest import served
from tests.observability.watched import CHROMIUM_FLAGS, chromium
from tests.worker.conftest import drained, edit, enqueue, until

CHROMIUM = chromium()
SHOTS = os.environ.get("LEARNSVC_TEST_SCREENSHOTS")  # a folder to keep pictures of every page in
pytestmark = [pytest.mark.anyio, pytest.mark.skipif(CHROMIUM is None, reason="no Chromium on this machine")]
Mongo = AsyncDatabase[dict[str, Any]]

NAME = "<script>window.taken=1</script>"
PHONE, DESK = (360, 740), (1280, 900)

# What sticks out of the page to the side, unless it scrolls by itself.
OVERFLOW = """() => {
  const width = document.documentElement.clientWidth;
  if (document.documentElement.scrollWidth <= width) return [];
  const wide = [...document.querySelectorAll('body *')].filter(one => one.getBoundingClientRect().right > width + 1);
  return [document.documentElement.scrollWidth, ...wide.map(one => one.outerHTML.slice(0, 120))];
}"""
# Texts whose contrast with the background beneath them is below 4.5 to 1 (WCAG 2.2, 1.4.3); 3 to 1 when large.
PALE = """() => {
  const channels = text => (text.match(/[\\d.]+/g) || []).map(Number);
  const linear = part => (part /= 255) <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4;
  const light = ([r, g, b]) => 0.2126 * linear(r) + 0.7152 * linear(g) + 0.0722 * linear(b);
  const behind = element => {
    for (; element; element = element.parentElement) {
      const colour = channels(getComputedStyle(element).backgroundColor);
      if (colour.length === 3 || colour[3] === 1) return colour;
    }
    return matchMedia('(prefers-color-scheme: dark)').matches ? [18, 18, 18] : [255, 255, 255];
  };
  const found = [];
  for (const element of document.querySelectorAll('body *')) {
    const text = [...element.childNodes].some(node => node.nodeType === 3 && node.data.trim());
    if (!text || element.closest('svg') || !element.getClientRects().length) continue;
    const style = getComputedStyle(element);
    const [one, other] = [light(channels(style.color)), light(behind(element))].sort((a, b) => b - a);
    const large = parseFloat(style.fontSize) >= 24;
    if ((one + 0.05) / (other + 0.05) < (large ? 3 : 4.5)) found.push(element.outerHTML.slice(0, 120));
  }
  return found;
}"""
# The link or control that has the focus, and whether one sees it.
FOCUSED = """() => {
  const element = document.activeElement;
  if (!element || element === document.body) return null;
  const style = getComputedStyle(element);
  return [element.outerHTML.slice(0, 200), style.outlineStyle !== 'none' && parseFloat(style.outlineWidth) > 0];
}"""
REACHABLE = "a[href], button, summary, input, [tabindex='0']"


@asynccontextmanager
async def browser() -> AsyncIterator[Browser]:
    async with async_playwright() as playwright:
        launched = await playwright.chromium.launch(executable_path=CHROMIUM, args=list(CHROMIUM_FLAGS))
        try:
            yield launched
        finally:
            await launched.close()


class Watched:
    """A page of a browser, and everything that went wrong on it."""

    def __init__(self, page: Page, port: int) -> None:
        self.page = page
        self._root = f"http://127.0.0.1:{port}"
        self.wrong: list[str] = []
        page.on("console", lambda said: self.wrong.append(said.text) if said.type in ("error", "warning") else None)
        page.on("pageerror", lambda error: self.wrong.append(str(error)))
        page.on("request", lambda request: self._is_ours(request.url))

    def _is_ours(self, url: str) -> None:
        parts = urlsplit(url)
        if parts.scheme in ("http", "https", "ws", "wss") and f"{parts.scheme}://{parts.netloc}" != self._root:
            self.wrong.append(f"asked {url}")

    async def open(self, path: str) -> None:
        reply = await self.page.goto(self._root + path)
        assert reply is not None
        assert reply.ok, f"{path}: {reply.status}"


@asynccontextmanager
async def opened(opener: Browser, port: int, size: tuple[int, int], scheme: Any) -> AsyncIterator[Watched]:
    width, height = size
    context = await opener.new_context(viewport={"width": width, "height": height}, color_scheme=scheme)
    try:
        yield Watched(await context.new_page(), port)
    finally:
        await context.close()


async def taught(redis: Redis, settings: Settings, *jobs: dict[str, Any]) -> None:
    keys = Keys.of(settings.learning_key_prefix)
    await enqueue(redis, keys, *jobs)
    await until(lambda: drained(redis, keys))


async def filled(redis: Redis, settings: Settings) -> None:
    """Something on every page: a writer, and a job that can never be learned."""
    await taught(redis, settings, *(edit(number) for number in range(6)))
    keys = Keys.of(settings.learning_key_prefix)
    await redis.xadd(keys.partitions[0].jobs, {"job": f'{{"job_id": "{NAME}"}}'})
    await until(lambda: drained(redis, keys))


async def hostile(mongo: Mongo) -> None:
    """A writer whose name and phrases are markup, as no job could bring it."""
    document = await mongo.style_profiles.find_one({"_id": "ana"})
    assert document is not None
    document |= {"_id": NAME, "user_id": NAME, "style_guide": NAME, "sample_posts": [NAME]}
    document["banned_phrases"] = [{"phrase": NAME, "support": 3, "edits": [NAME]}]
    await mongo.style_profiles.insert_one(document)


async def test_every_page_fits_phones_and_desks_by_day_and_by_night(
    settings: Settings, redis_client: Redis, mongo: Mongo
) -> None:
    async with served(settings) as site, browser() as opener:
        await filled(redis_client, settings)
        await hostile(mongo)
        for size in (PHONE, DESK):
            for scheme in ("light", "dark"):
                async with opened(opener, site.port, size, scheme) as watched:
                    for path in ("/", "/writers/ana", f"/writers/{quote(NAME, safe='')}", "/dead"):
                        await watched.open(path)
                        if SHOTS:
                            name = f"{path.strip('/').replace('/', '-')[:20] or 'home'}-{size[0]}-{scheme}.png"
                            await watched.page.screenshot(path=f"{SHOTS}/{name}", full_page=True)
                        where = f"{path} at {size[0]} px, {scheme}"
                        assert await watched.page.evaluate(OVERFLOW) == [], where
                        assert await watched.page.evaluate(PALE) == [], where
                        assert not await watched.page.evaluate("() => window.taken"), where
                    assert watched.wrong == []


async def test_keys_alone_reach_every_link_and_one_sees_where_one_is(
    settings: Settings, redis_client: Redis, mongo: Mongo
) -> None:
    async with served(settings) as site, browser() as opener:
        await filled(redis_client, settings)
        async with opened(opener, site.port, DESK, "light") as watched:
            for path in ("/writers/ana", "/dead", "/"):
                await watched.open(path)
                wanted = await watched.page.locator(REACHABLE).count()
                seen: set[str] = set()
                for _ in range(wanted + 2):
                    await watched.page.keyboard.press("Tab")
                    focused = await watched.page.evaluate(FOCUSED)
                    if focused is not None:
                        assert focused[1], f"{path}: no outline around {focused[0]}"
                        seen.add(focused[0])
                assert wanted > 0
                assert len(seen) >= wanted - 1, f"{path}: {seen}"  # equal links count once
