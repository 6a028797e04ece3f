"""The log: its two formats, what never appears in it, the libraries' lines, and faults that last."""

import io
import json
import logging
import subprocess
import sys
from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime
from enum import Enum
from pathlib import Path
from typing import Any

import pytest
import structlog
from hypothesis import given
from hypothesis import strategies as st

from service import logs
from service.repeats import Repeats

UNSAFE = "\x00\x07\n\r\t\x1b\x7f\x85\x9b\u061c\u200e\u2028\u2029\u202a\u202e\u2066\u2069\ud800"
NOON = datetime(2026, 3, 4, 12, 30, 15, 123456, tzinfo=UTC)


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.fixture(autouse=True)
def _restore() -> Iterator[None]:
    """Leave no logging set-up behind, and start from a plain one."""
    root = logging.getLogger()
    handlers, level = list(root.handlers), root.level
    yield
    root.handlers[:] = handlers
    root.setLevel(level)
    for name in (*logs.HELD_AT_WARNING, "uvicorn.error"):
        logging.getLogger(name).setLevel(logging.NOTSET)
    structlog.reset_defaults()


@pytest.fixture
def stream() -> io.StringIO:
    """JSON lines of level info go here."""
    stream = io.StringIO()
    logs.configure("info", json=True, stream=stream)
    return stream


def lines(stream: io.StringIO) -> list[dict[str, Any]]:
    return [json.loads(line) for line in stream.getvalue().splitlines()]


def text(message: str, level: str = "info", *, colours: bool = False, **extras: Any) -> str:
    render = logs.Renderer(json=False, colours=colours, clock=NOON.timestamp)
    return render(None, level, {"event": message, **extras})


def test_json_lines(stream: io.StringIO) -> None:
    logs.get_logger(user_id="ada").warning("[Learning] Job 7 failed", job_id="7", attempt=2, ratio=0.5)
    (line,) = lines(stream)
    assert line.pop("time").endswith("Z")
    assert line == {
        "level": "warning",
        "message": "[Learning] Job 7 failed",
        "user_id": "ada",
        "job_id": "7",
        "attempt": 2,
        "ratio": 0.5,
    }
    assert list(json.loads(stream.getvalue()))[:3] == ["time", "level", "message"]


def test_time_in_json_is_utc_with_milliseconds() -> None:
    line = logs.Renderer(json=True, clock=NOON.timestamp)(None, "info", {"event": "x"})
    assert json.loads(line)["time"] == "2026-03-04T12:30:15.123Z"


def test_an_extra_cannot_replace_time_level_or_message(stream: io.StringIO) -> None:
    logs.get_logger().info("real", message="forged", level="forged", time="forged")
    (line,) = lines(stream)
    assert (line["message"], line["level"], line["message_"]) == ("real", "info", "forged")


@pytest.mark.parametrize(
    "message",
    [
        "Worker started · Redis connected · MongoDB connected · Processing jobs with concurrency: 5",
        "[Learning] Processing job 12345",
        "[Learning] Evolution score: 45% → 52%",
    ],
)
def test_lines_for_a_person_are_as_promised(message: str) -> None:
    clock, _, rest = text(message).partition(" ")
    assert rest == message
    assert clock == NOON.astimezone().strftime("%H:%M:%S")


def test_extras_for_a_person_are_few() -> None:
    line = text("[Learning] Processing job 12345", job_id="12345", user_id="ada", trace_id="f" * 32)
    assert line.endswith("[Learning] Processing job 12345  user_id=ada")


def test_colours() -> None:
    clock = f"\x1b[2m{NOON.astimezone():%H:%M:%S}\x1b[0m"
    assert text("[Learning] Done", colours=True) == f"{clock} \x1b[36m[Learning]\x1b[0m Done"
    assert text("Bad", "error", colours=True, n=1) == f"{clock} \x1b[31mBad\x1b[0m  \x1b[2mn=1\x1b[0m"


