"""The parts of the analysis: sentences, tokens, repairs, masks, blocks, languages, sketches."""

from __future__ import annotations

import pytest

from service.analysis import contains, sketch
from service.analysis.blocks import blocks
from service.analysis.capitals import capitals
from service.analysis.document import Document, mask_all
from service.analysis.language import detect
from service.analysis.lexicon import LANGUAGES, lexicon
from service.analysis.mask import mask
from service.analysis.repairs import is_inflection, is_typo
from service.analysis.sentences import split
from service.analysis.tokens import fold, tokenize, words


@pytest.mark.parametrize(
    ("language", "text", "count"),
    [
        ("en", "The rate is 3.14% in v2.4.1, e.g. with Node.js. It runs.", 2),
        ("en", "He lives in the U.S. and works. She does not.", 2),
        ("en", "We moved to the U.S. The rent was high.", 2),
        ("en", 'He said "Ship it." and left. "Ship it." Then we left.', 3),
        ("en", "Well... maybe. Wait... What?", 3),
        ("en", "Dr. Smith met Mr. Lee, i.e. both. J. R. Jones came at 5 p.m. on Monday.", 2),
        ("en", "i went home. it was fun. bye", 3),
        ("en", "Really?! Yes! No.", 3),
        ("en", "We open at 9 a.m. The shop is full.", 2),
        ("de", "Wir nutzen z. B. Brot. Am 3. Mai kommt Dr. Meier. Es ist ca. 5 km weit.", 3),
        ("es", "El Sr. López llegó. ¿Viene usted? ¡Sí!", 3),
        ("fr", "M. Dupont est là. Vraiment ? Oui !", 3),
        ("pt", "O Sr. Silva chegou. Que bom! Vamos?", 3),
        ("ja", "「行こう。」と言った。温室です。次！本当？", 4),
        ("zh", "花园开放了。真的吗？是的！", 3),
        ("hi", "यह अच्छा है। हाँ।", 2),
        ("ar", "هل أنت هنا؟ نعم.", 2),
    ],
)
def test_sentences(language: str, text: str, count: int) -> None:
    assert len(split(text, lexicon(language))) == count, split(text, lexicon(language))


def test_words_keep_what_lives_inside_words() -> None:
    assert words("Don’t use Node.js v2.4.1 at 3.14%, a game-changer!") == [
        *("don't", "use", "node.js", "v2.4.1", "at", "3.14%", "a", "game-changer"),
    ]  # fmt: skip
    assert words("温室に2台") == ["温", "室", "に", "2", "台"]
    assert words("यह अच्छा है") == ["यह", "अच्छा", "है"]
    assert words("cafe\u0301 İstanbul") == ["cafe\u0301", fold("İstanbul")]


def test_tokens_can_be_cut_out_as_written() -> None:
    tokens = tokenize("In today’s fast-paced World, İ go")
    assert tokens.raw(0, 4) == "In today’s fast-paced World"
    assert tokens.at(5) == "İ"


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        ("beihnd", "behind", True),
        ("teh", "the", True),
        ("recieve", "receive", True),
        ("definatly", "definitely", True),
        ("make", "take", False),
        ("stunning", "running", False),
        ("vibrant", "lively", False),
        ("cat", "car", False),
    ],
)
def test_typos(before: str, after: str, expected: bool) -> None:
    assert is_typo(before, after, lexicon("en")) is expected


def test_inflections() -> None:
    english = lexicon("en")
    assert is_inflection("go", "went", english)
    assert is_inflection("city", "cities", english)
    assert is_inflection("information", "informations", english)
    assert not is_inflection("market", "garden", english)
    assert is_inflection("guten", "gute", lexicon("de"))


def test_masks() -> None:
    found = mask(
        "Mail a@b.com or @anna, see https://x.io/a(b). #sale Use `x.y` or shop.com/sale 🎉\n```py\ncode\n```\nend"
    )
    assert found.links == ["https://x.io/a(b", "a@b.com", "shop.com/sale"]
    assert found.mentions == ["@anna"]
    assert found.hashtags == ["#sale"]
    assert len(found.code) == 2
    assert found.emoji == ["🎉"]
    assert mask("Node.js and v2.4.1, see e.g. No.5").links == []
    assert mask("\ud800 lone").text == "\ufffd lone"


@pytest.mark.parametrize(
    ("text", "kinds"),
    [
        ("- a\n* b\n+ c\n– d\n• e\n▪ f\n‣ g\n· h", ["bullet"] * 8),
        ("1. a\n2) b\n10. c", ["numbered"] * 3),
        ("\ufdd4 a\n\ufdd4 b", ["bullet"] * 2),
        ("\ufdd4 a single line", ["prose"]),
        ("# Title\nText here.\n\nOther\n---\nMore.", ["heading", "prose", "heading", "prose"]),
        ("#tag is no heading\n-5 degrees\n2024. A year.", ["prose"] * 3),
        ("a long line that was wrapped by hand somewhere\nin the middle of it all.", ["prose"] * 2),
        ("a long line that was wrapped by hand in the very middle\nof a sentence.", ["prose"]),
        ("1/5 First things first.", ["prose"]),
    ],
)
def test_lines(text: str, kinds: list[str]) -> None:
    assert [line.kind for line in blocks(text).lines] == kinds


