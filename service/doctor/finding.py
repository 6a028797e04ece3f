"""One line of the doctor's report."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Status = Literal["ok", "warn", "fail"]
Area = Literal["settings", "redis", "mongodb", "clock", "gemini"]


@dataclass(frozen=True, slots=True)
class Finding:
    """What was looked at, how it is, and, unless it is well, what to do.

    ``fail``: learnsvc cannot work so, or will lose data. ``warn``: it works, and a careful operator would change it or
    wants to know that it could not be looked at.
    """

    area: Area
    check: str
    status: Status
    says: str
    advice: str = ""
