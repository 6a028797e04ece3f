"""The log: one line an event, for a person on a terminal and as JSON for everything else.

Both formats are made by one renderer from the same event, whether it came through structlog (this service) or
through `logging` (the libraries). Three rules hold in both:

* **One event is one line.** Control characters, line and paragraph separators and the characters that turn
  the writing direction around are escaped in every key and value, so nobody's `user_id` can forge a line.
* **No text of a writer.** Values of unknown types appear as the name of their type, exceptions as their
  class, code and place but never with their message: drivers and validators put documents into it. Of a
  library's message only the first line is kept (asyncio writes the repr of exceptions into the others), and
  libraries that log what they carry are held at WARNING or above.
* **Logging never fails the work.** A closed or full stream is ignored.

Importing this module is cheap; structlog (half a second, as it brings Rich) is imported on first use.
"""

from __future__ import annotations

import logging
import os
import re
import sys
import threading
import time
import traceback
from collections.abc import Callable, Collection, Iterator, Mapping, MutableMapping
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from datetime import UTC, date, datetime, timedelta
from enum import Enum
from functools import lru_cache
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, TextIO

from service.repeats import Repeats

if TYPE_CHECKING:
    from structlog.typing import FilteringBoundLogger

HELD_AT_WARNING = (
    "pymongo",
    "redis",
    "httpx2",
    "httpcore2",
    "google_genai",
    "google",
    "asyncio",
    "uvicorn",
    "markdown_it",
)
COLLAPSED = ("opentelemetry",)  # libraries that tell of a lasting fault with every try: one line a minute
FOR_MACHINES = ("trace_id", "entry_id", "job_ids")
MAX_CHARS = 2_000  # of one value; a job id has 128, our longest message a few hundred
MAX_FRAMES = 8  # of a traceback, the innermost
MAX_DEPTH = 4  # of nested values

_UNSAFE = re.compile("[\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff]")
_SHORT = {"\n": "\\n", "\r": "\\r", "\t": "\\t"}
_LEVELS = {"exception": "error", "warn": "warning", "fatal": "critical", "msg": "info"}
_TAG = re.compile(r"\[[A-Za-z]+\](?= )")
_bound: ContextVar[Mapping[str, Any]] = ContextVar("bound", default=MappingProxyType({}))
# The lines of a block that are to be written at once, and who writes them.
_together: ContextVar[dict[_Sink, list[str]] | None] = ContextVar("together", default=None)
_COLOURS = {"debug": "2", "info": "32", "warning": "33", "error": "31", "critical": "1;31"}


def configure(level: str = "info", json: bool | None = None, stream: TextIO | None = None) -> None:
    """Set the log of this process; calling it again replaces the earlier set-up.

    `level` is debug, info, warning, error or critical. `json` None means: colours on a terminal, JSON lines
    otherwise. `stream` None means whatever `sys.stderr` is at the time of each line, so that a progress bar
    can take it over. NO_COLOR switches colours off, FORCE_COLOR on where there is no terminal.
    """
    import structlog

    number = logging.getLevelNamesMapping().get(level.upper())
    if number is None:
        raise ValueError(f"no such log level: {level}")
    target = stream or sys.stderr
    terminal = target.isatty()
    as_json = not terminal if json is None else json
    render = Renderer(json=as_json, colours=not as_json and wants_colours(terminal, os.environ))
    sink = _Sink(stream)
    structlog.configure(
        processors=[_add_bound, render],
        wrapper_class=structlog.make_filtering_bound_logger(number),
        logger_factory=lambda *_: sink,
        cache_logger_on_first_use=False,
    )
    _route_logging(number, _Bridge(render, sink))


def get_logger(**bound: Any) -> FilteringBoundLogger:
    """The service's logger; `bound` goes with every line, as do the values of a block of `logs.bound`."""
    import structlog

    logger: FilteringBoundLogger = structlog.get_logger(**bound)
    return logger


@contextmanager
def bound(**values: Any) -> Iterator[None]:
    """Give every line of this task inside the block ``values``, unless the line says otherwise itself.

    One variable holds them all: structlog has one for each, and looks through the whole context at every line.
    """
    token = _bound.set({**_bound.get(), **values})
    try:
        yield
    finally:
        _bound.reset(token)


class together:
    """Write the lines of a block with one call: flushing each costs as much as making it.

    For blocks that wait for nothing, or lines would come late, and after those of others.
    """

    __slots__ = ("_lines", "_token")

    def __enter__(self) -> None:
        self._lines: dict[_Sink, list[str]] = {}
        self._token = _together.set(self._lines)

    def __exit__(self, *ended: object) -> None:
        _together.reset(self._token)
        for sink, held in self._lines.items():
            sink.write("\n".join(held))


