"""Names of the keys. All of a partition share one hash tag, so scripts may touch them together in a cluster.

With one partition the tag is ``{learning}``; with more they are ``{learning:0}``, ``{learning:1}``, ... and a writer
always belongs to the same one.
"""

from __future__ import annotations

import zlib
from dataclasses import dataclass

GROUP = "learnsvc"
UPDATED_CHANNEL = "learning:profile-updated"


@dataclass(frozen=True, slots=True)
class PartitionKeys:
    """The keys of one partition."""

    jobs: str
    dead: str
    stats: str
    minutes: str


@dataclass(frozen=True, slots=True)
class Keys:
    """The keys of the service."""

    partitions: tuple[PartitionKeys, ...]

    @classmethod
    def of(cls, prefix: str = "learning", partitions: int = 1) -> Keys:
        tags = [prefix] if partitions == 1 else [f"{prefix}:{number}" for number in range(partitions)]
        names = ("jobs", "dead", "stats", "minutes")
        return cls(tuple(PartitionKeys(*(f"{{{tag}}}:{name}" for name in names)) for tag in tags))

    def for_writer(self, user_id: str) -> PartitionKeys:
        """Return the partition of ``user_id``: CRC-32 of the id modulo the partitions, the same in any language."""
        return self.partitions[zlib.crc32(user_id.encode()) % len(self.partitions)]


def cache_keys(user_id: str) -> tuple[str, str]:
    """Return the application's cache keys that a change of the profile makes stale."""
    return f"profile:{user_id}", f"evolution:{user_id}"
