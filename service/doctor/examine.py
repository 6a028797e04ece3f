"""The examination: the servers side by side, each within its own time-out, then Gemini; and nothing raised.

A server that does not answer, or an answer nobody foresaw, is a finding like any other; the other areas are looked at
all the same.
"""

from __future__ import annotations

import os
from collections.abc import Awaitable, Callable

import anyio

from service.doctor import other_checks as other
from service.doctor.finding import Area, Finding
from service.doctor.mongodb_checks import judge_mongodb
from service.doctor.mongodb_facts import ask_mongodb
from service.doctor.redis_checks import judge_redis
from service.doctor.redis_facts import ask_redis
from service.errors import Fault, Misconfigured, classify, name
from service.links import address, encrypted, unverified
from service.settings import InvalidSettings, Settings, load_settings
from service.streams.keys import Keys
from service.tone.answer import read
from service.tone.base import ToneFailure
from service.tone.gemini import open_gemini
from service.tone.options import ToneOptions
from service.tone.prompt import pack

Look = Callable[[Settings], Awaitable[list[Finding]]]
AREAS: tuple[Area, ...] = ("settings", "redis", "mongodb", "clock", "gemini")
_NAMES = {"redis": ("Redis", "REDIS_URL"), "mongodb": ("MongoDB", "MONGODB_URI")}


async def examine(**overrides: object) -> list[Finding]:
    """Return all findings, in the order of ``AREAS``; ``overrides`` win over the environment's settings."""
    try:
        settings = load_settings(**overrides)
    except InvalidSettings as error:
        return [Finding("settings", "values", "fail", str(error), "nothing else was looked at: correct it first")]
    findings = other.environment(os.environ)

    async def add(area: Area, look: Look) -> None:
        findings.extend(await _looked(area, look, settings))

    async with anyio.create_task_group() as group:
        group.start_soon(add, "redis", _redis)
        group.start_soon(add, "mongodb", _mongodb)
    await add("gemini", _gemini)  # alone: importing Google's SDK holds the loop for longer than a server may take
    return sorted(findings, key=lambda finding: AREAS.index(finding.area))


async def _looked(area: Area, look: Look, settings: Settings) -> list[Finding]:
    try:
        return await look(settings)
    except Exception as error:  # noqa: BLE001 - an examination has no traceback: what went wrong is its result
        return [_failure(area, error)]


async def _redis(settings: Settings) -> list[Finding]:
    link = _link("redis", "REDIS_URL", settings.redis_url.get_secret_value())
    try:
        nodes = await ask_redis(settings)
    except Exception as error:  # noqa: BLE001 - see above
        return [link, _failure("redis", error)]
    keys = Keys.of(settings.learning_key_prefix, settings.learning_partitions)
    skew_seconds = max((facts.skew_seconds for facts in nodes), key=abs)
    return [link, *judge_redis(nodes, keys), other.clock("Redis", skew_seconds)]


async def _mongodb(settings: Settings) -> list[Finding]:
    link = _link("mongodb", "MONGODB_URI", settings.mongodb_uri.get_secret_value())
    try:
        facts = await ask_mongodb(settings)
    except Exception as error:  # noqa: BLE001 - see above
        return [link, _failure("mongodb", error)]
    return [link, *judge_mongodb(facts), other.clock("MongoDB", facts.skew_seconds)]


async def _gemini(settings: Settings) -> list[Finding]:
    key = settings.gemini_api_key
    if key is None:
        return [other.gemini(None, None)]
    return [other.gemini(settings.gemini_model, await _ask_gemini(settings, key.get_secret_value()))]


async def _ask_gemini(settings: Settings, key: str) -> str | None:
    """Ask for the tone of one made-up sentence; return the word for what went wrong."""
    options = ToneOptions(
        api_key=key,
        model=settings.gemini_model,
        base_url=settings.gemini_base_url,
        timeout_seconds=settings.gemini_timeout_seconds,
    )
    prompt = pack([(("We are open.", "We're open!"),)], settings.gemini_max_input_tokens)
    if prompt is None:
        return "too_large"
    model = open_gemini(options)
    try:
        with anyio.fail_after(settings.gemini_timeout_seconds):
            read(await model.ask(prompt), 1, prompt.document)
    except TimeoutError:
        return "timeout"
    except ToneFailure as failure:
        return failure.reason
    finally:
        with anyio.CancelScope(shield=True):
            await model.aclose()
    return None


def _link(area: Area, setting: str, url: str) -> Finding:
    return other.link(area, setting, address(url), encrypted=encrypted(url), unverified=unverified(url))


def _failure(area: Area, error: Exception) -> Finding:
    """Return the finding of a server that could not be looked at."""
    service, setting = _NAMES.get(area, (area.capitalize(), "the settings"))
    if isinstance(error, Misconfigured):
        return Finding(area, "answer", "fail", str(error), f"correct {setting}")
    match classify(error):
        case Fault.CONFIG:
            advice = f"check {setting}: user, password, CA"
            return Finding(area, "answer", "fail", f"{service} refuses us ({name(error)})", advice)
        case Fault.TRANSIENT | Fault.TOPOLOGY:
            advice = f"start it, or correct {setting} (TLS where the server wants it, none where it does not)"
            return Finding(area, "answer", "fail", f"{service} does not answer ({name(error)})", advice)
        case _:
            says = f"{service} could not be looked at ({name(error)})"
            return Finding(area, "answer", "fail", says, f"is {setting} right, and a {service} there?")
