"""Threads: which posts were kept, added or dropped.

All posts of a side are one document for alignment, so a sentence that moved to another post is a move and the counts
are sums over the posts. A post of the saved thread continues the draft's post that shares most sentences with it;
each post is continued at most once. The rest was added or dropped.
"""

from __future__ import annotations

from collections import Counter

from schemas.delta import Count
from service.analysis.align import Alignment
from service.analysis.counts import counted
from service.analysis.document import Document


def posts_count(before: Document, after: Document, alignment: Alignment) -> Count:
    """The count of posts: added and dropped ones by content, not by number."""
    if before.posts == after.posts == 1:
        return counted(1, 1, 0, 0)
    kept = _continued(before, after, alignment) or min(before.posts, after.posts, 1)
    return counted(before.posts, after.posts, after.posts - kept, before.posts - kept)


def _continued(before: Document, after: Document, alignment: Alignment) -> int:
    shared: Counter[tuple[int, int]] = Counter()
    for a, b in [*alignment.equal, *alignment.moved]:
        shared[before.units[a].post, after.units[b].post] += 1
    for group in alignment.groups:
        for a in group.before:
            for b in group.after:
                shared[before.units[a].post, after.units[b].post] += 1
    taken_before: set[int] = set()
    taken_after: set[int] = set()
    for (one, other), _ in sorted(shared.items(), key=lambda item: (-item[1], item[0])):
        if one not in taken_before and other not in taken_after:
            taken_before.add(one)
            taken_after.add(other)
    return len(taken_before)
