"""Simulated writers: drafts from a pool of sentences, and habits that edit them.

Every writer has a seed, texts of its own and a set of habits, each followed in most edits and not in all. What a
careful reader would conclude is known, because the habits are. Run as a program it prints the evaluation.
"""

from __future__ import annotations

import random
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta

from schemas.profile import Profile
from service.analysis import analyze
from service.learning.learn import learn, new_profile
from tests.learning.handmade import RULES, START

SUBJECTS = (
    "the harbour museum", "our small team", "the night train", "a retired teacher", "the new bakery",
    "the repair shop",
    "the city archive", "my neighbour", "the weather station", "the swimming club", "a young carpenter",
    "the tool library",
    "the old cinema", "the mountain rescue", "the chess group", "the flower market",
)  # fmt: skip
VERBS = (
    "opened a second entrance", "counts every visitor by hand", "moved to the river bank",
    "keeps a list of lost gloves",
    "published the results in March", "found a simple answer", "runs without any subsidy",
    "welcomes guests on Fridays",
    "paints the railings each spring", "stores the winter boats", "reads the letters aloud",
    "changed the lighting plan",
    "trains six apprentices", "lends out ladders", "prints the posters overnight", "measures the tide twice",
)  # fmt: skip
TAILS = (
    "before the season starts", "with help from the council", "in a former warehouse", "for the third year",
    "at no cost",
    "near the tram stop", "after a long winter", "under the railway bridge", "with a borrowed van",
    "on both floors",
)  # fmt: skip
JOINS = (", and ", ", so ", ", while ", ", because ")
EMOJI = ("🎉", "🚲", "🌱", "☕️", "👩‍🌾", "📚")
LISTS = ("Bring {0}, {1} and {2}.", "The day offers {0}, {1} and {2}.", "Expect {0}, {1} and {2}.")
ITEMS = (
    "warm gloves",
    "a paper map",
    "spare batteries",
    "fresh bread",
    "a folding chair",
    "strong tea",
    "a short talk",
)
HEDGES = ("I think ", "Perhaps ", "Maybe ")
CTAS = ("Sign up by Friday.", "Join us on Sunday.", "Write to us today.", "Book your seat now.", "Call the front desk.")
QUESTIONS = ("What would you try first?", "How do you handle this?", "Which one is yours?", "What did we miss?")
CLICHES = (
    "in today's fast-paced world", "at the end of the day", "take it to the next level", "a true game-changer",
    "unlock the full potential", "stands as a testament", "nestled in the heart", "a rich tapestry",
)  # fmt: skip
OWN = ("Quick note:", "Here's the thing:", "Short version:", "Honest take:", "Field report:")
FORMAL = (("are not", "aren't"), ("is not", "isn't"), ("We are", "We're"), ("It is", "It's"), ("do not", "don't"))
FORMAL_SENTENCES = (
    "We are open late.",
    "It is a quiet place.",
    "They do not close early.",
    "The doors are not locked.",
)
WORDS = (
    ("museum", "gallery"), ("entrance", "door"), ("posters", "flyers"), ("ladders", "drills"), ("gloves", "hats"),
    ("bakery", "butcher"), ("warehouse", "factory"), ("van", "trailer"), ("winter", "autumn"), ("tide", "wind"),
)  # fmt: skip
Paragraphs = list[list[str]]


def _sentence(rng: random.Random) -> str:
    text = f"{rng.choice(SUBJECTS)} {rng.choice(VERBS)} {rng.choice(TAILS)}"
    return text[0].upper() + text[1:] + "."


def _joined(rng: random.Random) -> str:
    first, second = _sentence(rng), _sentence(rng)
    return first[:-1] + rng.choice(JOINS) + second[0].lower() + second[1:]


@dataclass
class Writer:
    """A writer with habits: names of ``HABITS``, the share of edits that follow them, and phrases of its own."""

    seed: int
    habits: tuple[str, ...]
    share: float = 0.75
    edits: int = 10
    banned: tuple[str, ...] = ()
    common: tuple[str, ...] = ()
    later: tuple[str, ...] | None = None
    rng: random.Random = field(init=False)

    def __post_init__(self) -> None:
        self.rng = random.Random(self.seed)

    def draft(self) -> Paragraphs:
        rng = self.rng
        paragraphs: Paragraphs = []
        for _ in range(rng.randint(2, 4)):
            makers = [_joined if rng.random() < 0.4 else _sentence for _ in range(rng.randint(2, 3))]
            paragraphs.append([make(rng) for make in makers])
        extras = [rng.choice(FORMAL_SENTENCES), rng.choice(LISTS).format(*rng.sample(ITEMS, 3))]
        hedge = rng.choice(HEDGES)
        extras.append(hedge + (text := _sentence(rng))[0].lower() + text[1:])
        extras.append(_sentence(rng)[:-1] + "!")
        for extra in extras:
            place = rng.choice(paragraphs)
            place.insert(rng.randint(0, len(place)), extra)
        for phrase in self.banned:
            if rng.random() < 0.7:
                place = rng.choice(paragraphs)
                index = rng.randrange(len(place))
                place[index] = place[index][:-1] + f" {phrase}" + place[index][-1]
        if rng.random() < 0.5:
            paragraphs[0][0] += " " + rng.choice(EMOJI)
            paragraphs[-1][-1] += " " + rng.choice(EMOJI)
        return paragraphs

    def edit(self, draft: Paragraphs, habits: tuple[str, ...]) -> str:
        rng = self.rng
        text: Paragraphs = [list(paragraph) for paragraph in draft]
        for name in habits:
            if rng.random() < self.share:
                text = HABITS[name](text, rng)
        for phrase in self.banned:
            if rng.random() < self.share:
                text = [[one.replace(f" {phrase}", "") for one in paragraph] for paragraph in text]
        for phrase in self.common:
            if rng.random() < self.share:
                first = text[0][0]
                text[0][0] = f"{phrase} {first[0].lower()}{first[1:]}"
        return written(text)


