"""The metrics: a text every Prometheus reads, with a fixed number of series."""

import re
from pathlib import Path

import pytest
from prometheus_client.parser import text_string_to_metric_families

from service.http.snapshot import Gemini, Queue, Snapshot, Writers, frozen
from service.streams.keys import GROUP
from service.telemetry.histograms import Histograms
from service.telemetry.metrics import Telemetry
from service.telemetry.stages import STAGES
from tests.observability.promtool import promtool

NOW = 1_000.0

EMPTY = Snapshot(taken=NOW, started=0)
FULL = Snapshot(
    taken=NOW - 0.5,
    started=0,
    phase="working",
    joined_at=1,
    entries_in_work=4,
    away=frozen({"redis": 990.0}),
    heartbeats=frozen({"read {learning}:jobs": 997.0, "sweep": NOW, "due": NOW, "lease": NOW}),
    oldest_in_work_seconds=12.5,
    lease_seconds=30,
    counts=frozen(
        {
            "received": 20,
            "learned": 7,
            "deferred": 5,
            "lost": 2,
            "conflicts": 2,
            "failed_attempt": 1,
            "redelivered": 4,
            "reclaimed": 3,
            "released": 6,
            "pattern emoji usage": 8,
        }
    ),
    gemini=Gemini("open", 9, 100, 10, 6, 3, 2, 0.67, frozen({"timeout": 5, "busy": 0})),
    queue=Queue(NOW, waiting=3, active=2, dead=1, oldest_pending_seconds=1.5, pending_idle_seconds=0.7),
    writers=Writers(NOW, 8, 1),
)


def exposition(snapshot: Snapshot, histograms: Histograms | None = None) -> str:
    text, content_type = Telemetry(lambda: snapshot, lambda: NOW, histograms=histograms).exposition()
    assert content_type.startswith("text/plain; version=")
    return text.decode()


def samples(snapshot: Snapshot, histograms: Histograms | None = None) -> dict[tuple[str, ...], float]:
    """Return the samples by name and label values, in the order of the labels' names."""
    return {
        (sample.name, *(sample.labels[label] for label in sorted(sample.labels))): sample.value
        for family in text_string_to_metric_families(exposition(snapshot, histograms))
        for sample in family.samples
        if family.name != "target_info"
    }


def test_the_numbers_of_a_snapshot() -> None:
    found = samples(FULL)
    expected = {
        ("learnsvc_jobs_total", "learned"): 7,
        ("learnsvc_jobs_total", "duplicate"): 0,
        ("learnsvc_jobs_total", "failed_attempt"): 1,
        ("learnsvc_jobs_total", "deferred"): 5,
        ("learnsvc_jobs_total", "lost"): 2,
        ("learnsvc_conflicts_total",): 2,
        ("learnsvc_redelivered_total",): 4,
        ("learnsvc_reclaimed_total",): 3,
        ("learnsvc_released_total",): 6,
        ("learnsvc_patterns_total", "emoji usage"): 8,
        ("learnsvc_patterns_total", "banned phrase"): 0,
        ("messaging_client_consumed_messages_total", GROUP, "{learning}:jobs", "process", "redis"): 20,
        ("learnsvc_queue_pending_idle_seconds",): 0.7,
        ("learnsvc_in_work_oldest_seconds",): 12.5,
        ("learnsvc_lease_seconds",): 30,
        ("learnsvc_queue_depth",): 5,
        ("learnsvc_queue_pending",): 2,
        ("learnsvc_queue_oldest_pending_seconds",): 1.5,
        ("learnsvc_dead_letters",): 1,
        ("learnsvc_writers_due",): 8,
        ("learnsvc_writers_overdue",): 1,
        ("learnsvc_in_work",): 4,
        ("learnsvc_heartbeat_age_seconds", "read"): 3,
        ("learnsvc_heartbeat_age_seconds", "event loop"): 0.5,
        ("learnsvc_dependency_up", "redis"): 0,
        ("learnsvc_dependency_up", "mongodb"): 1,
        ("learnsvc_gemini_up",): 0,
        ("learnsvc_gemini_calls_total",): 9,
        ("learnsvc_gemini_tokens_total", "in"): 100,
        ("learnsvc_gemini_failures_total", "timeout"): 5,
        ("learnsvc_gemini_cache_total", "hit"): 6,
    }
    assert expected.items() <= found.items()


def test_nothing_is_invented_before_the_servers_answered() -> None:
    names = {name for name, *_ in samples(EMPTY)}
    assert not {name for name in names if name.startswith(("learnsvc_queue", "learnsvc_writers", "learnsvc_dead"))}
    assert "learnsvc_gemini_up" not in names


def test_counters_follow_the_snapshot_and_repeat() -> None:
    newest = [FULL]
    telemetry = Telemetry(lambda: newest[0], lambda: NOW)
    assert telemetry.exposition() == telemetry.exposition()
    newest[0] = EMPTY
    assert b'learnsvc_jobs_total{outcome="learned"} 0.0' in telemetry.exposition()[0]


def test_names_help_and_labels() -> None:
    for family in text_string_to_metric_families(exposition(FULL)):
        assert re.fullmatch(r"(learnsvc|messaging)_[a-z_]+|target_info", family.name)
        assert family.documentation
        assert len(family.samples) <= (150 if family.type == "histogram" else 20)


def test_the_number_of_series_never_changes() -> None:
    """Label values are closed lists: what a worker did before it was asked adds none."""
    busy = Histograms()
    for stage in STAGES:
        busy.stage.record(0.1, stage)
    busy.process.record(1, "bug")
    busy.score_change.record(3, "up")
    assert len(samples(FULL, busy)) == len(samples(FULL))
    assert len(samples(FULL)) < 400


def test_histograms() -> None:
    counted = Histograms()
    for seconds in (0.0005, 0.001, 0.002, 40):
        counted.stage.record(seconds, "commit")
    counted.batch_size.record(3)
    counted.process.record(0.2)
    counted.process.record(0.3, "bug")
    found = samples(FULL, counted)
    buckets = [found["learnsvc_stage_duration_seconds_bucket", le, "commit"] for le in ("0.001", "0.0025", "+Inf")]
    assert buckets == [2, 3, 4]
    assert found["learnsvc_stage_duration_seconds_sum", "commit"] == pytest.approx(40.0035)
    assert found["learnsvc_stage_duration_seconds_count", "analyse"] == 0
    assert found["learnsvc_batch_size_bucket", "5"] == 1
    fixed = (GROUP, "{learning}:jobs", "process", "redis")
    assert found["messaging_process_duration_seconds_count", "", *fixed] == 1
    assert found["messaging_process_duration_seconds_count", "bug", *fixed] == 1


def test_the_readme_names_every_metric_and_no_other() -> None:
    text = (Path(__file__).parents[2] / "service" / "README.md").read_text()
    section = text.partition("**Metrics**")[2].partition("**Traces**")[0]
    rows = [line.split("|")[1] for line in section.splitlines() if line.startswith("| `") and "`learnsvc_`" not in line]
    labels = {"outcome", "stage", "kind", "direction", "loop", "service"}
    named = {f"learnsvc_{name}" for row in rows for name in re.findall(r"`([a-z_]+)`", row) if name not in labels}
    named |= set(re.findall(r"`(messaging_[a-z_]+)`", section))
    suffixes = {"counter": "_total"}
    families = text_string_to_metric_families(exposition(FULL))
    emitted = {family.name + suffixes.get(family.type, "") for family in families} - {"target_info"}
    assert named == emitted


def test_promtool_has_nothing_to_say() -> None:
    assert promtool("check", "metrics", given=exposition(FULL)) == ""
