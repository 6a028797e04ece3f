"""Who is away, said once; and pauses that grow, differ and stay bounded."""

import structlog

from service.errors import DependencyDown
from service.logs import FaultLog
from service.worker.outages import BACKOFF_SECONDS, Outages, backoff

REDIS, MONGODB = DependencyDown("redis", "TimeoutError"), DependencyDown("mongodb", "AutoReconnect")


def test_an_outage_is_one_line_until_the_last_is_back() -> None:
    with structlog.testing.capture_logs() as lines:
        outages = Outages(FaultLog(structlog.get_logger()))
        for _ in range(1000):
            for loop in ("read", "sweep", "settle 1"):
                outages.away(loop, REDIS)
        outages.away("due", MONGODB)
        assert outages.services == {"redis", "mongodb"}
        outages.answered("mongodb")
        outages.back("sweep")
        outages.back("read")
        outages.back("nobody")
        assert outages.services == {"redis"}
        outages.back("settle 1")
        outages.back("settle 1")
    assert outages.services == set()
    assert [line["event"] for line in lines] == [
        "[Learning] redis is away (TimeoutError): waiting for it",
        "[Learning] mongodb is away (AutoReconnect): waiting for it",
        "[Learning] mongodb is back",
        "[Learning] redis is back",
    ]


def test_pauses_are_jittered_and_bounded() -> None:
    first, later = [backoff(1) for _ in range(200)], [backoff(30) for _ in range(200)]
    assert max(first) <= 0.2
    assert max(later) <= BACKOFF_SECONDS
    assert len(set(later)) > 190
    assert max(later) - min(later) > BACKOFF_SECONDS / 2