def written(paragraphs: Paragraphs) -> str:
    return "\n\n".join(" ".join(paragraph) for paragraph in paragraphs)


Habit = Callable[[Paragraphs, random.Random], Paragraphs]
_JOIN = re.compile("|".join(map(re.escape, JOINS)))


def _each(change: Callable[[str], str]) -> Habit:
    return lambda text, rng: [[change(one) for one in paragraph] for paragraph in text]


def _split(text: Paragraphs, rng: random.Random) -> Paragraphs:
    def halves(one: str) -> list[str]:
        parts = _JOIN.split(one)
        return [part[0].upper() + part[1:] if part[-1] in ".!?" else part[0].upper() + part[1:] + "." for part in parts]

    return [[half for one in paragraph for half in halves(one)] for paragraph in text]


def _merge(text: Paragraphs, rng: random.Random) -> Paragraphs:
    merged = []
    for paragraph in text:
        if len(paragraph) > 1 and paragraph[0].endswith("."):
            second = paragraph[1]
            paragraph = [paragraph[0][:-1] + rng.choice(JOINS) + second[0].lower() + second[1:], *paragraph[2:]]
        merged.append(paragraph)
    return merged


def _more_emoji(text: Paragraphs, rng: random.Random) -> Paragraphs:
    return [[*paragraph[:-1], paragraph[-1] + " " + rng.choice(EMOJI)] for paragraph in text]


def _list(text: Paragraphs, rng: random.Random) -> Paragraphs:
    def listed(one: str) -> str:
        found = re.fullmatch(r"((?:Bring|The day offers|Expect)) (.+), (.+) and (.+)\.", one)
        return f"{found[1]}:\n- " + "\n- ".join(found.groups()[1:]) + "\n\n" if found else one

    return [[listed(one) for one in paragraph] for paragraph in text]


def _break(text: Paragraphs, rng: random.Random) -> Paragraphs:
    return [half for paragraph in text for half in (paragraph[:2], paragraph[2:]) if half]


def _formal(text: Paragraphs, rng: random.Random) -> Paragraphs:
    for long, short in FORMAL:
        text = _each(lambda one, long=long, short=short: one.replace(long, short))(text, rng)  # type: ignore[misc]
    return text


HABITS: dict[str, Habit] = {
    "sentence_length:shorter": _split,
    "sentence_length:longer": _merge,
    "emoji:more": _more_emoji,
    "emoji:fewer": _each(lambda one: re.sub("|".join(f" {sign}" for sign in EMOJI), "", one)),
    "bullets:more": _list,
    "paragraphs:shorter": _break,
    "paragraphs:longer": lambda text, rng: [[one for paragraph in text for one in paragraph]],
    "ending:cta": lambda text, rng: [*text, [rng.choice(CTAS)]],
    "ending:question": lambda text, rng: [*text, [rng.choice(QUESTIONS)]],
    "tone.formality:lower": _formal,
    "tone.enthusiasm:lower": _each(lambda one: one.replace("!", ".")),
    "tone.enthusiasm:higher": lambda text, rng: [
        [paragraph[0].replace(".", "!"), *paragraph[1:]] for paragraph in text
    ],
    "tone.directness:higher": _each(lambda one: re.sub("^(?:I think|Perhaps|Maybe) (.)", lambda m: m[1].upper(), one)),
}
# Edits that say nothing about style.
NEUTRAL: dict[str, Habit] = {
    "facts": lambda text, rng: _swap(text, ("third", "fourth"), ("six", "seven"), ("March", "April")),
    "order": lambda text, rng: rng.sample(text, len(text)),
    "typos": lambda text, rng: _swap(text, ("results", "resutls"), ("visitor", "vistor"), ("without", "wihtout")),
    "words": lambda text, rng: _swap(text, *rng.sample(WORDS, 4)),
}
HABITS |= NEUTRAL


def _swap(text: Paragraphs, *pairs: tuple[str, str]) -> Paragraphs:
    for old, new in pairs:
        text = [[re.sub(rf"\b{old}\b", new, one) for one in paragraph] for paragraph in text]
    return text


