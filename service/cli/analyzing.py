"""Deltas for ``analyze`` and ``replay``, and an edit as a person reads it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from rich.console import Group
from rich.table import Table
from rich.text import Text

from schemas.delta import Analysis, Count, Measure, StyleDelta
from schemas.job import DEFAULT_MAX_BYTES, InvalidJob, LearningJob
from service.analysis import analyze
from service.cli import jsonl
from service.cli.failures import Failed
from service.cli.output import clean, columns, console, plural, print_json, print_line
from service.tone.lexical import label

QUIET = frozenset({"moved", "typo", "correction", "case"})  # no evidence of style


def delta_of(job: LearningJob, job_id: str) -> StyleDelta:
    """The delta of a job as the worker makes it, with the lexical tone."""
    delta = analyze(job.original_text, job.edited_text).delta
    known = {
        "job_id": job_id,
        "content_id": job.content_id,
        "edited_at": job.edited_at,
        "platform": job.platform,
        "content_format": job.content_format,
        "tone_shift": label(delta),
    }
    return delta.model_copy(update=known)


def print_deltas(path: Path) -> None:
    wrong = 0
    errors = console(stderr=True)
    with jsonl.opened(path) as file:
        for line in jsonl.lines(file, DEFAULT_MAX_BYTES):
            try:
                job = line.decoded(DEFAULT_MAX_BYTES)
            except InvalidJob as error:
                wrong += 1
                errors.print(clean(f"{jsonl.named(path)} line {line.number}: {error.detail}"), soft_wrap=True)
            else:
                print_line(delta_of(job, job.job_id or f"line-{line.number}").model_dump(mode="json"))
    if wrong:
        raise Failed(f"{plural(wrong, 'line is', 'lines are')} wrong, and left out")


def print_edit(original: Path, edited: Path, json: bool) -> None:
    analysis = analyze(jsonl.read_text(original), jsonl.read_text(edited))
    delta = analysis.delta.model_copy(update={"tone_shift": label(analysis.delta)})
    if json:
        print_json(delta.model_dump(mode="json"))
        return
    screen = console()
    screen.print(_verdict(delta))
    if analysis.spans:
        screen.print(_spans(analysis))
    screen.print(_facts(delta))


def _verdict(delta: StyleDelta) -> Text:
    if delta.is_noise:
        return Text("Only repairs, or nothing: says nothing about style.\n", style="yellow")
    text = Text.assemble((f"{delta.change_ratio:.0%} changed", "bold"), f", language {delta.language}, tone: ")
    text.append(delta.tone_shift.label, style="cyan")
    text.append(f" ({delta.tone_shift.confidence:.0%})")
    if delta.is_rewrite:
        text.append(", a rewrite: a sample of the writer's own text", style="yellow")
    return text.append("\n")


def _spans(analysis: Analysis) -> Table:
    table = columns("class", "draft", "saved")
    for span in analysis.spans:
        quiet = "dim" if span.kind in QUIET else ""
        before, after = Text(clean(span.before), quiet or "red"), Text(clean(span.after), quiet or "green")
        table.add_row(Text(span.kind, quiet), before, after)
    return table


def _facts(delta: StyleDelta) -> Group:
    """What changed, before and after; what stayed the same is left out."""
    counts = columns("what", ">draft", ">saved", ">added", ">removed")
    for name in StyleDelta.model_fields:
        row = _row(getattr(delta, name))
        if row is not None:
            counts.add_row(name.replace("_", " "), *row)
    lists = Table.grid(padding=(0, 2))
    for name in ("phrases_added", "phrases_removed", "emoji_added", "emoji_removed"):
        items = getattr(delta, name)
        if items:
            lists.add_row(name.replace("_", " "), clean(" · ".join(items)))
    for name in ("opening", "ending"):
        before, after = getattr(delta, f"{name}_before"), getattr(delta, f"{name}_after")
        if before != after:
            lists.add_row(name, f"{before} → {after}")
    return Group(*(part for table in (counts, lists) if table.row_count for part in (Text(), table)))


def _row(value: Any) -> tuple[str, str, str, str] | None:
    match value:
        case Count() if value.added or value.removed:
            return f"{value.before:,}", f"{value.after:,}", f"{value.added:,}", f"{value.removed:,}"
        case Measure() if value.difference:
            return f"{value.before:.1f}", f"{value.after:.1f}", f"{value.difference:+.1f}", ""
    return None