def test_emphasis_is_counted_and_taken_away() -> None:
    found = blocks("A **bold** and *light* and __strong__ snake_case_name 2 * 3 * 4")
    assert found.emphasis == 3
    assert found.lines[0].text == "A bold and light and strong snake_case_name 2 * 3 * 4"


def test_emoji_clusters() -> None:
    assert mask("👨‍👩‍👧‍👦 🇩🇪 👍🏽 1️⃣ ☕️ ❤️ 🏴\U000e0067\U000e0062\U000e0065\U000e006e\U000e0067\U000e007f ✅").emoji == [
        *("👨‍👩‍👧‍👦", "🇩🇪", "👍🏽", "1️⃣", "☕️", "❤️"),
        "🏴\U000e0067\U000e0062\U000e0065\U000e006e\U000e0067\U000e007f",
        "✅",
    ]  # fmt: skip
    assert mask("™ © ® → ✓ 1 # * ☆").emoji == []


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("The garden is open and we are here.", "en"),
        ("Der Garten ist offen und wir sind hier.", "de"),
        ("El jardín está abierto y estamos en la calle.", "es"),
        ("Le jardin est ouvert et nous sommes dans la rue.", "fr"),
        ("O jardim está aberto e não estamos na rua.", "pt"),
        ("温室には新しい扉が必要です。", "ja"),
        ("花园今天开放了。", "zh"),
        ("정원이 열려 있습니다.", "ko"),
        ("Xyzzy plugh qwerty.", "und"),
        ("", "und"),
    ],
)
def test_languages(text: str, language: str) -> None:
    assert detect(text, text) == language


ENGLISH = "We walked to the market on the hill and bought some of the pears that they had. "
GERMAN = "Wir sind mit dem Zug auf den Berg gefahren und haben dort die Birnen gekauft, die es gab. "
NAMES = "Pear Plum Quince Sorbus Malus Prunus Cydonia Medlar Rowan Damson. "


@pytest.mark.parametrize(
    ("text", "language"),
    [
        (4 * ENGLISH + 2 * GERMAN, "en"),
        (4 * NAMES + 4 * GERMAN, "de"),
        ("Thank you for all of this. " + GERMAN + GERMAN, "de"),
        (8 * NAMES, "und"),
    ],
    ids=["clear at once", "clear in the end", "mixed at first", "never clear"],
)
def test_the_language_is_that_of_the_beginning_where_that_is_clear(text: str, language: str) -> None:
    assert detect(text, text) == language


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_lexicon_loads(language: str) -> None:
    lists = lexicon(language)
    assert lists.function
    assert lists.pairs
    assert lists.openers["cta"].starts or lists.openers["cta"].inside


def test_sketch_finds_phrases_that_were_left_standing() -> None:
    kept = sketch("The market is a Feast for the senses, in today’s fast-paced world.")
    assert contains(kept, "a feast for the senses")
    assert contains(kept, "In today's fast-paced world")
    assert not contains(kept, "look no further")
    assert not contains(kept, "senses market")
    assert not contains(kept, "")
    long = sketch(" ".join(f"word{i}" for i in range(2000)))
    assert len(long) <= 1002
    assert contains(long, "word3 word4")
    assert contains(long, "word1998 word1999")
    assert not contains(long, "word249 word1750")
    assert contains(sketch("温室には新しい扉が必要です"), "新しい扉")


@pytest.mark.parametrize(
    ("before", "after", "added", "removed"),
    [
        ("we are open", "we are NOT open", 1, 0),
        ("a great day", "a GREAT day", 1, 0),
        ("we are open", "we are N[OT](https://a.io) open", 1, 0),
        ("a GREAT day", "a great day", 0, 1),
        ("read it", "read the PDF of NATO", 0, 0),
        ("ask UNESCO", "ask UNESCO", 0, 0),
        ("OK I am", "I am A-OK", 0, 0),
        ("good", "B2B and MP3 are good", 0, 0),
        ("これは良い", "これは良い", 0, 0),
        ("good " * 9, "X" * 50_000, 0, 0),
    ],
)
def test_words_in_capitals_shout_and_acronyms_do_not(before: str, after: str, added: int, removed: int) -> None:
    draft, saved = (Document(mask_all([text])) for text in (before, after))
    found = capitals(draft, saved, lexicon("en"))
    assert (found.added, found.removed) == (added, removed)
