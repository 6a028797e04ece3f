"""From a job to its delta: short texts here, large ones in a process, and what is kept of an analysis."""

from __future__ import annotations

from typing import Protocol

from anyio import to_process

from schemas.delta import Analysis
from schemas.job import LearningJob
from schemas.made import copied, made
from schemas.profile import PendingEdit
from service.analysis import analyze
from service.streams.entry import is_large
from service.tone.lexical import label

EXCERPT_PAIRS, EXCERPT_CHARACTERS = 4, 300  # of a waiting edit: what a model needs to hear a tone


class Extract(Protocol):
    async def __call__(self, job: LearningJob) -> Analysis: ...


class Extractor:
    """Extracts deltas: short texts here, large ones in a process, for the diff holds the interpreter lock."""

    async def __call__(self, job: LearningJob) -> Analysis:
        if is_large(job):
            return await to_process.run_sync(analyze, job.original_text, job.edited_text, cancellable=True)
        return analyze(job.original_text, job.edited_text)


def edit_of(job: LearningJob, analysis: Analysis, *, asked: bool) -> PendingEdit:
    """Return what an edit says, as whose it is; with the sentences a model may be ``asked`` about."""
    own = {
        "job_id": job.job_id,
        "content_id": job.content_id,
        "edited_at": job.edited_at,
        "platform": job.platform,
        "content_format": job.content_format,
        "tone_shift": label(analysis.delta),
    }
    delta = copied(analysis.delta, own)
    return made(PendingEdit, {"delta": delta, "pairs": excerpts(analysis) if asked else []})


def excerpts(analysis: Analysis) -> list[tuple[str, str]]:
    """Return the first changed sentences, cut short: they wait in the profile until they are learned."""
    if analysis.delta.is_noise:
        return []
    return [
        (before[:EXCERPT_CHARACTERS], after[:EXCERPT_CHARACTERS]) for before, after in analysis.pairs[:EXCERPT_PAIRS]
    ]
