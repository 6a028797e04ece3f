"""The status page: "is it learning, is anything stuck" in one look. Rendered here, escaped here, no writer on it.

The script of the page fetches it again every few seconds and replaces ``main``; without a script the browser reloads.
Everything that is not a number of ours goes through ``esc``: names of consumers and reasons of dead letters come from
Redis, where anybody may have put them.
"""

from __future__ import annotations

from collections.abc import Iterable
from html import escape as esc

from service.http.snapshot import SERVICES, Queue, Snapshot
from service.http.verdicts import Limits, ages, gemini_word, health
from service.streams.depth import ConsumerState

CONSUMERS = 50  # shown; the busiest first
GOOD, BAD, CALM = "good", "bad", "calm"

_FRAME = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>{title}</title>
<link rel="icon" href="data:,">
<link rel="stylesheet" href="/page.css">
<script src="/page.js" defer></script>
<noscript><meta http-equiv="refresh" content="5"></noscript>
</head>
<body>
<main>
{body}
</main>
<footer>learnsvc · <a href="/health">health</a> · <a href="/metrics">metrics</a> · <span id="link"></span></footer>
</body>
</html>
"""


def render(snapshot: Snapshot, limits: Limits, now: float) -> str:
    """Return the whole page."""
    status, answer = health(snapshot, limits, now)
    verdict = "Working" if status == 200 else _verdict_of(snapshot)
    parts = [
        _head(snapshot, verdict, answer["reasons"], now),
        _numbers(snapshot),
        _services(snapshot, answer["services"], now),
        _dead(snapshot.queue),
        _consumers(snapshot.queue, snapshot.consumer),
        _process(snapshot, limits, now),
    ]
    return _FRAME.format(title=esc(f"{verdict} · learnsvc"), body="\n".join(filter(None, parts)))


def age(seconds: float) -> str:
    """Return a time span as people say it."""
    if seconds < 1:
        return "now"
    for size, unit in ((86_400, "d"), (3_600, "h"), (60, "min")):
        if seconds >= size:
            return f"{seconds / size:.0f} {unit}"
    return f"{seconds:.0f} s"


def _verdict_of(snapshot: Snapshot) -> str:
    return {"working": "Not well", "starting": "Starting", "draining": "Draining"}[snapshot.phase]


def _head(snapshot: Snapshot, verdict: str, reasons: list[str], now: float) -> str:
    tone = BAD if reasons else GOOD
    lines = "".join(f"<li>{esc(reason)}</li>" for reason in reasons)
    why = f'<ul class="reasons">{lines}</ul>' if reasons else ""
    who = f"<code>{esc(snapshot.consumer)}</code> · " if snapshot.consumer else ""
    since = f'<p class="sub">{who}up {age(now - snapshot.started)}</p>'
    return f'<header><h1><span class="dot {tone}"></span>{esc(verdict)}</h1>{since}{why}</header>'


def _numbers(snapshot: Snapshot) -> str:
    queue = snapshot.queue
    if queue is None:
        return '<section><h2>Jobs</h2><p class="sub">Redis has not been counted yet.</p></section>'
    oldest = f"oldest {age(queue.oldest_pending_seconds)}" if queue.active else ""
    waiting = f"oldest {age(queue.oldest_waiting_seconds)}" if queue.waiting else ""
    tiles = [
        _tile("Depth", queue.length, "not finished"),
        _tile("Waiting", queue.waiting, waiting),
        _tile("In work", queue.active, oldest or f"{snapshot.entries_in_work} here"),
        _tile("Completed", queue.completed, "by all workers"),
        _tile("Failed", queue.failed, "given up"),
        _tile("Dead letters", queue.dead, "learnsvc dead list" if queue.dead else "none waits", bad=queue.dead > 0),
    ]
    return f'<section><h2>Jobs</h2><div class="tiles">{"".join(tiles)}</div></section>'


def _tile(label: str, number: int, note: str, *, bad: bool = False) -> str:
    kind = " bad" if bad else ""
    return (
        f'<div class="tile{kind}"><span class="label">{label}</span><strong>{number:,}</strong>'
        f'<span class="note">{esc(note)}</span></div>'
    )


def _services(snapshot: Snapshot, words: dict[str, str], now: float) -> str:
    rows = []
    for service, title in zip(SERVICES, ("MongoDB", "Redis"), strict=True):
        since = snapshot.away.get(service)
        note = "answers" if since is None else f"no answer for {age(now - since)}"
        rows.append(_state(title, words[service], note, GOOD if since is None else BAD))
    gemini = snapshot.gemini
    word = gemini_word(gemini)
    note = "no key: word lists judge tone"
    if word != "disabled":
        note = f"{gemini.calls:,} calls, {gemini.hit_rate:.0%} from the cache, {gemini.fallbacks:,} fell back"
    rows.append(_state("Gemini", word, note, {"available": GOOD, "unavailable": BAD}.get(word, CALM)))
    rows.append(_state("Queue", words["queue"], "", GOOD if words["queue"] == "healthy" else BAD))
    return _table("Services", ("Service", "State", ""), rows)


def _state(title: str, word: str, note: str, tone: str) -> str:
    state = f'<span class="state"><span class="dot {tone}"></span>{esc(word)}</span>'
    return _row(title, state, f'<span class="note">{esc(note)}</span>')


def _dead(queue: Queue | None) -> str:
    if queue is None or not queue.dead_by_reason:
        return ""
    rows = [_row(f"<code>{esc(reason)}</code>", f"{number:,}") for reason, number in queue.dead_by_reason]
    return _table("Dead letters, the newest by reason", ("Reason", "#Letters"), rows)


def _consumers(queue: Queue | None, own: str) -> str:
    if queue is None:
        return ""
    ranked = sorted(queue.consumers, key=lambda one: (one.name != own, -one.pending, one.idle_seconds))
    rows = [_consumer(one, own) for one in ranked[:CONSUMERS]]
    more = len(ranked) - CONSUMERS
    note = f'<p class="sub">and {more:,} more</p>' if more > 0 else ""
    return _table(f"Consumers ({len(ranked)})", ("Name", "#Pending", "#Idle"), rows, note)


def _consumer(one: ConsumerState, own: str) -> str:
    mark = ' <span class="note">this one</span>' if one.name == own else ""
    return _row(f"<code>{esc(one.name)}</code>{mark}", f"{one.pending:,}", age(one.idle_seconds))


def _process(snapshot: Snapshot, limits: Limits, now: float) -> str:
    rows = []
    for loop, seconds in ages(snapshot, now).items():
        late = seconds > limits.heartbeats[loop]
        dot = f'<span class="dot {BAD if late else GOOD}"></span>'
        rows.append(_row(f"{dot}{esc(loop)}", age(seconds), age(limits.heartbeats[loop])))
    return _table("Loops of this process", ("Loop", "#Last heartbeat", "#Allowed"), rows)


def _table(title: str, heads: Iterable[str], rows: Iterable[str], after: str = "") -> str:
    cells = "".join(f'<th scope="col">{esc(head.lstrip("#"))}</th>' for head in heads)
    kind = "numbers" if any(head.startswith("#") for head in heads) else "notes"
    return (
        f'<section><h2>{esc(title)}</h2><table class="{kind}"><thead><tr>{cells}</tr></thead>'
        f"<tbody>{''.join(rows)}</tbody></table>{after}</section>"
    )


def _row(first: str, *cells: str) -> str:
    """One row; cells are HTML already."""
    return f'<tr><th scope="row">{first}</th>{"".join(f"<td>{cell}</td>" for cell in cells)}</tr>'