@pytest.mark.parametrize(
    ("terminal", "environment", "wanted"),
    [
        (True, {}, True),
        (False, {}, False),
        (True, {"NO_COLOR": "1"}, False),
        (True, {"NO_COLOR": ""}, True),
        (True, {"TERM": "dumb"}, False),
        (False, {"FORCE_COLOR": "1"}, True),
        (True, {"NO_COLOR": "1", "FORCE_COLOR": "1"}, False),
    ],
)
def test_who_gets_colours(terminal: bool, environment: dict[str, str], wanted: bool) -> None:
    assert logs.wants_colours(terminal, environment) is wanted


def test_format_follows_the_stream(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "xterm")
    terminal, pipe = Terminal(), io.StringIO()
    logs.configure(stream=terminal)
    logs.get_logger().info("hello")
    assert "\x1b[32mhello\x1b[0m" in terminal.getvalue()
    logs.configure(stream=pipe)
    logs.get_logger().info("hello")
    assert lines(pipe)[0]["message"] == "hello"
    assert terminal.getvalue().count("hello") == 1


def test_stderr_is_looked_up_for_every_line(monkeypatch: pytest.MonkeyPatch) -> None:
    logs.configure(json=True)
    taken_over = io.StringIO()
    monkeypatch.setattr(sys, "stderr", taken_over)
    logs.get_logger().info("above the progress bar")
    assert lines(taken_over)


def test_level(stream: io.StringIO) -> None:
    logs.configure("warning", json=True, stream=stream)
    logs.get_logger().info("quiet")
    logging.getLogger("some.library").info("quiet")
    logs.get_logger().warning("heard")
    assert [line["message"] for line in lines(stream)] == ["heard"]
    with pytest.raises(ValueError, match="no such log level: loud"):
        logs.configure("loud")


@pytest.mark.parametrize("as_json", [True, False])
@pytest.mark.parametrize("place", ["message", "value", "nested", "listed", "key"])
def test_nobody_forges_a_line(as_json: bool, place: str) -> None:
    event: dict[str, Any] = {"event": "hello", "user_id": "ada"}
    if place == "message":
        event["event"] = f"hello {UNSAFE}"
    elif place == "value":
        event["user_id"] = UNSAFE
    elif place == "nested":
        event["users"] = [{UNSAFE: UNSAFE}]
    elif place == "listed":
        event["users"] = ["ada", UNSAFE]
    else:
        event[UNSAFE] = 1
    line = logs.Renderer(json=as_json, colours=False, clock=NOON.timestamp)(None, "info", event)
    assert not set(line) & set(UNSAFE)
    assert "\\x7f" in line
    assert "\\u202e" in line


@given(
    st.text()
    | st.binary()
    | st.lists(st.text() | st.none())
    | st.dictionaries(st.text(), st.integers() | st.floats() | st.text())
)
def test_anything_becomes_one_line(value: object) -> None:
    for as_json in (True, False):
        line = logs.Renderer(json=as_json, clock=NOON.timestamp)(None, "info", {"event": value, "extra": value})
        assert len(line.splitlines()) == 1
        line.encode()


def test_letters_of_all_scripts_stay() -> None:
    assert logs.escape("Zoë 日本 שלום 👩‍👩‍👧 “quoted” · →") == "Zoë 日本 שלום 👩‍👩‍👧 “quoted” · →"


def test_long_values_are_cut() -> None:
    assert logs.escape("x" * 5_000) == f"{'x' * 2_000}… (5000 characters)"


def test_only_known_types_show_their_value() -> None:
    class Draft:
        def __repr__(self) -> str:
            return "secret"

    assert logs.safe([Draft(), b"secret", ValueError("secret"), 2**80, Path("/a"), NOON]) == [
        "<Draft>",
        "<bytes>",
        "ValueError",
        str(2**80),
        "/a",
        str(NOON),
    ]


def test_an_enumeration_says_its_value_also_in_a_list() -> None:
    class Place(str, Enum):  # noqa: UP042 - whose str() is its name, not its value
        HERE = "here"

    assert [type(one) for one in logs.safe([Place.HERE, "there"])] == [str, str]
    assert logs.safe([Place.HERE, "there"]) == ["here", "there"]


