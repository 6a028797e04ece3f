"""A small judge of tone, so that the double of Gemini has something to say in a demo.

It reads the request as a well-behaved model does: the JSON document in the contents is data, one answer an
id.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Sequence
from typing import Any

from schemas.delta import ToneLabel

Changes = Sequence[tuple[str, str]]
Judge = Callable[[Changes], tuple[ToneLabel, float]]
Answerer = Callable[[dict[str, Any]], str]
"""From the body of a generateContent request to the text of the answer."""

_MARKS: tuple[tuple[re.Pattern[str], ToneLabel, ToneLabel], ...] = (
    (
        re.compile(r"\b(?:lol|haha+|just kidding)\b|[😂🤣😆😜]", re.IGNORECASE),
        "more humorous",
        "more serious",
    ),
    (re.compile(r"!"), "more enthusiastic", "more subdued"),
    (re.compile(r"\b\w+['’](?:s|re|ve|ll|d|t|m)\b", re.IGNORECASE), "more casual", "more professional"),
    (
        re.compile(r"\b(?:perhaps|maybe|might|could|I think)\b", re.IGNORECASE),
        "more indirect",
        "more direct",
    ),
)


def by_marks(changes: Changes) -> tuple[ToneLabel, float]:
    """The label of the mark whose count changed most."""
    best: tuple[int, ToneLabel] = (0, "no change")
    for mark, more, fewer in _MARKS:
        moved = sum(len(mark.findall(after)) - len(mark.findall(before)) for before, after in changes)
        if abs(moved) > best[0]:
            best = (abs(moved), more if moved > 0 else fewer)
    return best[1], 0.9 if best[0] else 0.6


STATEMENTS: dict[ToneLabel, str] = {
    "more casual": "Contracts verb forms",
    "more professional": "Writes verb forms out in full",
    "more enthusiastic": "Adds exclamation marks",
    "more subdued": "Removes exclamation marks",
    "more direct": "Removes hedging words",
    "more indirect": "Adds hedging words",
}


def answering(judge: Judge) -> Answerer:
    """The answer of a model that gives each edit what ``judge`` says of its changes."""

    def answer(body: dict[str, Any]) -> str:
        document = json.loads(body["contents"][0]["parts"][0]["text"])
        tones = []
        for edit in document["edits"]:
            label, confidence = judge([(change["before"], change["after"]) for change in edit["changes"]])
            tones.append({"id": edit["id"], "label": label, "confidence": confidence})
        return json.dumps({"edits": tones, "statements": statements(tones)})

    return answer


def statements(tones: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """What the labels amount to: one statement for each that has words, the most frequent first, at most five."""
    shown: dict[str, list[int]] = {}
    for tone in tones:
        if tone["label"] in STATEMENTS:
            shown.setdefault(STATEMENTS[tone["label"]], []).append(tone["id"])
    return [{"text": text, "edits": ids} for text, ids in sorted(shown.items(), key=lambda one: -len(one[1]))][:5]
