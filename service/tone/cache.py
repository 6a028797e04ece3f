"""Answers of the model by content, so that the same edit is never paid for twice.

The key is a hash of what the answer depends on: the prompt's version, the model and the sentence pairs - not
of the writer, the job or the batch the edit happened to be asked in. The value is the label, its confidence and
the statements that name the edit; no text of a writer is kept. A redelivered job, a replay and a rewritten
profile therefore cost nothing. Only answers that passed validation are stored, and only the model's: a lexical
answer is free and may be better tomorrow.
"""

from __future__ import annotations

import hashlib
import json
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from typing import Protocol

from service.tone.base import Judgement, Pairs

MEMORY_ENTRIES = 4_096  # about 1 MB; a day of a busy worker


class ToneCache(Protocol):
    """Answers by content key. Neither method raises for a store that is away: that is a miss."""

    async def get_many(self, keys: Sequence[str]) -> dict[str, Judgement]: ...

    async def put_many(self, answers: Mapping[str, Judgement]) -> None: ...


def content_key(prompt_version: int, model: str, pairs: Pairs) -> str:
    """128 bits of SHA-256 in hex over everything the answer depends on."""
    text = json.dumps([prompt_version, model, pairs])  # ASCII, so a lone surrogate is hashed and not refused
    return hashlib.sha256(text.encode()).hexdigest()[:32]


class MemoryToneCache:
    """The least recently used entries beyond ``entries`` are dropped."""

    def __init__(self, entries: int = MEMORY_ENTRIES) -> None:
        self._entries = entries
        self._known: OrderedDict[str, Judgement] = OrderedDict()

    async def get_many(self, keys: Sequence[str]) -> dict[str, Judgement]:
        found = {key: self._known[key] for key in keys if key in self._known}
        for key in found:
            self._known.move_to_end(key)
        return found

    async def put_many(self, answers: Mapping[str, Judgement]) -> None:
        for key, answer in answers.items():
            self._known[key] = answer
            self._known.move_to_end(key)
        while len(self._known) > self._entries:
            self._known.popitem(last=False)
