"""Charts as inline SVG: bars and lines without text, which would shrink with the screen; words stand around them.

Colours come from classes of ``page.css``: the page's policy allows no style in the markup. Every mark has a title,
which browsers show and screen readers read.
"""

from __future__ import annotations

from collections.abc import Sequence
from html import escape as esc

from schemas.profile import Milestone
from service.streams.minutes import Minute

WIDTH, HEIGHT = 600, 96
FULL_SCORE = 100.0


def throughput(history: Sequence[Minute]) -> str:
    """Return entries settled and dead by the minute."""
    most = max((one.completed + one.dead for one in history), default=0)
    step = WIDTH / max(1, len(history))
    marks = []
    for number, one in enumerate(history):
        said = f"{one.at:%H:%M} {one.completed:,} settled" + (f", {one.dead:,} dead" if one.dead else "")
        marks.append(_bar(number * step, step * 0.8, 0, one.completed, most, "bar", said))
        marks.append(_bar(number * step, step * 0.8, one.completed, one.dead, most, "bar bad", said))
    settled, dead = sum(one.completed for one in history), sum(one.dead for one in history)
    words = f"most {most:,}, {settled:,}{f' and {dead:,} dead' if dead else ''} in {len(history)} min"
    return _figure("Settled a minute", words, "".join(marks), _span(history))


def depth(history: Sequence[Minute]) -> str:
    """Return how many entries were not finished, minute by minute; a gap where nobody looked."""
    most = max((one.depth or 0 for one in history), default=0)
    step = WIDTH / max(1, len(history))
    marks = "".join(
        _bar(number * step, step, 0, one.depth, most, "area", f"{one.at:%H:%M} {one.depth:,} waiting or in work")
        for number, one in enumerate(history)
        if one.depth is not None
    )
    seen = [one.depth for one in history if one.depth is not None]
    last = f", last seen {seen[-1]:,}" if seen else ""
    return _figure("Depth", f"most {most:,}{last}", marks, _span(history))


def score(timeline: Sequence[Milestone]) -> str:
    """Return the evolution score over the iterations, with what each was about as its title."""
    if not timeline:
        return ""
    step = WIDTH / max(1, len(timeline) - 1)
    points = [(number * step, _height(one.score, FULL_SCORE)) for number, one in enumerate(timeline)]
    line = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
    dots = "".join(
        f'<circle class="dot-mark" cx="{x:.1f}" cy="{y:.1f}" r="4"><title>{esc(_milestone(one))}</title></circle>'
        for (x, y), one in zip(points, timeline, strict=True)
    )
    first, last = timeline[0], timeline[-1]
    words = f"{first.score:.0f} → {last.score:.0f} %"
    span = (f"{first.at:%Y-%m-%d}", f"{last.at:%Y-%m-%d}")
    return _figure("Evolution score", words, f'<polyline class="line" points="{line}"/>{dots}', span)


def _milestone(one: Milestone) -> str:
    return f"revision {one.revision}, {one.at:%Y-%m-%d %H:%M}: {one.score:.0f} %. {', '.join(one.patterns)}"


def _bar(x: float, width: float, below: int, number: int, most: int, kind: str, said: str) -> str:
    """One bar that begins ``below``; nothing for nothing, but at least a pixel for something."""
    if not number or not most:
        return ""
    height = max(1.5, number / most * HEIGHT)
    top = HEIGHT - below / most * HEIGHT - height
    box = f'x="{x:.1f}" y="{top:.1f}" width="{width:.1f}" height="{height:.1f}"'
    return f'<rect class="{kind}" {box}><title>{esc(said)}</title></rect>'


def _height(value: float, most: float) -> float:
    return HEIGHT - 5 - value / most * (HEIGHT - 10)


def _span(history: Sequence[Minute]) -> tuple[str, str]:
    return (f"{history[0].at:%H:%M} UTC", f"{history[-1].at:%H:%M} UTC") if history else ("", "")


def _figure(title: str, words: str, marks: str, span: tuple[str, str]) -> str:
    said = esc(f"{title}: {words}", quote=True)
    caption = f'<span class="label">{esc(title)}</span> <span class="note">{esc(words)}</span>'
    return (
        f"<figure><figcaption>{caption}</figcaption>"
        f'<svg viewBox="0 0 {WIDTH} {HEIGHT}" preserveAspectRatio="none" role="img" aria-label="{said}">{marks}</svg>'
        f'<div class="axis note"><span>{esc(span[0])}</span><span>{esc(span[1])}</span></div></figure>'
    )
