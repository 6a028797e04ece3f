"""Reading a JSONL of any size: one line in memory at a time, read twice when it must be checked first."""

from __future__ import annotations

import shutil
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from schemas.job import InvalidJob, LearningJob, decode_job
from service.cli.failures import Failed

SPOOL_BYTES = 8 * 1024 * 1024  # of stdin; more goes to a temporary file
STDIN = Path("-")
_BOM = b"\xef\xbb\xbf"


@dataclass(frozen=True, slots=True)
class Line:
    """A line of the file, from 1; ``raw`` is None when it is longer than allowed."""

    number: int
    raw: bytes | None

    def decoded(self, max_bytes: int) -> LearningJob:
        """Return the job. Raises ``InvalidJob``."""
        if self.raw is None:
            raise InvalidJob("too_large", f"longer than the limit of {max_bytes:,} bytes")
        return decode_job(self.raw, max_bytes=max_bytes)


def named(path: Path) -> str:
    """Return what an error calls the file."""
    return "stdin" if path == STDIN else str(path)


@contextmanager
def opened(path: Path) -> Iterator[IO[bytes]]:
    """Open a file, or stdin; what cannot be read twice is copied to a temporary file first."""
    with sys.stdin.buffer if path == STDIN else path.open("rb") as file:
        if path != STDIN and file.seekable():
            yield file
            return
        with tempfile.SpooledTemporaryFile(max_size=SPOOL_BYTES) as copy:
            shutil.copyfileobj(file, copy)
            copy.seek(0)
            yield copy


def lines(file: IO[bytes], max_bytes: int) -> Iterator[Line]:
    """Yield the lines from the beginning of ``file`` that are not blank."""
    file.seek(0)
    number = 0
    while raw := file.readline(max_bytes + 2):
        number += 1
        complete = raw.endswith(b"\n") or len(raw) < max_bytes + 2
        while not raw.endswith(b"\n") and (rest := file.readline(max_bytes)):
            raw = rest
        text = (raw.removeprefix(_BOM) if number == 1 else raw).strip()
        if not complete or text:
            yield Line(number, text if complete else None)


def read_text(path: Path) -> str:
    """Return the text of a file. Raises ``Failed`` when it is no UTF-8."""
    try:
        return path.read_bytes().decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise Failed(f"{path}: is not UTF-8 text (byte {error.start:,})") from None
