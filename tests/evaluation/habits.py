"""What writers do to drafts: habits that should be learned, and edits that say nothing about style."""

from __future__ import annotations

import re
from collections.abc import Callable

from tests.evaluation.texts import EMOJI, Paragraphs, Piece, Texts, changed, lowered

Habit = Callable[[Paragraphs, Texts], Paragraphs]


def _each(change: Callable[[Piece, Texts], Piece | list[Piece]]) -> Habit:
    def habit(text: Paragraphs, source: Texts) -> Paragraphs:
        result: Paragraphs = []
        for paragraph in text:
            row: list[Piece] = []
            for piece in paragraph:
                made = change(piece, source)
                row += made if isinstance(made, list) else [made]
            result.append(row)
        return result

    return habit


def _split(piece: Piece, source: Texts) -> Piece | list[Piece]:
    if piece.kind != "joined":
        return piece
    first, second = piece.halves
    return [Piece(first), Piece(second, emoji=piece.emoji)]


# Sentences that a writer of long ones joins.
MERGED = frozenset(("plain", "registers", "casual", "hedged", "direct", "facts", "excited", "done"))


def _merge(text: Paragraphs, source: Texts) -> Paragraphs:
    result: Paragraphs = []
    for paragraph in text:
        row: list[Piece] = []
        for piece in paragraph:
            before = row[-1] if row else None
            if before is not None and {before.kind, piece.kind} <= MERGED and not before.emoji:
                first, second = before.text[:-1], lowered(piece.text)
                row[-1] = Piece(
                    first + source.one("joins") + second, "joined", (before.text, piece.text), emoji=piece.emoji
                )
            else:
                row.append(piece)
        result.append(row)
    return result


def _emoji(text: Paragraphs, source: Texts) -> Paragraphs:
    """An emoji at the end of some paragraphs."""
    result: Paragraphs = []
    for index, paragraph in enumerate(text):
        last = paragraph[-1]
        add = not last.emoji and "\n" not in last.text and (index == 0 or source.rng.random() < 0.6)
        result.append([*paragraph[:-1], changed(last, emoji=source.rng.choice(EMOJI))] if add else paragraph)
    return result


def _break(text: Paragraphs, source: Texts) -> Paragraphs:
    result: Paragraphs = []
    for paragraph in text:
        at = source.rng.randint(1, max(1, len(paragraph) - 1))
        result += [part for part in (paragraph[:at], paragraph[at:]) if part]
    return result


def _one_paragraph(text: Paragraphs, source: Texts) -> Paragraphs:
    return [[piece for paragraph in text for piece in paragraph]]


def _other(kind: str, most: int = 9) -> Habit:
    """Turn pieces of `kind` into what they could be."""

    def habit(text: Paragraphs, source: Texts) -> Paragraphs:
        left = most

        def change(piece: Piece, _: Texts) -> Piece:
            nonlocal left
            if piece.kind != kind or not left:
                return piece
            left -= 1
            return changed(piece, text=piece.other, kind="done", other=piece.text)

        return _each(change)(text, source)

    return habit


def _louder(text: Paragraphs, source: Texts) -> Paragraphs:
    text = _other("excited")(text, source)
    return [
        [changed(row[0], text=source.exclaimed(row[0].text)) if _is_sentence(row[0]) else row[0], *row[1:]]
        for row in text
    ]


def _calmer(piece: Piece, source: Texts) -> Piece:
    return changed(piece, text=source.calmed(piece.text)) if piece.text[-1] in "!！" else piece


def _is_sentence(piece: Piece) -> bool:
    return "\n" not in piece.text and piece.text[-1] in ".。"


def _ends_in(key: str) -> Habit:
    def habit(text: Paragraphs, source: Texts) -> Paragraphs:
        last = Piece(source.one(key), "ending")
        if source.rng.random() < 0.25:
            return [*text[:-1], [*text[-1], last]]
        return [*text, [last]]

    return habit


