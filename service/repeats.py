"""Who repeats himself is heard once a minute: what a fault that lasts may say in the log."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

REPEAT_SECONDS = 60.0  # between two lines about the same lasting fault


@dataclass(slots=True)
class _Fault:
    """One lasting fault: since when, its last line (seconds, monotonic), how often in all and since that line."""

    since: float
    last_line: float
    times: int = 1
    untold: int = 0


class Repeats:
    """Lets the first line of a key pass, and then one a minute.

    ``clock`` is in seconds and monotonic. More than ``most`` keys are forgotten, for a library may make up any.
    """

    def __init__(
        self, clock: Callable[[], float] = time.monotonic, every: float = REPEAT_SECONDS, most: int = 100
    ) -> None:
        self._clock = clock
        self._every = every
        self._most = most
        self._faults: dict[str, _Fault] = {}

    def __contains__(self, key: str) -> bool:
        return key in self._faults

    def note(self, key: str) -> str | None:
        """Return what to add to the line, None when it is not to be said."""
        now = self._clock()
        fault = self._faults.get(key)
        if fault is None:
            if len(self._faults) >= self._most:
                self._faults.clear()
            self._faults[key] = _Fault(now, now)
            return ""
        fault.times += 1
        fault.untold += 1
        if now - fault.last_line < self._every:
            return None
        said = f" ({fault.untold} times in {now - fault.last_line:.0f} s)" if fault.untold > 1 else ""
        fault.last_line, fault.untold = now, 0
        return said

    def over(self, key: str) -> tuple[int, float] | None:
        """Forget a key; return how often it was noted and for how many seconds, None when it was not."""
        fault = self._faults.pop(key, None)
        return None if fault is None else (fault.times, self._clock() - fault.since)
