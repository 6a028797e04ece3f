"""The verdicts and the page, from snapshots made by hand."""

from dataclasses import replace

import pytest

from service.http.page import age, render
from service.http.snapshot import Gemini, Queue, Snapshot, Writers, frozen
from service.http.verdicts import Limits, health, liveness, readiness
from service.settings import Settings
from service.streams.depth import ConsumerState

NOW = 1_000.0
LIMITS = Limits.of(Settings(_env_file=None))
FRESH = frozen({"read {learning}:jobs": NOW, "sweep": NOW, "due": NOW, "lease": NOW})
WELL = Snapshot(
    taken=NOW,
    started=0,
    phase="working",
    joined_at=1,
    consumer="pod-1",
    concurrency=5,
    heartbeats=FRESH,
    gemini=Gemini(state="available", cache_hits=87, cache_misses=13, hit_rate=0.87),
    queue=Queue(NOW, waiting=3, active=2),
    writers=Writers(NOW),
)


def test_the_shape_of_health() -> None:
    status, body = health(WELL, LIMITS, NOW)
    assert status == 200
    assert body["status"] == "ok"
    assert body["services"] == {
        "mongodb": "connected",
        "redis": "connected",
        "gemini": "available",
        "queue": "healthy",
    }
    assert {"queueLength": 5, "activeWorkers": 5, "cacheHitRate": 0.87}.items() <= body["metrics"].items()


@pytest.mark.parametrize("loop", ["read {learning}:jobs", "sweep", "due", "lease"])
def test_each_silent_loop_is_named(loop: str) -> None:
    beats = frozen({**FRESH, loop: NOW - 200})
    status, body = liveness(replace(WELL, heartbeats=beats), LIMITS, NOW)
    assert status == 503
    assert [reason.partition(":")[0] for reason in body["reasons"]] == [loop.partition(" ")[0]]
    never = frozen({name: at for name, at in FRESH.items() if name != loop})
    assert liveness(replace(WELL, heartbeats=never), LIMITS, NOW)[0] == 503
    assert liveness(replace(WELL, heartbeats=never, joined_at=NOW - 5), LIMITS, NOW)[0] == 200


def test_of_several_readers_the_slowest_counts() -> None:
    beats = frozen({**FRESH, "read {learning:1}:jobs": NOW - 500})
    assert liveness(replace(WELL, heartbeats=beats), LIMITS, NOW)[1]["ages"]["read"] == 500


def test_liveness_asks_no_server() -> None:
    away = replace(WELL, away=frozen({"redis": 0.0, "mongodb": 0.0}), queue=None)
    assert liveness(away, LIMITS, NOW)[0] == 200
    assert readiness(away, LIMITS, NOW)[0] == 503
    assert health(away, LIMITS, NOW)[0] == 503


def test_draining_watches_the_renewal_alone() -> None:
    beats = frozen({"read x": 0.0, "sweep": 0.0, "due": 0.0, "lease": NOW})
    draining = replace(WELL, phase="draining", heartbeats=beats)
    assert liveness(draining, LIMITS, NOW)[0] == 200
    assert readiness(draining, LIMITS, NOW)[1]["reasons"] == ["draining: no new jobs are read"]
    assert liveness(replace(draining, heartbeats=frozen({"lease": 0.0})), LIMITS, NOW)[0] == 503


def test_each_thing_awaited_is_a_reason() -> None:
    new = Snapshot(taken=NOW, started=NOW)
    assert [reason.partition(" has")[0] for reason in readiness(new, LIMITS, NOW)[1]["reasons"]] == [
        "starting: MongoDB",
        "starting: the index of what is due",
        "starting: Redis",
        "starting: the consumer group",
    ]
    assert readiness(replace(new, awaiting=("group",)), LIMITS, NOW) == (
        503,
        {"status": "unready", "reasons": ["starting: the consumer group has not been joined yet"]},
    )
    assert liveness(new, LIMITS, NOW)[0] == 200


def test_the_grace() -> None:
    for seconds, status in ((9, 200), (11, 503)):
        assert readiness(replace(WELL, away=frozen({"redis": NOW - seconds})), LIMITS, NOW)[0] == status


def test_an_open_breaker_is_told_and_well() -> None:
    status, body = health(replace(WELL, gemini=Gemini(state="open")), LIMITS, NOW)
    assert (status, body["services"]["gemini"]) == (200, "unavailable")


def test_everything_on_the_page_is_escaped() -> None:
    evil = "<script>alert('x')</script>\" onload=1"
    queue = Queue(NOW, dead=1, dead_by_reason=((evil, 1),), consumers=(ConsumerState(evil, 1, 2.0),))
    page = render(replace(WELL, consumer=evil, queue=queue), LIMITS, NOW).html()
    assert "<script>" not in page
    assert "&lt;script&gt;" in page
    assert '" onload' not in page


def test_many_consumers_are_cut() -> None:
    consumers = tuple(ConsumerState(f"pod-{number}", 0, 1.0) for number in range(80))
    page = render(replace(WELL, queue=Queue(NOW, consumers=consumers)), LIMITS, NOW).html()
    assert "Consumers (80)" in page
    assert "and 30 more" in page


def test_ages_as_people_say_them() -> None:
    assert [age(seconds) for seconds in (0.2, 5, 90, 7_200, 200_000)] == ["now", "5 s", "2 min", "2 h", "2 d"]