def test_values_nested_without_end_are_named() -> None:
    loop: list[Any] = []
    loop.append(loop)
    assert "<list>" in str(logs.safe(loop))


def test_exceptions_tell_class_and_place_and_never_their_message(stream: io.StringIO) -> None:
    try:
        try:
            raise KeyError("secret")
        except KeyError as error:
            raise ValueError("secret") from error
    except ValueError:
        logs.get_logger().exception("It failed")
    (line,) = lines(stream)
    assert (line["level"], line["error"], line["cause"]) == ("error", "ValueError", "KeyError")
    assert line["where"][0].startswith("test_logs.py:")
    assert "secret" not in stream.getvalue()


def test_exceptions_of_a_group_are_named() -> None:
    class Refused(Exception):
        code = 13

    group = ExceptionGroup("secret", [Refused("secret"), OSError("secret")])
    told = logs.describe(group)
    assert told["error"] == f"ExceptionGroup({__name__}.{Refused.__qualname__}, OSError)"
    assert logs.describe(Refused())["code"] == 13
    assert "secret" not in str(told)


def test_libraries_come_in_the_same_format(stream: io.StringIO) -> None:
    logging.getLogger("some.library").warning("%d pages\nand a second line", 3)
    try:
        raise RuntimeError("secret")
    except RuntimeError:
        logging.getLogger("some.library").exception("broken")
    first, second = lines(stream)
    assert (first["message"], first["level"], first["logger"]) == ("3 pages", "warning", "some.library")
    assert (second["message"], second["error"]) == ("broken", "RuntimeError")
    assert "secret" not in stream.getvalue()


def test_a_library_whose_arguments_do_not_fit_is_still_heard(stream: io.StringIO) -> None:
    (bridge,) = (h for h in logging.getLogger().handlers if h.__module__ == "service.logs")
    bridge.handle(logging.LogRecord("some.library", logging.ERROR, "", 1, "%d pages", ("three",), None))
    assert lines(stream)[0]["message"] == "%d pages"


def test_configuring_twice_writes_once(stream: io.StringIO) -> None:
    logs.configure(json=True, stream=stream)
    logging.getLogger("some.library").warning("one")
    assert len(lines(stream)) == 1


@pytest.mark.parametrize("name", ["pymongo", "redis", "httpx2", "httpcore2", "google_genai", "asyncio", "uvicorn"])
def test_libraries_that_log_what_they_carry_are_held(name: str) -> None:
    stream = io.StringIO()
    logs.configure("debug", json=True, stream=stream)
    child = logging.getLogger(f"{name}.command")
    logging.getLogger(name).info("document")
    child.debug("document")
    child.setLevel(logging.DEBUG)
    child.debug("document")
    child.warning("trouble")
    child.setLevel(logging.NOTSET)
    assert [line["message"] for line in lines(stream)] == ["trouble"]
    logs.configure("error", json=True, stream=stream)
    assert logging.getLogger(name).level == logging.ERROR


def test_values_of_a_block_go_with_its_lines(stream: io.StringIO) -> None:
    with logs.bound(user_id="ada", job_id="7"):
        with logs.bound(job_id="8"):
            logs.get_logger().info("inner")
        logs.get_logger().info("outer")
        logs.get_logger(job_id="9").info("says otherwise")
    logs.get_logger().info("outside")
    told = [(line.get("user_id"), line.get("job_id")) for line in lines(stream)]
    assert told == [("ada", "8"), ("ada", "7"), ("ada", "9"), (None, None)]


def test_a_broken_stream_never_fails_the_work() -> None:
    class Full(io.StringIO):
        def write(self, _: str) -> int:
            raise OSError(28, "No space left on device")

    closed = io.StringIO()
    logs.configure(json=True, stream=closed)
    closed.close()
    logs.get_logger().info("into nothing")
    logs.configure(json=True, stream=Full())
    logs.get_logger().info("into nothing")