def wants_colours(terminal: bool, environment: Mapping[str, str]) -> bool:
    """Whether to write colours: NO_COLOR beats FORCE_COLOR beats the terminal's word."""
    if environment.get("NO_COLOR"):
        return False
    if environment.get("FORCE_COLOR"):
        return True
    return terminal and environment.get("TERM") != "dumb"


def escape(text: str) -> str:
    """The text on one line, in its visible order, and of bounded length."""
    if len(text) <= MAX_CHARS and text.isascii() and text.isprintable():
        return text
    if len(text) > MAX_CHARS:
        text = f"{text[:MAX_CHARS]}… ({len(text)} characters)"
    return _UNSAFE.sub(_escaped, text)


_key = lru_cache(maxsize=256)(escape)  # there are a dozen, and each line has some


def _escaped(match: re.Match[str]) -> str:
    char = match.group()
    code = ord(char)
    return _SHORT.get(char) or (f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}")


def safe(value: object, depth: int = 0) -> Any:
    """The value as JSON can say it; a type not known to be free of writers' texts is only named."""
    if type(value) is str:
        return escape(value)
    if value is None or isinstance(value, bool | float):
        return value
    if isinstance(value, Enum):
        return safe(value.value, depth)
    if isinstance(value, int):
        return int(value) if abs(value) < 2**63 else str(value)
    if isinstance(value, str):
        return escape(value)
    if isinstance(value, date | timedelta | os.PathLike):
        return escape(str(value))
    if isinstance(value, BaseException):
        return class_name(value)
    if depth < MAX_DEPTH and isinstance(value, Mapping):
        return {escape(str(key)): safe(item, depth + 1) for key, item in value.items()}
    if depth < MAX_DEPTH and isinstance(value, list | tuple | set | frozenset):
        return list(value) if _are_plain(value) else [safe(item, depth + 1) for item in value]
    return f"<{type(value).__name__}>"


def _are_plain(values: Collection[Any]) -> bool:
    """Whether these are strings that are said as they are, looked at together: a line may name a hundred jobs."""
    if set(map(type, values)) != {str}:
        return False
    joined = "".join(values)
    return len(joined) <= MAX_CHARS and joined.isascii() and joined.isprintable()


def class_name(error: BaseException) -> str:
    """`pymongo.errors.AutoReconnect`; of a group of exceptions, those inside."""
    if isinstance(error, BaseExceptionGroup):
        return f"{type(error).__name__}({', '.join(class_name(inner) for inner in error.exceptions)})"
    kind = type(error)
    return kind.__qualname__ if kind.__module__ == "builtins" else f"{kind.__module__}.{kind.__qualname__}"


def describe(error: BaseException) -> dict[str, Any]:
    """What a line may say about an exception: class, number, cause and place, never its message."""
    told: dict[str, Any] = {"error": class_name(error)}
    code = getattr(error, "code", None)
    if isinstance(code, int):
        told["code"] = code
    cause = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
    if cause is not None:
        told["cause"] = class_name(cause)
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    frames = traceback.extract_tb(error.__traceback__)[-MAX_FRAMES:]
    told["where"] = [f"{os.path.basename(frame.filename)}:{frame.lineno} {frame.name}" for frame in frames]
    return told


class Renderer:
    """Turns an event into its line: the last processor of structlog, and of the bridge from `logging`."""

    def __init__(self, *, json: bool, colours: bool = False, clock: Callable[[], float] = time.time) -> None:
        self._json = json
        self._colours = colours
        self._clock = clock

    def __call__(self, logger: object, method: str, event: MutableMapping[str, Any]) -> str:
        level = _LEVELS.get(method, method)
        error = _exception(event.pop("exc_info", None))
        message = str(safe(event.pop("event", "")))
        extras = {_key(key): safe(value) for key, value in event.items()}
        if error is not None:
            extras |= safe(describe(error))
        return self._as_json(level, message, extras) if self._json else self._as_text(level, message, extras)

    def _as_json(self, level: str, message: str, extras: dict[str, Any]) -> str:
        import orjson

        now = self._clock()
        stamp = f"{_utc_second(int(now))}.{int(now * 1000) % 1000:03}Z"
        line: dict[str, Any] = {"time": stamp, "level": level, "message": message}
        for key, value in extras.items():
            line[f"{key}_" if key in line else key] = value
        return orjson.dumps(line).decode()

    def _as_text(self, level: str, message: str, extras: dict[str, Any]) -> str:
        clock = self._paint("2", datetime.fromtimestamp(self._clock()).strftime("%H:%M:%S"))
        shown = [f"{key}={value}" for key, value in extras.items() if _adds(key, value, message)]
        tail = "  " + self._paint("2", " ".join(shown)) if shown else ""
        return f"{clock} {self._coloured(level, message)}{tail}"

    def _coloured(self, level: str, message: str) -> str:
        tag = _TAG.match(message)
        if level == "info" and tag:
            return self._paint("36", tag.group()) + message[tag.end() :]
        return self._paint(_COLOURS.get(level, "0"), message)

    def _paint(self, colour: str, text: str) -> str:
        return f"\x1b[{colour}m{text}\x1b[0m" if self._colours else text