def _headings(text: Paragraphs, source: Texts) -> Paragraphs:
    places = source.rng.sample(range(len(text)), min(len(text), 2))
    result: Paragraphs = []
    for index, paragraph in enumerate(text):
        if index in places:
            result.append([Piece(f"## {source.one('headings')}", "heading")])
        result.append(paragraph)
    return result


def _hook(text: Paragraphs, source: Texts) -> Paragraphs:
    return [[Piece(source.one("hooks"), "hook")], *text]


HABITS: dict[str, Habit] = {
    "sentence_length:shorter": _each(_split),
    "sentence_length:longer": _merge,
    "emoji:more": _emoji,
    "emoji:fewer": _each(lambda piece, _: changed(piece, emoji="")),
    "bullets:more": _other("list"),
    "bullets:fewer": _other("bullets"),
    "paragraphs:shorter": _break,
    "paragraphs:longer": _one_paragraph,
    "ending:cta": _ends_in("cta"),
    "ending:question": _ends_in("questions"),
    "ending:summary": _ends_in("summaries"),
    "ending:reflection": _ends_in("reflections"),
    "tone.formality:lower": _other("registers"),
    "tone.formality:higher": _other("casual"),
    "tone.enthusiasm:higher": _louder,
    "tone.enthusiasm:lower": _each(_calmer),
    "tone.directness:higher": _other("hedged"),
    "tone.directness:lower": _other("direct"),
    "headings:more": _headings,
    "hooks:yes": _hook,
}
# What a draft must hold for a habit to show.
NEEDS: dict[str, tuple[str, ...]] = {
    "sentence_length:shorter": ("joined", "joined"),
    "bullets:more": ("list",),
    "bullets:fewer": ("bullets",),
    "tone.formality:lower": ("registers", "registers"),
    "tone.formality:higher": ("casual", "casual"),
    "tone.directness:higher": ("hedged", "hedged"),
    "tone.directness:lower": ("direct", "direct"),
    "tone.enthusiasm:higher": ("excited",),
}
OPPOSITES = (
    ("sentence_length:shorter", "sentence_length:longer"),
    ("emoji:more", "emoji:fewer"),
    ("bullets:more", "bullets:fewer"),
    ("paragraphs:shorter", "paragraphs:longer"),
    ("ending:cta", "ending:question"),
    ("tone.formality:lower", "tone.formality:higher"),
    ("tone.enthusiasm:higher", "tone.enthusiasm:lower"),
    ("tone.directness:higher", "tone.directness:lower"),
)


def _swap(key: str) -> Habit:
    """Exchange words or sentences of `key`, wherever they stand."""

    def habit(text: Paragraphs, source: Texts) -> Paragraphs:
        pairs = [entry.partition(" = ")[::2] for entry in source.rng.sample(source.raw[key], 3)]

        def change(piece: Piece, _: Texts) -> Piece:
            shown = piece.text
            for old, new in pairs:
                shown = re.sub(rf"\b{old}\b", new, shown) if source.spaced else shown.replace(old, new)
            return changed(piece, text=shown)

        return _each(change)(text, source)

    return habit


def _order(text: Paragraphs, source: Texts) -> Paragraphs:
    return source.rng.sample(text, len(text))


def _same(text: Paragraphs, source: Texts) -> Paragraphs:
    """The repair is in the draft: it has flaws that the saved text has not."""
    return text


# Edits that say nothing about style.
NEUTRAL: dict[str, Habit] = {
    "facts": _other("facts"),
    "order": _order,
    "typos": _same,
    "words": _swap("words"),
    "fluency": _other("fluency"),
    "code": _other("code"),
    "spacing": _same,
}


def neutral_piece(name: str, source: Texts) -> list[Piece]:
    """What a draft holds for a neutral edit to mend."""
    rng = source.rng
    if name == "facts":
        return [source.paired("facts")]
    if name == "fluency" and "fluency" in source.raw:
        return [source.paired("fluency")]
    if name == "code":
        value = rng.randint(1, 90)
        row = f"```\nlimit = {value}\nretry(limit)\n```"
        return [Piece(row, "code", other=row.replace(str(value), str(value + rng.randint(1, 9))))]
    return []