def test_a_stream_of_few_letters_still_gets_the_line() -> None:
    raw = io.BytesIO()
    logs.configure(json=False, stream=io.TextIOWrapper(raw, encoding="ascii"))
    logs.get_logger().info("45% → 52%")
    assert b"45% \\u2192 52%\n" in raw.getvalue()


class Counted(io.StringIO):
    """A stream that remembers what was flushed."""

    def __init__(self) -> None:
        super().__init__()
        self.flushed: list[str] = []

    def flush(self) -> None:
        self.flushed.append(self.getvalue())


def test_lines_of_a_block_are_written_at_once_also_when_it_fails() -> None:
    stream = Counted()
    logs.configure(json=True, stream=stream)
    logger = logs.get_logger()
    logger.info("alone")
    with suppress(KeyError), logs.together():
        logger.info("one")
        logging.getLogger("a.library").warning("two")
        raise KeyError
    logger.info("after")
    messages = [[json.loads(line)["message"] for line in text.splitlines()] for text in stream.flushed]
    assert messages == [["alone"], ["alone", "one", "two"], ["alone", "one", "two", "after"]]


def test_a_block_without_a_line_writes_nothing() -> None:
    stream = Counted()
    logs.configure(json=True, stream=stream)
    with logs.together():
        logs.get_logger().debug("not at this level")
    assert stream.flushed == []


def test_importing_is_cheap() -> None:
    """No clock in this: what makes it slow is what it must not bring along."""
    program = "import sys, service.logs; print([m for m in ('structlog', 'rich', 'orjson') if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


class Clock:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def test_a_lasting_fault_is_told_once_a_minute(stream: io.StringIO) -> None:
    clock = Clock()
    faults = logs.FaultLog(repeats=Repeats(clock))
    told = []
    for _ in range(1_000):  # 150 s
        told.append(faults.fault("redis", "Redis is away", host="h"))
        clock.now += 0.15
    assert faults.active("redis")
    assert sum(told) == 3
    assert [line["message"] for line in lines(stream)] == [
        "Redis is away",
        "Redis is away (400 times in 60 s)",
        "Redis is away (400 times in 60 s)",
    ]
    assert all((line["level"], line["host"]) == ("warning", "h") for line in lines(stream))


def test_a_library_that_repeats_itself_is_heard_once_a_minute(
    stream: io.StringIO, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = Clock()
    monkeypatch.setattr(logs, "Repeats", lambda: Repeats(clock))
    logs.configure(json=True, stream=stream)
    logger = logging.getLogger("opentelemetry.exporter.otlp")
    for number in range(1_000):  # 150 s
        logger.warning("no collector, try %d", number)
        clock.now += 0.15
    logging.getLogger("another.library").warning("a line")
    logging.getLogger("another.library").warning("a line")
    assert [line["message"] for line in lines(stream)] == [
        "no collector, try 0",
        "no collector, try 400 (400 times in 60 s)",
        "no collector, try 800 (400 times in 60 s)",
        "a line",
        "a line",
    ]


def test_recovery_is_told_once_and_the_next_fault_is_new(stream: io.StringIO) -> None:
    clock = Clock()
    faults = logs.FaultLog(repeats=Repeats(clock))
    assert not faults.recovered("redis")
    faults.fault("redis", "Redis is away")
    faults.fault("redis", "Redis is away")
    clock.now += 12
    assert faults.recovered("redis")
    assert not faults.recovered("redis")
    assert not faults.active("redis")
    assert faults.fault("redis", "Redis is away")
    away, back, again = lines(stream)
    assert (back["message"], back["faults"], back["level"]) == ("Recovered: redis, after 12 s", 2, "info")
    assert away["message"] == again["message"]


def test_faults_of_different_keys_are_apart(stream: io.StringIO) -> None:
    faults = logs.FaultLog(logs.get_logger(), Repeats(Clock()))
    assert faults.fault("redis", "Redis is away")
    assert faults.fault("mongodb", "MongoDB is away")
    assert faults.recovered("redis", "Redis is back")
    assert faults.active("mongodb")
    assert lines(stream)[-1]["message"] == "Redis is back"
