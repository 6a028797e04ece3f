"""Writers: a draft generator, habits that edit it, and what follows from the habits."""

from __future__ import annotations

import random
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import timedelta

from schemas.profile import Profile
from service.analysis import analyze
from service.learning.learn import learn, new_profile
from tests.evaluation.habits import HABITS, NEEDS, NEUTRAL, neutral_piece
from tests.evaluation.texts import EMOJI, Paragraphs, Piece, Texts, changed, texts, with_typo, written
from tests.learning.handmade import RULES, START

# What any draft may hold beside plain sentences, and how often.
INCIDENTAL = {"registers": 0.3, "casual": 0.2, "hedged": 0.3, "direct": 0.2, "excited": 0.2, "list": 0.4, "facts": 0.3}
# Drafts that hold a phrase the writer dislikes.
HAVING = 0.7
# How often any writer mends a typo or a fact, or exchanges some words, beside the habits.
BESIDE = {"typos": 0.2, "facts": 0.2, "words": 0.1}


@dataclass
class Writer:
    """Habits (names of `HABITS`), the share of edits that follow each, and frames of phrases taken out and put in.

    After `edits` edits the habits are those of `later`, if there are any.
    """

    language: str
    seed: int
    habits: tuple[str, ...] = ()
    banned: tuple[str, ...] = ()
    common: tuple[str, ...] = ()
    share: float = 0.85
    edits: int = 10
    later: tuple[str, ...] | None = None
    beside: bool = True
    source: Texts = field(init=False)

    def __post_init__(self) -> None:
        self.source = texts(self.language, random.Random(f"{self.language}-{self.seed}"))

    @property
    def rng(self) -> random.Random:
        return self.source.rng

    def pairs(self) -> Iterator[tuple[str, str]]:
        """Every edit: the draft and what the writer saved."""
        for index in range(self.edits * (1 if self.later is None else 2)):
            habits = self.habits_of(index)
            draft = self._draft(habits)
            before = written(draft, self.source)
            yield self._flawed(before), written(self._edited(draft, habits), self.source)

    def habits_of(self, index: int) -> tuple[str, ...]:
        """The habits of one edit."""
        return self.habits if self.later is None or index < self.edits else self.later

    def _draft(self, habits: tuple[str, ...]) -> Paragraphs:
        source, rng = self.source, self.rng
        text: Paragraphs = []
        for _ in range(rng.randint(2, 4)):
            makers = [source.joined if rng.random() < 0.4 else source.plain for _ in range(rng.randint(2, 3))]
            text.append([make() for make in makers])
        for piece in self._extras():
            row = rng.choice(text)
            row.insert(rng.randint(0, len(row)), piece)
        if rng.random() < 0.5 or "emoji:fewer" in habits:
            for row in rng.sample(text, min(2, len(text))):
                if "\n" not in row[-1].text:
                    row[-1] = changed(row[-1], emoji=rng.choice(EMOJI))
        return text

    def _has(self, habit: str) -> bool:
        return habit in self.habits or habit in (self.later or ())

    def _extras(self) -> Iterator[Piece]:
        source, rng = self.source, self.rng
        for habit in sorted({*self.habits, *(self.later or ())}):
            for kind in NEEDS.get(habit, ()):
                yield source.made(kind)
        for kind, share in INCIDENTAL.items():
            if rng.random() < share:
                yield source.made(kind)
        for name in self.habits:
            yield from neutral_piece(name, source) if name in NEUTRAL else ()
        loud = self._has("tone.enthusiasm:lower")
        for _ in range(2):
            if rng.random() < (0.8 if loud else 0.2):
                yield Piece(source.exclaimed(source.plain().text), "exclaimed")
        for frame in self.banned:
            if rng.random() < HAVING:
                yield source.framed(frame)[0]

    def _edited(self, draft: Paragraphs, habits: tuple[str, ...]) -> Paragraphs:
        rng = self.rng
        text = draft
        if self.beside:
            for name, share in BESIDE.items():
                if name in NEUTRAL and rng.random() < share:
                    text = NEUTRAL[name](text, self.source)
        text = [[self._rid(piece) for piece in row] for row in text]
        text = self._with_phrases(text)
        for name in habits:
            if rng.random() < self.share:
                text = (HABITS.get(name) or NEUTRAL[name])(text, self.source)
        return text

    def _rid(self, piece: Piece) -> Piece:
        taken = piece.kind == "framed" and self.rng.random() < self.share
        return changed(piece, text=piece.other, kind="done") if taken else piece

    def _with_phrases(self, text: Paragraphs) -> Paragraphs:
        for frame in self.common:
            places = [(i, j) for i, row in enumerate(text) for j, one in enumerate(row) if one.kind == "plain"]
            if places and self.rng.random() < self.share:
                i, j = self.rng.choice(places[:2])
                row = list(text[i])
                row[j] = changed(row[j], text=self.source.framing(frame, row[j].text), kind="own")
                text = [*text[:i], row, *text[i + 1 :]]
        return text

    def _flawed(self, draft: str) -> str:
        """The draft with the typos and blanks that a mender will repair."""
        typos = "typos" in self.habits or (self.beside and self.rng.random() < BESIDE["typos"])
        for _ in range(2 if typos else 0):
            draft = with_typo(draft, self.rng)
        return draft.replace(", ", " , ", 1).replace(". ", ".  ", 2) if "spacing" in self.habits else draft