@lru_cache(maxsize=8)
def _utc_second(seconds: int) -> str:
    """The second of a line; a busy worker writes a thousand lines in it."""
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%S")


def _adds(key: str, value: Any, message: str) -> bool:
    """A person needs no ids of traces and entries, which a machine joins lines by, no long lists, and nothing twice."""
    return key not in FOR_MACHINES and not (isinstance(value, str | int) and str(value) in message)


def _exception(info: Any) -> BaseException | None:
    """The exception of any of the shapes that `exc_info` may have."""
    if isinstance(info, BaseException):
        return info
    if isinstance(info, tuple):
        return info[1] if len(info) == 3 and isinstance(info[1], BaseException) else None
    return sys.exc_info()[1] if info else None


def _add_bound(logger: object, method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    return {**_bound.get(), **event}


class _Sink:
    """Writes whole lines. Its methods are the levels, as structlog calls the one that an event came by."""

    def __init__(self, stream: TextIO | None) -> None:
        self._stream = stream
        self._lock = threading.Lock()

    def write(self, line: str) -> None:
        lines = _together.get()
        if lines is not None:
            lines.setdefault(self, []).append(line)
            return
        stream = self._stream or sys.stderr
        with self._lock, suppress(OSError, ValueError):
            try:
                stream.write(f"{line}\n")
            except UnicodeEncodeError:
                stream.write(line.encode("ascii", "backslashreplace").decode("ascii") + "\n")
            stream.flush()

    debug = info = warning = warn = error = exception = critical = fatal = msg = write


class _Bridge(logging.Handler):
    """Brings the lines of the libraries into the same format."""

    def __init__(self, render: Renderer, sink: _Sink) -> None:
        super().__init__()
        self._render = render
        self._sink = sink
        self._repeats = Repeats()

    def emit(self, record: logging.LogRecord) -> None:
        library = record.name.split(".")[0]
        if record.levelno < logging.WARNING and library in HELD_AT_WARNING:
            return  # a library set the level of one of its own loggers, such as uvicorn.error
        times = self._repeats.note(f"{record.name} {record.msg}") if library in COLLAPSED else ""
        if times is None:
            return
        try:
            message = record.getMessage()
        except (TypeError, ValueError, KeyError):
            message = str(record.msg)  # its arguments do not fit its format
        event = {"event": message.partition("\n")[0] + times, "logger": record.name, "exc_info": record.exc_info}
        self._sink.write(self._render(None, record.levelname.lower(), event))


def _route_logging(level: int, bridge: _Bridge) -> None:
    root = logging.getLogger()
    for handler in list(root.handlers):
        if isinstance(handler, _Bridge) or type(handler) is logging.StreamHandler:
            root.removeHandler(handler)
    root.addHandler(bridge)
    root.setLevel(level)
    for name in HELD_AT_WARNING:
        logging.getLogger(name).setLevel(max(level, logging.WARNING))


class FaultLog:
    """Says that something is wrong once and not a thousand times, and says when it is over.

    The first `fault` of a key is logged, then at most one a minute with the number of faults since the last
    line, then one line when it has `recovered`.
    """

    def __init__(self, logger: FilteringBoundLogger | None = None, repeats: Repeats | None = None) -> None:
        self._logger = logger
        self._repeats = repeats or Repeats()

    def active(self, key: str) -> bool:
        """Whether the key had a fault and has not recovered."""
        return key in self._repeats

    def fault(self, key: str, message: str, **extra: Any) -> bool:
        """Note a fault; True when it led to a line."""
        times = self._repeats.note(key)
        if times is None:
            return False
        self._log().warning(message + times, **extra)
        return True

    def recovered(self, key: str, message: str | None = None, **extra: Any) -> bool:
        """Note that all is well; True when that ended a fault and led to a line."""
        past = self._repeats.over(key)
        if past is None:
            return False
        times, seconds = past
        self._log().info(message or f"Recovered: {key}, after {seconds:.0f} s", faults=times, **extra)
        return True

    def _log(self) -> FilteringBoundLogger:
        if self._logger is None:
            self._logger = get_logger()
        return self._logger
