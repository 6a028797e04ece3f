"""Style paths: the names of single values of a style, such as ``tone.formality``.

Overrides, seeds, claims and milestones all name values this way. A *leaf* is one value (a list counts as
one); a *group* such as ``tone`` stands for all leaves under it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from operator import attrgetter
from typing import Any, Final

from pydantic import BaseModel

from schemas.made import assign, copied, made
from schemas.profile import Style


def _leaves(model: type[BaseModel], prefix: str = "") -> list[str]:
    found: list[str] = []
    for name, field in model.model_fields.items():
        if isinstance(field.annotation, type) and issubclass(field.annotation, BaseModel):
            found += _leaves(field.annotation, f"{prefix}{name}.")
        else:
            found.append(prefix + name)
    return found


LEAVES: Final[tuple[str, ...]] = tuple(_leaves(Style))
GROUPS: Final[tuple[str, ...]] = tuple(
    sorted({leaf.rsplit(".", count)[0] for leaf in LEAVES for count in range(1, leaf.count(".") + 1)})
)
TONE: Final = tuple(leaf for leaf in LEAVES if leaf.startswith("tone."))
SENTENCE_LENGTH: Final = "writing_traits.avg_sentence_length"
EMOJI_FREQUENCY: Final = "writing_traits.emoji_frequency"
NUMBERS: Final = (SENTENCE_LENGTH, EMOJI_FREQUENCY, *TONE)


def under(path: str) -> list[str]:
    """The leaves a path stands for; none when it is unknown."""
    return [leaf for leaf in LEAVES if leaf == path or leaf.startswith(path + ".")]


def expand(paths: Iterable[str]) -> list[str]:
    return [leaf for path in paths for leaf in under(path)]


_READERS: Final = {leaf: attrgetter(leaf) for leaf in LEAVES}


def get(style: Style, path: str) -> Any:
    return _READERS[path](style)


_PLACES: Final = {leaf: tuple(leaf.split(".")) for leaf in LEAVES}


def put(style: Style, path: str, value: Any) -> None:
    """Set one leaf in place, without validation."""
    *groups, name = _PLACES[path]
    target: BaseModel = style
    for group in groups:
        target = getattr(target, group)
    assign(target, {name: value})


# All values of a style, in the order of ``LEAVES``.
values: Callable[[Style], tuple[Any, ...]] = attrgetter(*LEAVES)


def copy_style(style: Style) -> Style:
    """A style of its own: groups and lists are copied, phrases and preferences (never changed in place) are shared."""
    return made(
        Style,
        {
            "voice_type": style.voice_type,
            "tone": copied(style.tone),
            "writing_traits": copied(style.writing_traits),
            "structure_preferences": copied(style.structure_preferences),
            "vocabulary_level": style.vocabulary_level,
            "common_phrases": [*style.common_phrases],
            "banned_phrases": [*style.banned_phrases],
            "preferences": [*style.preferences],
            "sample_posts": [*style.sample_posts],
            "directions": copied(style.directions, {"tone": copied(style.directions.tone)}),
        },
    )
