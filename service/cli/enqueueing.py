"""The work of ``enqueue``: two passes over the lines, the first only checks."""

from __future__ import annotations

import io
import re
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, Any

import anyio
import orjson
from redis.asyncio import Redis
from redis.exceptions import RedisError

from schemas.job import InvalidJob, LearningJob
from service.cli import jsonl
from service.cli.failures import Failed, explain
from service.cli.output import clean, console, plural, print_json
from service.cli.servers import keys_of, redis_of, settings_of
from service.settings import Settings
from service.streams.entry import FUTURE_LIMIT
from service.streams.producer import PIPELINE, append, encode

SHOWN_ERRORS = 10
LOGGED_JOBS = 10

Job = tuple[LearningJob, bytes]


@dataclass(frozen=True, slots=True)
class Request:
    """What to add and how: a JSONL at ``file``, else the one job in ``raw``."""

    file: Path | None
    raw: bytes | None
    user: str | None
    skip_invalid: bool
    verbose: bool
    json: bool

    @property
    def source(self) -> str:
        return jsonl.named(self.file) if self.file else "job"

    def opened(self) -> AbstractContextManager[IO[bytes]]:
        return io.BytesIO(self.raw or b"") if self.file is None else jsonl.opened(self.file)


@dataclass(slots=True)
class Summary:
    """What was added."""

    queued: int = 0
    skipped: int = 0
    first_id: str | None = None
    last_id: str | None = None

    def add(self, ids: list[str]) -> None:
        if ids:
            self.first_id = self.first_id or ids[0]
            self.last_id = ids[-1]
        self.queued += len(ids)


@dataclass(slots=True)
class Checked:
    """The first pass: how many lines are valid, and what is wrong with the others."""

    valid: int = 0
    wrong: int = 0
    errors: list[str] = field(default_factory=list)


def single(original: Path, edited: Path, user: str, content: str | None, job: str | None) -> bytes:
    """Return the job of two files as a line."""
    name = re.sub(r"[^A-Za-z0-9._:@+/=-]+", "-", edited.stem)[:128] or "text"
    value: dict[str, Any] = {
        "user_id": user,
        "content_id": content or name,
        "original_text": jsonl.read_text(original),
        "edited_text": jsonl.read_text(edited),
    }
    return orjson.dumps(value | ({"job_id": job} if job else {}))


def run(request: Request, redis_url: str | None) -> None:
    settings = settings_of(redis_url)
    with request.opened() as file:
        summary = anyio.run(_enqueue, settings, request, file)
    if request.json:
        print_json({name: getattr(summary, name) for name in Summary.__slots__})
        return
    skipped = f", {plural(summary.skipped, 'wrong line')} left out" if summary.skipped else ""
    console().print(f"Queued {plural(summary.queued, 'job')}{skipped}.", style="green" if summary.queued else "yellow")


async def _enqueue(settings: Settings, request: Request, file: IO[bytes]) -> Summary:
    async with redis_of(settings) as redis:
        seconds, _ = await redis.time()
        reader = Reader(file, request.user, settings.learning_max_job_bytes, datetime.fromtimestamp(seconds, UTC))
        checked = reader.check()
        _report(checked, request)
        summary = Summary(skipped=checked.wrong)
        if checked.valid <= LOGGED_JOBS or request.verbose:
            _configure_log(settings)
        with _progress(checked.valid) as advance:
            await _append(
                redis, settings, reader, summary, advance, log=checked.valid <= LOGGED_JOBS or request.verbose
            )
        return summary


class Reader:
    """Reads the valid jobs of a file, as often as asked."""

    def __init__(self, file: IO[bytes], user: str | None, max_bytes: int, now: datetime) -> None:
        self._file = file
        self._user = user
        self._max_bytes = max_bytes
        self._latest = now + FUTURE_LIMIT

    def check(self) -> Checked:
        checked = Checked()
        for line in jsonl.lines(self._file, self._max_bytes):
            try:
                self._job(line)
                checked.valid += 1
            except InvalidJob as error:
                checked.wrong += 1
                if checked.wrong <= SHOWN_ERRORS:
                    checked.errors.append(f"line {line.number}: {error.detail}")
        return checked

    def pages(self) -> Iterator[list[Job]]:
        """Yield the valid jobs, as many as go in one round trip."""
        page: list[Job] = []
        for line in jsonl.lines(self._file, self._max_bytes):
            try:
                page.append(self._job(line))
            except InvalidJob:
                continue
            if len(page) == PIPELINE:
                yield page
                page = []
        if page:
            yield page

    def _job(self, line: jsonl.Line) -> Job:
        job, raw = (
            self._overridden(line) if self._user is not None else (line.decoded(self._max_bytes), line.raw or b"")
        )
        if job.edited_at is not None and job.edited_at > self._latest:
            raise InvalidJob("future_time", "edited_at: is more than 5 minutes ahead of the Redis clock")
        return job, raw

    def _overridden(self, line: jsonl.Line) -> Job:
        """The job with the writer of ``--user``; only its own user_id may be wrong or missing."""
        try:
            line.decoded(self._max_bytes)
        except InvalidJob as error:
            if error.reason != "invalid":
                raise
        value = orjson.loads(line.raw or b"")
        if not isinstance(value, dict):
            raise InvalidJob("invalid", "the job must be a JSON object")
        return encode({**value, "user_id": self._user}, max_bytes=self._max_bytes)


def _report(checked: Checked, request: Request) -> None:
    """Say what is wrong; without ``--skip-invalid`` that ends the command."""
    if not checked.wrong and not checked.valid:
        raise Failed(f"{request.source}: holds no job")
    if not checked.wrong:
        return
    if checked.wrong == 1 and not request.skip_invalid:
        raise Failed(f"{request.source} {checked.errors[0]}; nothing was added")
    errors = console(stderr=True)
    for line in checked.errors:
        errors.print(clean(f"{request.source} {line}"), soft_wrap=True)
    if not request.skip_invalid:
        total = plural(checked.wrong + checked.valid, "line")
        raise Failed(f"{checked.wrong:,} of {total} are wrong, nothing was added; --skip-invalid adds the others")


async def _append(
    redis: Redis, settings: Settings, reader: Reader, summary: Summary, advance: Any, *, log: bool
) -> None:
    for page in reader.pages():
        try:
            summary.add(await append(redis, keys_of(settings), page))
        except RedisError as error:
            if not summary.queued:
                raise
            raise Failed(
                f"{explain(error)}. {plural(summary.queued, 'job')} were added before, of the next {len(page)} some "
                "may be; adding all again is safe for jobs with a job_id"
            ) from error
        if log:
            _log(page)
        advance(len(page))


def _configure_log(settings: Settings) -> None:
    from service.logs import configure

    formats = {"auto": None, "console": False, "json": True}
    configure(settings.learning_log_level, json=formats[settings.learning_log_format])


def _log(page: list[Job]) -> None:
    from service.logs import get_logger

    logger = get_logger()
    for job, _ in page:
        logger.info(f"[Learning] Job queued for user {job.user_id}", job_id=job.job_id, user_id=job.user_id)


@contextmanager
def _progress(total: int) -> Iterator[Any]:
    """Show a bar on a terminal; yields what is to be called with the number of jobs added."""
    screen = console(stderr=True)
    if not screen.is_terminal or total <= LOGGED_JOBS:
        yield lambda count: None
        return
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    parts = (TextColumn("Adding jobs"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*parts, console=screen, transient=True) as progress:
        task = progress.add_task("add", total=total)
        yield lambda count: progress.advance(task, count)