def live(writer: Writer) -> list[Profile]:
    """The profile after each edit, learned one at a time, six hours apart."""
    profile, states = new_profile(f"w{writer.seed}", START), []
    total = writer.edits * (2 if writer.later is not None else 1)
    for index in range(total):
        habits = writer.habits if writer.later is None or index < writer.edits else writer.later
        draft = writer.draft()
        when = START + timedelta(hours=6 * index)
        found = analyze(written(draft), writer.edit(draft, habits)).delta
        delta = found.model_copy(update={"job_id": f"j{index:03}", "edited_at": when})
        profile = learn(profile, [delta], RULES, when).profile
        states.append(profile)
    return states


def claims(profile: Profile) -> set[str]:
    """Directions as ``feature:value``."""
    found = profile.directions.model_dump()
    tone = found.pop("tone")
    flat = {**found, **{f"tone.{scale}": value for scale, value in tone.items()}}
    return {f"{name}:{value}" for name, value in flat.items() if value != "none"}


def random_writer(seed: int) -> tuple[Writer, set[str]]:
    """A writer with one to three habits that do not contradict each other, and what should be learned."""
    rng = random.Random(seed * 7919)
    by_feature: dict[str, list[str]] = {}
    for name in HABITS:
        if ":" in name:
            by_feature.setdefault(name.split(":")[0], []).append(name)
    features = rng.sample(sorted(by_feature), rng.randint(1, 3))
    habits = tuple(rng.choice(by_feature[feature]) for feature in features)
    banned = tuple(rng.sample(CLICHES, rng.randint(0, 2)))
    common = tuple(rng.sample(OWN, rng.randint(0, 1)))
    writer = Writer(seed, habits, 0.8, rng.choice((8, 10, 12)), banned, common)
    return writer, set(habits)


@dataclass
class Tally:
    hits: int = 0
    wrong: int = 0
    missed: int = 0

    @property
    def f1(self) -> float:
        return 2 * self.hits / max(2 * self.hits + self.wrong + self.missed, 1)


def evaluate(seeds: range) -> dict[str, Tally]:
    """Hits, wrong and missed claims by feature, and for phrases."""
    tallies: dict[str, Tally] = {}
    for seed in seeds:
        writer, expected = random_writer(seed)
        profile = live(writer)[-1]
        found = claims(profile)
        for name in found | expected:
            tally = tallies.setdefault(name.split(":")[0], Tally())
            tally.hits += name in found and name in expected
            tally.wrong += name in found - expected
            tally.missed += name in expected - found
        for kind, wanted in (("banned", writer.banned), ("common", tuple(one.rstrip(":") for one in writer.common))):
            listed = {one.phrase.lower() for one in getattr(profile, f"{kind}_phrases")}
            tally = tallies.setdefault(kind, Tally())
            tally.hits += len({one.lower() for one in wanted} & listed)
            tally.wrong += len(listed - {one.lower() for one in wanted})
            tally.missed += len({one.lower() for one in wanted} - listed)
    return tallies


def neutral_writer(seed: int) -> Writer:
    """A writer who mends facts, order, typos or single words."""
    rng = random.Random(seed * 31)
    return Writer(seed, tuple(rng.sample(sorted(NEUTRAL), rng.randint(1, 3))), 0.9, 12)


OPPOSITES = {
    "sentence_length:shorter": "sentence_length:longer",
    "emoji:more": "emoji:fewer",
    "paragraphs:shorter": "paragraphs:longer",
    "ending:cta": "ending:question",
    "tone.enthusiasm:higher": "tone.enthusiasm:lower",
}


def edits_to_follow(before: str, after: str, seed: int) -> int | None:
    """How many edits of the reversed habit it takes until it is claimed; None when it never is."""
    states = live(Writer(seed, (before,), 0.9, 8, later=(after,)))[8:]
    return next((index + 1 for index, state in enumerate(states) if after in claims(state)), None)


def separation(with_habits: list[float], without: list[float]) -> float:
    """Area under the ROC curve: how often a writer with habits has the higher score."""
    wins = sum((a > b) + 0.5 * (a == b) for a in with_habits for b in without)
    return wins / (len(with_habits) * len(without))


def report(seeds: range) -> str:
    rows = evaluate(seeds)
    lines = [
        f"{name:28} F1 {row.f1:.2f}  {row.hits:4} {row.wrong:4} {row.missed:4}" for name, row in sorted(rows.items())
    ]
    neutral = [live(neutral_writer(seed))[-1] for seed in seeds]
    clean = sum(not one.claims for one in neutral)
    pairs = [pair for one, other in OPPOSITES.items() for pair in ((one, other), (other, one))]
    followed = [edits_to_follow(*pair, seed) for pair in pairs for seed in (1, 2)]
    scores = [live(random_writer(seed)[0])[-1].evolution_score for seed in seeds]
    return "\n".join(
        [
            f"{'':28}          hits wrong missed",
            *lines,
            f"neutral writers without any claim: {clean} of {len(neutral)}",
            f"edits to follow a reversed habit: {sorted(str(one) for one in followed)}",
            f"score, AUC: {separation(scores, [one.evolution_score for one in neutral]):.3f}",
        ]
    )


if __name__ == "__main__":
    print(report(range(1, 61)))
