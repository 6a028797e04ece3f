"""Verdicts about what belongs to no one server: the settings, the links, the clocks, Gemini. Pure."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping

from service.doctor.finding import Area, Finding
from service.settings import Settings
from service.streams.entry import FUTURE_LIMIT

SKEW_SECONDS = 2.0  # above this clocks are not kept by NTP
OURS = ("LEARNING_", "GEMINI_", "PATTERN_THRESHOLD_", "EDIT_BATCH_", "MAX_PROFILE_", "MAX_EDIT_")
LOOPBACK = ("127.", "localhost", "[::1]", "/")
PASSING = frozenset({"rate_limited", "server_error", "timeout", "network", "budget", "busy"})


def misspelt(names: Iterable[str]) -> list[Finding]:
    """Judge environment variables that look like settings and are none: a wrong name is silently the default."""
    known = [name.upper() for name in Settings.model_fields]
    findings = []
    for name in sorted(names):
        upper = name.upper()
        if upper.startswith(OURS) and upper not in known:
            near = difflib.get_close_matches(upper, known, n=1, cutoff=0.85)
            if near:
                says = f"{upper} is no setting"
                findings.append(Finding("settings", "names", "warn", says, f"is {near[0]} meant?"))
    return findings


def link(area: Area, setting: str, place: str, *, encrypted: bool, unverified: str | None) -> Finding:
    """Judge how a server is reached; ``place`` is its address without user and password."""
    if unverified:
        says = f"{place}, encrypted, but {unverified}: anybody may answer in its name"
        advice = f"take that out of {setting}; name the CA instead (ssl_ca_certs=, tlsCAFile=)"
        return Finding(area, "link", "warn", says, advice)
    if encrypted:
        return Finding(area, "link", "ok", f"{place}, encrypted, certificate verified")
    if all(one.startswith(LOOPBACK) for one in place.split(",")):
        return Finding(area, "link", "ok", f"{place}, this machine")
    advice = f"{'rediss://' if area == 'redis' else 'tls=true'} in {setting}, unless the network is trusted"
    return Finding(area, "link", "warn", f"{place}, not encrypted: texts and passwords travel in the clear", advice)


def clock(service: str, skew_seconds: float) -> Finding:
    """Judge how far this machine's clock is ahead of a server's. learnsvc goes by the clock of Redis."""
    off = abs(skew_seconds)
    way = "ahead of" if skew_seconds > 0 else "behind"
    if off <= SKEW_SECONDS:
        return Finding("clock", service, "ok", f"within {max(off, 0.1):.1f} s of this machine's")
    says = f"this machine is {off:,.0f} s {way} it"
    if off > FUTURE_LIMIT.total_seconds():
        says += "; jobs dated more than 5 minutes ahead of Redis are dead-lettered"
    return Finding("clock", service, "warn", says, "keep all clocks with NTP")


def gemini(model: str | None, failure: str | None) -> Finding:
    """Judge the answer to one question; ``model`` is None without a key, ``failure`` a reason of ``ToneFailure``."""
    if model is None:
        return Finding("gemini", "answer", "ok", "no GEMINI_API_KEY: tone is judged by word lists")
    if failure is None:
        return Finding("gemini", "answer", "ok", f"{model} answers")
    says = f"{model}: {failure.replace('_', ' ')}"
    if failure in PASSING:
        return Finding(
            "gemini", "answer", "warn", f"{says}; word lists stand in meanwhile", "look at network and quota"
        )
    if failure == "bad_answer":
        return Finding("gemini", "answer", "warn", f"{says}; word lists stand in", "try another GEMINI_MODEL")
    advice = "correct GEMINI_API_KEY or GEMINI_MODEL, or take the key away"
    return Finding("gemini", "answer", "fail", says, advice)


def environment(variables: Mapping[str, str]) -> list[Finding]:
    """Return what there is to say about settings that are valid."""
    return [Finding("settings", "values", "ok", "valid"), *misspelt(variables)]
