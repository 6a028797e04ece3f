"""The status page: "is it learning, is anything stuck" in one look. Rendered here, escaped here; writers are named only
to those who may see them.

The script of the page replaces ``main`` whenever an event brings another; without a script the browser reloads.
Everything that is not a number of ours goes through ``esc``: names of consumers and reasons of dead letters come from
Redis, where anybody may have put them.
"""

from __future__ import annotations

from collections.abc import Sequence
from html import escape as esc
from urllib.parse import quote

from schemas.dead_letter import DeadLetter
from service.http import charts
from service.http.markup import Page, row, section, table, tile
from service.http.snapshot import SERVICES, Queue, Snapshot
from service.http.verdicts import Limits, ages, gemini_word, health
from service.streams.depth import ConsumerState
from service.streams.minutes import Minute
from service.streams.recent import Learnt

CONSUMERS = 50  # shown; the busiest first
GOOD, BAD, CALM = "good", "bad", "calm"


def render(snapshot: Snapshot, limits: Limits, now: float, *, writers: bool = False) -> Page:
    """Return the page, with the ``writers`` learned last or without."""
    status, answer = health(snapshot, limits, now)
    verdict = "Working" if status == 200 else _verdict_of(snapshot)
    parts = [
        _head(snapshot, verdict, answer["reasons"], now),
        _numbers(snapshot),
        _history(snapshot.minutes),
        _recent(snapshot.recent, now) if writers else "",
        _services(snapshot, answer["services"], now),
        _dead(snapshot.queue),
        _consumers(snapshot.queue, snapshot.consumer),
        _process(snapshot, limits, now),
    ]
    return Page(f"{verdict} · learnsvc", "\n".join(filter(None, parts)))


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
        tile("Depth", f"{queue.length:,}", "not finished"),
        tile("Waiting", f"{queue.waiting:,}", waiting),
        tile("In work", f"{queue.active:,}", oldest or f"{snapshot.entries_in_work} here"),
        tile("Completed", f"{queue.completed:,}", "by all workers"),
        tile("Failed", f"{queue.failed:,}", "given up"),
        tile(
            "Dead letters", f"{queue.dead:,}", "learnsvc dead list" if queue.dead else "none waits", bad=queue.dead > 0
        ),
    ]
    return f'<section><h2>Jobs</h2><div class="tiles">{"".join(tiles)}</div></section>'


def _history(minutes: Sequence[Minute]) -> str:
    if not minutes:
        return ""
    return section("The last hour, all workers", charts.throughput(minutes) + charts.depth(minutes))


def _recent(recent: Sequence[Learnt], now: float) -> str:
    rows = [
        row(
            f'<a href="/writers/{quote(one.user_id, safe="")}">{esc(one.user_id)}</a>',
            f'{one.score_before:.0f} → {one.score_after:.0f} % <span class="note">{age(now - one.at)}</span>',
            esc(", ".join(one.patterns)),
        )
        for one in recent
    ]
    return table("Learned last", ("Writer", "Score", "Patterns"), rows) if rows else ""


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
    return table("Services", ("Service", "State", ""), rows)


def _state(title: str, word: str, note: str, tone: str) -> str:
    state = f'<span class="state"><span class="dot {tone}"></span>{esc(word)}</span>'
    return row(title, state, f'<span class="note">{esc(note)}</span>')


def _dead(queue: Queue | None) -> str:
    if queue is None or not queue.dead_by_reason:
        return ""
    rows = [row(f"<code>{esc(reason)}</code>", f"{number:,}") for reason, number in queue.dead_by_reason]
    more = '<p class="sub"><a href="/dead">the newest, one by one</a></p>'
    return table("Dead letters, the newest by reason", ("Reason", "#Letters"), rows, more)


def render_dead(letters: Sequence[DeadLetter]) -> Page:
    """Return the page of the newest dead letters: all about them but their payload."""
    rows = [_letter(one) for one in letters]
    note = '<p class="sub">Payloads are not shown here: learnsvc dead show ID, then dead replay or dead drop.</p>'
    heads = ("Id", "Dead since", "Reason", "Detail", "Writer and job", "Deliveries", "Before")
    body = table(f"Dead letters, the newest {len(rows)}", heads, rows, note)
    return Page("Dead letters · learnsvc", f"<header><h1>Dead letters</h1></header>{body}")


def _letter(one: DeadLetter) -> str:
    who = " ".join(filter(None, (one.user_id, one.job_id)))
    before = "; ".join(f"{death.dead_at[:16]} {death.reason}" for death in one.history)
    since = one.dead_at[:16].replace("T", " ")
    cells = (since, one.reason, one.detail, who, f"{one.deliveries:,}", before)
    return row(f"<code>{esc(one.id)}</code>", *map(esc, cells))


def _consumers(queue: Queue | None, own: str) -> str:
    if queue is None:
        return ""
    ranked = sorted(queue.consumers, key=lambda one: (one.name != own, -one.pending, one.idle_seconds))
    rows = [_consumer(one, own) for one in ranked[:CONSUMERS]]
    more = len(ranked) - CONSUMERS
    note = f'<p class="sub">and {more:,} more</p>' if more > 0 else ""
    return table(f"Consumers ({len(ranked)})", ("Name", "#Pending", "#Idle"), rows, note)


def _consumer(one: ConsumerState, own: str) -> str:
    mark = ' <span class="note">this one</span>' if one.name == own else ""
    return row(f"<code>{esc(one.name)}</code>{mark}", f"{one.pending:,}", age(one.idle_seconds))


def _process(snapshot: Snapshot, limits: Limits, now: float) -> str:
    rows = []
    for loop, seconds in ages(snapshot, now).items():
        late = seconds > limits.heartbeats[loop]
        dot = f'<span class="dot {BAD if late else GOOD}"></span>'
        rows.append(row(f"{dot}{esc(loop)}", age(seconds), age(limits.heartbeats[loop])))
    return table("Loops of this process", ("Loop", "#Last heartbeat", "#Allowed"), rows)
