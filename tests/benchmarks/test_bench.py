"""The parts of the benchmark that measure nothing: statistics, targets, tables, jobs, options."""

import io
from pathlib import Path

import orjson
import pytest
from rich.console import Console

from schemas.job import decode_job
from service.analysis import analyze
from tests.benchmarks import jobs, table
from tests.benchmarks.__main__ import about, read_run
from tests.benchmarks.options import Options, parse
from tests.benchmarks.results import Results, UnusableRun, percentile
from tests.benchmarks.rows import ROWS
from tests.benchmarks.targets import TARGETS
from tests.tables import write_between


def results(**samples: list[float]) -> Results:
    found = Results()
    for name, values in samples.items():
        for value in values:
            found.add(name, value, "x")
    return found


@pytest.mark.parametrize(("share", "expected"), [(0.0, 1), (0.5, 2), (0.51, 3), (0.99, 4), (1.0, 4)])
def test_percentile_is_a_value_that_was_measured(share: float, expected: float) -> None:
    assert percentile([4, 1, 3, 2], share) == expected


def test_ratio_compares_within_a_round() -> None:
    """The machine was half as fast in the second round; the ratio is 2 in each."""
    assert results(a=[200, 100, 220], b=[100, 50, 110]).ratio("a", "b") == 2
    assert results(a=[200], b=[100, 50, 110]).ratio("a", "b") == 2
    assert results(a=[1]).ratio("a", "b") is None


def test_a_target_is_reached_missed_or_not_measured() -> None:
    memory = next(target for target in TARGETS if target.unit == "MB")
    measured = [results(**{"memory/one process": [value]}) for value in (150.0, 151.0)]
    assert [memory.reached(one) for one in (*measured, Results())] == [True, False, None]


def test_the_best_peer_is_what_counts() -> None:
    found = Results()
    for name, rate in (("throughput/one process", 90), ("peer/python: a", 50), ("peer/python: b", 100)):
        found.add(name, rate, "jobs/s")
    found.add("peer/python: a: worker", 500, "CPU ms/job")
    assert TARGETS[0].value(found) == 0.9


def test_the_documentation_says_what_was_missed(tmp_path: Path) -> None:
    found = results(**{"memory/one process": [151.0]})
    found.about = about(Options(jobs=20_000))
    page = tmp_path / "page.md"
    page.write_text("Before.\n<!-- make bench -->\nold\n<!-- /make bench -->\nAfter.\n")
    write_between("make bench", table.as_markdown(found), page)
    lines = page.read_text().splitlines()
    assert (lines[0], lines[-1]) == ("Before.", "After.")
    assert "old" not in lines
    rows = [line for line in lines if line.startswith("| ")]
    assert len(rows) == len(TARGETS) + 1
    assert "| memory of the worker, 20 writers in work | ≤ 150 MB | 151 | missed |" in rows
    with pytest.raises(ValueError, match="make lunch"):
        write_between("make lunch", "", page)


def test_a_saved_run_is_shown_beside_the_new_one(tmp_path: Path) -> None:
    saved = tmp_path / "run.json"
    saved.write_bytes(orjson.dumps(results(**{"extraction/2 KB pair": [0.4, 0.2, 0.3]}).as_json()))
    out = io.StringIO()
    table.show(results(**{"extraction/2 KB pair": [0.15]}), read_run(saved), Console(file=out, width=160))
    line = next(line for line in out.getvalue().splitlines() if "extraction/2 KB pair" in line)
    assert [cell.strip() for cell in line.split("│")[2:8]] == ["0.150", "0.150", "0.150", "x", "0.300", "0.500"]


@pytest.mark.parametrize("content", [b"[]", b"{", b'{"format": 99}', b'{"format": 1}'])
def test_what_is_no_saved_run_is_refused(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "run.json").write_bytes(content)
    with pytest.raises(UnusableRun, match=r"run\.json"):
        read_run(tmp_path / "run.json")


def test_options() -> None:
    rows = {row.name: row.about for row in ROWS}
    assert parse([], rows) == Options(rows=tuple(rows))
    assert parse(["--quick", "--rounds", "2"], rows).rounds == 2
    assert parse(["--rows", "hot,floors"], rows).rows == ("floors", "hot")


@pytest.mark.parametrize("wrong", [["--rows", "nothing"], ["--rounds", "0"], ["--pair-kb", "nan"], ["--jobs", "many"]])
def test_wrong_options_end_with_usage(wrong: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        parse(wrong, {"floors": "what drivers reach"})
    assert ended.value.code == 2
    assert wrong[0] in capsys.readouterr().err


@pytest.mark.parametrize("kb", [2, 20])
def test_a_pair_has_its_size_and_is_an_edit_of_style(kb: float) -> None:
    pairs = [jobs.pair(seed, kb) for seed in range(40)]
    sizes = [len("".join(pair).encode()) for pair in pairs]
    assert sum(sizes) / len(sizes) == pytest.approx(kb * 1024, rel=0.2)
    deltas = [analyze(*pair).delta for pair in pairs]
    assert sum(delta.is_noise for delta in deltas) < len(deltas) / 2
    assert not any(delta.is_rewrite for delta in deltas)


def test_jobs_are_valid_distinct_and_the_same_every_time() -> None:
    def series() -> list[list[bytes]]:
        return [list(made) for made in (jobs.spread(50, 10, 2), jobs.in_turn(50, 10, 2), jobs.of_one(50, 2))]

    assert series() == series()
    for made in series():
        assert len({decode_job(raw).job_id for raw in made}) == 50
