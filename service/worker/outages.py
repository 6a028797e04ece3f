"""Which dependency is away, in whose words, and how long to wait before asking again.

Loops and lanes meet the same outage, each for itself. Each reports it under its own name, and a service is back when
the last of them says so (or, for MongoDB, where an answer to one is an answer to all, the first). So an outage is one
line at its start, one a minute while it lasts, and one at its end.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from contextlib import contextmanager

from service.errors import DependencyDown, Fault, classify, name, untrusted
from service.logs import FaultLog

BACKOFF_SECONDS = 2.0  # longest pause after a fault: a returned server is noticed within this and one time-out
FIRST_SECONDS = 0.1


def backoff(tries: int) -> float:
    """Return the seconds to pause after ``tries`` faults in a row: full jitter under a doubling bound."""
    return random.uniform(0.05, min(BACKOFF_SECONDS, FIRST_SECONDS * 2 ** min(tries, 8)))


@contextmanager
def redis_away() -> Iterator[None]:
    """Raise ``DependencyDown`` in place of whatever says that Redis is away."""
    try:
        yield
    except Exception as error:
        if classify(error) in (Fault.TRANSIENT, Fault.TOPOLOGY):
            raise DependencyDown("redis", name(error)) from error
        raise


class Outages:
    """The services that are away and the loops that are waiting for them."""

    def __init__(self, log: FaultLog) -> None:
        self._log = log
        self._waiting: dict[str, set[str]] = {}

    @property
    def services(self) -> set[str]:
        return set(self._waiting)

    def away(self, source: str, error: DependencyDown) -> None:
        """Note that ``source`` waits for the service of ``error``."""
        self._waiting.setdefault(error.service, set()).add(source)
        self._log.fault(error.service, f"[Learning] {error}")

    def back(self, source: str) -> None:
        """Note that ``source`` waits for nothing any more."""
        for service, sources in list(self._waiting.items()):
            if source in sources:
                sources.discard(source)
                if not sources:
                    self.answered(service)

    def answered(self, service: str) -> None:
        """Note that ``service`` is back, whoever was waiting for it."""
        if self._waiting.pop(service, None) is not None:
            self._log.recovered(service, f"[Learning] {service} is back")


def refusal(error: Exception) -> str:
    """Return what Redis has against us, and what to check."""
    if why := untrusted(error):
        return f"Redis has a certificate that is not trusted ({why}): check REDIS_URL and its ssl_ca_certs"
    return f"Redis refuses us ({name(error)}): check REDIS_URL, its password and the user's ACL"
