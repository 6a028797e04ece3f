"""``/writers/{user_id}``: what was learned about one writer and why, from the profile document alone.

Job ids and phrases come from people: everything goes through ``esc``.
"""

from __future__ import annotations

from collections.abc import Sequence
from html import escape as esc

from schemas.profile import Claim, Milestone, Phrase, Profile
from service.http import charts
from service.http.markup import Page, row, section, table, tile

SHOWN_MILESTONES = 20
TONES = ("formality", "enthusiasm", "directness", "humor", "emotionality")


def render_writer(profile: Profile) -> Page:
    """Return the page of ``profile``."""
    parts = [
        _head(profile),
        _score(profile),
        _claims(profile.claims),
        _phrases(profile),
        _tone(profile),
        _guide(profile.style_guide),
        _milestones(profile.evolution_timeline),
    ]
    return Page(f"{profile.user_id} · learnsvc", "\n".join(filter(None, parts)))


def render_message(title: str, text: str, status: int) -> Page:
    """Return a page that says one thing, such as that there is no such writer."""
    main = f'<header><h1>{esc(title)}</h1><p class="sub">{esc(text)}</p></header>'
    return Page(f"{title} · learnsvc", main, status)


def _head(profile: Profile) -> str:
    words = f"revision {profile.revision}, {profile.edits_applied:,} edits, {profile.learning_iterations:,} iterations"
    if profile.updated_at:
        words += f", changed {profile.updated_at:%Y-%m-%d %H:%M} UTC"
    waiting = ""
    if profile.pending:
        due = f", learned from {profile.learn_due_at:%H:%M:%S} UTC on" if profile.learn_due_at else ""
        waiting = f'<p class="sub">{len(profile.pending):,} edits are recorded and wait{esc(due)}</p>'
    return f'<header><h1>{esc(profile.user_id)}</h1><p class="sub">{esc(words)}</p>{waiting}</header>'


def _score(profile: Profile) -> str:
    parts = profile.evolution_components
    tiles = [
        tile("Score", f"{profile.evolution_score:.0f} %", ""),
        tile("Samples", f"{parts.samples:.0f}", "of 20"),
        tile("Iterations", f"{parts.iterations:.0f}", "of 40"),
        tile("Completeness", f"{parts.completeness:.0f}", "of 20"),
        tile("Consistency", f"{parts.consistency:.0f}", "of 20"),
    ]
    chart = charts.score(profile.evolution_timeline)
    return section("Evolution", f'<div class="tiles">{"".join(tiles)}</div>{chart}')


def _claims(claims: Sequence[Claim]) -> str:
    if not claims:
        return section("What the edits say", '<p class="sub">Nothing is claimed: no habit has enough edits.</p>')
    rows = [
        row(
            esc(claim.path.rpartition(".")[2].replace("_", " ")),
            esc(claim.value),
            f"{claim.support:,} of {claim.opportunities:,}",
            f"{claim.against:,}",
            f"{claim.last_seen:%Y-%m-%d}" if claim.last_seen else "",
            f"<code>{esc(', '.join(claim.edits))}</code>",
        )
        for claim in claims
    ]
    return table("What the edits say", ("Trait", "Value", "Edits for", "Against", "Last seen", "Newest edits"), rows)


def _phrases(profile: Profile) -> str:
    rows = [_phrase("writes", one) for one in profile.common_phrases]
    rows += [_phrase("takes out", one) for one in profile.banned_phrases]
    return table("Phrases", ("Phrase", "", "Edits for", "Against", "Last seen"), rows) if rows else ""


def _phrase(kind: str, one: Phrase) -> str:
    seen = f"{one.last_seen:%Y-%m-%d}" if one.last_seen else ""
    return row(f"“{esc(one.phrase)}”", kind, f"{one.support:,}", f"{one.against:,}", seen)


def _tone(profile: Profile) -> str:
    rows = []
    for name in TONES:
        value = float(getattr(profile.tone, name))
        bar = f'<meter min="1" max="10" value="{value:.1f}">{value:.1f}</meter>'
        rows.append(row(name, bar, f"{value:.1f}"))
    return table("Tone, 1 to 10", ("Attribute", "", "#Value"), rows)


def _guide(text: str) -> str:
    return section("Style guide", f'<pre class="guide">{esc(text)}</pre>') if text else ""


def _milestones(timeline: Sequence[Milestone]) -> str:
    items = []
    for one in list(reversed(timeline))[:SHOWN_MILESTONES]:
        changed = "".join(f"<li>{esc(change)}</li>" for change in one.changes)
        head = f"{one.at:%Y-%m-%d %H:%M} · revision {one.revision} · {one.score:.0f} % · {one.edit_count:,} edits"
        why = f'<p class="note">{esc(", ".join(one.patterns))}</p>' if one.patterns else ""
        items.append(f'<details><summary>{esc(head)}</summary>{why}<ul class="changes">{changed}</ul></details>')
    return section("What each iteration changed", "".join(items)) if items else ""
