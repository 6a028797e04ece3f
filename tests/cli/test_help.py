"""Help is quick, complete and shows how; errors are one line."""

from __future__ import annotations

import subprocess
import sys
from typing import Any

import pytest

from service.cli.app import COMMANDS, load
from service.cli.failures import explain
from service.errors import DependencyDown, Misconfigured
from service.links import address
from tests.cli.conftest import ROOT, Run

HEAVY = ("redis", "pymongo", "beanie", "pydantic", "rich", "google", "structlog", "opentelemetry", "anyio")


def test_help_of_everything_imports_nothing_heavy() -> None:
    program = (
        "import sys\n"
        "from service.cli.app import main\n"
        "sys.argv[1:] = ['--help']\n"
        "try:\n    main()\n"
        f"finally:\n    print([name for name in {HEAVY!r} if name in sys.modules], file=sys.stderr)\n"
    )
    done = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stderr.strip() == "[]"
    for row in COMMANDS.values():
        assert row.summary in done.stdout
    assert max(map(len, done.stdout.splitlines())) <= 80


def _all(name: str) -> list[Any]:
    command = load(name)
    return [command, *getattr(command, "commands", {}).values()]


@pytest.mark.parametrize("name", COMMANDS)
def test_help_begins_with_the_summary_and_has_examples(name: str) -> None:
    command, *others = _all(name)
    assert command.help.splitlines()[0] == COMMANDS[name].summary
    for one in (command, *others):
        examples = one.help.partition("\b\nExamples:\n")[2]
        assert "learnsvc " in examples, one.name
        assert max(map(len, one.help.splitlines())) <= 78, one.name


def test_errors_of_usage(offline: Run) -> None:
    assert "Did you mean 'schema'" in offline("scema", code=2, process=True).stderr
    line = offline("enqueue", "--zzz", code=2).stderr
    assert line == "Error: No such option: --zzz. See learnsvc enqueue --help\n"


def test_a_wrong_setting_is_named(offline: Run) -> None:
    done = offline("replay", "-", "--set", "PATTERN_THRESHOLD_EMOJI=0", code=1)
    assert done.stderr.startswith("Error: PATTERN_THRESHOLD_EMOJI: ")
    assert len(done.stderr.splitlines()) == 1


def test_servers_that_are_away_are_named(offline: Run) -> None:
    redis = offline("status", code=1, process=True).stderr
    assert redis.startswith("Error: Redis at 127.0.0.1:1 does not answer")
    assert "REDIS_URL" in redis
    mongodb = offline("profile", "show", "ana", code=1, process=True).stderr
    assert mongodb.startswith("Error: MongoDB at 127.0.0.1:1 does not answer")
    assert "MONGODB_URI" in mongodb


def test_a_reader_that_leaves_is_no_error(offline: Run) -> None:
    command = f"{sys.executable} -m service.cli schema | head -1"
    done = subprocess.run(["sh", "-c", command], cwd=ROOT, capture_output=True, text=True, check=True)
    assert (done.stdout, done.stderr) == ("{\n", "")


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("redis://:secret@cache:6379/0", "cache:6379"),
        ("redis://user:p@ss@cache:6379/0?x=1", "cache:6379"),
        ("mongodb://u:p@a:1,b:2/db?replicaSet=rs", "a:1,b:2"),
        ("unix:///run/redis.sock?db=1", "/run/redis.sock"),
    ],
)
def test_an_address_shows_no_password(url: str, shown: str) -> None:
    assert address(url) == shown


@pytest.mark.parametrize(
    ("error", "line"),
    [
        (Misconfigured("wrong"), "wrong"),
        (FileNotFoundError(2, "No such file or directory", "x.jsonl"), "x.jsonl: No such file or directory"),
        (ExceptionGroup("tasks", [ExceptionGroup("inner", [Misconfigured("deep")])]), "deep"),
        (KeyError("text of a writer"), "internal error: KeyError; run learnsvc --debug to see all of it"),
    ],
)
def test_errors_become_one_line(error: Exception, line: str) -> None:
    assert explain(error) == line


def test_an_absent_dependency_says_what_to_do() -> None:
    assert "start it, or correct MONGODB_URI" in explain(DependencyDown("mongodb", "NetworkTimeout"))
