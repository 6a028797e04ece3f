"""Answers of the model by content, so that the same edit is never paid for twice.

The key is a hash of what the answer depends on: the prompt's version, the model and the sentence pairs - not
of the writer, the job or the batch the edit happened to be asked in. The value is the label and its
confidence; no text is kept. A redelivered job, a replay and a rewritten profile therefore cost nothing. Only
answers that passed validation are stored, and only the model's: a lexical answer is free and may be better
tomorrow.
"""

from __future__ import annotations

import hashlib
import json
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from typing import Protocol

from schemas.delta import ToneShift
from service.tone.base import Pairs

MEMORY_ENTRIES = 4_096  # about 1 MB; a day of a busy worker


class ToneCache(Protocol):
    """Shifts by content key. Neither method raises for a store that is away: that is a miss."""

    async def get_many(self, keys: Sequence[str]) -> dict[str, ToneShift]: ...

    async def put_many(self, shifts: Mapping[str, ToneShift]) -> None: ...


def content_key(prompt_version: int, model: str, pairs: Pairs) -> str:
    """128 bits of SHA-256 in hex over everything the answer depends on."""
    text = json.dumps([prompt_version, model, pairs])  # ASCII, so a lone surrogate is hashed and not refused
    return hashlib.sha256(text.encode()).hexdigest()[:32]


class MemoryToneCache:
    """The least recently used entries beyond ``entries`` are dropped."""

    def __init__(self, entries: int = MEMORY_ENTRIES) -> None:
        self._entries = entries
        self._shifts: OrderedDict[str, ToneShift] = OrderedDict()

    async def get_many(self, keys: Sequence[str]) -> dict[str, ToneShift]:
        found = {key: self._shifts[key] for key in keys if key in self._shifts}
        for key in found:
            self._shifts.move_to_end(key)
        return found

    async def put_many(self, shifts: Mapping[str, ToneShift]) -> None:
        for key, shift in shifts.items():
            self._shifts[key] = shift
            self._shifts.move_to_end(key)
        while len(self._shifts) > self._entries:
            self._shifts.popitem(last=False)