def live(writer: Writer) -> list[Profile]:
    """The profile after each edit, learned one at a time, six hours apart."""
    return [profile for profile, _ in lives(writer)]


def lives(writer: Writer) -> Iterator[tuple[Profile, str]]:
    """The profile after each edit, and what the writer left."""
    profile = new_profile(f"w{writer.seed}", START)
    for index, (before, after) in enumerate(writer.pairs()):
        when = START + timedelta(hours=6 * index)
        delta = analyze(before, after).delta.model_copy(update={"job_id": f"j{index:03}", "edited_at": when})
        profile = learn(profile, [delta], RULES, when).profile
        yield profile, after


def random_writer(language: str, seed: int) -> Writer:
    """A writer with one to three habits that do not contradict each other, and up to three phrases."""
    rng = random.Random(f"writer-{language}-{seed}")
    by_feature: dict[str, list[str]] = {}
    for name in HABITS:
        by_feature.setdefault(name.split(":")[0], []).append(name)
    # What changes words goes first, what changes layout last: each finds the pieces it knows.
    order = sorted(by_feature, key=lambda feature: not feature.startswith("tone"))
    features = sorted(rng.sample(order, rng.randint(1, 3)), key=order.index)
    raw = texts(language, rng).raw
    return Writer(
        language,
        seed,
        tuple(rng.choice(by_feature[feature]) for feature in features),
        tuple(rng.sample(raw["banned"], rng.randint(0, 2))),
        tuple(rng.sample(raw["common"], rng.randint(0, 1))),
        share=rng.choice((0.8, 0.9, 1.0)),
        edits=rng.choice((8, 10, 12, 16)),
    )


def neutral_writer(language: str, seed: int) -> Writer:
    """A writer who mends facts, order, typos, blanks, code, grammar or single words."""
    rng = random.Random(f"neutral-{language}-{seed}")
    names = tuple(rng.sample(sorted(NEUTRAL), rng.randint(1, 3)))
    return Writer(language, seed, names, share=0.9, edits=rng.choice((10, 14)), beside=False)


def phrase_of(frame: str) -> str:
    """The phrase that a frame is about."""
    found = re.search(r"\[\[([^|\]~]+)", frame)
    assert found
    return found.group(1)


def claims(profile: Profile) -> set[str]:
    """Directions and traits claimed, as `feature:value`."""
    found = profile.directions.model_dump()
    tone = found.pop("tone")
    flat = {**found, **{f"tone.{scale}": value for scale, value in tone.items()}}
    named = {f"{name}:{value}" for name, value in flat.items() if value != "none"}
    return named | {f"hooks:{c.value}" for c in profile.claims if c.path == "writing_traits.uses_hooks"}
